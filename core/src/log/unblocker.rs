//! Pads the claims of publishers that died before they committed. `[conductor]`
//!
//! Mirrors `aeron_logbuffer_unblocker.c` and `aeron_term_unblocker.c`; spec: logbuffer.md §9.
//!
//! Does not know when a claim is dead: the driver calls it when a consumer has stood still before a claim for the
//! unblock timeout. A publisher may be merely slower than that. So a claim is taken away by exchanging the length that
//! was seen: had the publisher committed (or claimed) meanwhile, the frame is its own and nothing is done. Once the
//! claim is taken, a commit of a [`Claim`](super::Claim) finds it lost; what a publisher that does not look may still
//! do is in docs/adr/0005-late-publishers.md.
//!
//! Publishers may claim and write while the unblocker looks: see the label "claimed" in `frame.rs` for what keeps it
//! from taking a payload for a frame. It looks at, and writes, words only, atomically. The lengths come from other
//! processes: a claimed length that does not fit the term is taken for a length of 0, and what a scan finds is never
//! beyond the tail or the term. The driver says by itself how far the dead claims go ([`DeadClaim`]): the tails are in the
//! publishers' hands, and where they point there may be no space.

use super::LogBuffers;
use super::frame_descriptor::{
    self, FRAME_ALIGNMENT, FRAME_LENGTH, HEADER_LENGTH, TAKEN_AWAY, TYPE_PAD, UNFRAGMENTED, VERSION,
};
use super::metadata::partition_of_count;
use crate::position::{Position, TermId, TermLength};
use crate::sync::{Memory, Ordering};

/// What was done about a blocked position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unblock {
    /// Nothing: there is a committed frame, nothing is claimed, where the claim ends cannot be told yet, or its
    /// publisher went on at this very moment.
    None,
    /// A claim became padding.
    Unblocked,
    /// The rest of the term became padding, and the next term is the active one.
    UnblockedToEnd,
    /// The next term is the active one, which a publisher had failed to make it.
    Rotated,
}

impl Unblock {
    /// Whether consumers can go on: what `aeron_logbuffer_unblocker_unblock` returns.
    #[must_use]
    pub const fn is_unblocked(self) -> bool {
        !matches!(self, Unblock::None)
    }
}

/// Pads the claim at a consumer's position, which is rounded down to a multiple of 32.
pub fn unblock<M: Memory>(log: &LogBuffers<M>, blocked: Position) -> Unblock {
    let (metadata, term_length) = (log.metadata(), log.term_length());
    let blocked_count = blocked.term_count(term_length);
    let active_count = metadata.active_term_count_acquire();
    let tail = metadata.raw_tail_acquire(partition_of_count(blocked_count));
    let offset = frame_offset(blocked, term_length);

    if active_count == blocked_count.wrapping_sub(1) && offset == 0 {
        // The term before is full, but whoever filled it did not live to rotate.
        let active = metadata.raw_tail_acquire(partition_of_count(active_count)).term_id();
        metadata.rotate_log(active_count, active);
        return Unblock::Rotated;
    }
    let mut claim = DeadClaim {
        count: blocked_count,
        term_id: tail.term_id(),
        offset,
        longest: term_length.as_usize() - offset,
        limit: tail.term_offset(term_length) as usize,
        ends_at_limit: false,
        length: 0,
        next: offset,
        end: None,
    };
    let mut words = usize::MAX;
    claim.give_up(log, &mut words).unwrap_or(Unblock::None)
}

fn frame_offset(position: Position, term_length: TermLength) -> usize {
    position.term_offset(term_length) as usize & !(FRAME_ALIGNMENT - 1)
}

/// A claim that is being given up. Where it ends is looked for in as many steps as the caller likes.
///
/// Looks at, and pads, nothing at or beyond a position that the caller vouches for, whatever the tails say.
#[derive(Clone, Copy, Debug)]
pub struct DeadClaim {
    count: i32,
    term_id: TermId,
    offset: usize,
    /// No claimed length beyond this is believed.
    longest: usize,
    /// Nothing from this offset on is looked at.
    limit: usize,
    /// Whether the claim ends at the limit when nothing is written before it.
    ends_at_limit: bool,
    /// What stood for its length at first.
    length: i32,
    /// Which offset is looked at next.
    next: usize,
    /// Where a word that is not 0 was found.
    end: Option<usize>,
}

