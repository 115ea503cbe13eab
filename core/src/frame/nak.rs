//! NAK: a receiver misses a range of a term. `[receiver]` → `[sender]`
//!
//! Mirrors `NakFlyweight`; wire.md §5.
//!
//! ```text
//!  0 header      8 bytes      16 term_id      i32
//!  8 session_id  i32          20 term_offset  i32
//! 12 stream_id   i32          24 length       i32
//! ```

use core::fmt;

use zerocopy::little_endian::I32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{FrameHeader, FrameType};
use crate::layout::assert_layout;
use crate::{SessionId, StreamId, TermId};

/// A NAK frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Nak {
    header: FrameHeader,
    session_id: I32,
    stream_id: I32,
    term_id: I32,
    term_offset: I32,
    length: I32,
}
assert_layout!(Nak, 28, header = 0, session_id = 8, stream_id = 12, term_id = 16, term_offset = 20, length = 24);

impl Nak {
    /// A frame that asks for `length` bytes from `term_offset` on.
    #[must_use]
    pub const fn new(
        session_id: SessionId,
        stream_id: StreamId,
        term_id: TermId,
        term_offset: i32,
        length: i32,
    ) -> Nak {
        Nak {
            header: FrameHeader::new(28, 0, FrameType::Nak),
            session_id: I32::new(session_id.0),
            stream_id: I32::new(stream_id.0),
            term_id: I32::new(term_id.0),
            term_offset: I32::new(term_offset),
            length: I32::new(length),
        }
    }

    /// Of the stream.
    #[must_use]
    pub const fn session_id(&self) -> SessionId {
        SessionId(self.session_id.get())
    }

    /// Of the stream.
    #[must_use]
    pub const fn stream_id(&self) -> StreamId {
        StreamId(self.stream_id.get())
    }

    /// The term that the range is in.
    #[must_use]
    pub const fn term_id(&self) -> TermId {
        TermId(self.term_id.get())
    }

    /// Where the range begins, in bytes.
    #[must_use]
    pub const fn term_offset(&self) -> i32 {
        self.term_offset.get()
    }

    /// Of the range, in bytes; 0 asks for nothing.
    #[must_use]
    pub const fn length(&self) -> i32 {
        self.length.get()
    }
}
frame_header_accessors!(Nak);

impl fmt::Display for Nak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}:{}:{} @{:#x} missing={}",
            self.header,
            self.session_id(),
            self.stream_id(),
            self.term_id(),
            self.term_offset(),
            self.length()
        )
    }
}
