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
//! beyond the tail or the term.

use super::LogBuffers;
use super::frame_descriptor::{
    self, FRAME_ALIGNMENT, FRAME_LENGTH, HEADER_LENGTH, TAKEN_AWAY, TYPE_PAD, UNFRAGMENTED, VERSION,
};
use super::metadata::partition_of_count;
use crate::position::{Position, TermId};
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
    let partition = partition_of_count(blocked_count);
    let blocked_offset = blocked.term_offset(term_length) as usize & !(FRAME_ALIGNMENT - 1);
    let active_count = metadata.active_term_count_acquire();
    let tail = metadata.raw_tail_acquire(partition);

    if active_count == blocked_count.wrapping_sub(1) && blocked_offset == 0 {
        // The term before is full, but whoever filled it did not live to rotate.
        let active = metadata.raw_tail_acquire(partition_of_count(active_count)).term_id();
        metadata.rotate_log(active_count, active);
        return Unblock::Rotated;
    }
    let tail_offset = tail.term_offset(term_length) as usize;
    let unblocked = unblock_term(log, log.term(partition), blocked_offset, tail_offset, tail.term_id());
    if unblocked == Unblock::UnblockedToEnd {
        metadata.rotate_log(blocked_count, tail.term_id());
    }
    unblocked
}

fn unblock_term<M: Memory>(
    log: &LogBuffers<M>,
    term: &M,
    blocked_offset: usize,
    tail_offset: usize,
    term_id: TermId,
) -> Unblock {
    let term_length = log.term_length().as_usize();
    // SYNC: claimed. A length here or further on that is not 0 makes the lengths before it, as they were then, visible.
    let length_at = |offset: usize| term.load_i32(offset + FRAME_LENGTH, Ordering::Acquire);
    let length = length_at(blocked_offset);
    let pad = |padded: usize, unblocked: Unblock| {
        // The publisher may commit at this moment: of the two one is too late, and leaves the frame alone.
        if !term.compare_exchange_i32(blocked_offset + FRAME_LENGTH, length, TAKEN_AWAY) {
            return Unblock::None;
        }
        write_padding(log, term, blocked_offset, padded, term_id);
        unblocked
    };
    if length > 0 {
        return Unblock::None;
    }
    let claimed = length.unsigned_abs() as usize;
    if (HEADER_LENGTH..=term_length - blocked_offset).contains(&claimed) {
        return pad(claimed, Unblock::Unblocked);
    }
    // The publisher died before it wrote the length: its claim ends where the next one's frame begins.
    let mut offset = blocked_offset + FRAME_ALIGNMENT;
    while offset < tail_offset {
        if length_at(offset) != 0 {
            // Words before it may have been written since they were looked at; then this may be a payload.
            let mut before = offset;
            while before > blocked_offset + FRAME_ALIGNMENT {
                before -= FRAME_ALIGNMENT;
                if length_at(before) != 0 {
                    return Unblock::None;
                }
            }
            return pad(offset - blocked_offset, Unblock::Unblocked);
        }
        offset += FRAME_ALIGNMENT;
    }
    // Claimed to the end, by a publisher that died before it padded the rest. (Without a claim the last 32 bytes of a
    // term would look the same to the C driver, which calls this for claims only.)
    if tail_offset == term_length && offset == term_length {
        return pad(term_length - blocked_offset, Unblock::UnblockedToEnd);
    }
    Unblock::None
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
