//! Claims that are never committed: noticed, and padded so that subscribers go on. `[conductor]`
//!
//! Each reader of a stream is watched by itself: one that stands before a frame that is not committed is blocked. Where
//! the publishers were when that was first seen is remembered, and when the time-out is over every claim below is given
//! up in one go, however many there are: those of one message's fragments, or of several publishers. Younger claims are
//! left alone. So neither a reader that is paused nor one whose position is made up keeps the others waiting. Mirrors
//! `aeron_ipc_publication_check_for_blocked_publisher`, which watches the fastest reader only, and gives up one claim for
//! each time-out; logbuffer.md §9.

use gannet_core::Position;
use gannet_core::log::unblocker;
use gannet_core::sync::{Memory, Ordering};

use super::{IpcPublication, State};

/// How many frames are looked at in one duty cycle: some 0.1 ms.
const FRAMES_PER_CYCLE: usize = 1024;
/// Frames begin at multiples of this.
const ALIGNMENT: usize = 32;

/// Watches one reader of a stream.
#[derive(Clone, Debug, Default)]
pub(in crate::conductor) struct BlockedWatch {
    blocked: Option<Blocked>,
}

#[derive(Clone, Copy, Debug)]
struct Blocked {
    at: Position,
    /// Where the publishers were when it was first seen.
    claimed: Position,
    since_ns: i64,
}

/// Claims to be given up: those in this range that are not committed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sweep {
    at: Position,
    to: Position,
}

impl BlockedWatch {
    /// One look: where the reader is blocked, if it is, and where the publishers are. Below what is returned every claim
    /// has had the time-out.
    fn look(&mut self, at: Option<Position>, claimed: Position, now_ns: i64, timeout_ns: i64) -> Option<Position> {
        match (at, self.blocked) {
            (None, _) => {
                self.blocked = None;
                None
            }
            (Some(at), Some(blocked)) if blocked.at == at => {
                if now_ns.saturating_sub(blocked.since_ns) < timeout_ns {
                    return None;
                }
                self.blocked = None;
                Some(blocked.claimed)
            }
            (Some(at), _) => {
                self.blocked = Some(Blocked { at, claimed, since_ns: now_ns });
                None
            }
        }
    }
}

impl IpcPublication {
    /// Looks for readers before claims that are not committed. What is found to be dead is given up in the next duty
    /// cycles, by [`IpcPublication::give_up_claims`].
    pub(in crate::conductor) fn check_for_blocked_publisher(&mut self, now_ns: i64) {
        let claimed = self.producer_position();
        let is_busy = !self.dead_claims.is_empty();
        // No honest tail lies where there is no space, and reading there is as deadly as writing; nor does one lie three
        // terms beyond what is clean.
        let is_sound = claimed <= self.reservation.edge()
            && claimed.since(self.cleaner.position()) <= 3 * i64::from(self.term_length().bytes());
        if is_busy || !is_sound {
            return;
        }
        match self.state {
            State::Active if self.is_exclusive || self.is_revoked => {}
            State::Active => self.watch_readers(claimed, now_ns),
            // Nobody publishes any more: whatever is not committed never will be.
            State::Draining => self.expire(claimed),
            State::Linger => {}
        }
    }

    fn watch_readers(&mut self, claimed: Position, now_ns: i64) {
        let timeout_ns = self.unblock_timeout_ns;
        let mut expired = self.expired;
        for index in 0..self.subscribers.len() {
            let reader = self.subscribers[index].working_position();
            let at = reader.and_then(|position| self.blocked_at(position, claimed));
            let look = self.subscribers[index].blocked.look(at, claimed, now_ns, timeout_ns);
            expired = look.map_or(expired, |position| expired.max(position));
        }
        // Without subscribers, where the next one will begin.
        let unread = if self.has_working_subscribers() { None } else { Some(self.limit.consumer()) };
        let at = unread.and_then(|position| self.blocked_at(position, claimed));
        let look = self.unread.look(at, claimed, now_ns, timeout_ns);
        expired = look.map_or(expired, |position| expired.max(position));
        self.expire(expired);
    }

    /// All claims below `to` are dead: those that readers stand before, and those behind them, are given up.
    fn expire(&mut self, to: Position) {
        self.expired = to;
        let claimed = self.producer_position();
        let unread = if self.has_working_subscribers() { None } else { Some(self.limit.consumer()) };
        for index in 0..=self.subscribers.len() {
            let reader = self.subscribers.get(index).map_or(unread, super::Subscriber::working_position);
            let Some(at) = reader.and_then(|position| self.blocked_at(position, claimed)) else { continue };
            let is_dead = at < to || (at == to && self.is_rotation_due(at));
            if is_dead && self.dead_claims.iter().all(|sweep| sweep.at != at) {
                self.dead_claims.push(Sweep { at, to });
            }
        }
    }

    /// Where a reader is blocked: before a frame that is not committed, or a term that is not the active one yet.
    fn blocked_at(&self, reader: Position, claimed: Position) -> Option<Position> {
        let at = self.sound_below(reader, claimed);
        let is_blocked = if at < claimed { self.frame_length(at) <= 0 } else { self.is_rotation_due(at) };
        is_blocked.then_some(at)
    }

