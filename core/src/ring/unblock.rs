//! Taking records away from producers that died. `[conductor]`
//!
//! Mirrors `aeron_mpsc_rb_unblock` and `aeron_driver_conductor`'s check for blocked commands; cnc.md §2.
//!
//! A producer may die between any two of its stores: before it wrote a length (zeroes), after the negative one, or
//! between the padding at the end and its record at index 0. What it claimed is known by one thing only: the tail as it
//! was at an earlier time is a boundary between claims, and everything before it was claimed before that time. So the
//! unblocker asks for such a tail, takes the records below it, and leaves younger claims alone.

use super::consumer::{Consumer, Record};
use super::{RECORD_ALIGNMENT, TAKEN_AWAY};
use crate::sync::Memory;

impl<M: Memory> Consumer<M> {
    /// Takes the blocked record at the head away from its producer, if it was claimed below the producer position
    /// `claimed_before`; whether it did.
    ///
    /// Pass a [`ManyToOneRing::producer_position`](super::ManyToOneRing::producer_position) from so long ago that
    /// whoever had claimed by then must be dead ([`StallWatch`] does). A record that is ready is left to
    /// [`Consumer::read`]. Where nothing is written, everything up to the next written record or up to `claimed_before`
    /// is taken at once. A producer that was asleep gets [`WriteError::ClaimLost`](super::WriteError::ClaimLost); but one
    /// that wakes up between the few instructions that free its record and that say so writes where nobody reads. One of
    /// the official client never notices.
    pub fn unblock(&mut self, claimed_before: i64) -> bool {
        if !self.refresh_tail() {
            return false;
        }
        let index = self.ring.index(self.head);
        let claimed = claimed_before.wrapping_sub(self.head).min(self.tail().wrapping_sub(self.head));
        // Records never cross the end of the buffer.
        let limit = usize::try_from(claimed).unwrap_or(0).min(self.ring.capacity - index);
        let limit = limit & !(RECORD_ALIGNMENT - 1);
        if limit == 0 {
            return false;
        }
        match self.record_at_head() {
            Record::Padding { .. } | Record::Message { .. } => false,
            Record::Malformed => {
                self.resynchronise();
                true
            }
            Record::Entered { aligned_length } => {
                let length = self.ring.length_at(index);
                // SYNC: record-length. The producer may have woken up and committed.
                let taken = length < 0 && self.ring.memory.compare_exchange_i32(index, length, 0);
                if taken {
                    self.release(aligned_length);
                }
                taken
            }
            Record::Unwritten => {
                let gap = self.take_unwritten(index, limit);
                if gap != 0 {
                    self.release(gap);
                }
                gap != 0
            }
        }
    }

    /// Takes the words from `index` on, at most `limit` bytes, in which no record's length stands; how many bytes.
    fn take_unwritten(&self, index: usize, limit: usize) -> usize {
        let memory = &self.ring.memory;
        // SYNC: record-length. From here on no producer that wakes up can enter; the first that has entered is where a
        // record begins, because its payload came after.
        let is_taken = |at: &usize| memory.compare_exchange_i32(index + at, 0, TAKEN_AWAY);
        let gap = (0..limit).step_by(RECORD_ALIGNMENT).find(|at| !is_taken(at)).unwrap_or(limit);
        let is_still_taken = |at| self.ring.length_at(index + at) == TAKEN_AWAY;
        if (0..gap).step_by(RECORD_ALIGNMENT).all(is_still_taken) {
            return gap;
        }
        // The official client enters without looking: one is awake, and what stands here is not to be told apart.
        for at in (0..gap).step_by(RECORD_ALIGNMENT) {
            memory.compare_exchange_i32(index + at, TAKEN_AWAY, 0);
        }
        0
    }
}

/// Notices that a ring's head has not moved for too long, and unblocks it.
///
/// The time-out runs from when the stalled claim was first seen, not from when the head last moved: a producer that
/// claims in a ring that was idle for long has all of the time-out. Producers that had claimed when it began have had
/// all of it when it ends, so more than one dead claim is taken away without waiting again.
#[derive(Clone, Debug)]
pub struct StallWatch {
    stalled: Option<Stall>,
    expired: i64,
}

#[derive(Clone, Copy, Debug)]
struct Stall {
    head: i64,
    tail: i64,
    since_ns: i64,
}

impl Default for StallWatch {
    fn default() -> Self {
        StallWatch::new()
    }
}

impl StallWatch {
    /// Watches from now on.
    #[must_use]
    pub const fn new() -> Self {
        StallWatch { stalled: None, expired: i64::MIN }
    }

    /// To be called from time to time (the driver's timer tick), after reading; whether a record was taken away.
    ///
    /// `timeout_ns` is the driver's client liveness timeout; `now_ns` of any clock that does not jump.
    pub fn check<M: Memory>(&mut self, consumer: &mut Consumer<M>, now_ns: i64, timeout_ns: i64) -> bool {
        if !consumer.refresh_tail() {
            self.stalled = None;
            return false;
        }
        let (head, tail) = (consumer.position(), consumer.tail());
        if head < self.expired {
            return consumer.unblock(self.expired);
        }
        match self.stalled {
            Some(stall) if stall.head == head => {
                if now_ns.saturating_sub(stall.since_ns) <= timeout_ns {
                    return false;
                }
                self.expired = stall.tail;
                self.stalled = None;
                consumer.unblock(stall.tail)
            }
            _ => {
                self.stalled = Some(Stall { head, tail, since_ns: now_ns });
                false
            }
        }
    }
}
