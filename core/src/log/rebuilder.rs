//! Places received frames in a term. `[receiver]`
//!
//! Does not look at what the frames say: they were validated when they came in. Mirrors `aeron_term_rebuilder.h`;
//! spec: logbuffer.md §8.

use super::LogBuffers;
use super::frame_descriptor::{FRAME_ALIGNMENT, FRAME_LENGTH, HEADER_LENGTH, VERSION};
use crate::sync::{Memory, Ordering};

/// Copies the frames of one datagram to `offset` of a partition's term in an image, unless there is a frame already;
/// whether it did.
///
/// Nothing is copied either when the frames would lie outside the term, are shorter than a header, or the offset is
/// not a multiple of 32.
///
/// # Panics
/// When there is no such partition.
pub fn insert<M: Memory>(log: &LogBuffers<M>, partition: usize, offset: usize, frames: &[u8]) -> bool {
    insert_in_term(log.term(partition), offset, frames)
}

pub(super) fn insert_in_term<M: Memory>(term: &M, offset: usize, frames: &[u8]) -> bool {
    let outside = offset > term.len() || frames.len() > term.len() - offset;
    if outside || frames.len() < HEADER_LENGTH || !offset.is_multiple_of(FRAME_ALIGNMENT) {
        return false;
    }
    // Relaxed: the receiver is the only one to write an image's lengths.
    if term.load_i32(offset + FRAME_LENGTH, Ordering::Relaxed) != 0 {
        return false;
    }
    // SAFETY: where nothing is committed the space is the one receiver's, by the log's contract.
    unsafe { place(term, offset, frames) };
    true
}

/// Copies frames to where none are, the length of the first one last: readers stop there until it is seen, and so do
/// not see the others' lengths, plain bytes here, before.
///
/// # Panics
/// When the frames lie outside the term or are shorter than a header.
///
/// # Safety
/// The range is the caller's alone until the frames are committed.
pub(super) unsafe fn place<M: Memory>(term: &M, offset: usize, frames: &[u8]) {
    let (header, rest) = frames.split_at(HEADER_LENGTH);
    // SAFETY: by the caller's contract.
    unsafe {
        term.write_bytes(offset + HEADER_LENGTH, rest);
        term.write_bytes(offset + VERSION, &header[VERSION..]);
    }
    let length = i32::from_le_bytes([header[0], header[1], header[2], header[3]]);
    // SYNC: committed.
    term.store_i32(offset + FRAME_LENGTH, length, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{frame, words};
    use super::*;
    use crate::sync::AtomicBuffer;
    use proptest::prelude::*;

    #[test]
    fn frames_are_placed_once() {
        let mut memory = words(512);
        let term = AtomicBuffer::from_mut(&mut memory);
        let mut datagram = frame(64, 100, b'a');
        datagram.extend(frame(192, 10, b'b'));
        assert!(insert_in_term(&term, 64, &datagram));
        assert!(!insert_in_term(&term, 64, &frame(64, 100, b'c')));
        let mut bytes = [0; 256];
        term.read_racing(64, &mut bytes[..datagram.len()]);
        assert_eq!(bytes[..datagram.len()], datagram);
        assert_eq!(term.load_i32(64, Ordering::Acquire), 132);
    }

    proptest! {
        #[test]
        fn no_offset_and_length_panics(offset in 0_usize..400, length in 0_usize..400, far: bool) {
            let mut memory = words(256);
            let term = AtomicBuffer::from_mut(&mut memory);
            let offset = if far { usize::MAX - offset } else { offset };
            let fits = offset % 32 == 0 && length >= 32 && offset <= 256 && length <= 256 - offset;
            prop_assert_eq!(insert_in_term(&term, offset, &std::vec![1; length]), fits);
        }
    }
}
