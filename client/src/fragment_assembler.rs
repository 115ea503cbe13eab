//! Hands whole messages to a handler, however many fragments they arrive in. `[any]`
//!
//! Mirrors `FragmentAssembler`, `ControlledFragmentAssembler` and their like for one image; C:
//! `aeron_fragment_assembler.c`.

use gannet_core::log::{Action, Header};
use gannet_core::position::SessionId;

use crate::buffer_builder::BufferBuilder;

/// Puts the messages of every session of a subscription together.
///
/// A message in one fragment, the common case, is handed through as it lies in the log.
///
/// ```no_run
/// use gannet::{Aeron, Context, FragmentAssembler};
///
/// let aeron = Aeron::connect(Context::new())?;
/// let mut subscription = aeron.add_subscription("aeron:ipc", 1001)?;
/// let mut assembler = FragmentAssembler::new();
/// loop {
///     subscription.poll(10, assembler.assemble(|message, header| {
///         println!("{} bytes from session {}", message.len(), header.session_id());
///     }));
/// }
/// # #[allow(unreachable_code)]
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The header of a message in several fragments is the first fragment's, with the length of the whole, the flags of
/// both ends, and the position behind the last. What is left of a session that ends in the middle of a message is
/// freed by [`free_session`](FragmentAssembler::free_session). After a panic of the handler the message comes again, as far
/// as the next poll reads its fragments again.
#[derive(Debug, Default)]
pub struct FragmentAssembler {
    builders: Builders,
}

impl FragmentAssembler {
    /// With no message begun.
    #[must_use]
    pub fn new() -> FragmentAssembler {
        FragmentAssembler::default()
    }

    /// A handler for `poll` that hands whole messages on.
    #[inline]
    pub fn assemble<'a>(
        &'a mut self,
        mut handler: impl FnMut(&[u8], Header<'_>) + 'a,
    ) -> impl FnMut(&[u8], Header<'_>) + 'a {
        move |payload, header| {
            if BufferBuilder::is_whole(header) {
                handler(payload, header);
            } else {
                assemble(self.builders.of(header.session_id()), payload, header, &mut handler);
            }
        }
    }

    /// Frees what is kept for a session, for one whose image is gone; whether there was anything.
    pub fn free_session(&mut self, session_id: SessionId) -> bool {
        self.builders.remove(session_id)
    }

    /// Forgets every message that was begun.
    pub fn clear(&mut self) {
        self.builders.clear();
    }
}

/// As [`FragmentAssembler`], for a handler that says how to go on: see
/// [`Subscription::controlled_poll`](crate::Subscription::controlled_poll).
///
/// A message that the handler aborts comes again with the next poll.
#[derive(Debug, Default)]
pub struct ControlledFragmentAssembler {
    builders: Builders,
}

impl ControlledFragmentAssembler {
    /// With no message begun.
    #[must_use]
    pub fn new() -> ControlledFragmentAssembler {
        ControlledFragmentAssembler::default()
    }

    /// A handler for `controlled_poll` that hands whole messages on.
    #[inline]
    pub fn assemble<'a>(
        &'a mut self,
        mut handler: impl FnMut(&[u8], Header<'_>) -> Action + 'a,
    ) -> impl FnMut(&[u8], Header<'_>) -> Action + 'a {
        move |payload, header| {
            if BufferBuilder::is_whole(header) {
                handler(payload, header)
            } else {
                assemble_controlled(self.builders.of(header.session_id()), payload, header, &mut handler)
            }
        }
    }

    /// Frees what is kept for a session, for one whose image is gone; whether there was anything.
    pub fn free_session(&mut self, session_id: SessionId) -> bool {
        self.builders.remove(session_id)
    }

    /// Forgets every message that was begun.
    pub fn clear(&mut self) {
        self.builders.clear();
    }
}

/// As [`FragmentAssembler`], for the messages of one [`Image`](crate::Image).
#[derive(Debug, Default)]
pub struct ImageFragmentAssembler {
    builder: BufferBuilder,
}

impl ImageFragmentAssembler {
    /// With no message begun.
    #[must_use]
    pub fn new() -> ImageFragmentAssembler {
        ImageFragmentAssembler::default()
    }

