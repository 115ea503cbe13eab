//! Counters of this client. `[any]`
//!
//! Mirrors `aeron_counter.c` and `Counter.java`; section 4 of `cnc.md`.

use std::fmt;
use std::sync::Arc;

use gannet_core::counters::layout::{CHANNEL_ACTIVE, LocalAddressKey, type_id};
use gannet_core::counters::{self, CounterId};
use gannet_transport_ipc::Region;

use crate::client::ClientHandle;
use crate::counters_reader::Counters;
use crate::driver_proxy::Removal;
use crate::sync::Flag;

/// The value of a counter.
pub(crate) type PositionCounter = counters::Counter<Region>;

/// C's `AERON_COUNTER_CHANNEL_ENDPOINT_STATUS_NO_ID_ALLOCATED`: a channel without an endpoint, as IPC is.
pub(crate) const NO_CHANNEL_STATUS: i64 = -1;

/// The status of a channel by its counter.
pub(crate) fn channel_status(counters: &Counters, id: CounterId) -> i64 {
    counters.counter(id).map_or(NO_CHANNEL_STATUS, |status| status.get())
}

/// The addresses that a channel's endpoint is bound to, as the driver writes them: none until it is active.
pub(crate) fn local_socket_addresses(counters: &Counters, status: CounterId) -> Vec<String> {
    if status == CounterId::NONE || channel_status(counters, status) != CHANNEL_ACTIVE {
        return Vec::new();
    }
    counters
        .iter()
        .filter(|record| record.type_id == type_id::LOCAL_SOCKADDR && record.value == CHANNEL_ACTIVE)
        .filter_map(|record| {
            let key = LocalAddressKey::parse(&record.key);
            (key.channel_status == status).then(|| String::from_utf8_lossy(key.address).into_owned())
        })
        .collect()
}

pub struct CounterState {
    /// Of this client's command; what REMOVE_COUNTER names.
    correlation_id: i64,
    registration_id: i64,
    id: CounterId,
    is_static: bool,
    value: PositionCounter,
    counters: Counters,
    closed: Flag,
}

impl CounterState {
    pub(crate) fn new(
        correlation_id: i64,
        registration_id: i64,
        id: CounterId,
        is_static: bool,
        value: PositionCounter,
        counters: Counters,
    ) -> CounterState {
        CounterState { correlation_id, registration_id, id, is_static, value, counters, closed: Flag::default() }
    }

    pub(crate) fn close(&self) {
        self.closed.set();
    }
}

/// A number that this client keeps for operators and other processes to see.
///
/// Clones are of the same counter; the driver frees it when the last one is dropped, unless it is static. After the
/// client is closed the value reads as 0 and takes no more changes, for it may be another's by then.
#[derive(Clone)]
pub struct Counter {
    state: Arc<CounterState>,
    _guard: Arc<Guard>,
}

/// Gives the counter back when its last handle goes.
struct Guard {
    state: Arc<CounterState>,
    handle: Arc<ClientHandle>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.state.is_static {
            self.handle.client.remove(Removal::Counter { registration_id: self.state.correlation_id });
        }
    }
}

impl Counter {
    pub(crate) fn new(state: Arc<CounterState>, handle: &Arc<ClientHandle>) -> Counter {
        let guard = Arc::new(Guard { state: Arc::clone(&state), handle: Arc::clone(handle) });
        Counter { state, _guard: guard }
    }

    #[inline]
    fn value(&self) -> Option<&PositionCounter> {
        (!self.state.closed.is_set()).then_some(&self.state.value)
    }

    /// The value, and with it everything that its writer did before.
    #[must_use]
    #[inline]
    pub fn get(&self) -> i64 {
        self.value().map_or(0, PositionCounter::get)
    }

    /// The value alone.
    #[must_use]
    #[inline]
    pub fn get_relaxed(&self) -> i64 {
        self.value().map_or(0, PositionCounter::get_relaxed)
    }

    /// Sets the value, and shows with it everything done before.
    #[inline]
    pub fn set(&self, value: i64) {
        if let Some(counter) = self.value() {
            counter.set(value);
        }
    }

    /// Sets the value alone.
    #[inline]
    pub fn set_relaxed(&self, value: i64) {
        if let Some(counter) = self.value() {
            counter.set_relaxed(value);
        }
    }

    /// Adds to the value, also against other writers; what it was before.
    #[inline]
    pub fn add(&self, delta: i64) -> i64 {
        self.value().map_or(0, |counter| counter.fetch_add(delta))
    }

    /// Adds one, also against other writers; what it was before.
    #[inline]
    pub fn increment(&self) -> i64 {
        self.add(1)
    }

    /// Raises the value to at least `proposed`, as the only writer; whether that changed it.
    #[inline]
    pub fn propose_max(&self, proposed: i64) -> bool {
        self.value().is_some_and(|counter| counter.propose_max(proposed))
    }

    /// The counter's id, by which tools show it.
    #[must_use]
    pub fn id(&self) -> CounterId {
        self.state.id
    }

    /// The registration id: the driver's, or for a static counter the application's.
    #[must_use]
    pub fn registration_id(&self) -> i64 {
        self.state.registration_id
    }

    /// The label that tools show.
    #[must_use]
    pub fn label(&self) -> String {
        self.state.counters.record(self.state.id).map_or_else(String::new, |record| record.label_text().to_owned())
    }

    /// Whether it outlives this client.
    #[must_use]
    pub fn is_static(&self) -> bool {
        self.state.is_static
    }

    /// Whether its client is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state.closed.is_set()
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counter")
            .field("id", &self.id())
            .field("registration_id", &self.registration_id())
            .field("value", &self.get())
            .finish_non_exhaustive()
    }
}
