//! What there is to know of an image, for any thread. `[any]`
//!
//! Mirrors the read-only half of `Image` and `aeron_image_constants_t`. Reading an image's messages is the business of
//! [`Image`](crate::Image), of which there is one only.

use std::fmt;
use std::sync::{Arc, Weak};

use gannet_core::command::Command;
use gannet_core::counters::CounterId;
use gannet_core::position::{Position, SessionId, TermId, TermLength};

use crate::client::Client;
use crate::conductor::logs::Log;
use crate::counter::PositionCounter;
use crate::departures::Departures;
use crate::error::RegistrationError;
use crate::sync::{Busy, Flag, Note};

/// The longest reason that a driver takes, C's `AERON_ERROR_MAX_TEXT_LENGTH`.
const MAX_REASON_LENGTH: usize = 1023;

/// One session of a publication, as a subscription sees it: who it is, how far it is read, whether it lives.
///
/// Cheap to clone, and usable from any thread for as long as one likes: after the image is closed it keeps the last
/// position.
#[derive(Clone)]
pub struct ImageView(Arc<ImageState>);

pub(crate) struct ImageState {
    pub(crate) correlation_id: i64,
    pub(crate) session_id: SessionId,
    pub(crate) subscription_registration_id: i64,
    pub(crate) source_identity: String,
    pub(crate) join_position: Position,
    pub(crate) subscriber_position_id: CounterId,
    pub(crate) position: PositionCounter,
    pub(crate) log: Log,
    pub(crate) client: Weak<Client>,
    pub(crate) departures: Arc<Departures>,
    /// Set by its reader for as long as a poll lasts.
    pub(crate) busy: Busy,
    pub(crate) closed: Flag,
    pub(crate) final_position: Note,
    pub(crate) final_end_of_stream: Note,
    /// Its log was found damaged, and the error handler told.
    pub(crate) damaged: Flag,
}

impl ImageView {
    pub(crate) fn new(state: ImageState) -> ImageView {
        ImageView(Arc::new(state))
    }

    pub(crate) fn state(&self) -> &ImageState {
        &self.0
    }

    /// Takes the last position down and closes the image: its counter may soon be another's.
    pub(crate) fn close(&self) {
        if self.0.closed.is_set() {
            return;
        }
        self.0.final_end_of_stream.set(self.0.log.metadata().end_of_stream_position().0);
        self.0.final_position.set(self.0.position.get());
        self.0.closed.set();
    }

    /// Whether its reader is in the middle of a poll.
    pub(crate) fn is_polled(&self) -> bool {
        self.0.busy.is_set()
    }

    /// The id that the driver knows it by; over IPC the publication's registration id.
    #[must_use]
    pub fn correlation_id(&self) -> i64 {
        self.0.correlation_id
    }

    /// The publication's session.
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        self.0.session_id
    }

    /// The registration id of the subscription that it belongs to.
    #[must_use]
    pub fn subscription_registration_id(&self) -> i64 {
        self.0.subscription_registration_id
    }

    /// Where it comes from: the sender's address, or `aeron:ipc`.
    #[must_use]
    pub fn source_identity(&self) -> &str {
        &self.0.source_identity
    }

    /// The position at which this subscription joined the stream.
    #[must_use]
    pub fn join_position(&self) -> Position {
        self.0.join_position
    }

    /// The counter that holds how far this subscription has read.
    #[must_use]
    pub fn subscriber_position_id(&self) -> CounterId {
        self.0.subscriber_position_id
    }

    /// The length of a term.
    #[must_use]
    pub fn term_length(&self) -> TermLength {
        self.0.log.term_length()
    }

    /// The session's first term.
    #[must_use]
    pub fn initial_term_id(&self) -> TermId {
        self.0.log.initial_term_id()
    }

    /// The longest frame of the stream, header included, in bytes.
    #[must_use]
    pub fn mtu_length(&self) -> usize {
        self.0.log.mtu_length()
    }

    /// How far this subscription has read; after the image is closed, how far it had read.
    #[must_use]
    pub fn position(&self) -> Position {
        if self.is_closed() { Position(self.0.final_position.get()) } else { Position(self.0.position.get()) }
    }

    /// Where the stream ends: known once the publication is closed, the largest position before that.
    #[must_use]
    pub fn end_of_stream_position(&self) -> Position {
        if self.is_closed() {
            Position(self.0.final_end_of_stream.get())
        } else {
            self.0.log.metadata().end_of_stream_position()
        }
    }

    /// Whether everything was read of a stream that has ended.
    #[must_use]
    pub fn is_end_of_stream(&self) -> bool {
        self.position() >= self.end_of_stream_position()
    }

    /// Whether the publication was revoked: what was not read by then is lost.
    #[must_use]
    pub fn is_publication_revoked(&self) -> bool {
        self.0.log.metadata().is_publication_revoked()
    }

    /// Over how many connections the stream arrives; 0 over IPC and after the image is closed.
    #[must_use]
    pub fn active_transport_count(&self) -> i32 {
        if self.is_closed() { 0 } else { self.0.log.metadata().active_transport_count() }
    }

    /// Whether the image is gone: the publication ended, the driver gave it up, or the subscription is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.closed.is_set()
    }

    /// Rejects the image: the publisher is told why, and the stream is refused for a while.
    ///
    /// Does not wait for the driver; returns the correlation id of the command. The driver lets go of the image at once, for
    /// all who subscribe to it: a publisher may then write over what a poll handler, this one or another's, still reads.
    ///
    /// # Errors
    /// When the client is closed, its command buffer full, or the reason longer than 1023 bytes.
    pub fn reject(&self, reason: &str) -> Result<i64, RegistrationError> {
        if reason.len() > MAX_REASON_LENGTH {
            let (length, max) = (reason.len(), MAX_REASON_LENGTH);
            return Err(RegistrationError::ArgumentTooLong { what: "a reason", length, max });
        }
        let Some(client) = self.0.client.upgrade() else {
            return Err(RegistrationError::ClientClosed { cause: None });
        };
        client.send(|client_id, correlation_id| Command::RejectImage {
            client_id,
            correlation_id,
            image_correlation_id: self.0.correlation_id,
            position: self.position(),
            reason: reason.as_bytes(),
        })
    }
}

impl PartialEq for ImageView {
    /// Whether both are the same image of the same subscription.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for ImageView {}

impl fmt::Debug for ImageView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("correlation_id", &self.0.correlation_id)
            .field("session_id", &self.0.session_id)
            .field("source_identity", &self.0.source_identity)
            .field("join_position", &self.0.join_position)
            .field("position", &self.position())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
