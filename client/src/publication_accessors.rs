//! What both kinds of publication tell of themselves, and how they are closed. `[any]`

use std::sync::Arc;

use crate::client::ClientHandle;
use crate::driver_proxy::Removal;
use crate::publication_state::PublicationState;
use crate::sync::Flag;

/// Gives the publication back when its last handle goes.
pub(crate) struct PublicationGuard {
    pub(crate) state: Arc<PublicationState>,
    pub(crate) handle: Arc<ClientHandle>,
    is_removed: Flag,
}

impl PublicationGuard {
    pub(crate) fn new(state: Arc<PublicationState>, handle: &Arc<ClientHandle>) -> PublicationGuard {
        PublicationGuard { state, handle: Arc::clone(handle), is_removed: Flag::default() }
    }

    pub(crate) fn remove(&self, revoke: bool) {
        self.state.close();
        if self.is_removed.set() {
            let registration_id = self.state.registration_id;
            self.handle.client.remove(Removal::Publication { registration_id, revoke });
        }
    }
}

impl Drop for PublicationGuard {
    fn drop(&mut self) {
        self.remove(false);
    }
}

/// The accessors of a publication that has `state`, `appender`, `guard`.
macro_rules! publication_accessors {
    () => {
        /// The publication's session, unique for its channel and stream.
        #[must_use]
        pub fn session_id(&self) -> SessionId {
            self.state.session_id
        }

        /// The stream.
        #[must_use]
        pub fn stream_id(&self) -> StreamId {
            self.state.stream_id
        }

        /// The channel, as it was given.
        #[must_use]
        pub fn channel(&self) -> &str {
            &self.state.channel
        }

        /// The registration id of this publication.
        #[must_use]
        pub fn registration_id(&self) -> i64 {
            self.state.registration_id
        }

        /// The registration id of the publication that first wrote this log, which differs when it is shared.
        #[must_use]
        pub fn original_registration_id(&self) -> i64 {
            self.state.original_registration_id
        }

        /// Whether this publication is the first of its log.
        #[must_use]
        pub fn is_original(&self) -> bool {
            self.state.registration_id == self.state.original_registration_id
        }

        /// The longest message that one frame carries, in bytes: what [`try_claim`](Self::try_claim) accepts.
        #[must_use]
        pub fn max_payload_length(&self) -> usize {
            self.state.log.max_payload_length()
        }

        /// The longest message, sent in fragments where it does not fit a frame, in bytes.
        #[must_use]
        pub fn max_message_length(&self) -> usize {
            self.state.log.max_message_length()
        }

        /// The length of a term.
        #[must_use]
        pub fn term_length(&self) -> TermLength {
            self.state.log.term_length()
        }

        /// The session's first term.
        #[must_use]
        pub fn initial_term_id(&self) -> TermId {
            self.state.log.initial_term_id()
        }

        /// The position at which the session ends.
        #[must_use]
        pub fn max_possible_position(&self) -> Position {
            self.term_length().max_possible_position()
        }

        /// The position behind the last message.
        #[must_use]
        #[inline]
        pub fn position(&self) -> Position {
            self.appender.position()
        }

        /// How far the driver lets the publication go before somebody has to catch up; 0 once it is closed.
        #[must_use]
        #[inline]
        pub fn position_limit(&self) -> Position {
            self.state.position_limit()
        }

        /// The counter of the position limit.
        #[must_use]
        pub fn position_limit_id(&self) -> CounterId {
            self.state.position_limit_id
        }

        /// How many bytes may be published before somebody has to catch up.
        #[must_use]
        pub fn available_window(&self) -> i64 {
            self.position_limit().since(self.position()).max(0)
        }

        /// Whether it has a subscriber.
        #[must_use]
        pub fn is_connected(&self) -> bool {
            self.state.is_connected()
        }

        /// Whether the publication or its client is closed.
        #[must_use]
        pub fn is_closed(&self) -> bool {
            self.state.is_closed()
        }

        /// The counter of the channel's status, none over IPC.
        #[must_use]
        pub fn channel_status_id(&self) -> CounterId {
            self.state.channel_status_id
        }

        /// The status of the channel: 1 active, 0 initialising, −1 failed or, over IPC, not there.
        #[must_use]
        pub fn channel_status(&self) -> i64 {
            self.state.channel_status()
        }

        /// The addresses that the channel's sockets are bound to; none over IPC.
        #[must_use]
        pub fn local_socket_addresses(&self) -> Vec<String> {
            local_socket_addresses(&self.state.counters, self.state.channel_status_id)
        }

        /// Why the publication does, or does not, take messages now: who holds it up, by how much, since when.
        ///
        /// Reads the driver's counters; meant for logs and operators, not for each message.
        #[must_use]
        pub fn why(&self) -> Why {
            self.state.why(self.position())
        }

        /// Adds a destination to a channel of `control-mode=manual`; the id by which it can be removed.
        ///
        /// # Errors
        /// What the driver refuses, or its silence.
        pub fn add_destination(&self, channel: &str) -> Result<i64, RegistrationError> {
            let request = self.async_add_destination(channel)?;
            let id = request.registration_id();
            request.wait().map(|()| id)
        }

        /// As [`add_destination`](Self::add_destination), without waiting for the driver.
        ///
        /// # Errors
        /// When the command cannot be sent.
        pub fn async_add_destination(&self, channel: &str) -> Result<AsyncDestination, RegistrationError> {
            let registration_id = self.state.original_registration_id;
            let added = Some(Added::ToPublication { registration_id });
            destination(&self.guard.handle, added, |client_id, correlation_id| Command::AddDestination {
                client_id,
                correlation_id,
                registration_id,
                channel,
            })
        }

        /// Removes a destination by its channel.
        ///
        /// # Errors
        /// What the driver refuses, or its silence.
        pub fn remove_destination(&self, channel: &str) -> Result<(), RegistrationError> {
            self.async_remove_destination(channel)?.wait()
        }

        /// As [`remove_destination`](Self::remove_destination), without waiting for the driver.
        ///
        /// # Errors
        /// When the command cannot be sent.
        pub fn async_remove_destination(&self, channel: &str) -> Result<AsyncDestination, RegistrationError> {
            let registration_id = self.state.original_registration_id;
            destination(&self.guard.handle, None, |client_id, correlation_id| Command::RemoveDestination {
                client_id,
                correlation_id,
                registration_id,
                channel,
            })
        }

        /// Removes a destination by the id that adding it returned.
        ///
        /// # Errors
        /// What the driver refuses, or its silence.
        pub fn remove_destination_by_id(&self, destination_id: i64) -> Result<(), RegistrationError> {
            let resource_registration_id = self.state.original_registration_id;
            destination(&self.guard.handle, None, |client_id, correlation_id| Command::RemoveDestinationById {
                client_id,
                correlation_id,
                resource_registration_id,
                destination_registration_id: destination_id,
            })?
            .wait()
        }
    };
}
pub(crate) use publication_accessors;
