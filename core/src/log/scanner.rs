//! Finds the committed frames that may be sent together. `[sender]`
//!
//! Mirrors `aeron_term_scanner.h`; spec: logbuffer.md §8.

use super::LogBuffers;
use super::frame_descriptor::{FRAME_ALIGNMENT, FRAME_LENGTH, HEADER_LENGTH, TYPE, TYPE_PAD, aligned, committed};
use crate::sync::{Memory, Ordering};

/// What there is to send from an offset on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// Whole frames of `length` bytes together; 0 when none is committed.
    Available {
        /// In bytes, a multiple of 32. Of a frame of padding, which comes last, the header alone.
        length: usize,
        /// How many bytes of padding follow the header of a frame of padding, not to be sent but to be skipped.
        padding: usize,
    },
    /// The first frame alone is longer than the limit.
    Blocked {
        /// In bytes, a multiple of 32.
        length: usize,
    },
}

const NOTHING: Scan = Scan::Available { length: 0, padding: 0 };

/// Looks at the frames from `offset` of a partition's term on, as far as `max_length` bytes.
///
/// A length that no publisher may write (shorter than a header, or past the end of the term) is where nothing is
/// committed, for all that a sender can do; so is an offset that is not a multiple of 32 in the term.
///
/// # Panics
/// When there is no such partition.
pub fn scan_for_availability<M: Memory>(
    log: &LogBuffers<M>,
    partition: usize,
    offset: usize,
    max_length: usize,
) -> Scan {
    scan_term(log.term(partition), offset, max_length)
}

fn scan_term<M: Memory>(term: &M, offset: usize, max_length: usize) -> Scan {
    let term_length = term.len();
    if offset >= term_length || !offset.is_multiple_of(FRAME_ALIGNMENT) {
        return NOTHING;
    }
    let limit = max_length.min(term_length - offset);
    let mut available = 0;
    while available < limit {
        let at = offset + available;
        // SYNC: committed.
        let frame_length = term.load_i32(at + FRAME_LENGTH, Ordering::Acquire);
        let Some(frame_length) = committed(frame_length, at, term_length) else { break };
        let mut frame_type = [0; 2];
        // SAFETY: a committed frame, which nobody writes by the log's contract.
        unsafe { term.read_bytes(at + TYPE, &mut frame_type) };
        let is_padding = u16::from_le_bytes(frame_type) == TYPE_PAD;
        let length = if is_padding { HEADER_LENGTH } else { aligned(frame_length) };
        if length > limit - available {
            if available == 0 {
                return Scan::Blocked { length };
            }
            break;
        }
        available += length;
        if is_padding {
            return Scan::Available { length: available, padding: aligned(frame_length) - HEADER_LENGTH };
        }
    }
    Scan::Available { length: available, padding: 0 }
}

#[cfg(test)]
mod tests {
    use super::super::rebuilder;
    use super::super::testing::{frame, padding, words};
    use super::*;
    use crate::sync::AtomicBuffer;
    use proptest::prelude::*;

    fn scan(frames: &[std::vec::Vec<u8>], offset: usize, max_length: usize) -> Scan {
        let mut memory = words(4096);
        let term = AtomicBuffer::from_mut(&mut memory);
        let mut at = 0;
        for bytes in frames {
            assert!(rebuilder::insert_in_term(&term, at, bytes));
            at += aligned(term.load_i32(at, Ordering::Relaxed).unsigned_abs() as usize);
        }
        scan_term(&term, offset, max_length)
    }

    #[test]
    fn whole_frames_within_the_limit_are_available() {
        let frames = [frame(0, 0, 1), frame(32, 33, 2), frame(128, 100, 3)];
        assert_eq!(scan(&frames, 0, 1408), Scan::Available { length: 288, padding: 0 });
        assert_eq!(scan(&frames, 0, 287), Scan::Available { length: 128, padding: 0 });
        assert_eq!(scan(&frames, 32, 96), Scan::Available { length: 96, padding: 0 });
        assert_eq!(scan(&frames, 288, 1408), NOTHING);
    }

    #[test]
    fn a_first_frame_beyond_the_limit_is_blocked() {
        assert_eq!(scan(&[frame(0, 100, 1)], 0, 159), Scan::Blocked { length: 160 });
        assert_eq!(scan(&[frame(0, 100, 1)], 0, 0), NOTHING);
    }

    #[test]
    fn padding_ends_the_scan_and_takes_a_header() {
        let frames = [frame(0, 0, 1), padding(32, 4064)];
        assert_eq!(scan(&frames, 0, 1408), Scan::Available { length: 64, padding: 4032 });
        assert_eq!(scan(&frames, 0, 63), Scan::Available { length: 32, padding: 0 });
        assert_eq!(scan(&frames, 32, 31), Scan::Blocked { length: 32 });
    }

    proptest! {
        #[test]
        fn no_length_leads_outside_the_term(lengths in proptest::collection::vec(any::<i32>(), 8), offset in 0_usize..600, max in 0_usize..600) {
            let mut memory = words(512);
            let term = AtomicBuffer::from_mut(&mut memory);
            for (index, length) in lengths.iter().enumerate() {
                term.store_i32(index * 32, length % 200, Ordering::Relaxed);
                term.store_i32(index * 32 + 256, *length, Ordering::Relaxed);
                term.store_i32(index * 32 + 4, i32::from(*length > 0) << 16, Ordering::Relaxed);
            }
            if let Scan::Available { length, padding } = scan_term(&term, offset, max) {
                prop_assert!(length <= max);
                prop_assert!(offset + length + padding <= 512 || length == 0);
            }
        }
    }
}
