//! One session of a publication, as its one reader holds it. `[any]`
//!
//! Mirrors `aeron_image.c` and `Image.java`; section 7 of `logbuffer.md`. The log's side of it is core's `reader`. What
//! other threads may know of an image is in [`ImageView`].

use std::fmt;
use std::sync::{Arc, Weak};

use gannet_core::command::AvailableImage;
use gannet_core::counters::CounterId;
use gannet_core::log::LogBuffers;
use gannet_core::log::frame_descriptor::END_FLAG;
use gannet_core::log::reader::{self, Action, Header, Polled};
use gannet_core::position::{Position, SessionId, TermId};
use gannet_transport_ipc::Region;

use crate::client::Client;
use crate::conductor::logs::Log;
use crate::counter::PositionCounter;
use crate::departures::Departures;
use crate::error::{ClientError, RegistrationError};
use crate::image_view::{ImageState, ImageView};
use crate::sync::{Barrier, Busy, Flag, Note};

/// The messages of one session, for its one reader.
///
/// Its memory stays mapped for as long as the image lives, whatever becomes of publication, driver and client. After
/// the image is closed, polls find nothing. What closes it during a poll waits for the poll to end before a publisher may
/// write over what the handler reads; a handler that takes longer than the driver's client liveness timeout (10 s), or
/// on a subscription with `tether=false` than its untethered window limit and linger timeouts together (5 s each), has no
/// such promise. Nor has one whose image is [rejected](Image::reject), or its destination
/// [removed](crate::Subscription::remove_destination), meanwhile.
pub struct Image {
    log: LogBuffers<Region>,
    /// The position that the driver sees: stored once for each poll.
    counter: PositionCounter,
    /// As the counter has it: this image is its only writer.
    position: Position,
    view: ImageView,
    barrier: Barrier,
}

/// A position that an image cannot be moved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("position {position} is not where a message begins or ends from {from} to {to}, the end of the term")]
pub struct PositionError {
    /// The position.
    pub position: Position,
    /// Where the image stands.
    pub from: Position,
    /// The end of its term.
    pub to: Position,
}

impl Image {
    pub(crate) fn new(
        available: &AvailableImage<'_>,
        log: Log,
        counter: PositionCounter,
        client: Weak<Client>,
        departures: Arc<Departures>,
    ) -> Image {
        let position = Position(counter.get());
        Image {
            barrier: departures.barrier(),
            log: (*log).clone(),
            position,
            view: ImageView::new(ImageState {
                correlation_id: available.correlation_id,
                session_id: available.session_id,
                subscription_registration_id: available.subscription_registration_id,
                source_identity: String::from_utf8_lossy(available.source_identity).into_owned(),
                join_position: position,
                subscriber_position_id: available.subscriber_position_id,
                position: counter.clone(),
                log,
                client,
                departures,
                busy: Busy::default(),
                closed: Flag::default(),
                final_position: Note::new(position.0),
                final_end_of_stream: Note::new(i64::MAX),
                damaged: Flag::default(),
            }),
            counter,
        }
    }

