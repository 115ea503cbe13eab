//! Commands of clients and responses of the driver. `[any]`
//!
//! A client writes [`Command`]s into the CnC file's ring, the driver's conductor answers with [`Response`]s in its
//! broadcast buffer. Both are parsed in place and borrow their texts from the message. Mirrors
//! `aeron_control_protocol.h` and `io.aeron.command`; commands.md §1 to §3. What a command means is the conductor's
//! business; what a channel means is [`crate::uri`]'s.
//!
//! Numbers are little-endian and packed; a text is an `i32` length and its bytes, without a terminator. A message may
//! be longer than its fields: what follows them is ignored, as every peer does.

mod client;
mod codec;
mod counter;
mod destination;
mod error;
mod error_code;
mod image;
mod publication;
mod response;
mod session;
mod subscription;
#[cfg(test)]
mod tests;

pub use error::{CommandError, EncodeError};
pub use error_code::ErrorCode;
pub use image::AvailableImage;
pub use publication::{PublicationError, PublicationReady};
pub use response::Response;

use crate::{Position, StreamId};
use codec::{Decoder, Encoder};

/// Type ids of commands, `AERON_COMMAND_*`.
#[allow(missing_docs)] // each is the Command variant of its name
pub mod command_id {
    pub const ADD_PUBLICATION: i32 = 0x01;
    pub const REMOVE_PUBLICATION: i32 = 0x02;
    pub const ADD_EXCLUSIVE_PUBLICATION: i32 = 0x03;
    pub const ADD_SUBSCRIPTION: i32 = 0x04;
    pub const REMOVE_SUBSCRIPTION: i32 = 0x05;
    pub const CLIENT_KEEPALIVE: i32 = 0x06;
    pub const ADD_DESTINATION: i32 = 0x07;
    pub const REMOVE_DESTINATION: i32 = 0x08;
    pub const ADD_COUNTER: i32 = 0x09;
    pub const REMOVE_COUNTER: i32 = 0x0A;
    pub const CLIENT_CLOSE: i32 = 0x0B;
    pub const ADD_RCV_DESTINATION: i32 = 0x0C;
    pub const REMOVE_RCV_DESTINATION: i32 = 0x0D;
    pub const TERMINATE_DRIVER: i32 = 0x0E;
    pub const ADD_STATIC_COUNTER: i32 = 0x0F;
    pub const REJECT_IMAGE: i32 = 0x10;
    pub const REMOVE_DESTINATION_BY_ID: i32 = 0x11;
    pub const GET_NEXT_AVAILABLE_SESSION_ID: i32 = 0x12;
}

/// Type ids of responses, `AERON_RESPONSE_*`.
#[allow(missing_docs)] // each is the Response variant of its name
pub mod response_id {
    pub const ON_ERROR: i32 = 0x0F01;
    pub const ON_AVAILABLE_IMAGE: i32 = 0x0F02;
    pub const ON_PUBLICATION_READY: i32 = 0x0F03;
    pub const ON_OPERATION_SUCCESS: i32 = 0x0F04;
    pub const ON_UNAVAILABLE_IMAGE: i32 = 0x0F05;
    pub const ON_EXCLUSIVE_PUBLICATION_READY: i32 = 0x0F06;
    pub const ON_SUBSCRIPTION_READY: i32 = 0x0F07;
    pub const ON_COUNTER_READY: i32 = 0x0F08;
    pub const ON_UNAVAILABLE_COUNTER: i32 = 0x0F09;
    pub const ON_CLIENT_TIMEOUT: i32 = 0x0F0A;
    pub const ON_STATIC_COUNTER: i32 = 0x0F0B;
    pub const ON_PUBLICATION_ERROR: i32 = 0x0F0C;
    pub const ON_NEXT_AVAILABLE_SESSION_ID: i32 = 0x0F0D;
}

