//! The layout of a frame in a term. `[any]`
//!
//! The same 32 bytes as the header of a DATA frame on the wire. Mirrors `FrameDescriptor.java` and
//! `aeron_data_header_t`; spec: logbuffer.md §4.
//!
//! ```text
//!      0               4       5       6               8               12
//!      +---------------+-------+-------+---------------+---------------+---------------+
//!    0 | frame length  | vers. | flags | type          | term offset   | session id    |
//!   16 | stream id     | term id                       | reserved value                |
//!      +---------------+-------------------------------+-------------------------------+
//!   32 | payload, then up to the next multiple of 32: nothing
//! ```

use crate::position::{SessionId, StreamId, TermId, align};

/// Frames begin at multiples of 32 bytes, `AERON_FRAME_ALIGNMENT`.
pub const FRAME_ALIGNMENT: usize = 32;
/// The header of a frame in bytes, `AERON_DATA_HEADER_LENGTH`.
pub const HEADER_LENGTH: usize = 32;

/// `i32`: header and payload, see [`log`](super) for what its sign says.
pub const FRAME_LENGTH: usize = 0;
/// `u8`: 0.
pub const VERSION: usize = 4;
/// `u8`: [`BEGIN_FLAG`], [`END_FLAG`] and others.
pub const FLAGS: usize = 5;
/// `u16`: [`TYPE_DATA`] or [`TYPE_PAD`].
pub const TYPE: usize = 6;
/// `i32`: where in the term the frame begins.
pub const TERM_OFFSET: usize = 8;
/// `i32`.
pub const SESSION_ID: usize = 12;
/// `i32`.
pub const STREAM_ID: usize = 16;
/// `i32`.
pub const TERM_ID: usize = 20;
/// `i64`: the application's.
pub const RESERVED_VALUE: usize = 24;

/// The frame begins a message.
pub const BEGIN_FLAG: u8 = 0x80;
/// The frame ends a message.
pub const END_FLAG: u8 = 0x40;
/// The frame is a whole message.
pub const UNFRAGMENTED: u8 = BEGIN_FLAG | END_FLAG;
/// Padding: skipped by readers.
pub const TYPE_PAD: u16 = 0;
/// A message or a fragment of one.
pub const TYPE_DATA: u16 = 1;

/// The length of a claim while the unblocker makes padding of it. No publisher writes it.
pub(crate) const TAKEN_AWAY: i32 = i32::MIN;

const _: () = assert!(RESERVED_VALUE + 8 == HEADER_LENGTH && HEADER_LENGTH.is_multiple_of(FRAME_ALIGNMENT));

/// A header as it stands in memory before it is committed: a length of 0, version 0, no reserved value.
#[must_use]
pub(crate) const fn header(
    flags: u8,
    frame_type: u16,
    term_offset: i32,
    session_id: SessionId,
    stream_id: StreamId,
    term_id: TermId,
) -> [u8; HEADER_LENGTH] {
    let [t0, t1] = frame_type.to_le_bytes();
    let [o0, o1, o2, o3] = term_offset.to_le_bytes();
    let [s0, s1, s2, s3] = session_id.0.to_le_bytes();
    let [m0, m1, m2, m3] = stream_id.0.to_le_bytes();
    let [i0, i1, i2, i3] = term_id.0.to_le_bytes();
    [
        0, 0, 0, 0, 0, flags, t0, t1, o0, o1, o2, o3, s0, s1, s2, s3, //
        m0, m1, m2, m3, i0, i1, i2, i3, 0, 0, 0, 0, 0, 0, 0, 0,
    ]
}

/// The space that a frame takes: its length rounded up to a multiple of 32.
#[must_use]
#[inline]
pub const fn aligned(frame_length: usize) -> usize {
    align(frame_length, FRAME_ALIGNMENT)
}

/// The space that a message of `length` bytes takes in fragments of at most `max_payload` bytes (more than 0):
/// `aeron_logbuffer_compute_fragmented_length`.
#[must_use]
#[inline]
pub const fn fragmented_length(length: usize, max_payload: usize) -> usize {
    let whole = length / max_payload;
    let rest = length % max_payload;
    whole * (max_payload + HEADER_LENGTH) + if rest > 0 { aligned(rest + HEADER_LENGTH) } else { 0 }
}

/// The length of a committed frame at `offset` of a term, or `None` when there is none that lies within the term:
/// nothing committed there, or a length that no publisher may write. `offset` is less than `term_length`, both are
/// multiples of 32.
#[inline(always)]
#[must_use]
pub(crate) const fn committed(frame_length: i32, offset: usize, term_length: usize) -> Option<usize> {
    // One comparison for all that may be wrong: what is not committed wraps around to more than any space left.
    // The space left is a multiple of 32, so the aligned length fits where the length does.
    let payload = frame_length.wrapping_sub(HEADER_LENGTH as i32) as u32 as usize;
    if payload <= term_length - offset - HEADER_LENGTH { Some(payload + HEADER_LENGTH) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fragments_take_whole_mtus_and_an_aligned_rest() {
        assert_eq!(fragmented_length(1376 * 2, 1376), 1408 * 2);
        assert_eq!(fragmented_length(1376 * 2 + 1, 1376), 1408 * 2 + 64);
        assert_eq!(fragmented_length(0, 1376), 0);
    }

    proptest! {
        #[test]
        fn only_frames_within_the_term_are_committed(length: i32, units in 0_usize..2048) {
            let (offset, term) = (units * 32, 65_536);
            let within = length >= 32 && offset + aligned(usize::try_from(length).unwrap_or(0)) <= term;
            prop_assert_eq!(committed(length, offset, term), within.then(|| usize::try_from(length).unwrap()));
        }

        #[test]
        fn lengths_at_the_edges_are_told_apart(short in -64_i32..96, units in 0_usize..2048) {
            let offset = units * 32;
            let left = i32::try_from(65_536 - offset).unwrap();
            for length in [short, left + short - 32, i32::MIN + short.abs(), i32::MAX - short.abs()] {
                prop_assert_eq!(committed(length, offset, 65_536).is_some(), (32..=left).contains(&length));
            }
        }
    }
}
