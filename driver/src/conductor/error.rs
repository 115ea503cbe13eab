//! Why the conductor could not do what a client asked. `[conductor]`
//!
//! Mirrors the codes and the sense of the C driver's `aeron_driver_conductor_on_error`; commands.md §3. The text goes to
//! the client and into the error log.

use gannet_core::Position;
use gannet_core::command::ErrorCode;
use gannet_core::uri::UriError;
use gannet_core::{SessionId, StreamId};

/// A command that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConductorError {
    /// The channel, or a value in it, is not sound.
    #[error("{message}: channel={channel}")]
    Uri {
        /// By the kind of fault.
        code: ErrorCode,
        /// What is wrong, and what would be accepted.
        message: String,
        /// As the client wrote it.
        channel: String,
    },
    /// A channel over a network.
    #[error("{channel}: network channels come with issue 3; this driver serves aeron:ipc only")]
    NetworkNotSupported {
        /// As the client wrote it.
        channel: String,
    },
    /// `session-id=tag:` names the session of a network publication.
    #[error("session-id=tag:{tag} must reference a network publication, and there is none with this tag")]
    UnknownTag {
        /// As the client wrote it.
        tag: i64,
    },
    /// The publication exists, and is not as the client wants it.
    #[error("existing publication has different '{key}': existing={existing} requested={requested}")]
    Mismatch {
        /// Of the channel.
        key: &'static str,
        /// What it is.
        existing: i64,
        /// What the client asked for.
        requested: i64,
    },
    /// Another publication has this session id.
    #[error("existing publication has clashing sessionId={session_id} for streamId={stream_id} channel={channel}")]
    SessionClash {
        /// That is asked for.
        session_id: SessionId,
        /// Of both.
        stream_id: StreamId,
        /// As the client wrote it.
        channel: String,
    },
    /// All session ids are reserved or in use.
    #[error("there is no session id left for streamId={stream_id}: the driver's reserved range takes all of them")]
    NoSessionId {
        /// Of the publication.
        stream_id: StreamId,
    },
    /// A response subscription has a session id of its own.
    #[error(
        "failed to create response publication: its session-id={session_id} is not the session-id={wanted} of the \
         response subscription registrationId={subscription}"
    )]
    ResponseSessionMismatch {
        /// Of the publication.
        session_id: SessionId,
        /// Of the subscription.
        wanted: SessionId,
        /// The subscription.
        subscription: i64,
    },
    /// No publication of this client has this id.
    #[error("unknown publication client_id={client_id} registration_id={registration_id}")]
    UnknownPublication {
        /// Who asked.
        client_id: i64,
        /// For what.
        registration_id: i64,
    },
    /// No subscription has this id.
    #[error("unknown subscription client_id={client_id} registration_id={registration_id}")]
    UnknownSubscription {
        /// Who asked.
        client_id: i64,
        /// For what.
        registration_id: i64,
    },
    /// No counter of this client has this id.
    #[error("unknown counter client_id={client_id} registration_id={registration_id}")]
    UnknownCounter {
        /// Who asked.
        client_id: i64,
        /// For what.
        registration_id: i64,
    },
    /// Shared memory has no spies: there is no sender to look over the shoulder of.
    #[error("{channel}: only aeron:udp can be spied on; an aeron:ipc subscription reads the same log")]
    SpyOfIpc {
        /// As the client wrote it.
        channel: String,
    },
    /// A static counter would be somebody's own.
    #[error(
        "cannot add static counter, because a non-static counter exists (counterId={counter_id}) for typeId={type_id} \
         and registrationId={registration_id}"
    )]
    CounterNotStatic {
        /// The one that exists.
        counter_id: i32,
        /// Its type.
        type_id: i32,
        /// Its registration id.
        registration_id: i64,
    },
    /// What a client adds without a counter of its own is bounded all the same.
    #[error(
        "too many {what}: there are {count}, as many as counters; remove some, or raise AERON_COUNTERS_BUFFER_LENGTH"
    )]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        count: usize,
    },
    /// The counters file is full, or a key or label too long for it.
    #[error("unable to allocate counter: {reason}")]
    CounterAllocation {
        /// Why.
        reason: String,
    },
    /// A reason for a rejection is too long.
    #[error("Invalidation reason_text must be 1023 bytes or less: length={length}")]
    ReasonTooLong {
        /// In bytes.
        length: usize,
    },
    /// Neither an image nor an IPC publication has this id.
    #[error("Unable to resolve image for correlationId={image_correlation_id} position={position}")]
    UnknownImage {
        /// That the client wants to reject.
        image_correlation_id: i64,
        /// From where.
        position: Position,
    },
    /// A log file could not be made.
    #[error("{message}")]
    Log {
        /// STORAGE_SPACE where space is missing.
        code: ErrorCode,
        /// What the file system said.
        message: String,
    },
}

impl ConductorError {
    /// A fault in a channel.
    pub(super) fn uri(error: &UriError<'_>, channel: &str) -> Self {
        ConductorError::Uri { code: error.code(), message: error.to_string(), channel: channel.to_owned() }
    }

    /// The code that the client gets.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            ConductorError::Uri { code, .. } | ConductorError::Log { code, .. } => *code,
            ConductorError::NetworkNotSupported { .. } => ErrorCode::NotSupported,
            ConductorError::SessionClash { .. } | ConductorError::SpyOfIpc { .. } => ErrorCode::InvalidChannel,
            ConductorError::UnknownPublication { .. } => ErrorCode::UnknownPublication,
            ConductorError::UnknownSubscription { .. } => ErrorCode::UnknownSubscription,
            ConductorError::UnknownCounter { .. } => ErrorCode::UnknownCounter,
            ConductorError::UnknownTag { .. }
            | ConductorError::NoSessionId { .. }
            | ConductorError::Mismatch { .. }
            | ConductorError::ResponseSessionMismatch { .. }
            | ConductorError::CounterNotStatic { .. }
            | ConductorError::TooMany { .. }
            | ConductorError::CounterAllocation { .. }
            | ConductorError::ReasonTooLong { .. }
            | ConductorError::UnknownImage { .. } => ErrorCode::GenericError,
        }
    }
}
