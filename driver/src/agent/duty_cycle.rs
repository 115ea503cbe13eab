//! Watches how long an agent's duty cycles take. `[any]`
//!
//! Mirrors `aeron_duty_cycle_tracker.h` and `DutyCycleStallTracker`; the two counters are system counters, 26 and 27
//! for the conductor.

use gannet_core::counters::Counter;
use gannet_core::sync::Memory;

/// Keeps the longest cycle, and counts the cycles that took longer than a threshold.
///
/// A cycle is the time from one start to the next, idling included, as the C driver measures it.
#[derive(Debug)]
pub struct DutyCycleStallTracker<M: Memory> {
    max_cycle_time: Counter<M>,
    threshold_exceeded: Counter<M>,
    threshold_ns: i64,
    last_start_ns: i64,
    max_ns: i64,
}

impl<M: Memory> DutyCycleStallTracker<M> {
    /// Starts the first cycle at `now_ns`.
    pub fn new(max_cycle_time: Counter<M>, threshold_exceeded: Counter<M>, threshold_ns: i64, now_ns: i64) -> Self {
        DutyCycleStallTracker { max_cycle_time, threshold_exceeded, threshold_ns, last_start_ns: now_ns, max_ns: 0 }
    }

    /// A cycle starts now: the one before is measured.
    #[inline]
    pub fn measure_and_update(&mut self, now_ns: i64) {
        let cycle_ns = now_ns - self.last_start_ns;
        self.last_start_ns = now_ns;
        if cycle_ns > self.max_ns {
            self.max_ns = cycle_ns;
            self.max_cycle_time.set(cycle_ns);
        }
        if cycle_ns > self.threshold_ns {
            self.threshold_exceeded.add(1);
        }
    }
}
