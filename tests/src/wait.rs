//! Waiting on the thing itself, with a deadline. `[any]`

use std::thread;
use std::time::{Duration, Instant};

/// How long a step may take that should take milliseconds: long, for a machine with two busy cores.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How long a probe rests before it looks again.
const PAUSE: Duration = Duration::from_millis(1);

/// Probes until there is a value.
///
/// # Panics
/// When `patience` is over, with `what` was waited for.
#[track_caller]
pub fn wait_for<T>(what: &str, patience: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = probe() {
            return value;
        }
        assert!(start.elapsed() < patience, "waited {patience:?} in vain: {what}");
        thread::park_timeout(PAUSE);
    }
}

/// Probes until the condition holds.
///
/// # Panics
/// When `patience` is over, with `what` was waited for.
#[track_caller]
pub fn wait_until(what: &str, patience: Duration, mut holds: impl FnMut() -> bool) {
    wait_for(what, patience, || holds().then_some(()));
}
