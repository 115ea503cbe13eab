//! What a driver answers and announces in the broadcast buffer. `[any]`
//!
//! Mirrors Java's `DriverEventsAdapter` and the C client's dispatch; commands.md §2. Every client sees every response
//! and takes those that name its own correlation or registration ids.

use super::codec::{Decoder, Encoder};
use super::{AvailableImage, CommandError, EncodeError, ErrorCode, PublicationError, PublicationReady};
use super::{client, counter, image, publication, response_id as id, session, subscription};
use crate::counters::CounterId;
use crate::{SessionId, StreamId};

/// One response of a driver. Texts are bytes as the driver wrote them: a path or a message need not be UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response<'a> {
    /// A command failed.
    Error {
        /// Of the command; for a [`ErrorCode::ChannelEndpointError`] a channel status counter's id.
        offending_command_correlation_id: i64,
        /// Why.
        error_code: ErrorCode,
        /// Why, in words.
        error_message: &'a [u8],
    },
    /// A subscription gains an image.
    AvailableImage(AvailableImage<'a>),
    /// A publication can be used.
    PublicationReady(PublicationReady<'a>),
    /// A command succeeded that has no answer of its own.
    OperationSuccess {
        /// Of the command.
        correlation_id: i64,
    },
    /// A subscription loses an image.
    UnavailableImage {
        /// Of the image.
        correlation_id: i64,
        /// The subscription that loses it.
        subscription_registration_id: i64,
        /// Of the image.
        stream_id: StreamId,
        /// Of the subscription.
        channel: &'a [u8],
    },
    /// An exclusive publication can be used.
    ExclusivePublicationReady(PublicationReady<'a>),
    /// A subscription can be used.
    SubscriptionReady {
        /// Of the command, and the subscription's registration id from now on.
        correlation_id: i64,
        /// The counter of the channel's status; none for IPC and spies.
        channel_status_indicator_id: CounterId,
    },
    /// A counter was allocated: by this client, another, or the driver for a client's heartbeat.
    CounterReady {
        /// The counter's registration id; the client's id for its heartbeat.
        correlation_id: i64,
        /// Which counter.
        counter_id: CounterId,
    },
    /// A counter is freed.
    UnavailableCounter {
        /// The counter's registration id.
        correlation_id: i64,
        /// Which counter.
        counter_id: CounterId,
    },
    /// The driver has not heard of a client for too long and gave it up.
    ClientTimeout {
        /// Which client.
        client_id: i64,
    },
    /// A static counter exists.
    StaticCounter {
        /// Of the command.
        correlation_id: i64,
        /// Which counter.
        counter_id: CounterId,
    },
    /// A receiver or a subscriber refused a publication's stream.
    PublicationError(PublicationError<'a>),
    /// A session id that no publication of the stream uses.
    NextAvailableSessionId {
        /// Of the command.
        correlation_id: i64,
        /// The id.
        next_session_id: SessionId,
    },
}

impl<'a> Response<'a> {
    /// Reads one message of the broadcast buffer.
    ///
    /// # Errors
    /// When the type id is unknown, or the message is shorter than it says.
    pub fn parse(type_id: i32, message: &'a [u8]) -> Result<Response<'a>, CommandError> {
        let message = Decoder::new(type_id, message);
        match type_id {
            id::ON_ERROR => client::parse_error(message),
            id::ON_AVAILABLE_IMAGE => image::parse_available(message),
            id::ON_PUBLICATION_READY => publication::parse_ready(message).map(Response::PublicationReady),
            id::ON_OPERATION_SUCCESS => {
                client::parse_id(message).map(|correlation_id| Response::OperationSuccess { correlation_id })
            }
            id::ON_UNAVAILABLE_IMAGE => image::parse_unavailable(message),
            id::ON_EXCLUSIVE_PUBLICATION_READY => {
                publication::parse_ready(message).map(Response::ExclusivePublicationReady)
            }
            id::ON_SUBSCRIPTION_READY => subscription::parse_ready(message),
            id::ON_COUNTER_READY => counter::parse_update(message)
                .map(|(correlation_id, counter_id)| Response::CounterReady { correlation_id, counter_id }),
            id::ON_UNAVAILABLE_COUNTER => counter::parse_update(message)
                .map(|(correlation_id, counter_id)| Response::UnavailableCounter { correlation_id, counter_id }),
            id::ON_CLIENT_TIMEOUT => client::parse_id(message).map(|client_id| Response::ClientTimeout { client_id }),
            id::ON_STATIC_COUNTER => counter::parse_update(message)
                .map(|(correlation_id, counter_id)| Response::StaticCounter { correlation_id, counter_id }),
            id::ON_PUBLICATION_ERROR => publication::parse_publication_error(message),
            id::ON_NEXT_AVAILABLE_SESSION_ID => session::parse_next(message),
            _ => Err(CommandError::UnknownType { type_id }),
        }
    }

    /// The type id of its record in the broadcast buffer.
    #[must_use]
    pub const fn type_id(&self) -> i32 {
        match self {
            Response::Error { .. } => id::ON_ERROR,
            Response::AvailableImage(_) => id::ON_AVAILABLE_IMAGE,
            Response::PublicationReady(_) => id::ON_PUBLICATION_READY,
            Response::OperationSuccess { .. } => id::ON_OPERATION_SUCCESS,
            Response::UnavailableImage { .. } => id::ON_UNAVAILABLE_IMAGE,
            Response::ExclusivePublicationReady(_) => id::ON_EXCLUSIVE_PUBLICATION_READY,
            Response::SubscriptionReady { .. } => id::ON_SUBSCRIPTION_READY,
            Response::CounterReady { .. } => id::ON_COUNTER_READY,
            Response::UnavailableCounter { .. } => id::ON_UNAVAILABLE_COUNTER,
            Response::ClientTimeout { .. } => id::ON_CLIENT_TIMEOUT,
            Response::StaticCounter { .. } => id::ON_STATIC_COUNTER,
            Response::PublicationError(_) => id::ON_PUBLICATION_ERROR,
            Response::NextAvailableSessionId { .. } => id::ON_NEXT_AVAILABLE_SESSION_ID,
        }
    }

    /// How many bytes [`Response::encode`] writes.
    #[must_use]
    pub fn encoded_length(&self) -> usize {
        let mut to = Encoder::new(&mut []);
        self.write(&mut to);
        to.length()
    }

    /// Writes the message and tells how many bytes it took.
    ///
    /// # Errors
    /// When the target is too small; what it then holds is unspecified.
    pub fn encode(&self, target: &mut [u8]) -> Result<usize, EncodeError> {
        let mut to = Encoder::new(target);
        self.write(&mut to);
        to.finish()
    }

    fn write(&self, to: &mut Encoder<'_>) {
        match *self {
            Response::Error { offending_command_correlation_id, error_code, error_message } => {
                client::write_error(to, offending_command_correlation_id, error_code, error_message);
            }
            Response::AvailableImage(ref available) => image::write_available(to, available),
            Response::PublicationReady(ref ready) | Response::ExclusivePublicationReady(ref ready) => {
                publication::write_ready(to, ready);
            }
            Response::OperationSuccess { correlation_id } => client::write_id(to, correlation_id),
            Response::UnavailableImage { correlation_id, subscription_registration_id, stream_id, channel } => {
                image::write_unavailable(to, correlation_id, subscription_registration_id, stream_id, channel);
            }
            Response::SubscriptionReady { correlation_id, channel_status_indicator_id } => {
                subscription::write_ready(to, correlation_id, channel_status_indicator_id);
            }
            Response::CounterReady { correlation_id, counter_id }
            | Response::UnavailableCounter { correlation_id, counter_id }
            | Response::StaticCounter { correlation_id, counter_id } => {
                counter::write_update(to, correlation_id, counter_id);
            }
            Response::ClientTimeout { client_id } => client::write_id(to, client_id),
            Response::PublicationError(ref error) => publication::write_publication_error(to, error),
            Response::NextAvailableSessionId { correlation_id, next_session_id } => {
                session::write_next(to, correlation_id, next_session_id);
            }
        }
    }
}
