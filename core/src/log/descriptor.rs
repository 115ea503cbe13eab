//! The layout of a log and of its metadata, and the raw tail. `[any]`
//!
//! Mirrors `aeron_logbuffer_descriptor.{h,c}`; spec: logbuffer.md §1 to §3.
//!
//! ```text
//!  0        T        2T       3T                              file length
//!  +--------+--------+--------+----------------+--------------+
//!  | term 0 | term 1 | term 2 | hole to a page | metadata     |   T: term length
//!  +--------+--------+--------+----------------+--------------+
//!                                               4096 bytes, the last of the file
//!
//!  Metadata            0               4               8               12
//!                      +---------------+---------------+---------------+---------------+
//!                    0 |        tail of term 0         |        tail of term 1         |
//!                   16 |        tail of term 2         | active terms  |     padding ...
//!                      +---------------+---------------+---------------+---------------+
//!                  128 |     end of stream position    | is connected  | transports    |
//!                  144 |                            padding ...                        |
//!                      +---------------+---------------+---------------+---------------+
//!                  256 |        correlation id         | initial term  | header length |
//!                  272 | MTU           | term length   | page size     | pub. window   |
//!                  288 | rcv. window   | sndbuf        | default ...   | max ...       |
//!                  304 | rcvbuf        | default ...   | max ...       | max resend    |
//!                      +---------------+---------------+---------------+---------------+
//!                  320 |     default frame header: 32 bytes, in a space of 128         |
//!                      +---------------+---------------+---------------+---------------+
//!                  448 |          entity tag           |    response correlation id    |
//!                  464 |        linger timeout         | untethered window limit t.o.  |
//!                  480 |  untethered resting timeout   | 488: eight flags of one byte  |
//!                  496 | revoked, type, 2 of padding   | 500: untethered linger timeout (8 bytes)
//!                      +---------------+---------------+------------ 508
//! ```

use super::frame_descriptor::HEADER_LENGTH;
use crate::position::{TermId, TermLength, align};

/// How many terms a log has, `AERON_LOGBUFFER_PARTITION_COUNT`.
pub const PARTITION_COUNT: usize = 3;
/// The metadata at a log's end, in bytes, `AERON_LOGBUFFER_META_DATA_LENGTH`.
pub const METADATA_LENGTH: usize = 4096;
/// The smallest page size that a log may state, 4 KiB.
pub const PAGE_MIN: usize = 4096;
/// The largest page size that a log may state, 1 GiB.
pub const PAGE_MAX: usize = 1024 * 1024 * 1024;
/// The largest MTU, `AERON_MAX_UDP_PAYLOAD_LENGTH`.
pub const MTU_MAX: usize = 65_504;

