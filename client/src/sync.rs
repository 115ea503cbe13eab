//! The flags and versions through which the conductor tells handles on other threads what changed. `[any]`
//!
//! The only atomics of this crate. Few of them lie on the way of a message, as plain loads and stores: a publication looks
//! at its [`Flag`] once per offer, a subscription at its [`Version`] once per poll, an image marks itself [`Busy`] while
//! it is polled.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering, compiler_fence, fence};

use rustix::thread::{MembarrierCommand, membarrier};

/// Set once, never cleared: closed, revoked, stopping.
#[derive(Debug, Default)]
pub(crate) struct Flag(AtomicBool);

impl Flag {
    /// Sets it; whether this call was the one that did.
    pub(crate) fn set(&self) -> bool {
        // SYNC: flag. What the setter wrote before (a final position, a cause) is visible to whoever sees it set.
        !self.0.swap(true, Ordering::AcqRel)
    }

    #[inline]
    pub(crate) fn is_set(&self) -> bool {
        // SYNC: flag.
        self.0.load(Ordering::Acquire)
    }
}

/// Counts the changes of a list that stands behind a lock, so that its reader takes the lock only after a change.
#[derive(Debug, Default)]
pub(crate) struct Version(AtomicU64);

impl Version {
    /// Notes a change. Called with the list's lock held.
    pub(crate) fn bump(&self) {
        // SYNC: version. The lock orders the list itself; a reader that sees the new version takes the lock after us.
        self.0.fetch_add(1, Ordering::Release);
    }

    #[inline]
    pub(crate) fn get(&self) -> u64 {
        // SYNC: version.
        self.0.load(Ordering::Acquire)
    }
}

/// A number that one thread leaves for others to look at: nothing is ordered by it, so every access is relaxed.
#[derive(Debug)]
pub(crate) struct Note(AtomicI64);

impl Note {
    pub(crate) const fn new(value: i64) -> Note {
        Note(AtomicI64::new(value))
    }

    #[inline]
    pub(crate) fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Taken by one thread at a time, never waited for.
#[derive(Debug, Default)]
pub(crate) struct Turn(AtomicBool);

impl Turn {
    /// The turn, until the guard is dropped, if nobody else has it.
    pub(crate) fn take(&self) -> Option<Taken<'_>> {
        // SYNC: turn. What the last holder did is visible to the next.
        (!self.0.swap(true, Ordering::Acquire)).then_some(Taken(self))
    }
}

/// Gives the turn back, in whatever way its holder ends.
#[derive(Debug)]
pub(crate) struct Taken<'a>(&'a Turn);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        // SYNC: turn.
        (self.0).0.store(false, Ordering::Release);
    }
}

/// Set while its one owner is at work on something that others may want to close.
///
/// Owner and closer each write their own word and then look at the other's, so each needs a full barrier between the two,
/// or both may miss the other. The owner, who comes by millions of times for each close, has the cheap side of
/// [`Barrier`].
#[derive(Debug, Default)]
pub(crate) struct Busy(AtomicBool);

impl Busy {
    /// By the owner. What it then sees of a [`Flag`] is either set, or whoever sets it sees the owner busy.
    #[inline(always)]
    pub(crate) fn begin(&self, barrier: Barrier) {
        // Relaxed: it carries nothing but itself; the barrier orders it before the look at the flag.
        self.0.store(true, Ordering::Relaxed);
        barrier.light();
    }

    /// By the owner. What it then sees of a [`Flag`] is either set, or whoever sets it sees the owner no longer busy.
    #[inline(always)]
    pub(crate) fn end(&self, barrier: Barrier) {
        // SYNC: busy. Everything that the owner read was read before.
        self.0.store(false, Ordering::Release);
        barrier.light();
    }

    /// By a closer, after it has set the flag and called [`Barrier::heavy`].
    pub(crate) fn is_set(&self) -> bool {
        // SYNC: busy.
        self.0.load(Ordering::Acquire)
    }
}

/// The full barrier between one's own word and the other's: free for the frequent side where the kernel makes the rare
/// side's count for all threads of the process (`membarrier`), a fence on both sides elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Barrier {
    is_asymmetric: bool,
}

