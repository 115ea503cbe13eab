//! The counters of the driver and all of its clients, to be read. `[any]`
//!
//! Mirrors Agrona's `CountersReader` and `ReadableCounter`; section 4 of `cnc.md`. Core's reader, which this wraps, hands
//! out cells that can be written: those stay inside the client.

use std::fmt;

use gannet_core::counters::{self, CounterId, CounterRecord, RecordState};
use gannet_transport_ipc::Region;

/// Core's reader over the driver's file.
pub(crate) type Counters = counters::CountersReader<Region>;

/// Reads every counter of the driver and its clients, and writes none.
///
/// ```no_run
/// let aeron = gannet::Aeron::connect(gannet::Context::new())?;
/// for counter in aeron.counters_reader().iter() {
///     println!("{counter}");
/// }
/// # Ok::<(), gannet::ConnectError>(())
/// ```
///
/// Another's counter is not there to be set:
/// ```compile_fail,E0599
/// # fn overwrite(counters: &gannet::CountersReader, id: gannet::CounterId) {
/// counters.counter(id).unwrap().set(1);
/// # }
/// ```
#[derive(Clone)]
pub struct CountersReader(pub(crate) Counters);

impl CountersReader {
    /// The highest id that there may be; -1 when there is no room for any.
    #[must_use]
    pub fn max_counter_id(&self) -> CounterId {
        self.0.max_counter_id()
    }

    /// The counters in use, by rising id, each as it was when it was looked at.
    pub fn iter(&self) -> impl Iterator<Item = CounterRecord> + '_ {
        self.0.iter()
    }

    /// The state of a record; none for an id that cannot be.
    #[must_use]
    pub fn state(&self, id: CounterId) -> Option<RecordState> {
        self.0.state(id)
    }

    /// Everything about a counter; none when it is not in use, or was freed at this moment.
    #[must_use]
    pub fn record(&self, id: CounterId) -> Option<CounterRecord> {
        self.0.record(id)
    }

    /// A counter in use, to be read again and again.
    #[must_use]
    pub fn counter(&self, id: CounterId) -> Option<ReadableCounter> {
        self.0.counter(id).map(ReadableCounter)
    }

    /// A counter's type; none for an id that cannot be.
    #[must_use]
    pub fn type_id(&self, id: CounterId) -> Option<i32> {
        self.0.type_id(id)
    }

    /// A counter's key; none for an id that cannot be.
    #[must_use]
    pub fn key(&self, id: CounterId) -> Option<[u8; counters::MAX_KEY_LENGTH]> {
        self.0.key(id)
    }

    /// From when a freed record may be used again, in epoch milliseconds; [`i64::MAX`] while it is in use; none for an
    /// id that cannot be.
    #[must_use]
    pub fn free_for_reuse_deadline_ms(&self, id: CounterId) -> Option<i64> {
        self.0.free_for_reuse_deadline_ms(id)
    }

    /// The counter in use of this type and registration id.
    #[must_use]
    pub fn find_by_type_and_registration(&self, type_id: i32, registration_id: i64) -> Option<CounterId> {
        self.0.find_by_type_and_registration(type_id, registration_id)
    }

    /// The counter in use of this type whose key starts with this id.
    #[must_use]
    pub fn find_by_type_and_key(&self, type_id: i32, key_id: i64) -> Option<CounterId> {
        self.0.find_by_type_and_key(type_id, key_id)
    }

    /// Whether a counter is in use, of this type, and has a key that starts with this id.
    #[must_use]
    pub fn is_active(&self, id: CounterId, type_id: i32, key_id: i64) -> bool {
        self.0.is_active(id, type_id, key_id)
    }
}

impl fmt::Debug for CountersReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CountersReader").field("max_counter_id", &self.max_counter_id()).finish_non_exhaustive()
    }
}

/// A counter of anybody's, to be read.
///
/// When its owner frees it, the place may become another counter's: compare the registration id where that matters.
#[derive(Clone)]
pub struct ReadableCounter(counters::Counter<Region>);

impl ReadableCounter {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> CounterId {
        self.0.id()
    }

    /// The value, and with it everything that its writer did before.
    #[must_use]
    #[inline]
    pub fn get(&self) -> i64 {
        self.0.get()
    }

    /// The value alone.
    #[must_use]
    #[inline]
    pub fn get_relaxed(&self) -> i64 {
        self.0.get_relaxed()
    }

    /// The command or resource that it belongs to.
    #[must_use]
    pub fn registration_id(&self) -> i64 {
        self.0.registration_id()
    }

    /// The client that it belongs to.
    #[must_use]
    pub fn owner_id(&self) -> i64 {
        self.0.owner_id()
    }

    /// What it refers to.
    #[must_use]
    pub fn reference_id(&self) -> i64 {
        self.0.reference_id()
    }
}

impl fmt::Debug for ReadableCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadableCounter").field("id", &self.id()).field("value", &self.get()).finish_non_exhaustive()
    }
}