    /// Whether the term before `at` is full and nobody made the next one active.
    fn is_rotation_due(&self, at: Position) -> bool {
        let before = at.term_count(self.term_length()).wrapping_sub(1);
        at.term_offset(self.term_length()) == 0 && self.log.metadata().active_term_count_acquire() == before
    }

    fn frame_length(&self, at: Position) -> i32 {
        // SYNC: claimed. The words behind it are looked at later.
        self.region.load_i32(self.word_of(at), Ordering::Acquire)
    }

    /// Where in the log's file a frame's length stands.
    fn word_of(&self, at: Position) -> usize {
        at.partition(self.term_length()) * self.term_length().as_usize() + self.offset_of(at)
    }

    fn offset_of(&self, at: Position) -> usize {
        at.term_offset(self.term_length()).unsigned_abs() as usize
    }

    /// Whether there are claims to give up.
    pub(in crate::conductor) fn has_dead_claims(&self) -> bool {
        !self.dead_claims.is_empty()
    }

    /// Gives up claims, as many as fit into a duty cycle; how many.
    pub(in crate::conductor) fn give_up_claims(&mut self) -> usize {
        let mut count = 0;
        for _ in 0..FRAMES_PER_CYCLE {
            let Some(sweep) = self.dead_claims.last().copied() else { break };
            // What was read meanwhile may be clean, and is nobody's claim.
            let at = sweep.at.max(self.cleaner.position());
            let next = self.give_up(Sweep { at, ..sweep }, &mut count);
            match (next, self.dead_claims.last_mut()) {
                (Some(next), Some(sweep)) => sweep.at = next,
                _ => drop(self.dead_claims.pop()),
            }
        }
        count
    }

    /// Gives up one claim, if it is not committed; where the next frame begins, if that may be a dead claim too.
    fn give_up(&self, Sweep { at, to }: Sweep, count: &mut usize) -> Option<Position> {
        if self.is_rotation_due(at) {
            *count += usize::from(unblocker::unblock(&self.log, at).is_unblocked());
            return (at < to && !self.is_rotation_due(at)).then_some(at);
        }
        if at >= to {
            return None;
        }
        if self.frame_length(at) <= 0 {
            self.enter_dead_claim(at, to);
            // If not, its publisher may have committed at this moment.
            *count += usize::from(unblocker::unblock(&self.log, at).is_unblocked());
        }
        let length = usize::try_from(self.frame_length(at)).ok().filter(|length| *length > 0)?;
        let length = length.next_multiple_of(ALIGNMENT);
        let next = at.plus(i64::try_from(length).ok()?);
        let is_within_term = length <= self.term_length().as_usize() - self.offset_of(at);
        (is_within_term && (next < to || self.is_rotation_due(next))).then_some(next)
    }

    /// Where nothing is written between a claim and `to`, its length is known all the same: `to` is where younger claims
    /// begin. It is entered in place of the dead publisher, for the unblocker to find.
    fn enter_dead_claim(&self, at: Position, to: Position) {
        let (start, left) = (self.word_of(at), self.term_length().as_usize() - self.offset_of(at));
        let length = usize::try_from(to.since(at)).map_or(left, |length| length.min(left));
        // SYNC: claimed. Who wakes up now has written its length before anything else of its frame.
        let is_empty = |word: usize| self.region.load_i32(word, Ordering::Acquire) == 0;
        let is_unwritten = (start..start + length).step_by(ALIGNMENT).all(is_empty);
        if let (true, Ok(length)) = (is_unwritten, i32::try_from(length)) {
            self.region.compare_exchange_i32(start, 0, -length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Option<Position> = Some(Position(64));

    #[test]
    fn a_reader_that_is_blocked_for_the_whole_time_out_gives_up_what_was_claimed_when_it_began() {
        let mut watch = BlockedWatch::default();
        assert_eq!(watch.look(HERE, Position(96), 0, 10), None);
        assert_eq!(watch.look(HERE, Position(128), 9, 10), None);
        assert_eq!(watch.look(HERE, Position(160), 10, 10), Some(Position(96)));
        assert_eq!(watch.look(HERE, Position(160), 11, 10), None, "the next time-out runs");
        assert_eq!(watch.look(HERE, Position(192), 21, 10), Some(Position(160)));
    }

    #[test]
    fn a_reader_that_moves_or_may_go_on_starts_anew() {
        let mut watch = BlockedWatch::default();
        assert_eq!(watch.look(HERE, Position(96), 0, 10), None);
        assert_eq!(watch.look(Some(Position(96)), Position(160), 10, 10), None);
        assert_eq!(watch.look(None, Position(160), 15, 10), None);
        assert_eq!(watch.look(Some(Position(96)), Position(160), 20, 10), None);
        assert_eq!(watch.look(Some(Position(96)), Position(192), 30, 10), Some(Position(160)));
    }
}