    /// A handler for `poll` that hands whole messages on.
    #[inline]
    pub fn assemble<'a>(
        &'a mut self,
        mut handler: impl FnMut(&[u8], Header<'_>) + 'a,
    ) -> impl FnMut(&[u8], Header<'_>) + 'a {
        move |payload, header| {
            if BufferBuilder::is_whole(header) {
                handler(payload, header);
            } else {
                assemble(&mut self.builder, payload, header, &mut handler);
            }
        }
    }

    /// Forgets a message that was begun.
    pub fn clear(&mut self) {
        self.builder.reset();
    }
}

/// As [`ControlledFragmentAssembler`], for the messages of one [`Image`](crate::Image).
#[derive(Debug, Default)]
pub struct ImageControlledFragmentAssembler {
    builder: BufferBuilder,
}

impl ImageControlledFragmentAssembler {
    /// With no message begun.
    #[must_use]
    pub fn new() -> ImageControlledFragmentAssembler {
        ImageControlledFragmentAssembler::default()
    }

    /// A handler for `controlled_poll` that hands whole messages on.
    #[inline]
    pub fn assemble<'a>(
        &'a mut self,
        mut handler: impl FnMut(&[u8], Header<'_>) -> Action + 'a,
    ) -> impl FnMut(&[u8], Header<'_>) -> Action + 'a {
        move |payload, header| {
            if BufferBuilder::is_whole(header) {
                handler(payload, header)
            } else {
                assemble_controlled(&mut self.builder, payload, header, &mut handler)
            }
        }
    }

    /// Forgets a message that was begun.
    pub fn clear(&mut self) {
        self.builder.reset();
    }
}

/// A builder for each session that has sent fragments.
#[derive(Debug, Default)]
struct Builders {
    /// By rising session id: sessions come rarely, fragments often.
    sessions: Vec<(SessionId, BufferBuilder)>,
    /// Where the last fragment's session stands: the next one is mostly of the same.
    last: usize,
}

impl Builders {
    /// The builder of a session, made now if it has none.
    #[inline]
    fn of(&mut self, session_id: SessionId) -> &mut BufferBuilder {
        if self.sessions.get(self.last).is_none_or(|(of, _)| *of != session_id) {
            self.last = self.find(session_id);
        }
        &mut self.sessions[self.last].1
    }

    #[cold]
    fn find(&mut self, session_id: SessionId) -> usize {
        match self.sessions.binary_search_by_key(&session_id, |(of, _)| *of) {
            Ok(index) => index,
            Err(index) => {
                self.sessions.insert(index, (session_id, BufferBuilder::default()));
                index
            }
        }
    }

    fn remove(&mut self, session_id: SessionId) -> bool {
        match self.sessions.binary_search_by_key(&session_id, |(of, _)| *of) {
            Ok(index) => {
                self.sessions.remove(index);
                true
            }
            Err(_) => false,
        }
    }

    fn clear(&mut self) {
        self.sessions.clear();
    }
}

fn assemble(
    builder: &mut BufferBuilder,
    payload: &[u8],
    header: Header<'_>,
    handler: &mut impl FnMut(&[u8], Header<'_>),
) {
    if builder.append(payload, header) {
        let (message, whole) = builder.complete(header);
        handler(message, whole);
        builder.reset();
    }
}

fn assemble_controlled(
    builder: &mut BufferBuilder,
    payload: &[u8],
    header: Header<'_>,
    handler: &mut impl FnMut(&[u8], Header<'_>) -> Action,
) -> Action {
    if !builder.append(payload, header) {
        return Action::Continue;
    }
    let (message, whole) = builder.complete(header);
    let action = handler(message, whole);
    // An aborted one is kept: its last fragment comes again.
    if action != Action::Abort {
        builder.reset();
    }
    action
}

#[cfg(test)]
mod tests;