    /// Reads up to `fragment_limit` fragments; how many there were.
    ///
    /// The handler gets each fragment's payload and header. Its space is given free when the poll returns; after a
    /// panic of the handler, what this poll read (and did not commit) is read again by the next.
    #[inline]
    pub fn poll(&mut self, fragment_limit: usize, mut handler: impl FnMut(&[u8], Header<'_>)) -> usize {
        self.controlled_poll(fragment_limit, |payload, header| {
            handler(payload, header);
            Action::Continue
        })
    }

    /// As [`poll`](Image::poll), for fragments that begin before `limit`.
    #[inline]
    pub fn bounded_poll(
        &mut self,
        limit: Position,
        fragment_limit: usize,
        mut handler: impl FnMut(&[u8], Header<'_>),
    ) -> usize {
        self.bounded_controlled_poll(limit, fragment_limit, |payload, header| {
            handler(payload, header);
            Action::Continue
        })
    }

    /// As [`poll`](Image::poll), and the handler says for each fragment how to go on.
    #[inline]
    pub fn controlled_poll(
        &mut self,
        fragment_limit: usize,
        handler: impl FnMut(&[u8], Header<'_>) -> Action,
    ) -> usize {
        self.read(None, fragment_limit, handler)
    }

    /// As [`controlled_poll`](Image::controlled_poll), for fragments that begin before `limit`.
    #[inline]
    pub fn bounded_controlled_poll(
        &mut self,
        limit: Position,
        fragment_limit: usize,
        handler: impl FnMut(&[u8], Header<'_>) -> Action,
    ) -> usize {
        self.read(Some(limit), fragment_limit, handler)
    }

    #[inline(always)]
    fn read(
        &mut self,
        limit: Option<Position>,
        fragment_limit: usize,
        mut handler: impl FnMut(&[u8], Header<'_>) -> Action,
    ) -> usize {
        let Image { log, counter, position, view, barrier } = self;
        let state = view.state();
        let _reading = Reading::begin(state, *barrier);
        let closed = &state.closed;
        if closed.is_set() {
            return 0;
        }
        let handler = |payload: &[u8], header: Header<'_>| match handler(payload, header) {
            // The driver may have taken the image away, and its publisher come round: what follows is not ours to read.
            Action::Continue | Action::Commit if closed.is_set() => Action::Break,
            action => action,
        };
        let before = *position;
        let commit = |committed: Position| {
            if !closed.is_set() {
                counter.set(committed.0);
            }
            // Here as well: a panic of the handler leaves no way to do it later, and behind the counter the driver cleans.
            *position = committed;
        };
        let polled = match limit {
            None => reader::controlled_poll(log, before, fragment_limit, handler, commit),
            Some(limit) => reader::bounded_controlled_poll(log, before, limit, fragment_limit, handler, commit),
        };
        advance(state, counter, position, polled)
    }

    /// Reads whole frames, up to `block_length_limit` bytes of them; how many bytes.
    ///
    /// The handler gets the frames as they stand in the log, headers included, with their session and term. Padding
    /// comes by itself, however long, and of it the header only; what is behind that counts among the bytes.
    pub fn block_poll(&mut self, block_length_limit: usize, handler: impl FnOnce(&[u8], SessionId, TermId)) -> usize {
        let Image { log, counter, position, view, barrier } = self;
        let state = view.state();
        let _reading = Reading::begin(state, *barrier);
        if state.closed.is_set() {
            return 0;
        }
        let (before, session_id) = (*position, view.session_id());
        let polled = reader::block_poll(log, before, block_length_limit, |block, term_id| {
            handler(block, session_id, term_id);
        });
        advance(state, counter, position, polled);
        usize::try_from(position.since(before)).unwrap_or(0)
    }

    /// Shows the fragments from `from` on that begin before `limit`, in the same term, without moving the image: the next
    /// poll reads them again. The position up to which whole messages were shown, where another look may go on.
    ///
    /// As Java's `controlledPeek`: a fragment that the handler aborts, and what it leaves of a message in fragments, are
    /// not behind the position. [`Action::Commit`] moves nothing here, and goes on. After the image is closed nothing is
    /// shown.
    ///
    /// # Errors
    /// When `from` lies behind the image's position, beyond its term, within a message or beyond what has arrived.
    pub fn controlled_peek(
        &mut self,
        from: Position,
        limit: Position,
        mut handler: impl FnMut(&[u8], Header<'_>) -> Action,
    ) -> Result<Position, PositionError> {
        self.check_position(from)?;
        let view = &self.view;
        let _reading = Reading::begin(view.state(), self.barrier);
        let term_end = from.plus(left_in_term(&self.log, from));
        let (mut at, mut whole, mut action) = (from, from, Action::Continue);
        while at < limit.min(term_end) && matches!(action, Action::Continue | Action::Commit) && !view.is_closed() {
            let mut is_end = false;
            let polled = reader::bounded_controlled_poll(
                &self.log,
                at,
                limit,
                1,
                |payload, header| {
                    action = handler(payload, header);
                    is_end = header.flags() & END_FLAG != 0;
                    action
                },
                |_| (),
            );
            if polled.damaged {
                damaged(view.state(), polled.position);
            }
            if polled.position == at {
                break;
            }
            at = polled.position;
            // Padding alone is behind as well.
            if is_end || polled.fragments == 0 {
                whole = at;
            }
        }
        Ok(whole)
    }

    /// Skips the messages before `position`, in the same term.
    ///
    /// # Errors
    /// When the position lies behind, beyond the term, within a message or beyond what has arrived: reading on from there
    /// would take a payload for a message.
    pub fn set_position(&mut self, position: Position) -> Result<(), PositionError> {
        self.check_position(position)?;
        let _reading = Reading::begin(self.view.state(), self.barrier);
        if !self.view.is_closed() {
            self.counter.set(position.0);
        }
        self.position = position;
        Ok(())
    }

    fn check_position(&self, position: Position) -> Result<(), PositionError> {
        let (from, to) = (self.position, self.position.plus(left_in_term(&self.log, self.position)));
        if position < from || position > to || !reader::leads_to(&self.log, from, position) {
            return Err(PositionError { position, from, to });
        }
        Ok(())
    }

    /// What there is to know of the image, for any thread to keep.
    #[must_use]
    pub fn view(&self) -> &ImageView {
        &self.view
    }

    /// How far the image is read.
    #[must_use]
    #[inline]
    pub fn position(&self) -> Position {
        self.position
    }

    /// The publication's session.
    #[must_use]
    #[inline]
    pub fn session_id(&self) -> SessionId {
        self.view.session_id()
    }

    /// The id that the driver knows it by; over IPC the publication's registration id.
    #[must_use]
    pub fn correlation_id(&self) -> i64 {
        self.view.correlation_id()
    }

    /// Where it comes from: the sender's address, or `aeron:ipc`.
    #[must_use]
    pub fn source_identity(&self) -> &str {
        self.view.source_identity()
    }

    /// The position at which this subscription joined the stream.
    #[must_use]
    pub fn join_position(&self) -> Position {
        self.view.join_position()
    }

    /// The counter that holds how far the image is read.
    #[must_use]
    pub fn subscriber_position_id(&self) -> CounterId {
        self.view.subscriber_position_id()
    }

    /// Where the stream ends: known once the publication is closed, the largest position before that.
    #[must_use]
    pub fn end_of_stream_position(&self) -> Position {
        self.view.end_of_stream_position()
    }

    /// Whether everything was read of a stream that has ended.
    #[must_use]
    pub fn is_end_of_stream(&self) -> bool {
        self.view.is_end_of_stream()
    }

    /// Whether the publication was revoked: what was not read by then is lost.
    #[must_use]
    pub fn is_publication_revoked(&self) -> bool {
        self.view.is_publication_revoked()
    }

    /// Over how many connections the stream arrives; 0 over IPC.
    #[must_use]
    pub fn active_transport_count(&self) -> i32 {
        self.view.active_transport_count()
    }

    /// Whether the image is gone: the publication ended, the driver gave it up, or the subscription is closed.
    #[must_use]
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.view.is_closed()
    }

    /// Rejects the image: the publisher is told why, and the stream is refused for a while.
    ///
    /// Does not wait for the driver; returns the correlation id of the command. The driver lets go of the image at once, for
    /// all who subscribe to it: a publisher may then write over what a poll handler, this one or another's, still reads.
    ///
    /// # Errors
    /// When the client is closed, its command buffer full, or the reason longer than 1023 bytes.
    pub fn reject(&self, reason: &str) -> Result<i64, RegistrationError> {
        self.view.reject(reason)
    }
}

/// Marks an image as being polled, and settles, once it no longer is, what waited for that.
struct Reading<'a> {
    state: &'a ImageState,
    barrier: Barrier,
}

impl<'a> Reading<'a> {
    #[inline(always)]
    fn begin(state: &'a ImageState, barrier: Barrier) -> Reading<'a> {
        state.busy.begin(barrier);
        Reading { state, barrier }
    }
}

impl Drop for Reading<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.state.busy.end(self.barrier);
        if self.state.closed.is_set() {
            settle(self.state);
        }
    }
}

#[cold]
fn settle(state: &ImageState) {
    state.departures.settle();
}

/// Tells the driver how far an image is read, once for each poll.
#[inline(always)]
fn advance(state: &ImageState, counter: &PositionCounter, position: &mut Position, polled: Polled) -> usize {
    if polled.damaged {
        damaged(state, polled.position);
    }
    if polled.position > *position && !state.closed.is_set() {
        counter.set(polled.position.0);
    }
    *position = polled.position;
    polled.fragments
}

#[cold]
fn damaged(state: &ImageState, position: Position) {
    if !state.damaged.set() {
        return;
    }
    if let Some(client) = state.client.upgrade() {
        let error = ClientError::DamagedLog { session_id: state.session_id, position };
        client.tell([crate::callbacks::Event::Error(error)]);
    }
}

/// From a position to the end of its term, in bytes.
fn left_in_term(log: &LogBuffers<Region>, position: Position) -> i64 {
    let term_length = log.term_length();
    i64::from(term_length.bytes()) - i64::from(position.term_offset(term_length))
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view.fmt(f)
    }
}
