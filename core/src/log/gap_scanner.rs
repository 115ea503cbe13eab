//! Finds the first gap in an image's term. `[receiver]`
//!
//! Mirrors `aeron_term_gap_scanner.h`; spec: logbuffer.md §8.

use super::LogBuffers;
use super::frame_descriptor::{FRAME_ALIGNMENT, FRAME_LENGTH, aligned, committed};
use crate::sync::{Memory, Ordering};

/// Bytes of a term that did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Where it begins, in bytes.
    pub offset: usize,
    /// In bytes, a multiple of 32.
    pub length: usize,
}

/// What a scan found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapScan {
    /// Up to where the frames are contiguous; where the gap begins, if there is one.
    pub contiguous: usize,
    /// The first gap before the limit.
    pub gap: Option<Gap>,
}

/// Looks for a gap in a partition's term from `offset` up to `limit`, where frames are known to have arrived.
///
/// A length that cannot be (past the term's end, shorter than a header) is neither a frame nor a gap: the scan stops
/// there without one. Offsets are rounded down to multiples of 32 in the term.
///
/// # Panics
/// When there is no such partition.
pub fn scan_for_gap<M: Memory>(log: &LogBuffers<M>, partition: usize, offset: usize, limit: usize) -> GapScan {
    scan_term(log.term(partition), offset, limit)
}

fn scan_term<M: Memory>(term: &M, offset: usize, limit: usize) -> GapScan {
    let term_length = term.len();
    let limit = limit.min(term_length) & !(FRAME_ALIGNMENT - 1);
    let mut at = offset.min(term_length) & !(FRAME_ALIGNMENT - 1);
    // SYNC: committed (by this very agent; acquire as Aeron has it, for the tools that scan too).
    let length_at = |at: usize| term.load_i32(at + FRAME_LENGTH, Ordering::Acquire);
    while at < limit {
        let length = length_at(at);
        match committed(length, at, term_length) {
            Some(length) => at += aligned(length),
            None if length > 0 => return GapScan { contiguous: at, gap: None },
            None => break,
        }
    }
    let contiguous = at;
    if contiguous >= limit {
        return GapScan { contiguous, gap: None };
    }
    at += FRAME_ALIGNMENT;
    while at < limit && length_at(at) == 0 {
        at += FRAME_ALIGNMENT;
    }
    GapScan { contiguous, gap: Some(Gap { offset: contiguous, length: at - contiguous }) }
}

#[cfg(test)]
mod tests {
    use super::super::rebuilder;
    use super::super::testing::{frame, words};
    use super::*;
    use crate::sync::AtomicBuffer;
    use proptest::prelude::*;

    fn scan(offsets: &[usize], from: usize, limit: usize) -> GapScan {
        let mut memory = words(4096);
        let term = AtomicBuffer::from_mut(&mut memory);
        for &offset in offsets {
            // Payload bytes of 0xff: a gap that runs on must stop at lengths, not look into frames.
            assert!(rebuilder::insert_in_term(&term, offset, &frame(offset, 40, 0xff)));
        }
        scan_term(&term, from, limit)
    }

    #[test]
    fn a_gap_runs_to_the_next_frame() {
        let found = scan(&[0, 96, 288], 0, 384);
        assert_eq!(found, GapScan { contiguous: 192, gap: Some(Gap { offset: 192, length: 96 }) });
    }

    #[test]
    fn a_gap_runs_to_the_limit_at_most() {
        assert_eq!(scan(&[0], 96, 192).gap, Some(Gap { offset: 96, length: 96 }));
    }

    #[test]
    fn there_is_no_gap_before_the_limit_in_contiguous_frames() {
        assert_eq!(scan(&[0, 96], 0, 192), GapScan { contiguous: 192, gap: None });
        assert_eq!(scan(&[], 64, 64), GapScan { contiguous: 64, gap: None });
    }

    proptest! {
        #[test]
        fn no_length_leads_outside_the_term(
            lengths in proptest::collection::vec(any::<i32>(), 16), offset in 0_usize..600, limit in 0_usize..600,
        ) {
            let mut memory = words(512);
            let term = AtomicBuffer::from_mut(&mut memory);
            for (index, length) in lengths.iter().enumerate() {
                term.store_i32(index * 32, if index % 3 == 0 { *length } else { length % 100 }, Ordering::Relaxed);
            }
            let found = scan_term(&term, offset, limit);
            prop_assert!(found.contiguous <= 512);
            if let Some(gap) = found.gap {
                prop_assert!(gap.length > 0 && gap.length % 32 == 0 && gap.offset + gap.length <= limit);
            }
        }
    }
}
