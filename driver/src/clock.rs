//! The two clocks that an agent reads once in each duty cycle. `[any]`
//!
//! Whoever needs the time takes a [`Now`] as an argument, so the conductor is tested without sleeping. Mirrors
//! `aeron_clock_cache_t` of `aeron_system_clock.c` and the conductor's `track_time`.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// One moment on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Monotonic nanoseconds since some start: time-outs and intervals.
    pub ns: i64,
    /// Milliseconds since 1970: what files and counters record.
    pub epoch_ms: i64,
}

/// How long a read of the epoch clock stays good enough: Aeron's `CLOCK_UPDATE_INTERVAL`, 1 ms.
const EPOCH_REFRESH_NS: i64 = 1_000_000;

/// The machine's clocks; the epoch clock is read at most once in a millisecond.
#[derive(Debug)]
pub struct Clock {
    start: Instant,
    epoch_ms: i64,
    epoch_deadline_ns: i64,
}

impl Clock {
    /// Starts the monotonic clock at 0.
    #[must_use]
    pub fn new() -> Self {
        Clock { start: Instant::now(), epoch_ms: epoch_ms(), epoch_deadline_ns: EPOCH_REFRESH_NS }
    }

    /// Reads both clocks.
    #[inline]
    pub fn now(&mut self) -> Now {
        let ns = self.nanos();
        if ns >= self.epoch_deadline_ns {
            self.epoch_ms = epoch_ms();
            self.epoch_deadline_ns = ns.saturating_add(EPOCH_REFRESH_NS);
        }
        Now { ns, epoch_ms: self.epoch_ms }
    }

    /// Reads the monotonic clock.
    #[inline]
    #[must_use]
    pub fn nanos(&self) -> i64 {
        i64::try_from(self.start.elapsed().as_nanos()).unwrap_or(i64::MAX)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Clock::new()
    }
}

/// Milliseconds since 1970 by the machine's clock; 0 for a clock set before that.
#[must_use]
pub fn epoch_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monotonic_clock_does_not_go_back_and_the_epoch_is_of_this_century() {
        let mut clock = Clock::new();
        let first = clock.now();
        let second = clock.now();
        assert!(second.ns >= first.ns);
        assert!(first.epoch_ms > 1_500_000_000_000, "{first:?}");
    }
}