/// `i64` × 3: the raw tail of each term.
pub const TERM_TAIL_COUNTERS: usize = 0;
/// `i32`: how many terms were begun before the active one.
pub const ACTIVE_TERM_COUNT: usize = TERM_TAIL_COUNTERS + 8 * PARTITION_COUNT;
/// `i64`: where the stream ends, once it is known.
pub const END_OF_STREAM_POSITION: usize = 128;
/// `i32`: 1 while a publication has a subscriber.
pub const IS_CONNECTED: usize = END_OF_STREAM_POSITION + 8;
/// `i32`: transports that an image receives from.
pub const ACTIVE_TRANSPORT_COUNT: usize = IS_CONNECTED + 4;
/// `i64`: the registration id of the log.
pub const CORRELATION_ID: usize = 256;
/// `i32`.
pub const INITIAL_TERM_ID: usize = CORRELATION_ID + 8;
/// `i32`: always 32.
pub const DEFAULT_FRAME_HEADER_LENGTH: usize = INITIAL_TERM_ID + 4;
/// `i32`.
pub const MTU_LENGTH: usize = DEFAULT_FRAME_HEADER_LENGTH + 4;
/// `i32`.
pub const TERM_LENGTH: usize = MTU_LENGTH + 4;
/// `i32`.
pub const PAGE_SIZE: usize = TERM_LENGTH + 4;
/// `i32`.
pub const PUBLICATION_WINDOW_LENGTH: usize = PAGE_SIZE + 4;
/// `i32`.
pub const RECEIVER_WINDOW_LENGTH: usize = PUBLICATION_WINDOW_LENGTH + 4;
/// `i32`.
pub const SOCKET_SNDBUF_LENGTH: usize = RECEIVER_WINDOW_LENGTH + 4;
/// `i32`.
pub const OS_DEFAULT_SOCKET_SNDBUF_LENGTH: usize = SOCKET_SNDBUF_LENGTH + 4;
/// `i32`.
pub const OS_MAX_SOCKET_SNDBUF_LENGTH: usize = OS_DEFAULT_SOCKET_SNDBUF_LENGTH + 4;
/// `i32`.
pub const SOCKET_RCVBUF_LENGTH: usize = OS_MAX_SOCKET_SNDBUF_LENGTH + 4;
/// `i32`.
pub const OS_DEFAULT_SOCKET_RCVBUF_LENGTH: usize = SOCKET_RCVBUF_LENGTH + 4;
/// `i32`.
pub const OS_MAX_SOCKET_RCVBUF_LENGTH: usize = OS_DEFAULT_SOCKET_RCVBUF_LENGTH + 4;
/// `i32`.
pub const MAX_RESEND: usize = OS_MAX_SOCKET_RCVBUF_LENGTH + 4;
/// 32 bytes, in a space of 128.
pub const DEFAULT_FRAME_HEADER: usize = MAX_RESEND + 4;
/// `i64`.
pub const ENTITY_TAG: usize = DEFAULT_FRAME_HEADER + 128;
/// `i64`.
pub const RESPONSE_CORRELATION_ID: usize = ENTITY_TAG + 8;
/// `i64`.
pub const LINGER_TIMEOUT_NS: usize = RESPONSE_CORRELATION_ID + 8;
/// `i64`.
pub const UNTETHERED_WINDOW_LIMIT_TIMEOUT_NS: usize = LINGER_TIMEOUT_NS + 8;
/// `i64`.
pub const UNTETHERED_RESTING_TIMEOUT_NS: usize = UNTETHERED_WINDOW_LIMIT_TIMEOUT_NS + 8;
/// `u8`.
pub const GROUP: usize = UNTETHERED_RESTING_TIMEOUT_NS + 8;
/// `u8`.
pub const IS_RESPONSE: usize = GROUP + 1;
/// `u8`.
pub const REJOIN: usize = IS_RESPONSE + 1;
/// `u8`.
pub const RELIABLE: usize = REJOIN + 1;
/// `u8`.
pub const SPARSE: usize = RELIABLE + 1;
/// `u8`.
pub const SIGNAL_EOS: usize = SPARSE + 1;
/// `u8`.
pub const SPIES_SIMULATE_CONNECTION: usize = SIGNAL_EOS + 1;
/// `u8`.
pub const TETHER: usize = SPIES_SIMULATE_CONNECTION + 1;
/// `u8`: 1 once the publication was revoked.
pub const IS_PUBLICATION_REVOKED: usize = TETHER + 1;
/// `u8`: see [`LogType`](super::LogType).
pub const TYPE: usize = IS_PUBLICATION_REVOKED + 1;
/// `i64`, aligned to 4 only: read and written byte by byte.
pub const UNTETHERED_LINGER_TIMEOUT_NS: usize = TYPE + 3;

