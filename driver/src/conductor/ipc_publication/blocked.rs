//! Claims that are never committed: noticed, and padded so that subscribers go on. `[conductor]`
//!
//! Each reader of a stream is watched by itself: one that stands before a frame that is not committed is blocked. Where
//! the publishers were when that was first seen is remembered, and when the time-out is over every claim below is given
//! up in one go, however many there are: those of one message's fragments, or of several publishers. Younger claims are
//! left alone. One sweep goes from frame to frame, from the slowest reader on: a position that is made up is jumped
//! over with the frame that it lies in. Mirrors `aeron_ipc_publication_check_for_blocked_publisher`, which watches the
//! fastest reader only, and gives up one claim for each time-out; logbuffer.md §9.

use gannet_core::Position;
use gannet_core::log::frame_descriptor::{SESSION_ID, STREAM_ID, TERM_ID, TERM_OFFSET, aligned};
use gannet_core::log::unblocker::DeadClaim;
use gannet_core::sync::{Memory, Ordering};

use super::{IpcPublication, State};

/// How many words of a log are looked at in one duty cycle: some 0.1 ms.
const WORDS_PER_CYCLE: usize = 4096;
/// What a look at a committed frame costs, in words.
const WORDS_PER_FRAME: usize = 4;

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
    /// The claim at `at`, when its end is being looked for.
    claim: Option<DeadClaim>,
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
        if self.has_dead_claims() {
            return;
        }
        match self.state {
            State::Active if self.is_exclusive || self.is_revoked => {}
            // As they were in the cycle before: what was claimed since `now_ns` was read is not to pass for older.
            State::Active => self.watch_readers(self.published, now_ns),
            // Nobody publishes any more: whatever is not committed never will be.
            State::Draining if now_ns >= self.drain_sweep_ns => {
                self.drain_sweep_ns = now_ns.saturating_add(self.unblock_timeout_ns);
                self.sweep_to(self.producer_position());
            }
            State::Draining | State::Linger => {}
        }
    }

    fn watch_readers(&mut self, claimed: Position, now_ns: i64) {
        if !self.is_sound(claimed) {
            return;
        }
        let timeout_ns = self.unblock_timeout_ns;
        let mut expired = None;
        for index in 0..self.subscribers.len() {
            let reader = self.subscribers[index].working_position();
            let at = reader.and_then(|position| self.blocked_at(position, claimed));
            expired = expired.max(self.subscribers[index].blocked.look(at, claimed, now_ns, timeout_ns));
        }
        // Without subscribers, where the next one will begin.
        let unread = if self.has_working_subscribers() { None } else { Some(self.limit.consumer()) };
        let at = unread.and_then(|position| self.blocked_at(position, claimed));
        expired = expired.max(self.unread.look(at, claimed, now_ns, timeout_ns));
        if let Some(to) = expired {
            self.sweep_to(to);
        }
    }

    /// No honest tail lies where there is no space, and reading there is as deadly as writing; nor does one lie three
    /// terms beyond what is clean.
    fn is_sound(&self, claimed: Position) -> bool {
        claimed <= self.reservation.edge()
            && claimed.since(self.cleaner.position()) <= 3 * i64::from(self.term_length().bytes())
    }

    /// All claims below `to` are dead, and given up from the slowest reader on.
    fn sweep_to(&mut self, to: Position) {
        if self.is_sound(to) {
            let slowest = self.subscribers.iter().filter_map(super::Subscriber::working_position).min();
            let at = self.sound_below(slowest.unwrap_or(self.limit.consumer()), to);
            self.dead_claims = Some(Sweep { at, to, claim: None });
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

    /// Whether the words at `at` can be the header of the frame there, as far as it is `is_whole`. In the payload of another
    /// frame they are not, unless its publisher had it so.
    fn has_header(&self, at: Position, is_whole: bool) -> bool {
        let (start, count) = (self.word_of(at), at.term_count(self.term_length()));
        let fields = [
            (TERM_OFFSET, at.term_offset(self.term_length())),
            (SESSION_ID, self.session_id().0),
            (STREAM_ID, self.stream_id().0),
            (TERM_ID, self.log.initial_term_id().plus(count).0),
        ];
        fields.into_iter().all(|(field, expected)| {
            // Relaxed: the length was acquired before; of a claim it is a guess.
            let word = self.region.load_i32(start + field, Ordering::Relaxed);
            word == expected || (!is_whole && word == 0)
        })
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
        self.dead_claims.is_some()
    }

    /// Gives up claims, as many as fit into a duty cycle; how many.
    pub(in crate::conductor) fn give_up_claims(&mut self) -> usize {
        let (mut words, mut count) = (WORDS_PER_CYCLE, 0);
        while words > 0
            && let Some(sweep) = self.dead_claims
        {
            words = words.saturating_sub(WORDS_PER_FRAME);
            self.dead_claims = self.sweep(sweep, &mut words, &mut count);
        }
        count
    }

    /// Looks at one frame, and gives it up if it is not committed; what is left to sweep.
    fn sweep(&self, mut sweep: Sweep, words: &mut usize, count: &mut usize) -> Option<Sweep> {
        // What was read meanwhile may be clean, and is nobody's claim.
        if sweep.at < self.cleaner.position() {
            sweep = Sweep { at: self.cleaner.position(), claim: None, ..sweep };
        }
        let Sweep { at, to, .. } = sweep;
        if at <= to && self.is_rotation_due(at) {
            let before = at.term_count(self.term_length()).wrapping_sub(1);
            self.log.metadata().rotate_log(before, self.log.initial_term_id().plus(before));
            *count += 1;
        }
        if at >= to {
            return None;
        }
        let mut length = self.frame_length(at);
        if length <= 0 {
            // Words that are no header are no claim, but a reader's made-up position.
            if !self.has_header(at, false)
                && let Some(next) = self.sweep_from_next_reader(sweep, words)
            {
                return Some(next);
            }
            let mut claim = sweep.claim.unwrap_or_else(|| DeadClaim::new(&self.log, at, to));
            let Some(unblocked) = claim.give_up(&self.log, words) else {
                return Some(Sweep { claim: Some(claim), ..sweep });
            };
            // If not, its publisher may have gone on at this moment.
            *count += usize::from(unblocked.is_unblocked());
            length = self.frame_length(at);
        }
        let length = usize::try_from(length).ok().filter(|length| *length > 0).map(aligned);
        let length = length.filter(|length| *length <= self.term_length().as_usize() - self.offset_of(at));
        match length.and_then(|length| i64::try_from(length).ok()) {
            Some(length) if self.has_header(at, true) => Some(Sweep { at: at.plus(length), to, claim: None }),
            _ => self.sweep_from_next_reader(sweep, words),
        }
    }

    /// No frame begins where the sweep is: on from the slowest reader that is further on.
    fn sweep_from_next_reader(&self, sweep: Sweep, words: &mut usize) -> Option<Sweep> {
        // So that many readers at made-up positions do not make a duty cycle long.
        *words = words.saturating_sub(self.subscribers.len());
        let readers = self.subscribers.iter().filter_map(super::Subscriber::working_position);
        let next = readers.map(|position| self.sound_below(position, sweep.to)).filter(|at| *at > sweep.at).min()?;
        (next < sweep.to).then_some(Sweep { at: next, claim: None, ..sweep })
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
