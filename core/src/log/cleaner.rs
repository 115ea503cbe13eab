//! Zeroes what every consumer is done with, before it is claimed again. `[conductor]`
//!
//! Mirrors `aeron_ipc_publication_clean_buffer` and its like; spec: logbuffer.md §10.

use super::LogBuffers;
use super::frame_descriptor::{FRAME_ALIGNMENT, FRAME_LENGTH, HEADER_LENGTH, VERSION};
use crate::position::Position;
use crate::sync::{Memory, Ordering};

/// How far a log has been cleaned.
#[derive(Clone, Debug)]
pub struct Cleaner {
    /// Invariant: a multiple of 32.
    position: Position,
}

impl Cleaner {
    /// Nothing before `start`, the position where the log begins, is dirty. Rounded down to a multiple of 32.
    #[must_use]
    pub fn new(start: Position) -> Self {
        Cleaner { position: aligned_down(start) }
    }

    /// Up to where the log is clean.
    #[must_use]
    #[inline]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Cleans up to `to`, rounded down to a multiple of 32, or to the end of the term that cleaning has got to; whether
    /// there was anything to clean. By the log's contract (see [`LogBuffers::initialise`]) `to` is behind every reader,
    /// and nobody claims there yet.
    ///
    /// The first frame's length is zeroed last, as Aeron does it: what reads the log from there (a tool, a consumer
    /// that was given up) sees it or nothing.
    pub fn clean_to<M: Memory>(&mut self, log: &LogBuffers<M>, to: Position) -> bool {
        let to = aligned_down(to);
        if to <= self.position {
            return false;
        }
        let offset = self.position.term_offset(log.term_length()) as usize;
        let left = log.term_length().as_usize() - offset;
        let length = usize::try_from(to.since(self.position)).unwrap_or(left).min(left);
        let term = log.term(self.position.partition(log.term_length()));
        debug_assert!(length >= HEADER_LENGTH);
        // SAFETY: behind every reader and publisher, by the log's contract.
        unsafe { term.zero(offset + VERSION, length - VERSION) };
        // SYNC: cleaned (foreign: aeron_publication.c writes only below the limit). The limit's release (ipc, network)
        // or the window (image) hands the space to publishers.
        term.store_i32(offset + FRAME_LENGTH, 0, Ordering::Release);
        let cleaned = length as i64;
        self.position = self.position.plus(cleaned);
        true
    }
}

fn aligned_down(position: Position) -> Position {
    Position(position.0 & !(FRAME_ALIGNMENT as i64 - 1))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Log, TERM, properties};
    use super::*;
    use proptest::prelude::*;

    /// Which words of the log are zero.
    fn zeroes(log: &LogBuffers<crate::sync::AtomicBuffer<'_>>) -> std::vec::Vec<bool> {
        (0..3 * TERM / 4).map(|w| log.term(w * 4 / TERM).load_i32(w * 4 % TERM, Ordering::Relaxed) == 0).collect()
    }

    #[test]
    fn a_call_goes_to_the_end_of_a_term_at_most() {
        let mut memory = Log::new();
        let log = memory.initialised(&properties());
        let mut cleaner = Cleaner::new(Position(64));
        assert!(!cleaner.clean_to(&log, Position(64)));
        assert!(!cleaner.clean_to(&log, Position(95)));
        assert!(cleaner.clean_to(&log, Position(100_000)));
        assert_eq!(cleaner.position(), Position(65_536));
        assert!(cleaner.clean_to(&log, Position(100_000)));
        assert_eq!(cleaner.position(), Position(100_000));
        assert!(!cleaner.clean_to(&log, Position(i64::MIN)));
    }

    #[test]
    fn no_position_panics() {
        let mut memory = Log::new();
        let log = memory.initialised(&properties());
        for start in [i64::MIN, -1, -65_537, i64::MAX, 0x7fff_ffff_ffff] {
            for to in [i64::MAX, i64::MIN, 0, -1] {
                Cleaner::new(Position(start)).clean_to(&log, Position(to));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_cleaned_is_zero_and_nothing_else_is_touched(
            start in 0_i64..7 * 65_536, steps in proptest::collection::vec(-1000_i64..40_000, 1..8),
        ) {
            let mut memory = Log::new();
            let log = memory.initialised(&properties());
            for partition in 0..3 {
                log.term(partition).write_racing(0, &std::vec![0xff; TERM]);
            }
            let mut cleaner = Cleaner::new(Position(start));
            let first = cleaner.position();
            let mut to = first;
            for step in steps {
                to = to.plus(step);
                let before = cleaner.position();
                let expected = to.0 / 32 * 32 > before.0;
                prop_assert_eq!(cleaner.clean_to(&log, to), expected);
                prop_assert!(cleaner.position() >= before && cleaner.position() <= to.max(before));
            }
            let (first, last) = (first.0, cleaner.position().0);
            for (word, zero) in zeroes(&log).into_iter().enumerate() {
                let ring = 3 * 65_536;
                let at = i64::try_from(word * 4).unwrap();
                let cleaned = (at - first).rem_euclid(ring) < last - first;
                prop_assert_eq!(zero, cleaned, "word at {}", at);
            }
        }
    }
}