const _: () = assert!(ACTIVE_TERM_COUNT == 24);
const _: () = assert!(IS_CONNECTED == 136 && ACTIVE_TRANSPORT_COUNT == 140);
const _: () = assert!(INITIAL_TERM_ID == 264 && DEFAULT_FRAME_HEADER_LENGTH == 268);
const _: () = assert!(MTU_LENGTH == 272 && TERM_LENGTH == 276 && PAGE_SIZE == 280);
const _: () = assert!(PUBLICATION_WINDOW_LENGTH == 284 && RECEIVER_WINDOW_LENGTH == 288);
const _: () = assert!(SOCKET_SNDBUF_LENGTH == 292 && OS_DEFAULT_SOCKET_SNDBUF_LENGTH == 296);
const _: () = assert!(OS_MAX_SOCKET_SNDBUF_LENGTH == 300 && SOCKET_RCVBUF_LENGTH == 304);
const _: () = assert!(OS_DEFAULT_SOCKET_RCVBUF_LENGTH == 308 && OS_MAX_SOCKET_RCVBUF_LENGTH == 312);
const _: () = assert!(MAX_RESEND == 316 && DEFAULT_FRAME_HEADER == 320 && ENTITY_TAG == 448);
const _: () = assert!(RESPONSE_CORRELATION_ID == 456 && LINGER_TIMEOUT_NS == 464);
const _: () = assert!(UNTETHERED_WINDOW_LIMIT_TIMEOUT_NS == 472 && UNTETHERED_RESTING_TIMEOUT_NS == 480);
const _: () = assert!(GROUP == 488 && TETHER == 495 && IS_PUBLICATION_REVOKED == 496 && TYPE == 497);
const _: () = assert!(UNTETHERED_LINGER_TIMEOUT_NS == 500 && UNTETHERED_LINGER_TIMEOUT_NS + 8 <= METADATA_LENGTH);
const _: () = assert!(METADATA_LENGTH == PAGE_MIN && HEADER_LENGTH <= 128);

/// The length of a log's file, in bytes: three terms and the metadata, rounded up to pages of `page_size` bytes, a
/// power of two.
#[must_use]
pub const fn file_length(term_length: TermLength, page_size: usize) -> u64 {
    align(PARTITION_COUNT * term_length.as_usize() + METADATA_LENGTH, page_size) as u64
}

/// The tail of a term as it stands in the metadata: the term's id above, the offset of the next frame below.
///
/// The offset runs past the term's end when publishers claim there; whoever crosses the end pads and rotates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct RawTail(pub i64);

impl RawTail {
    /// A tail at `offset` bytes (not negative) in the term `term_id`.
    #[must_use]
    #[inline]
    pub const fn new(term_id: TermId, offset: i32) -> RawTail {
        RawTail(((term_id.0 as i64) << 32) | (offset as u32 as i64))
    }

    /// The term that the tail is in.
    #[must_use]
    #[inline]
    pub const fn term_id(self) -> TermId {
        TermId((self.0 >> 32) as i32)
    }

    /// The offset in bytes, at most the term's length.
    #[must_use]
    #[inline]
    pub const fn term_offset(self, term_length: TermLength) -> i32 {
        let offset = self.unclamped_offset();
        if offset < term_length.bytes() as u32 as i64 { offset as i32 } else { term_length.bytes() }
    }

    /// The offset in bytes, however far past the term's end publishers have moved it.
    #[must_use]
    #[inline]
    pub const fn unclamped_offset(self) -> i64 {
        self.0 & 0xffff_ffff
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn files_are_as_long_as_aeron_makes_them() {
        assert_eq!(file_length(TermLength::MIN, 4096), 3 * 65_536 + 4096);
        assert_eq!(file_length(TermLength::MIN, 2 << 20), 2 << 20);
        assert_eq!(file_length(TermLength::MAX, 4096), (3 << 30) + 4096);
        assert_eq!(file_length(TermLength::MAX, PAGE_MAX), 4 << 30);
    }

    #[test]
    fn a_tail_past_the_end_is_read_as_the_end() {
        let tail = RawTail::new(TermId(-7), 65_536 + 96);
        assert_eq!(tail.term_offset(TermLength::MIN), 65_536);
        assert_eq!(tail.unclamped_offset(), 65_632);
        assert_eq!(tail.term_id(), TermId(-7));
        assert_eq!(RawTail(-1).term_offset(TermLength::MAX), 1 << 30);
    }

    proptest! {
        #[test]
        fn a_tail_is_its_term_and_offset(term_id: i32, offset in 0..=i32::MAX, added in 0_i64..1 << 20) {
            let tail = RawTail(RawTail::new(TermId(term_id), offset).0 + added);
            prop_assert_eq!(tail.term_id(), TermId(term_id));
            prop_assert_eq!(tail.unclamped_offset(), i64::from(offset) + added);
        }
    }
}
