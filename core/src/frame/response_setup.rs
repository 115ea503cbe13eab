//! RSP_SETUP: tells a requester which session answers it. `[receiver]` → `[sender]`
//!
//! Mirrors `ResponseSetupFlyweight`; wire.md §8.
//!
//! ```text
//!  0 header      8 bytes      12 stream_id            i32
//!  8 session_id  i32          16 response_session_id  i32
//! ```

use core::fmt;

use zerocopy::little_endian::I32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{FrameHeader, FrameType};
use crate::layout::assert_layout;
use crate::{SessionId, StreamId};

/// An RSP_SETUP frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct ResponseSetup {
    header: FrameHeader,
    session_id: I32,
    stream_id: I32,
    response_session_id: I32,
}
assert_layout!(ResponseSetup, 20, header = 0, session_id = 8, stream_id = 12, response_session_id = 16);

impl ResponseSetup {
    /// A frame to the publication of the request.
    #[must_use]
    pub const fn new(session_id: SessionId, stream_id: StreamId, response_session_id: SessionId) -> ResponseSetup {
        ResponseSetup {
            header: FrameHeader::new(20, 0, FrameType::ResponseSetup),
            session_id: I32::new(session_id.0),
            stream_id: I32::new(stream_id.0),
            response_session_id: I32::new(response_session_id.0),
        }
    }

    /// Of the request's stream.
    #[must_use]
    pub const fn session_id(&self) -> SessionId {
        SessionId(self.session_id.get())
    }

    /// Of the request's stream.
    #[must_use]
    pub const fn stream_id(&self) -> StreamId {
        StreamId(self.stream_id.get())
    }

    /// Of the publication that answers.
    #[must_use]
    pub const fn response_session_id(&self) -> SessionId {
        SessionId(self.response_session_id.get())
    }
}
frame_header_accessors!(ResponseSetup);

impl fmt::Display for ResponseSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}:{} response={}", self.header, self.session_id(), self.stream_id(), self.response_session_id())
    }
}