/// One command of a client. `client_id` says whose, `correlation_id` comes from the ring's counter and is the
/// registration id of what the command adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // fields are named as in commands.md; those that need a word have one
pub enum Command<'a> {
    /// Adds a publication, or a link to the one that the driver has for channel and stream.
    AddPublication { client_id: i64, correlation_id: i64, stream_id: StreamId, channel: &'a str },
    /// Closes a publication; `revoke` takes it away from its subscribers at once.
    RemovePublication { client_id: i64, correlation_id: i64, registration_id: i64, revoke: bool },
    /// Adds a publication that this client alone writes.
    AddExclusivePublication { client_id: i64, correlation_id: i64, stream_id: StreamId, channel: &'a str },
    /// Adds a subscription.
    AddSubscription { client_id: i64, correlation_id: i64, stream_id: StreamId, channel: &'a str },
    /// Closes a subscription.
    RemoveSubscription { client_id: i64, correlation_id: i64, registration_id: i64 },
    /// Says that the client lives.
    ClientKeepalive { client_id: i64, correlation_id: i64 },
    /// Adds a destination to the publication `registration_id`.
    AddDestination { client_id: i64, correlation_id: i64, registration_id: i64, channel: &'a str },
    /// Removes a destination from the publication `registration_id`.
    RemoveDestination { client_id: i64, correlation_id: i64, registration_id: i64, channel: &'a str },
    /// Allocates a counter that goes when the client goes.
    AddCounter { client_id: i64, correlation_id: i64, type_id: i32, key: &'a [u8], label: &'a [u8] },
    /// Frees a counter.
    RemoveCounter { client_id: i64, correlation_id: i64, registration_id: i64 },
    /// Closes the client and all it has.
    ClientClose { client_id: i64, correlation_id: i64 },
    /// Adds a destination to the subscription `registration_id`.
    AddRcvDestination { client_id: i64, correlation_id: i64, registration_id: i64, channel: &'a str },
    /// Removes a destination from the subscription `registration_id`.
    RemoveRcvDestination { client_id: i64, correlation_id: i64, registration_id: i64, channel: &'a str },
    /// Asks the driver to end; its validator looks at the token.
    TerminateDriver { client_id: i64, correlation_id: i64, token: &'a [u8] },
    /// Allocates, or finds, the counter of this type and registration id, which outlives every client.
    AddStaticCounter {
        client_id: i64,
        correlation_id: i64,
        registration_id: i64,
        type_id: i32,
        key: &'a [u8],
        label: &'a [u8],
    },
    /// Refuses an image. The C client leaves both ids 0, so it never hears the answer.
    RejectImage { client_id: i64, correlation_id: i64, image_correlation_id: i64, position: Position, reason: &'a [u8] },
    /// Removes the destination that the ADD_DESTINATION with this correlation id added.
    RemoveDestinationById {
        client_id: i64,
        correlation_id: i64,
        resource_registration_id: i64,
        destination_registration_id: i64,
    },
    /// Asks for a session id that no publication of the stream uses.
    GetNextAvailableSessionId { client_id: i64, correlation_id: i64, stream_id: StreamId },
}

impl<'a> Command<'a> {
    /// Reads one message of the command ring.
    ///
    /// # Errors
    /// When the type id is unknown, the message is shorter than it says, or a channel is not UTF-8.
    pub fn parse(type_id: i32, message: &'a [u8]) -> Result<Command<'a>, CommandError> {
        use command_id as id;
        let message = Decoder::new(type_id, message);
        match type_id {
            id::ADD_PUBLICATION => {
                let publication::AddPublication { client_id, correlation_id, stream_id, channel } =
                    publication::parse_add(message)?;
                Ok(Command::AddPublication { client_id, correlation_id, stream_id, channel })
            }
            id::REMOVE_PUBLICATION => publication::parse_remove(message),
            id::ADD_EXCLUSIVE_PUBLICATION => {
                let publication::AddPublication { client_id, correlation_id, stream_id, channel } =
                    publication::parse_add(message)?;
                Ok(Command::AddExclusivePublication { client_id, correlation_id, stream_id, channel })
            }
            id::ADD_SUBSCRIPTION => subscription::parse_add(message),
            id::REMOVE_SUBSCRIPTION => {
                let (client_id, correlation_id, registration_id) = subscription::parse_remove(message)?;
                Ok(Command::RemoveSubscription { client_id, correlation_id, registration_id })
            }
            id::CLIENT_KEEPALIVE => {
                let (client_id, correlation_id) = client::parse_correlated(message)?;
                Ok(Command::ClientKeepalive { client_id, correlation_id })
            }
            id::ADD_DESTINATION => {
                let destination::Destination { client_id, correlation_id, registration_id, channel } =
                    destination::parse(message)?;
                Ok(Command::AddDestination { client_id, correlation_id, registration_id, channel })
            }
            id::REMOVE_DESTINATION => {
                let destination::Destination { client_id, correlation_id, registration_id, channel } =
                    destination::parse(message)?;
                Ok(Command::RemoveDestination { client_id, correlation_id, registration_id, channel })
            }
            id::ADD_COUNTER => counter::parse_add(message),
            id::REMOVE_COUNTER => {
                let (client_id, correlation_id, registration_id) = subscription::parse_remove(message)?;
                Ok(Command::RemoveCounter { client_id, correlation_id, registration_id })
            }
            id::CLIENT_CLOSE => {
                let (client_id, correlation_id) = client::parse_correlated(message)?;
                Ok(Command::ClientClose { client_id, correlation_id })
            }
            id::ADD_RCV_DESTINATION => {
                let destination::Destination { client_id, correlation_id, registration_id, channel } =
                    destination::parse(message)?;
                Ok(Command::AddRcvDestination { client_id, correlation_id, registration_id, channel })
            }
            id::REMOVE_RCV_DESTINATION => {
                let destination::Destination { client_id, correlation_id, registration_id, channel } =
                    destination::parse(message)?;
                Ok(Command::RemoveRcvDestination { client_id, correlation_id, registration_id, channel })
            }
            id::TERMINATE_DRIVER => client::parse_terminate_driver(message),
            id::ADD_STATIC_COUNTER => counter::parse_add_static(message),
            id::REJECT_IMAGE => image::parse_reject(message),
            id::REMOVE_DESTINATION_BY_ID => destination::parse_remove_by_id(message),
            id::GET_NEXT_AVAILABLE_SESSION_ID => session::parse_get_next(message),
            _ => Err(CommandError::UnknownType { type_id }),
        }
    }

    /// The type id of its record in the command ring.
    #[must_use]
    pub const fn type_id(&self) -> i32 {
        use command_id as id;
        match self {
            Command::AddPublication { .. } => id::ADD_PUBLICATION,
            Command::RemovePublication { .. } => id::REMOVE_PUBLICATION,
            Command::AddExclusivePublication { .. } => id::ADD_EXCLUSIVE_PUBLICATION,
            Command::AddSubscription { .. } => id::ADD_SUBSCRIPTION,
            Command::RemoveSubscription { .. } => id::REMOVE_SUBSCRIPTION,
            Command::ClientKeepalive { .. } => id::CLIENT_KEEPALIVE,
            Command::AddDestination { .. } => id::ADD_DESTINATION,
            Command::RemoveDestination { .. } => id::REMOVE_DESTINATION,
            Command::AddCounter { .. } => id::ADD_COUNTER,
            Command::RemoveCounter { .. } => id::REMOVE_COUNTER,
            Command::ClientClose { .. } => id::CLIENT_CLOSE,
            Command::AddRcvDestination { .. } => id::ADD_RCV_DESTINATION,
            Command::RemoveRcvDestination { .. } => id::REMOVE_RCV_DESTINATION,
            Command::TerminateDriver { .. } => id::TERMINATE_DRIVER,
            Command::AddStaticCounter { .. } => id::ADD_STATIC_COUNTER,
            Command::RejectImage { .. } => id::REJECT_IMAGE,
            Command::RemoveDestinationById { .. } => id::REMOVE_DESTINATION_BY_ID,
            Command::GetNextAvailableSessionId { .. } => id::GET_NEXT_AVAILABLE_SESSION_ID,
        }
    }

    /// Who sent it.
    #[must_use]
    pub const fn client_id(&self) -> i64 {
        self.ids().0
    }

    /// What an answer to it names.
    #[must_use]
    pub const fn correlation_id(&self) -> i64 {
        self.ids().1
    }

    const fn ids(&self) -> (i64, i64) {
        match *self {
            Command::AddPublication { client_id, correlation_id, .. }
            | Command::RemovePublication { client_id, correlation_id, .. }
            | Command::AddExclusivePublication { client_id, correlation_id, .. }
            | Command::AddSubscription { client_id, correlation_id, .. }
            | Command::RemoveSubscription { client_id, correlation_id, .. }
            | Command::ClientKeepalive { client_id, correlation_id }
            | Command::AddDestination { client_id, correlation_id, .. }
            | Command::RemoveDestination { client_id, correlation_id, .. }
            | Command::AddCounter { client_id, correlation_id, .. }
            | Command::RemoveCounter { client_id, correlation_id, .. }
            | Command::ClientClose { client_id, correlation_id }
            | Command::AddRcvDestination { client_id, correlation_id, .. }
            | Command::RemoveRcvDestination { client_id, correlation_id, .. }
            | Command::TerminateDriver { client_id, correlation_id, .. }
            | Command::AddStaticCounter { client_id, correlation_id, .. }
            | Command::RejectImage { client_id, correlation_id, .. }
            | Command::RemoveDestinationById { client_id, correlation_id, .. }
            | Command::GetNextAvailableSessionId { client_id, correlation_id, .. } => (client_id, correlation_id),
        }
    }

    /// How many bytes [`Command::encode`] writes.
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
            Command::AddPublication { client_id, correlation_id, stream_id, channel }
            | Command::AddExclusivePublication { client_id, correlation_id, stream_id, channel } => {
                publication::write_add(to, client_id, correlation_id, stream_id, channel);
            }
            Command::RemovePublication { client_id, correlation_id, registration_id, revoke } => {
                publication::write_remove(to, client_id, correlation_id, registration_id, revoke);
            }
            Command::AddSubscription { client_id, correlation_id, stream_id, channel } => {
                subscription::write_add(to, client_id, correlation_id, stream_id, channel);
            }
            Command::RemoveSubscription { client_id, correlation_id, registration_id }
            | Command::RemoveCounter { client_id, correlation_id, registration_id } => {
                subscription::write_remove(to, client_id, correlation_id, registration_id);
            }
            Command::ClientKeepalive { client_id, correlation_id }
            | Command::ClientClose { client_id, correlation_id } => {
                client::write_correlated(to, client_id, correlation_id);
            }
            Command::AddDestination { client_id, correlation_id, registration_id, channel }
            | Command::RemoveDestination { client_id, correlation_id, registration_id, channel }
            | Command::AddRcvDestination { client_id, correlation_id, registration_id, channel }
            | Command::RemoveRcvDestination { client_id, correlation_id, registration_id, channel } => {
                destination::write(to, client_id, correlation_id, registration_id, channel);
            }
            Command::AddCounter { client_id, correlation_id, type_id, key, label } => {
                counter::write_add(to, client_id, correlation_id, type_id, key, label);
            }
            Command::TerminateDriver { client_id, correlation_id, token } => {
                client::write_terminate_driver(to, client_id, correlation_id, token);
            }
            Command::AddStaticCounter { client_id, correlation_id, registration_id, type_id, key, label } => {
                counter::write_add_static(to, (client_id, correlation_id), registration_id, type_id, key, label);
            }
            Command::RejectImage { client_id, correlation_id, image_correlation_id, position, reason } => {
                image::write_reject(to, (client_id, correlation_id), image_correlation_id, position, reason);
            }
            Command::RemoveDestinationById {
                client_id,
                correlation_id,
                resource_registration_id,
                destination_registration_id,
            } => destination::write_remove_by_id(
                to,
                client_id,
                correlation_id,
                resource_registration_id,
                destination_registration_id,
            ),
            Command::GetNextAvailableSessionId { client_id, correlation_id, stream_id } => {
                session::write_get_next(to, client_id, correlation_id, stream_id);
            }
        }
    }
}
