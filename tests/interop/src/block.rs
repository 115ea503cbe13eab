//! A block of frames, taken apart. `[any]`

use crate::peer::FragmentHeader;
use gannet_tests::cnc_snapshot::{i32_at, i64_at};

const HEADER_LENGTH: usize = 32;
const PADDING: u16 = 0;

/// Calls back with each data frame of a block: its payload and its header. The position in the header is 0, as a block
/// does not tell it.
///
/// # Panics
/// When the block is not a sequence of whole frames.
pub fn for_each_frame(block: &[u8], mut call: impl FnMut(&[u8], &FragmentHeader)) {
    let mut offset = 0;
    while offset < block.len() {
        let frame = &block[offset..];
        let length = usize::try_from(i32_at(frame, 0)).expect("a committed frame");
        assert!(length >= HEADER_LENGTH, "a frame of {length} bytes");
        if u16::from_le_bytes([frame[6], frame[7]]) != PADDING {
            let header = FragmentHeader {
                position: 0,
                term_offset: i32_at(frame, 8),
                session_id: i32_at(frame, 12),
                stream_id: i32_at(frame, 16),
                term_id: i32_at(frame, 20),
                flags: frame[5],
                reserved_value: i64_at(frame, 24),
            };
            call(&frame[HEADER_LENGTH..length], &header);
        }
        offset += length.next_multiple_of(HEADER_LENGTH);
    }
}
