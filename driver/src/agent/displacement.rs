//! Gets an agent's thread off a core that a subscriber needs. `[any]`
//!
//! Where publishers, subscribers and the driver are busy on fewer cores than they are, a thread that wakes from a sleep
//! gets the core that it slept on, again and again, and whoever spins there pays for it. If that is a subscriber, its
//! publisher runs into the limit and the log goes cold between the two. The agent sees the subscriber stand still
//! while it works; the thread then asks for any other of its cores (docs/adr/0009-a-subscribers-core.md). The peer has no such
//! thing.

use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::unistd::Pid;

/// A thread stays this long at least where it went to; twice as long each time that it was no better there, up to the most.
const STAY_AT_FIRST: Duration = Duration::from_millis(5);
const STAY_AT_MOST: Duration = Duration::from_millis(100);

/// Moves the calling thread, not too often.
#[derive(Clone, Debug)]
pub(super) struct Displacement {
    moved_at: Option<Instant>,
    stay: Duration,
}

impl Displacement {
    pub(super) fn new() -> Self {
        Displacement { moved_at: None, stay: STAY_AT_FIRST }
    }

    /// The agent stood in a subscriber's way just now: goes to another core, if it may use one and did not come here a
    /// moment ago. Its set of cores is as before afterwards.
    #[cold]
    pub(super) fn give_way(&mut self) {
        if self.is_due(Instant::now()) {
            // A system that refuses leaves the thread where it is.
            let _ = leave_core();
        }
    }

    fn is_due(&mut self, now: Instant) -> bool {
        if let Some(moved_at) = self.moved_at {
            let stayed = now.saturating_duration_since(moved_at);
            if stayed < self.stay {
                return false;
            }
            let was_better = stayed > 2 * self.stay;
            self.stay = if was_better { STAY_AT_FIRST } else { (self.stay * 2).min(STAY_AT_MOST) };
        }
        self.moved_at = Some(now);
        true
    }
}

/// Moves the calling thread to any other core of its set; whether there was one.
fn leave_core() -> nix::Result<bool> {
    let this_thread = Pid::from_raw(0);
    let cores = sched_getaffinity(this_thread)?;
    let mut others = cores;
    others.unset(sched_getcpu()?)?;
    if others == CpuSet::new() {
        return Ok(false);
    }
    sched_setaffinity(this_thread, &others)?;
    sched_setaffinity(this_thread, &cores)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_goes_to_another_core_and_keeps_its_set() {
        let before = sched_getaffinity(Pid::from_raw(0)).unwrap();
        let count = (0..CpuSet::count()).filter(|core| before.is_set(*core).unwrap()).count();
        assert_eq!(leave_core().unwrap(), count > 1);
        assert_eq!(sched_getaffinity(Pid::from_raw(0)).unwrap(), before);
    }

    #[test]
    fn a_thread_that_is_bound_to_one_core_stays() {
        let core = sched_getcpu().unwrap();
        super::super::thread::set_affinity(core).unwrap();
        assert!(!leave_core().unwrap());
        assert_eq!(sched_getcpu().unwrap(), core);
    }

    #[test]
    fn a_thread_that_is_no_better_elsewhere_moves_less_and_less_often() {
        let mut displacement = Displacement::new();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        assert!(displacement.is_due(at(0)));
        assert!(!displacement.is_due(at(4)));
        assert!(displacement.is_due(at(5)), "no better there");
        assert!(!displacement.is_due(at(14)));
        assert!(displacement.is_due(at(15)));
        assert!(displacement.is_due(at(15 + 41)), "better for more than twice 20 ms");
        assert!(displacement.is_due(at(15 + 41 + 5)));
        let mut last = at(1_000);
        for _ in 0..20 {
            last += Duration::from_millis(100);
            assert!(displacement.is_due(last), "it never stays longer than 100 ms");
        }
    }
}
