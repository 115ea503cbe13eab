//! Reading committed frames from a position on: poll. `[client]`
//!
//! Does not know subscriber positions: a position comes in, the one to go on from comes out, and the caller stores it
//! once. Nor does it know whether the image was closed. Mirrors `aeron_image.c`; spec: logbuffer.md §7.
//!
//! A call reads within one term and stops at its end; the next call goes on in the next. The position is rounded down
//! to a multiple of 32.
//!
//! **A publisher may write any length.** One that no publisher may write (positive but shorter than a header, or past
//! the end of the term) stops the reader in front of it: nothing of it is handed over, the position does not pass
//! it, and [`Polled::damaged`] tells. The frames behind it have no known beginning, so there is nothing to go on with.
//!
//! A panic in a handler leaves the caller with the position of the last [`Action::Commit`], or else that of the call's
//! beginning: all fragments since are handed over again. A caller that stores what is committed goes on from there, for
//! what lies before may be cleaned.

use super::LogBuffers;
use super::frame_descriptor::{FRAME_ALIGNMENT, FRAME_LENGTH, HEADER_LENGTH, TYPE, TYPE_PAD, aligned, committed};
use super::metadata::partition_of_count;
use crate::position::{Position, TermId};
use crate::sync::{AtomicBuffer, Bytes, Memory, Ordering, unchecked};

mod header;

pub use header::Header;

/// What a handler wants done after a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Stop, and hand the same fragment over again in the next call.
    Abort,
    /// Stop after this fragment.
    Break,
    /// Store the position behind this fragment now, and go on.
    Commit,
    /// Go on.
    Continue,
}

/// What a call read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the position is where to go on"]
pub struct Polled {
    /// How many fragments were handed over; padding and aborted fragments do not count.
    pub fragments: usize,
    /// Behind what was read.
    pub position: Position,
    /// Whether it stopped at a frame with a length that no publisher may write.
    pub damaged: bool,
}

/// Hands over up to `fragment_limit` fragments from `position` on.
#[inline]
pub fn poll<M: Bytes>(
    log: &LogBuffers<M>,
    position: Position,
    fragment_limit: usize,
    mut handler: impl FnMut(&[u8], Header<'_>),
) -> Polled {
    let handler = |payload: &[u8], header: Header<'_>| {
        handler(payload, header);
        Action::Continue
    };
    controlled(log, Start::new(log, position), usize::MAX, fragment_limit, handler, |_| ())
}

/// As `poll`, for fragments that begin before `limit`.
#[inline]
pub fn bounded_poll<M: Bytes>(
    log: &LogBuffers<M>,
    position: Position,
    limit: Position,
    fragment_limit: usize,
    mut handler: impl FnMut(&[u8], Header<'_>),
) -> Polled {
    let handler = |payload: &[u8], header: Header<'_>| {
        handler(payload, header);
        Action::Continue
    };
    let start = Start::new(log, position);
    controlled(log, start, start.offset_of(limit), fragment_limit, handler, |_| ())
}

