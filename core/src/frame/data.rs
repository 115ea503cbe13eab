//! DATA and PAD: a message, a fragment of one, a heartbeat, or a stretch without one. `[any]`
//!
//! The header of a frame in a log buffer is the same 32 bytes, which is why terms are sent as they are. Mirrors
//! `DataHeaderFlyweight`; wire.md §2.
//!
//! ```text
//!  0 header          8 bytes     16 stream_id       i32
//!  8 term_offset     i32         20 term_id         i32
//! 12 session_id      i32         24 reserved_value  i64
//!                                32 payload
//! ```

use core::fmt;

use zerocopy::little_endian::{I32, I64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{FrameHeader, FrameType};
use crate::layout::assert_layout;
use crate::{SessionId, StreamId, TermId};

/// The first fragment of a message.
pub const FLAG_BEGIN: u8 = 0x80;
/// The last fragment of a message.
pub const FLAG_END: u8 = 0x40;
/// The stream ends here; on heartbeats.
pub const FLAG_EOS: u8 = 0x20;
/// The publication was revoked; on heartbeats.
pub const FLAG_REVOKED: u8 = 0x10;
/// A message in one fragment.
pub const UNFRAGMENTED: u8 = FLAG_BEGIN | FLAG_END;

/// What the reserved value is when nobody sets it.
pub const DEFAULT_RESERVED_VALUE: i64 = 0;

/// Header of a DATA or PAD frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct DataHeader {
    header: FrameHeader,
    term_offset: I32,
    session_id: I32,
    stream_id: I32,
    term_id: I32,
    reserved_value: I64,
}
assert_layout!(
    DataHeader,
    32,
    header = 0,
    term_offset = 8,
    session_id = 12,
    stream_id = 16,
    term_id = 20,
    reserved_value = 24,
);

impl DataHeader {
    /// The header of a message or fragment, `frame_length` bytes with this header.
    #[must_use]
    pub const fn new(
        frame_length: i32,
        flags: u8,
        session_id: SessionId,
        stream_id: StreamId,
        term_id: TermId,
        term_offset: i32,
    ) -> DataHeader {
        DataHeader::of(FrameType::Data, frame_length, flags, session_id, stream_id, term_id, term_offset)
    }

    /// The header of a padding that covers `frame_length` bytes of its term.
    #[must_use]
    pub const fn padding(
        frame_length: i32,
        session_id: SessionId,
        stream_id: StreamId,
        term_id: TermId,
        term_offset: i32,
    ) -> DataHeader {
        DataHeader::of(FrameType::Pad, frame_length, UNFRAGMENTED, session_id, stream_id, term_id, term_offset)
    }

    /// A heartbeat at the sender's position: a DATA header alone, with length 0. `flags` adds [`FLAG_EOS`] and
    /// [`FLAG_REVOKED`].
    #[must_use]
    pub const fn heartbeat(
        flags: u8,
        session_id: SessionId,
        stream_id: StreamId,
        term_id: TermId,
        term_offset: i32,
    ) -> DataHeader {
        DataHeader::of(FrameType::Data, 0, UNFRAGMENTED | flags, session_id, stream_id, term_id, term_offset)
    }

    const fn of(
        frame_type: FrameType,
        frame_length: i32,
        flags: u8,
        session_id: SessionId,
        stream_id: StreamId,
        term_id: TermId,
        term_offset: i32,
    ) -> DataHeader {
        DataHeader {
            header: FrameHeader::new(frame_length, flags, frame_type),
            term_offset: I32::new(term_offset),
            session_id: I32::new(session_id.0),
            stream_id: I32::new(stream_id.0),
            term_id: I32::new(term_id.0),
            reserved_value: I64::new(DEFAULT_RESERVED_VALUE),
        }
    }

    /// The same header with the application's value in its reserved field.
    #[must_use]
    pub const fn with_reserved_value(mut self, value: i64) -> DataHeader {
        self.reserved_value = I64::new(value);
        self
    }

    /// Header and payload in bytes, not aligned; 0 on a heartbeat.
    #[must_use]
    pub const fn frame_length(&self) -> i32 {
        self.header.frame_length()
    }

    /// Whether it is a padding.
    #[must_use]
    pub const fn is_padding(&self) -> bool {
        self.header.type_code() == FrameType::Pad.code()
    }

    /// Whether a datagram that begins with it, `length` bytes in all, is a heartbeat.
    #[must_use]
    pub const fn is_heartbeat(&self, length: usize) -> bool {
        length == DataHeader::LENGTH
            && self.header.frame_length() == 0
            && self.header.type_code() == FrameType::Data.code()
    }

    /// Whether the stream ends here.
    #[must_use]
    pub const fn is_end_of_stream(&self) -> bool {
        self.header.flags() & FLAG_EOS != 0
    }

    /// Whether the publication was revoked.
    #[must_use]
    pub const fn is_revoked(&self) -> bool {
        self.header.flags() & FLAG_REVOKED != 0
    }

    /// Of the frame in its term, in bytes.
    #[must_use]
    pub const fn term_offset(&self) -> i32 {
        self.term_offset.get()
    }

    /// Of the publication.
    #[must_use]
    pub const fn session_id(&self) -> SessionId {
        SessionId(self.session_id.get())
    }

    /// Of the publication.
    #[must_use]
    pub const fn stream_id(&self) -> StreamId {
        StreamId(self.stream_id.get())
    }

    /// The term that the frame is in.
    #[must_use]
    pub const fn term_id(&self) -> TermId {
        TermId(self.term_id.get())
    }

    /// The application's value.
    #[must_use]
    pub const fn reserved_value(&self) -> i64 {
        self.reserved_value.get()
    }
}
frame_header_accessors!(DataHeader);

impl fmt::Display for DataHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}:{}:{} @{:#x}",
            self.header,
            self.session_id(),
            self.stream_id(),
            self.term_id(),
            self.term_offset()
        )
    }
}
