//! The cell of one counter's value. `[any]`
//!
//! Mirrors `aeron_counter_*` of `aeron_counters_manager.h` and Agrona's `AtomicCounter`. A position is read and set for
//! each message: the record's range is checked when the cell is made.

use super::{CounterId, OWNER_ID_OFFSET, REFERENCE_ID_OFFSET, REGISTRATION_ID_OFFSET, VALUE_LENGTH};
use crate::sync::{Memory, Ordering, unchecked};

/// One counter's value.
///
/// Whether several threads may write it is up to its owner: operations that say "single writer" lose updates otherwise.
///
/// Invariant: `value` is a whole value record.
#[derive(Clone, Debug)]
pub struct Counter<M> {
    value: M,
    id: CounterId,
}

impl<M: Memory> Counter<M> {
    /// `value` is the value record.
    pub(super) fn new(value: M, id: CounterId) -> Self {
        assert!(value.len() == VALUE_LENGTH, "a value record of {} bytes", value.len());
        Counter { value, id }
    }

    /// Its id.
    #[must_use]
    #[inline]
    pub fn id(&self) -> CounterId {
        self.id
    }

    /// Its value, and with it whatever its writer stored before it.
    #[must_use]
    #[inline]
    pub fn get(&self) -> i64 {
        // SYNC: counter-value (here and in aeron_counters_manager.h): what a position covers is visible with it.
        // SAFETY: the record's first word, by the invariant.
        unsafe { unchecked::load_i64(&self.value, 0, Ordering::Acquire) }
    }

    /// Its value alone: nothing else is ordered by it.
    #[must_use]
    #[inline]
    pub fn get_relaxed(&self) -> i64 {
        // SAFETY: the record's first word, by the invariant.
        unsafe { unchecked::load_i64(&self.value, 0, Ordering::Relaxed) }
    }

    /// Sets it, after whatever this thread stored before.
    #[inline]
    pub fn set(&self, value: i64) {
        // SYNC: counter-value
        // SAFETY: the record's first word, by the invariant.
        unsafe { unchecked::store_i64(&self.value, 0, value, Ordering::Release) };
    }

    /// Sets it; nothing else is ordered by it.
    #[inline]
    pub fn set_relaxed(&self, value: i64) {
        // SAFETY: the record's first word, by the invariant.
        unsafe { unchecked::store_i64(&self.value, 0, value, Ordering::Relaxed) };
    }

    /// Adds to it (wrapping); what it was. For any number of writers.
    #[inline]
    pub fn fetch_add(&self, delta: i64) -> i64 {
        self.value.fetch_add_i64(0, delta)
    }

    /// Sets it to `new` if it is `current`; whether it was. For any number of writers.
    #[inline]
    pub fn compare_exchange(&self, current: i64, new: i64) -> bool {
        self.value.compare_exchange_i64(0, current, new)
    }

    /// Adds to it (wrapping), released; what it was. Single writer.
    #[inline]
    pub fn add(&self, delta: i64) -> i64 {
        let value = self.get_relaxed();
        self.set(value.wrapping_add(delta));
        value
    }

    /// Adds to it (wrapping), ordering nothing; what it was. Single writer.
    #[inline]
    pub fn add_relaxed(&self, delta: i64) -> i64 {
        let value = self.get_relaxed();
        self.set_relaxed(value.wrapping_add(delta));
        value
    }

    /// Raises it to `value`, released, if it is less; whether it was. Single writer.
    #[inline]
    pub fn propose_max(&self, value: i64) -> bool {
        let is_less = self.get_relaxed() < value;
        if is_less {
            self.set(value);
        }
        is_less
    }

    /// The id of the command or resource that it belongs to; 0 when none was set.
    #[must_use]
    pub fn registration_id(&self) -> i64 {
        // SYNC: registration-id (here and in aeron_counters_manager.c).
        self.value.load_i64(REGISTRATION_ID_OFFSET, Ordering::Acquire)
    }

    /// The client that it belongs to; -1 for the driver's own, 0 when none was set.
    #[must_use]
    pub fn owner_id(&self) -> i64 {
        self.value.load_i64(OWNER_ID_OFFSET, Ordering::Relaxed)
    }

    /// The registration id of what it refers to; 0 when none was set.
    #[must_use]
    pub fn reference_id(&self) -> i64 {
        self.value.load_i64(REFERENCE_ID_OFFSET, Ordering::Relaxed)
    }
}
