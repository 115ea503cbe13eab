//! How a tool waits when a poll brought nothing: it spins a little, then yields its core to the driver, and, where
//! nobody measures, sleeps in the end.

use std::hint::spin_loop;
use std::thread::{sleep, yield_now};
use std::time::Duration;

/// Spins before it yields. A hundred or so polls cover the time that a message takes between two busy cores.
const SPINS: u32 = 100;
/// Yields before it sleeps: a millisecond or so.
const YIELDS: u32 = 1_000;
/// A sleep: nobody at a terminal notices it.
const SLEEP: Duration = Duration::from_millis(1);

/// The wait between two polls.
pub(crate) struct Idle {
    idle: u32,
    sleeps: bool,
}

impl Idle {
    /// Never sleeps: for what is measured.
    pub(crate) fn busy() -> Idle {
        Idle { idle: 0, sleeps: false }
    }

    /// Sleeps after a while, so that a tool that waits for hours takes no core.
    pub(crate) fn patient() -> Idle {
        Idle { idle: 0, sleeps: true }
    }

    /// Waits if the last poll did no work.
    #[inline]
    pub(crate) fn idle(&mut self, work: usize) {
        if work > 0 {
            self.idle = 0;
            return;
        }
        self.idle = self.idle.saturating_add(1);
        if self.idle <= SPINS {
            spin_loop();
        } else if self.idle <= SPINS + YIELDS || !self.sleeps {
            yield_now();
        } else {
            sleep(SLEEP);
        }
    }
}
