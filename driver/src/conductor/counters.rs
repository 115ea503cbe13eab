//! Counters that clients add for themselves. `[conductor]`
//!
//! Mirrors `aeron_driver_conductor_on_add_counter`, `_on_remove_counter` and `_on_add_static_counter`; commands.md §4.

use gannet_core::command::Response;
use gannet_core::counters::layout::NULL_OWNER;
use gannet_core::counters::{AllocateError, CounterId};

use super::{ConductorError, DriverConductor};

/// A counter that a client added.
#[derive(Clone, Copy, Debug)]
pub(super) struct CounterLink {
    /// The correlation id of the command that added it.
    pub(super) registration_id: i64,
    /// The counter.
    pub(super) counter_id: CounterId,
}

impl From<AllocateError> for ConductorError {
    fn from(error: AllocateError) -> Self {
        ConductorError::CounterAllocation { reason: error.to_string() }
    }
}

impl DriverConductor {
    pub(super) fn on_add_counter(
        &mut self,
        client_id: i64,
        correlation_id: i64,
        type_id: i32,
        key: &[u8],
        label: &[u8],
    ) -> Result<(), ConductorError> {
        self.get_or_add_client(client_id)?;
        let counter_id = self.allocate_counter(type_id, key, label, correlation_id, client_id)?;
        self.get_or_add_client(client_id)?.counters.push(CounterLink { registration_id: correlation_id, counter_id });
        self.client_proxy.transmit(&Response::CounterReady { correlation_id, counter_id });
        Ok(())
    }

    pub(super) fn on_remove_counter(
        &mut self,
        client_id: i64,
        correlation_id: i64,
        registration_id: i64,
    ) -> Result<(), ConductorError> {
        let unknown = ConductorError::UnknownCounter { client_id, registration_id };
        let Some(client) = self.clients.get_mut(&client_id) else { return Err(unknown) };
        let Some(index) = client.counters.iter().position(|link| link.registration_id == registration_id) else {
            return Err(unknown);
        };
        let CounterLink { counter_id, .. } = client.counters.swap_remove(index);
        self.client_proxy.transmit(&Response::OperationSuccess { correlation_id });
        self.client_proxy.transmit(&Response::UnavailableCounter { correlation_id: registration_id, counter_id });
        self.free_counter(counter_id);
        Ok(())
    }

    pub(super) fn on_add_static_counter(
        &mut self,
        client_id: i64,
        correlation_id: i64,
        registration_id: i64,
        type_id: i32,
        key: &[u8],
        label: &[u8],
    ) -> Result<(), ConductorError> {
        self.get_or_add_client(client_id)?;
        let counter_id = match self.counters.reader().find_by_type_and_registration(type_id, registration_id) {
            None => self.allocate_counter(type_id, key, label, registration_id, NULL_OWNER)?,
            Some(existing) => {
                let owner = self.counters.counter(existing).map(|counter| counter.owner_id());
                if owner != Some(NULL_OWNER) {
                    return Err(ConductorError::CounterNotStatic { counter_id: existing.0, type_id, registration_id });
                }
                existing
            }
        };
        self.client_proxy.transmit(&Response::StaticCounter { correlation_id, counter_id });
        Ok(())
    }

    fn allocate_counter(
        &mut self,
        type_id: i32,
        key: &[u8],
        label: &[u8],
        registration_id: i64,
        owner_id: i64,
    ) -> Result<CounterId, ConductorError> {
        let counter_id = self.counters.allocate(type_id, key, label, self.now.epoch_ms)?;
        // It was allocated a moment ago, by this thread.
        let _ = self.counters.set_registration_id(counter_id, registration_id);
        let _ = self.counters.set_owner_id(counter_id, owner_id);
        Ok(counter_id)
    }

    /// Frees a counter that the conductor allocated; what is free already stays so.
    pub(super) fn free_counter(&mut self, counter_id: CounterId) {
        let _ = self.counters.free(counter_id, self.now.epoch_ms);
    }
}