impl Barrier {
    /// The one of this process: the same for everybody.
    pub(crate) fn of_process() -> Barrier {
        static IS_ASYMMETRIC: OnceLock<bool> = OnceLock::new();
        // Before Linux 4.14, and under some sandboxes, there is no such call.
        let is_asymmetric =
            *IS_ASYMMETRIC.get_or_init(|| membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok());
        Barrier { is_asymmetric }
    }

    #[inline(always)]
    fn light(self) {
        if self.is_asymmetric {
            compiler_fence(Ordering::SeqCst);
        } else {
            fence(Ordering::SeqCst);
        }
    }

    /// The rare side: takes microseconds. Whether it worked; else the caller does not know what the frequent side does at
    /// this moment, and asks again later.
    #[must_use]
    pub(crate) fn heavy(self) -> bool {
        self.heavy_by(|command| membarrier(command).is_ok())
    }

    fn heavy_by(self, membarrier: impl Fn(MembarrierCommand) -> bool) -> bool {
        fence(Ordering::SeqCst);
        let expedite = || membarrier(MembarrierCommand::PrivateExpedited);
        // A process that was forked has yet to register.
        let worked =
            !self.is_asymmetric || expedite() || membarrier(MembarrierCommand::RegisterPrivateExpedited) && expedite();
        fence(Ordering::SeqCst);
        worked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_set_by_one_caller_only() {
        let flag = Flag::default();
        assert!(!flag.is_set());
        assert!(flag.set());
        assert!(!flag.set());
        assert!(flag.is_set());
    }

    #[test]
    fn a_turn_is_taken_once_until_it_is_given_back() {
        let turn = Turn::default();
        let taken = turn.take();
        assert!(taken.is_some());
        assert!(turn.take().is_none());
        drop(taken);
        assert!(turn.take().is_some());
    }

    #[test]
    fn a_turn_is_given_back_by_a_holder_that_panics() {
        let turn = Turn::default();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _taken = turn.take();
            panic!("in its turn");
        }));
        assert!(panicked.is_err());
        assert!(turn.take().is_some());
    }

    /// Owner and closer run against each other many times over, with either kind of barrier: never do both miss the
    /// other.
    #[test]
    fn owner_and_closer_never_miss_each_other() {
        const ROUNDS: usize = 2000;
        for barrier in [Barrier::of_process(), Barrier { is_asymmetric: false }] {
            let rounds: Vec<(Busy, Flag, Flag)> = (0..ROUNDS).map(|_| Default::default()).collect();
            let missed_by_closer: Vec<bool> = std::thread::scope(|scope| {
                let closer = scope.spawn(|| {
                    let close = |(busy, closed, _): &(Busy, Flag, Flag)| {
                        closed.set();
                        assert!(barrier.heavy());
                        !busy.is_set()
                    };
                    rounds.iter().map(close).collect()
                });
                for (busy, closed, missed) in &rounds {
                    busy.begin(barrier);
                    if !closed.is_set() {
                        missed.set();
                    }
                }
                closer.join().unwrap_or_default()
            });
            assert_eq!(missed_by_closer.len(), ROUNDS);
            for ((_, _, missed_by_owner), missed_by_closer) in rounds.iter().zip(missed_by_closer) {
                assert!(!(missed_by_owner.is_set() && missed_by_closer));
            }
        }
    }

    #[test]
    fn a_barrier_says_when_it_did_not_work() {
        let barrier = Barrier { is_asymmetric: true };
        assert!(!barrier.heavy_by(|_| false));
        let registered = std::cell::Cell::new(false);
        assert!(barrier.heavy_by(|command| match command {
            MembarrierCommand::RegisterPrivateExpedited => !registered.replace(true),
            _ => registered.get(),
        }));
        assert!(Barrier { is_asymmetric: false }.heavy_by(|_| false), "the fence does");
    }

    #[test]
    fn a_version_differs_after_each_change() {
        let version = Version::default();
        let before = version.get();
        version.bump();
        assert_ne!(version.get(), before);
    }
}
