//! One command after another, from the ring to whoever carries it out. `[conductor]`
//!
//! Mirrors `aeron_driver_conductor_on_command`; commands.md §1 and §4. What cannot be read is recorded and not answered,
//! as in the C driver, but for a channel that is no text: its client can be told.

use gannet_core::command::{Command, ErrorCode, Response};

use super::error_reporter::{MAX_TEXT_LENGTH, truncate};
use super::{ConductorError, DriverConductor};
use crate::config::TerminationValidator;

impl DriverConductor {
    /// Takes at most one command, if the one before is done and the clients had time to read the answers so far.
    pub(super) fn process_command(&mut self) -> usize {
        let may_take = self.pending.is_none() && self.agent.is_accepting_commands() && self.client_proxy.has_time();
        if !may_take {
            return 0;
        }
        let mut message = std::mem::take(&mut self.command);
        let mut read = None;
        let work_count = self.to_driver.read(1, &mut message, |type_id, bytes| read = Some((type_id, bytes.len())));
        if let Some((type_id, length)) = read {
            self.on_command(type_id, &message[..length]);
        }
        self.command = message;
        work_count
    }

    fn on_command(&mut self, type_id: i32, message: &[u8]) {
        match Command::parse(type_id, message) {
            Ok(command) => {
                if let Err(error) = self.execute(&command) {
                    self.on_error(command.correlation_id(), &error);
                }
            }
            Err(error) => {
                if let Some(correlation_id) = error.correlation_id() {
                    // Longer than a broadcast takes, as with a channel of 100 KiB in it, it would never arrive.
                    let mut message = error.to_string();
                    truncate(&mut message, MAX_TEXT_LENGTH);
                    self.send_error(correlation_id, error.code(), &message);
                }
                self.report(error.code(), &error);
            }
        }
    }

    fn execute(&mut self, command: &Command<'_>) -> Result<(), ConductorError> {
        match *command {
            Command::AddPublication { client_id, correlation_id, stream_id, channel } => {
                self.on_add_publication(client_id, correlation_id, stream_id, channel, false)
            }
            Command::AddExclusivePublication { client_id, correlation_id, stream_id, channel } => {
                self.on_add_publication(client_id, correlation_id, stream_id, channel, true)
            }
            Command::RemovePublication { client_id, correlation_id, registration_id, revoke } => {
                self.on_remove_publication(client_id, correlation_id, registration_id, revoke)
            }
            Command::AddSubscription { client_id, correlation_id, stream_id, channel } => {
                self.on_add_subscription(client_id, correlation_id, stream_id, channel)
            }
            Command::RemoveSubscription { client_id, correlation_id, registration_id } => {
                self.on_remove_subscription(client_id, correlation_id, registration_id)
            }
            // Destinations belong to publications over a network, and there are none yet.
            Command::AddDestination { client_id, registration_id, .. }
            | Command::RemoveDestination { client_id, registration_id, .. }
            | Command::RemoveDestinationById { client_id, resource_registration_id: registration_id, .. } => {
                Err(ConductorError::UnknownPublication { client_id, registration_id })
            }
            Command::AddRcvDestination { client_id, registration_id, channel, .. } => {
                self.on_add_receive_destination(client_id, registration_id, channel)
            }
            Command::RemoveRcvDestination { client_id, correlation_id, registration_id, channel } => {
                self.on_remove_receive_destination(client_id, correlation_id, registration_id, channel)
            }
            Command::AddCounter { client_id, correlation_id, type_id, key, label } => {
                self.on_add_counter(client_id, correlation_id, type_id, key, label)
            }
            Command::RemoveCounter { client_id, correlation_id, registration_id } => {
                self.on_remove_counter(client_id, correlation_id, registration_id)
            }
            Command::AddStaticCounter { client_id, correlation_id, registration_id, type_id, key, label } => {
                self.on_add_static_counter(client_id, correlation_id, registration_id, type_id, key, label)
            }
            Command::ClientKeepalive { client_id, .. } => {
                self.on_client_keepalive(client_id);
                Ok(())
            }
            Command::ClientClose { client_id, .. } => {
                self.on_client_close(client_id);
                Ok(())
            }
            Command::TerminateDriver { token, .. } => {
                self.on_terminate_driver(token);
                Ok(())
            }
            Command::RejectImage { correlation_id, image_correlation_id, position, reason, .. } => {
                self.on_reject_image(correlation_id, image_correlation_id, position, reason)
            }
            Command::GetNextAvailableSessionId { correlation_id, stream_id, .. } => {
                self.on_get_next_available_session_id(correlation_id, stream_id);
                Ok(())
            }
        }
    }

    /// The validator judges the token; those of Aeron accept any or none.
    fn on_terminate_driver(&mut self, _token: &[u8]) {
        match self.settings.termination_validator {
            TerminationValidator::Allow => self.is_terminating = true,
            TerminationValidator::Deny => {}
        }
    }

    /// Answers a command that failed, and records why.
    pub(super) fn on_error(&mut self, correlation_id: i64, error: &ConductorError) {
        // Longer than a broadcast takes, as with a channel of 100 KiB in it, it would never arrive.
        let mut message = error.to_string();
        truncate(&mut message, MAX_TEXT_LENGTH);
        self.send_error(correlation_id, error.code(), &message);
        // Whoever is told to try again knows; the peer does not record it either.
        if error.code() != ErrorCode::ResourceTemporarilyUnavailable {
            self.report(error.code(), error);
        }
    }

    fn send_error(&mut self, correlation_id: i64, error_code: ErrorCode, message: &str) {
        self.client_proxy.transmit(&Response::Error {
            offending_command_correlation_id: correlation_id,
            error_code,
            error_message: message.as_bytes(),
        });
    }
}
