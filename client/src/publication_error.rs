//! The notice that a receiver rejected a publication's image. `[client]`
//!
//! Mirrors C's `aeron_publication_error_values_t`; the response ON_PUBLICATION_ERROR of `commands.md`.

use std::fmt;
use std::net::SocketAddr;

use gannet_core::command::{ErrorCode, PublicationError};
use gannet_core::position::{SessionId, StreamId};

/// A receiver or subscriber rejected the stream of one of this client's publications.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublicationErrorFrame {
    /// The publication's registration id (the first one, when several share it).
    pub registration_id: i64,
    /// The registration id of the destination that the receiver is, or −1.
    pub destination_registration_id: i64,
    /// The publication's session.
    pub session_id: SessionId,
    /// The publication's stream.
    pub stream_id: StreamId,
    /// Who rejected; −1 for a subscriber of this host.
    pub receiver_id: i64,
    /// The receiver's group tag, or −1.
    pub group_tag: i64,
    /// Where the receiver is, when the driver says so.
    pub source: Option<SocketAddr>,
    /// 13, image rejected.
    pub error_code: ErrorCode,
    /// The reason that the receiver gave.
    pub message: String,
}

impl PublicationErrorFrame {
    pub(crate) fn new(response: &PublicationError<'_>) -> PublicationErrorFrame {
        PublicationErrorFrame {
            registration_id: response.registration_id,
            destination_registration_id: response.destination_registration_id,
            session_id: response.session_id,
            stream_id: response.stream_id,
            receiver_id: response.receiver_id,
            group_tag: response.group_tag,
            source: response.source,
            error_code: response.error_code,
            message: String::from_utf8_lossy(response.error_message).into_owned(),
        }
    }
}

impl fmt::Display for PublicationErrorFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "publication {} (session {}, stream {}): ", self.registration_id, self.session_id, self.stream_id)?;
        write!(f, "{}: {}", self.error_code, self.message)?;
        match self.source {
            Some(source) => write!(f, ", from {source}"),
            None => Ok(()),
        }
    }
}