impl DeadClaim {
    /// The claim at `at`, rounded down to a multiple of 32. The caller knows that all claims from there to `to`, where a
    /// frame begins, are dead: where nothing is written up to `to`, one claim ends there, or with the term.
    #[must_use]
    pub fn new<M: Memory>(log: &LogBuffers<M>, at: Position, to: Position) -> Self {
        let term_length = log.term_length();
        let offset = frame_offset(at, term_length);
        let left = term_length.as_usize() - offset;
        let longest = usize::try_from(to.since(at)).unwrap_or(0).min(left) & !(FRAME_ALIGNMENT - 1);
        let count = at.term_count(term_length);
        DeadClaim {
            count,
            term_id: log.initial_term_id().plus(count),
            offset,
            longest,
            limit: offset + longest,
            ends_at_limit: true,
            length: 0,
            next: offset,
            end: None,
        }
    }

    /// Goes on for at most `words` looks, which are counted down; what was done, unless it is to be called again.
    pub fn give_up<M: Memory>(&mut self, log: &LogBuffers<M>, words: &mut usize) -> Option<Unblock> {
        if self.longest == 0 {
            return Some(Unblock::None);
        }
        let term_length = log.term_length().as_usize();
        if self.next == self.offset {
            self.length = self.length_at(log, self.offset);
            if self.length > 0 {
                return Some(Unblock::None);
            }
            let claimed = self.length.unsigned_abs() as usize;
            if (HEADER_LENGTH..=self.longest).contains(&claimed) {
                return Some(self.pad(log, claimed, Unblock::Unblocked));
            }
            // The publisher died before it wrote the length: its claim ends where the next one's frame begins.
            self.next += FRAME_ALIGNMENT;
        }
        while self.end.is_none() && self.next < self.limit {
            *words = words.checked_sub(1)?;
            match self.length_at(log, self.next) {
                0 => self.next += FRAME_ALIGNMENT,
                _ => self.end = Some(self.next),
            }
        }
        if let Some(end) = self.end {
            // Words before it may have been written since they were looked at; then this may be a payload.
            while self.next > self.offset + FRAME_ALIGNMENT {
                *words = words.checked_sub(1)?;
                self.next -= FRAME_ALIGNMENT;
                if self.length_at(log, self.next) != 0 {
                    return Some(Unblock::None);
                }
            }
            return Some(self.pad(log, end - self.offset, Unblock::Unblocked));
        }
        // Claimed to the end, by a publisher that died before it padded the rest. (Without a claim the last 32 bytes of a
        // term would look the same to the C driver, which calls this for claims only.)
        if self.limit == term_length && self.next == term_length {
            return Some(self.pad(log, term_length - self.offset, Unblock::UnblockedToEnd));
        }
        if self.ends_at_limit {
            return Some(self.pad(log, self.limit - self.offset, Unblock::Unblocked));
        }
        Some(Unblock::None)
    }

    fn length_at<M: Memory>(&self, log: &LogBuffers<M>, offset: usize) -> i32 {
        // SYNC: claimed. A length here or further on that is not 0 makes the lengths before it, as they were then, visible.
        log.term(partition_of_count(self.count)).load_i32(offset + FRAME_LENGTH, Ordering::Acquire)
    }

    fn pad<M: Memory>(&self, log: &LogBuffers<M>, padded: usize, unblocked: Unblock) -> Unblock {
        let term = log.term(partition_of_count(self.count));
        // The publisher may commit at this moment: of the two one is too late, and leaves the frame alone.
        if !term.compare_exchange_i32(self.offset + FRAME_LENGTH, self.length, TAKEN_AWAY) {
            return Unblock::None;
        }
        write_padding(log, term, self.offset, padded, self.term_id);
        if unblocked == Unblock::UnblockedToEnd {
            log.metadata().rotate_log(self.count, self.term_id);
        }
        unblocked
    }
}

/// Makes what was taken away one frame of padding, by words: its publisher may be writing there.
fn write_padding<M: Memory>(log: &LogBuffers<M>, term: &M, offset: usize, length: usize, term_id: TermId) {
    let (session_id, stream_id) = (log.session_id(), log.stream_id());
    let header = frame_descriptor::header(UNFRAGMENTED, TYPE_PAD, offset as i32, session_id, stream_id, term_id);
    term.write_racing(offset + VERSION, &header[VERSION..]);
    // SYNC: committed.
    term.store_i32(offset + FRAME_LENGTH, length as i32, Ordering::Release);
}

#[cfg(test)]
mod tests;
