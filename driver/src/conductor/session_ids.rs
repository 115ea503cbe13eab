//! Which session id a publication gets when it asks for none. `[conductor]`
//!
//! Pure. Mirrors `aeron_driver_conductor_next_session_id` and its speculation; commands.md §4. Ids go up from a random
//! start and skip a range that operators reserve for ids of their own.

use gannet_core::SessionId;

/// The next session id, and the range that is left out.
#[derive(Clone, Debug)]
pub(super) struct SessionIds {
    next: i32,
    reserved_low: i32,
    reserved_high: i32,
}

impl SessionIds {
    /// Starts at `start`; the ids from `reserved_low` to `reserved_high` are never given.
    #[must_use]
    pub(super) fn new(start: i32, reserved_low: i32, reserved_high: i32) -> Self {
        SessionIds { next: start, reserved_low, reserved_high }
    }

    /// The next id that is not `taken`; it is given only once [`SessionIds::give`] says so. `None` when all are taken.
    pub(super) fn propose(&self, taken: impl Fn(SessionId) -> bool) -> Option<SessionId> {
        let first = self.skip_reserved(self.next);
        let mut id = first;
        loop {
            if !taken(SessionId(id)) {
                return Some(SessionId(id));
            }
            id = self.skip_reserved(id.wrapping_add(1));
            if id == first {
                return None;
            }
        }
    }

    /// This id is given: the next one follows it.
    pub(super) fn give(&mut self, id: SessionId) {
        self.next = id.0.wrapping_add(1);
    }

    fn skip_reserved(&self, id: i32) -> i32 {
        if (self.reserved_low..=self.reserved_high).contains(&id) { self.reserved_high.wrapping_add(1) } else { id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_go_up_and_wrap() {
        let mut ids = SessionIds::new(i32::MAX, -1, 1000);
        let first = ids.propose(|_| false).unwrap();
        assert_eq!(first, SessionId(i32::MAX));
        ids.give(first);
        assert_eq!(ids.propose(|_| false), Some(SessionId(i32::MIN)));
    }

    #[test]
    fn an_id_is_proposed_again_until_it_is_given() {
        let mut ids = SessionIds::new(2000, -1, 1000);
        assert_eq!(ids.propose(|_| false), Some(SessionId(2000)));
        assert_eq!(ids.propose(|_| false), Some(SessionId(2000)));
        ids.give(SessionId(2000));
        assert_eq!(ids.propose(|_| false), Some(SessionId(2001)));
    }

    #[test]
    fn the_reserved_range_is_skipped() {
        for start in [-1, 0, 1000] {
            assert_eq!(SessionIds::new(start, -1, 1000).propose(|_| false), Some(SessionId(1001)), "{start}");
        }
        assert_eq!(SessionIds::new(-2, -1, 1000).propose(|id| id.0 == -2), Some(SessionId(1001)));
        assert_eq!(SessionIds::new(5, 3, i32::MAX).propose(|_| false), Some(SessionId(i32::MIN)));
    }

    #[test]
    fn ids_that_are_taken_are_skipped() {
        let ids = SessionIds::new(2000, -1, 1000);
        assert_eq!(ids.propose(|id| id.0 < 2005), Some(SessionId(2005)));
    }

    #[test]
    fn when_everything_is_reserved_or_taken_there_is_none() {
        assert_eq!(SessionIds::new(5, i32::MIN, i32::MAX - 1).propose(|id| id.0 == i32::MAX), None);
    }
}
