//! The two clocks that Aeron's files and timeouts use. `[client]`

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// One look at both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Now {
    /// Monotonic nanoseconds since the client started.
    pub(crate) ns: i64,
    /// Milliseconds since 1970, as heartbeats are written.
    pub(crate) ms: i64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Clock {
        Clock(Instant::now())
    }

    pub(crate) fn now(&self) -> Now {
        Now { ns: self.ns(), ms: epoch_ms() }
    }

    pub(crate) fn ns(&self) -> i64 {
        saturating_ns(self.0.elapsed())
    }
}

pub(crate) fn epoch_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A duration as nanoseconds, at most 292 years.
pub(crate) fn saturating_ns(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// A difference of two times, never negative.
pub(crate) fn elapsed(ns: i64) -> Duration {
    Duration::from_nanos(u64::try_from(ns).unwrap_or(0))
}
