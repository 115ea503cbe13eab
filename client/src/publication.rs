//! A publication that many may write. `[any]`
//!
//! Mirrors `aeron_publication.c` and `ConcurrentPublication.java`; section 5 of `logbuffer.md`. The log's side of it
//! is core's `ConcurrentAppender`.

use std::fmt;
use std::sync::Arc;

use gannet_core::command::Command;
use gannet_core::counters::CounterId;
use gannet_core::log::{AppendError, ConcurrentAppender};
use gannet_core::position::{Position, SessionId, StreamId, TermId, TermLength};
use gannet_transport_ipc::Region;

use crate::asynchronous::AsyncDestination;
use crate::client::ClientHandle;
use crate::conductor::registration::Added;
use crate::counter::{PositionCounter, local_socket_addresses};
use crate::destination::destination;
use crate::error::RegistrationError;
use crate::offer_error::OfferError;
use crate::publication_accessors::{PublicationGuard, publication_accessors};
use crate::publication_state::PublicationState;
use crate::why::Why;

/// Space in a publication's log for one message, written in place and then committed; dropped without, it becomes
/// padding that nobody sees. Committing one that was held for longer than the driver's unblock timeout, or while another
/// handle closed its publication or client, is refused with [`ClaimLost`](crate::ClaimLost).
pub type Claim<'a> = gannet_core::log::Claim<'a, Region>;

/// Publishes messages to a stream, beside any number of other publishers, in this process or another.
///
/// Cheap to clone, and any number of threads may publish at once. The driver is told when the last clone is dropped;
/// [`close`](Publication::close) closes them all.
///
/// ```no_run
/// use gannet::{Aeron, Context, OfferError};
///
/// let aeron = Aeron::connect(Context::new())?;
/// let publication = aeron.add_publication("aeron:ipc", 1001)?;
/// loop {
///     match publication.offer(b"hello") {
///         Ok(position) => break println!("published up to {position}"),
///         Err(error) if error.is_retryable() => std::thread::yield_now(),
///         Err(error) => return Err(error.into()),
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Publication {
    appender: ConcurrentAppender<Region>,
    limit: PositionCounter,
    state: Arc<PublicationState>,
    guard: Arc<PublicationGuard>,
}

impl Publication {
    pub(crate) fn new(state: Arc<PublicationState>, handle: &Arc<ClientHandle>) -> Publication {
        Publication {
            appender: ConcurrentAppender::new((*state.log).clone()),
            limit: state.limit.clone(),
            guard: Arc::new(PublicationGuard::new(Arc::clone(&state), handle)),
            state,
        }
    }

    /// Publishes a message; the position behind it.
    ///
    /// # Errors
    /// Why it was not published: see [`OfferError`].
    #[inline]
    pub fn offer(&self, message: &[u8]) -> Result<Position, OfferError> {
        self.appender.offer(self.limit()?, message).map_err(|error| self.refused(error))
    }

    /// Publishes a message whose header carries a value of the application's, made for each fragment from its bytes
    /// (header first, then payload).
    ///
    /// # Errors
    /// Why it was not published: see [`OfferError`].
    #[inline]
    pub fn offer_with_reserved_value(
        &self,
        message: &[u8],
        reserved_value: impl FnMut(&[u8]) -> i64,
    ) -> Result<Position, OfferError> {
        self.appender.offer_with(self.limit()?, message, reserved_value).map_err(|error| self.refused(error))
    }

    /// Publishes one message that is gathered from several pieces.
    ///
    /// # Errors
    /// Why it was not published: see [`OfferError`].
    #[inline]
    pub fn offer_vectored(&self, pieces: &[&[u8]]) -> Result<Position, OfferError> {
        self.appender.offer_vectored(self.limit()?, pieces).map_err(|error| self.refused(error))
    }

    /// As [`offer_vectored`](Publication::offer_vectored), with a value of the application's in each header.
    ///
    /// # Errors
    /// Why it was not published: see [`OfferError`].
    #[inline]
    pub fn offer_vectored_with_reserved_value(
        &self,
        pieces: &[&[u8]],
        reserved_value: impl FnMut(&[u8]) -> i64,
    ) -> Result<Position, OfferError> {
        self.appender.offer_vectored_with(self.limit()?, pieces, reserved_value).map_err(|error| self.refused(error))
    }

    /// Claims space for a message of `length` bytes, to be written in place: no copy is made.
    ///
    /// Write it soon: subscribers wait at it, and after the driver's unblock timeout (15 s) it is taken for a dead
    /// publisher's. It is lost then: [`Claim::commit`] says so, as far as it can see, and publishes nothing.
    ///
    /// ```no_run
    /// # let aeron = gannet::Aeron::connect(gannet::Context::new())?;
    /// # let publication = aeron.add_publication("aeron:ipc", 1001)?;
    /// let mut claim = publication.try_claim(8)?;
    /// claim.data_mut().copy_from_slice(&42_u64.to_le_bytes());
    /// claim.commit()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Why nothing was claimed: see [`OfferError`]. The message must fit one frame,
    /// [`max_payload_length`](Publication::max_payload_length).
    #[inline]
    pub fn try_claim(&self, length: usize) -> Result<Claim<'_>, OfferError> {
        self.appender.try_claim(self.limit()?, length).map_err(|error| self.refused(error))
    }

    #[inline(always)]
    fn limit(&self) -> Result<Position, OfferError> {
        if self.state.is_closed() { Err(OfferError::Closed) } else { Ok(Position(self.limit.get())) }
    }

    #[cold]
    fn refused(&self, error: AppendError) -> OfferError {
        if error == AppendError::BackPressured {
            self.state.refused(self.appender.position());
        }
        error.into()
    }

    publication_accessors!();

    /// Closes the publication and every clone of it. Subscribers still get what was published.
    pub fn close(self) {
        self.guard.remove(false);
    }

    /// Closes the publication, and every other one that shares its log, and takes it away from its subscribers at
    /// once: what they have not read is lost.
    pub fn revoke(self) {
        self.guard.remove(true);
    }
}

impl fmt::Debug for Publication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publication")
            .field("channel", &self.channel())
            .field("stream_id", &self.stream_id())
            .field("session_id", &self.session_id())
            .field("registration_id", &self.registration_id())
            .field("position", &self.position())
            .finish_non_exhaustive()
    }
}
