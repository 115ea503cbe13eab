//! The flags and versions through which the conductor tells handles on other threads what changed. `[any]`
//!
//! The only atomics of this crate. None of them lies on the way of a message but for one load: a publication looks
//! at its [`Flag`] once per offer, a subscription at its [`Version`] once per poll.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

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
    /// Whether the turn is now the caller's, until it gives it back.
    pub(crate) fn take(&self) -> bool {
        // SYNC: turn. What the last holder did is visible to the next.
        !self.0.swap(true, Ordering::Acquire)
    }

    pub(crate) fn give_back(&self) {
        // SYNC: turn.
        self.0.store(false, Ordering::Release);
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
        assert!(turn.take());
        assert!(!turn.take());
        turn.give_back();
        assert!(turn.take());
    }

    #[test]
    fn a_version_differs_after_each_change() {
        let version = Version::default();
        let before = version.get();
        version.bump();
        assert_ne!(version.get(), before);
    }
}