/// As `poll`, with a handler that says how to go on. `commit` is called for each [`Action::Commit`] with the position to
/// store at once.
#[inline]
pub fn controlled_poll<M: Bytes>(
    log: &LogBuffers<M>,
    position: Position,
    fragment_limit: usize,
    handler: impl FnMut(&[u8], Header<'_>) -> Action,
    commit: impl FnMut(Position),
) -> Polled {
    controlled(log, Start::new(log, position), usize::MAX, fragment_limit, handler, commit)
}

/// As `controlled_poll`, for fragments that begin before `limit`.
#[inline]
pub fn bounded_controlled_poll<M: Bytes>(
    log: &LogBuffers<M>,
    position: Position,
    limit: Position,
    fragment_limit: usize,
    handler: impl FnMut(&[u8], Header<'_>) -> Action,
    commit: impl FnMut(Position),
) -> Polled {
    let start = Start::new(log, position);
    controlled(log, start, start.offset_of(limit), fragment_limit, handler, commit)
}

/// Hands over whole frames, headers included, as one slice of at most `block_length_limit` bytes, and the term's id. A
/// frame of padding comes by itself, however long, and of it the header only: behind that may lie a claim that was lost
/// and whose holder still writes to it. A frame of data that is longer than the limit does not come at all.
#[inline]
pub fn block_poll<M: Bytes>(
    log: &LogBuffers<M>,
    position: Position,
    block_length_limit: usize,
    handler: impl FnOnce(&[u8], TermId),
) -> Polled {
    let start = Start::new(log, position);
    let term = AtomicBuffer::of(log.term(start.partition));
    let term_length = log.term_length().as_usize();
    let limit = start.offset.saturating_add(block_length_limit).min(term_length);
    let mut offset = start.offset;
    // Where what is handed over ends: before the offset where that is padding.
    let mut lent = start.offset;
    let mut fragments = 0;
    let mut damaged = false;
    while offset < limit {
        // SAFETY: the offset is a multiple of 32 and less than the term length: at first by `Start`'s invariant, then
        // by `committed`, which ends each frame within the term, and the limit.
        let frame_length = unsafe { unchecked::load_i32(&term, offset + FRAME_LENGTH, Ordering::Acquire) };
        let Some(length) = committed(frame_length, offset, term_length) else {
            damaged = frame_length > 0;
            break;
        };
        // SAFETY: within the header of a frame that is within the term, committed and so written no more.
        if unsafe { frame_type(&term, offset) } == TYPE_PAD {
            if offset == start.offset {
                lent += HEADER_LENGTH;
                offset += aligned(length);
            }
            break;
        }
        if aligned(length) > limit - offset {
            break;
        }
        offset += aligned(length);
        lent = offset;
        fragments += 1;
    }
    if lent > start.offset {
        // SAFETY: committed frames of data, or the header of one of padding, within the term, see above; nobody writes
        // them by the log's contract.
        let block = unsafe { core::slice::from_raw_parts(term.as_ptr().add(start.offset), lent - start.offset) };
        handler(block, TermId(header::i32_at(block, super::frame_descriptor::TERM_ID)));
    }
    Polled { fragments, position: start.position(offset), damaged }
}

/// As `poll`, for memory that cannot lend slices: the handler gets the term, and where in it the payload begins and how
/// long it is.
pub fn poll_memory<M: Memory>(
    log: &LogBuffers<M>,
    position: Position,
    fragment_limit: usize,
    mut handler: impl FnMut(&M, usize, usize),
) -> Polled {
    let start = Start::new(log, position);
    let term = log.term(start.partition);
    let handler = |offset: usize, length: usize| {
        handler(term, offset + HEADER_LENGTH, length - HEADER_LENGTH);
        Action::Continue
    };
    read(term, log.term_length().as_usize(), start, usize::MAX, fragment_limit, handler, |_| ())
}

/// Whether whole committed frames lead from one position to a later one of the same term: a reader may skip to there.
pub fn leads_to<M: Memory>(log: &LogBuffers<M>, from: Position, to: Position) -> bool {
    let start = Start::new(log, from);
    let (term, term_length, target) = (log.term(start.partition), log.term_length().as_usize(), start.offset_of(to));
    let mut offset = start.offset;
    while offset < target.min(term_length) {
        // SYNC: committed.
        let frame_length = term.load_i32(offset + FRAME_LENGTH, Ordering::Acquire);
        let Some(length) = committed(frame_length, offset, term_length) else { return false };
        offset += aligned(length);
    }
    offset == target
}

/// Where a call begins.
#[derive(Clone, Copy)]
struct Start {
    term_begin: i64,
    /// Invariant: less than 3.
    partition: usize,
    /// Invariant: a multiple of 32, less than the term length.
    offset: usize,
}

impl Start {
    #[inline(always)]
    fn new<M: Memory>(log: &LogBuffers<M>, position: Position) -> Self {
        let offset = position.term_offset(log.term_length());
        Start {
            term_begin: position.0.wrapping_sub(i64::from(offset)),
            partition: partition_of_count(position.term_count(log.term_length())),
            offset: offset as usize & !(FRAME_ALIGNMENT - 1),
        }
    }

    /// The offset at which a later position stands, had the term no end; 0 for an earlier one.
    #[inline(always)]
    fn offset_of(&self, position: Position) -> usize {
        usize::try_from(position.0.saturating_sub(self.term_begin)).unwrap_or(0)
    }

    #[inline(always)]
    fn position(&self, offset: usize) -> Position {
        Position(self.term_begin.wrapping_add(offset as i64))
    }
}

#[inline(always)]
fn controlled<M: Bytes>(
    log: &LogBuffers<M>,
    start: Start,
    limit: usize,
    fragment_limit: usize,
    mut handler: impl FnMut(&[u8], Header<'_>) -> Action,
    commit: impl FnMut(Position),
) -> Polled {
    let (initial_term_id, term_length) = (log.initial_term_id(), log.term_length());
    // A view in registers: nothing that the handler does can make its address be loaded again.
    let term = AtomicBuffer::of(log.term(start.partition));
    let handler = |offset: usize, length: usize| {
        // SAFETY: `read` hands over frames that lie within the term and are committed, so that nobody writes them, by the
        // log's contract: not while the caller's position, stored after the call, holds the driver back from cleaning.
        let (frame, payload) = unsafe {
            let frame = term.as_ptr().add(offset);
            let payload = core::slice::from_raw_parts(frame.add(HEADER_LENGTH), length - HEADER_LENGTH);
            (&*frame.cast::<[u8; HEADER_LENGTH]>(), payload)
        };
        handler(payload, Header::new(frame, initial_term_id, term_length))
    };
    read(&term, term_length.as_usize(), start, limit, fragment_limit, handler, commit)
}

/// The loop of every poll: hands over the offset and the length of each committed frame that is no padding.
#[inline(always)]
fn read<M: Memory>(
    term: &M,
    term_length: usize,
    start: Start,
    limit: usize,
    fragment_limit: usize,
    mut handler: impl FnMut(usize, usize) -> Action,
    mut commit: impl FnMut(Position),
) -> Polled {
    debug_assert!(term.len() == term_length && start.offset < term_length);
    let limit = limit.min(term_length);
    let mut offset = start.offset;
    let mut fragments = 0;
    let mut damaged = false;
    while fragments < fragment_limit && offset < limit {
        // SYNC: committed. All of a frame is visible when its length is positive.
        // SAFETY: the offset is a multiple of 32 and less than the term length: at first by `Start`'s invariant, then
        // by `committed`, which ends each frame within the term, and the limit.
        let frame_length = unsafe { unchecked::load_i32(term, offset + FRAME_LENGTH, Ordering::Acquire) };
        let Some(length) = committed(frame_length, offset, term_length) else {
            damaged = frame_length > 0;
            break;
        };
        let next = offset + aligned(length);
        // SAFETY: within the header of a frame that is within the term, committed and so written no more.
        if unsafe { frame_type(term, offset) } == TYPE_PAD {
            offset = next;
            continue;
        }
        match handler(offset, length) {
            Action::Abort => break,
            Action::Break => {
                fragments += 1;
                offset = next;
                break;
            }
            Action::Commit => {
                fragments += 1;
                offset = next;
                commit(start.position(offset));
            }
            Action::Continue => {
                fragments += 1;
                offset = next;
            }
        }
    }
    Polled { fragments, position: start.position(offset), damaged }
}

/// # Safety
/// A committed frame begins at `offset`, a header of which lies within the term.
#[inline(always)]
unsafe fn frame_type<M: Memory>(term: &M, offset: usize) -> u16 {
    // SAFETY: by the caller's contract.
    u16::from_le_bytes(unsafe { unchecked::read_array(term, offset + TYPE) })
}

#[cfg(test)]
mod tests;
