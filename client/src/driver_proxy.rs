//! Writes commands into the driver's ring, from any thread. `[any]`
//!
//! Mirrors `DriverProxy`; section 2 of `cnc.md` and section 1 of `commands.md`.

use gannet_core::command::Command;
use gannet_core::ring::{ManyToOneRing, WriteError};
use gannet_transport_ipc::Region;

use crate::error::RegistrationError;

/// How often a full ring is tried again before the caller hears of it, Aeron's
/// `AERON_CLIENT_COMMAND_RB_FAIL_THRESHOLD`.
const ATTEMPTS: usize = 10;
/// Commands without a channel, key or label fit; so do most with one.
const SMALL_COMMAND: usize = 512;

pub(crate) struct DriverProxy {
    ring: ManyToOneRing<Region>,
    client_id: i64,
}

impl DriverProxy {
    /// Takes a client id from the ring.
    pub(crate) fn new(ring: ManyToOneRing<Region>) -> DriverProxy {
        DriverProxy { client_id: ring.next_correlation_id(), ring }
    }

    pub(crate) fn client_id(&self) -> i64 {
        self.client_id
    }

    pub(crate) fn next_correlation_id(&self) -> i64 {
        self.ring.next_correlation_id()
    }

    /// When the driver last said that it lives, in epoch milliseconds; −1 after its shutdown.
    pub(crate) fn driver_heartbeat_ms(&self) -> i64 {
        self.ring.consumer_heartbeat_ms()
    }

    /// Sends one command, giving a driver that is behind a few chances to make room.
    pub(crate) fn send(&self, command: &Command<'_>) -> Result<(), RegistrationError> {
        let length = command.encoded_length();
        let mut small = [0; SMALL_COMMAND];
        let mut large = Vec::new();
        let message = if length <= small.len() {
            &mut small[..length]
        } else {
            large.resize(length, 0);
            &mut large[..]
        };
        let Ok(length) = command.encode(message) else { unreachable!("the room was measured") };
        for _ in 0..ATTEMPTS {
            match self.ring.write(command.type_id(), &message[..length]) {
                Ok(()) => return Ok(()),
                // A record that was given away was not sent; both may do better the next time.
                Err(WriteError::Full | WriteError::ClaimLost) => std::thread::yield_now(),
                Err(WriteError::TooLong { length, max }) => {
                    return Err(RegistrationError::CommandTooLong { length, max });
                }
                Err(error) => unreachable!("{error}: every command has a positive type id"),
            }
        }
        Err(RegistrationError::DriverBufferFull)
    }

    /// Sends the removal of a resource.
    pub(crate) fn remove(&self, removal: &Removal) -> Result<(), RegistrationError> {
        let (client_id, correlation_id) = (self.client_id, self.next_correlation_id());
        self.send(&match *removal {
            Removal::Publication { registration_id, revoke } => {
                Command::RemovePublication { client_id, correlation_id, registration_id, revoke }
            }
            Removal::Subscription { registration_id } => {
                Command::RemoveSubscription { client_id, correlation_id, registration_id }
            }
            Removal::Counter { registration_id } => {
                Command::RemoveCounter { client_id, correlation_id, registration_id }
            }
            Removal::Destination { resource_registration_id, destination_registration_id } => {
                Command::RemoveDestinationById {
                    client_id,
                    correlation_id,
                    resource_registration_id,
                    destination_registration_id,
                }
            }
            Removal::ReceiveDestination { registration_id, ref channel } => {
                Command::RemoveRcvDestination { client_id, correlation_id, registration_id, channel }
            }
        })
    }

    /// Tells the driver that this client and all it has may go.
    pub(crate) fn close(&self) -> Result<(), RegistrationError> {
        // −1 as the C client has it: nobody waits for an answer.
        self.send(&Command::ClientClose { client_id: self.client_id, correlation_id: -1 })
    }
}

/// A resource that the driver may take back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    Publication {
        registration_id: i64,
        revoke: bool,
    },
    Subscription {
        registration_id: i64,
    },
    Counter {
        registration_id: i64,
    },
    /// Of a publication.
    Destination {
        resource_registration_id: i64,
        destination_registration_id: i64,
    },
    /// Of a subscription.
    ReceiveDestination {
        registration_id: i64,
        channel: String,
    },
}
