//! Fills a gap in an image that may lose messages with padding. `[receiver]`
//!
//! Mirrors `aeron_term_gap_filler.c`; spec: logbuffer.md §8. The header is the log's default header, made of what was
//! cached when the log was opened rather than of what clients may have written into the file since.

use super::LogBuffers;
use super::frame_descriptor::{self, FRAME_ALIGNMENT, FRAME_LENGTH, TYPE_PAD, UNFRAGMENTED, VERSION};
use super::gap_scanner::Gap;
use crate::position::TermId;
use crate::sync::{Memory, Ordering};

/// Makes a gap in the term of a partition padding, unless something arrived there since it was found; whether it did.
///
/// Nothing is done either when the gap is not made of multiples of 32 within the term.
///
/// # Panics
/// When there is no such partition.
pub fn try_fill_gap<M: Memory>(log: &LogBuffers<M>, partition: usize, term_id: TermId, gap: Gap) -> bool {
    let (term, term_length) = (log.term(partition), log.term_length().as_usize());
    let outside = gap.offset > term_length || gap.length > term_length - gap.offset || gap.length == 0;
    if outside || !gap.offset.is_multiple_of(FRAME_ALIGNMENT) || !gap.length.is_multiple_of(FRAME_ALIGNMENT) {
        return false;
    }
    let mut at = gap.offset + gap.length;
    while at > gap.offset {
        at -= FRAME_ALIGNMENT;
        // Relaxed: the receiver is the only one to write an image's lengths.
        if term.load_i32(at + FRAME_LENGTH, Ordering::Relaxed) != 0 {
            return false;
        }
    }
    write_padding(log, term, gap, term_id);
    true
}

/// Makes a gap one frame of padding. The gap lies within the term, at multiples of 32.
fn write_padding<M: Memory>(log: &LogBuffers<M>, term: &M, gap: Gap, term_id: TermId) {
    let (session_id, stream_id) = (log.session_id(), log.stream_id());
    let header = frame_descriptor::header(UNFRAGMENTED, TYPE_PAD, gap.offset as i32, session_id, stream_id, term_id);
    // SAFETY: within the term by the check, and nothing is there: it is the one receiver's, by the log's contract.
    unsafe { term.write_bytes(gap.offset + VERSION, &header[VERSION..]) };
    // SYNC: committed.
    term.store_i32(gap.offset + FRAME_LENGTH, gap.length as i32, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Log, frame, properties};
    use super::super::{reader, rebuilder};
    use super::*;
    use crate::position::Position;

    #[test]
    fn readers_skip_a_filled_gap() {
        let mut memory = Log::new();
        let log = memory.initialised(&properties());
        rebuilder::insert(&log, 0, 128, &frame(128, 3, b'x'));
        assert!(try_fill_gap(&log, 0, log.initial_term_id(), Gap { offset: 0, length: 128 }));
        let polled = reader::poll(&log, Position(0), 10, |payload, header| {
            assert_eq!((payload, header.term_offset()), (&b"xxx"[..], 128));
        });
        assert_eq!((polled.fragments, polled.position), (1, Position(192)));
    }

    #[test]
    fn the_header_is_the_default_one() {
        let mut memory = Log::new();
        let log = memory.initialised(&properties());
        assert!(try_fill_gap(&log, 1, log.initial_term_id().plus(1), Gap { offset: 64, length: 96 }));
        let mut bytes = [0; 32];
        log.term(1).read_racing(64, &mut bytes);
        let (session_id, stream_id) = (properties().session_id, properties().stream_id);
        let mut expected =
            frame_descriptor::header(0xc0, TYPE_PAD, 64, session_id, stream_id, log.initial_term_id().plus(1));
        expected[..4].copy_from_slice(&96_i32.to_le_bytes());
        assert_eq!(bytes, expected);
    }

    #[test]
    fn a_gap_where_a_frame_arrived_is_left_alone() {
        let mut memory = Log::new();
        let log = memory.initialised(&properties());
        rebuilder::insert(&log, 0, 96, &frame(96, 0, 0));
        assert!(!try_fill_gap(&log, 0, log.initial_term_id(), Gap { offset: 0, length: 128 }));
        assert_eq!(log.term(0).load_i32(0, Ordering::Relaxed), 0);
    }

    #[test]
    fn gaps_outside_the_term_are_left_alone() {
        let mut memory = Log::new();
        let log = memory.initialised(&properties());
        for (offset, length) in [(0, 0), (16, 32), (0, 33), (65_504, 64), (usize::MAX - 31, 64), (65_536, 32)] {
            assert!(!try_fill_gap(&log, 0, TermId(0), Gap { offset, length }), "{offset} {length}");
        }
    }
}
