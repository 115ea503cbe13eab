//! A publication that one alone writes. `[any]`
//!
//! Mirrors `aeron_exclusive_publication.c` and `ExclusivePublication.java`; section 6 of `logbuffer.md`. The log's side
//! of it is core's `ExclusiveAppender`.

use std::fmt;
use std::sync::Arc;

use gannet_core::command::Command;
use gannet_core::counters::CounterId;
use gannet_core::log::{AppendError, ExclusiveAppender};
use gannet_core::position::{Position, SessionId, StreamId, TermId, TermLength};
use gannet_transport_ipc::Region;

use crate::asynchronous::AsyncDestination;
use crate::client::ClientHandle;
use crate::conductor::registration::Added;
use crate::counter::{PositionCounter, local_socket_addresses};
use crate::destination::destination;
use crate::error::RegistrationError;
use crate::offer_error::OfferError;
use crate::publication::Claim;
use crate::publication_accessors::{PublicationGuard, publication_accessors};
use crate::publication_state::PublicationState;
use crate::why::Why;

/// Publishes messages to a stream as its session's only publisher: the fastest way to publish.
///
/// May move to another thread, and is not shared: publishing takes `&mut self`. Dropping it tells the driver.
///
/// ```no_run
/// use gannet::{Aeron, Context};
///
/// let aeron = Aeron::connect(Context::new())?;
/// let mut publication = aeron.add_exclusive_publication("aeron:ipc", 1001)?;
/// let mut claim = publication.try_claim(5)?;
/// claim.data_mut().copy_from_slice(b"hello");
/// claim.commit()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ExclusivePublication {
    appender: ExclusiveAppender<Region>,
    limit: PositionCounter,
    state: Arc<PublicationState>,
    guard: PublicationGuard,
}

impl ExclusivePublication {
    pub(crate) fn new(
        appender: ExclusiveAppender<Region>,
        state: Arc<PublicationState>,
        handle: &Arc<ClientHandle>,
    ) -> ExclusivePublication {
        ExclusivePublication {
            appender,
            limit: state.limit.clone(),
            guard: PublicationGuard::new(Arc::clone(&state), handle),
            state,
        }
    }

    /// Publishes a message; the position behind it.
    ///
    /// # Errors
    /// Why it was not published: see [`OfferError`].
    #[inline]
    pub fn offer(&mut self, message: &[u8]) -> Result<Position, OfferError> {
        let limit = self.limit()?;
        self.appender.offer(limit, message).map_err(|error| refused(&self.state, &self.appender, error))
    }

    /// Publishes a message whose header carries a value of the application's, made for each fragment from its bytes
    /// (header first, then payload).
    ///
    /// # Errors
    /// Why it was not published: see [`OfferError`].
    #[inline]
    pub fn offer_with_reserved_value(
        &mut self,
        message: &[u8],
        reserved_value: impl FnMut(&[u8]) -> i64,
    ) -> Result<Position, OfferError> {
        let limit = self.limit()?;
        let result = self.appender.offer_with(limit, message, reserved_value);
        result.map_err(|error| refused(&self.state, &self.appender, error))
    }

    /// Publishes one message that is gathered from several pieces.
    ///
    /// # Errors
    /// Why it was not published: see [`OfferError`].
    #[inline]
    pub fn offer_vectored(&mut self, pieces: &[&[u8]]) -> Result<Position, OfferError> {
        let limit = self.limit()?;
        self.appender.offer_vectored(limit, pieces).map_err(|error| refused(&self.state, &self.appender, error))
    }

    /// As [`offer_vectored`](ExclusivePublication::offer_vectored), with a value of the application's in each header.
    ///
    /// # Errors
    /// Why it was not published: see [`OfferError`].
    #[inline]
    pub fn offer_vectored_with_reserved_value(
        &mut self,
        pieces: &[&[u8]],
        reserved_value: impl FnMut(&[u8]) -> i64,
    ) -> Result<Position, OfferError> {
        let limit = self.limit()?;
        let result = self.appender.offer_vectored_with(limit, pieces, reserved_value);
        result.map_err(|error| refused(&self.state, &self.appender, error))
    }

    /// Claims space for a message of `length` bytes, to be written in place: no copy is made. Subscribers wait at it
    /// until it is committed or aborted.
    ///
    /// # Errors
    /// Why nothing was claimed: see [`OfferError`]. The message must fit one frame,
    /// [`max_payload_length`](ExclusivePublication::max_payload_length).
    #[inline]
    pub fn try_claim(&mut self, length: usize) -> Result<Claim<'_>, OfferError> {
        let limit = self.limit()?;
        let (state, position) = (&self.state, self.appender.position());
        self.appender.try_claim(limit, length).map_err(|error| refused_at(state, position, error))
    }

    /// Moves the position on by a message of `length` bytes that no subscriber sees.
    ///
    /// # Errors
    /// Why it was not moved: see [`OfferError`].
    pub fn append_padding(&mut self, length: usize) -> Result<Position, OfferError> {
        let limit = self.limit()?;
        self.appender.append_padding(limit, length).map_err(|error| refused(&self.state, &self.appender, error))
    }

    /// Publishes frames that are already formed, as a block poll hands them out: headers included, the first of them
    /// for this publication's stream, session and position.
    ///
    /// # Errors
    /// Why nothing was published: see [`OfferError`].
    pub fn offer_block(&mut self, block: &[u8]) -> Result<Position, OfferError> {
        let limit = self.limit()?;
        self.appender.offer_block(limit, block).map_err(|error| {
            let error = OfferError::from(error);
            if error == OfferError::BackPressured {
                self.state.refused(self.appender.position());
            }
            error
        })
    }

    #[inline(always)]
    fn limit(&self) -> Result<Position, OfferError> {
        if self.state.is_closed() { Err(OfferError::Closed) } else { Ok(Position(self.limit.get())) }
    }

    publication_accessors!();

    /// Where in the term the next message goes, in bytes.
    #[must_use]
    pub fn term_offset(&self) -> i32 {
        self.appender.term_offset()
    }

    /// The term that the next message goes to.
    #[must_use]
    pub fn term_id(&self) -> TermId {
        self.appender.term_id()
    }

    /// Closes the publication. Subscribers still get what was published.
    pub fn close(self) {
        self.guard.remove(false);
    }

    /// Closes the publication and takes it away from its subscribers at once: what they have not read is lost.
    pub fn revoke(self) {
        self.guard.remove(true);
    }
}

#[cold]
fn refused(state: &PublicationState, appender: &ExclusiveAppender<Region>, error: AppendError) -> OfferError {
    refused_at(state, appender.position(), error)
}

#[cold]
fn refused_at(state: &PublicationState, position: Position, error: AppendError) -> OfferError {
    if error == AppendError::BackPressured {
        state.refused(position);
    }
    error.into()
}

impl fmt::Debug for ExclusivePublication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExclusivePublication")
            .field("channel", &self.channel())
            .field("stream_id", &self.stream_id())
            .field("session_id", &self.session_id())
            .field("registration_id", &self.registration_id())
            .field("position", &self.position())
            .finish_non_exhaustive()
    }
}
