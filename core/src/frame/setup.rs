//! SETUP: what a receiver needs to know to join a stream. `[sender]` → `[receiver]`
//!
//! Mirrors `SetupFlyweight`; wire.md §3.
//!
//! ```text
//!  0 header       8 bytes      24 active_term_id  i32
//!  8 term_offset  i32          28 term_length     i32
//! 12 session_id   i32          32 mtu             i32
//! 16 stream_id    i32          36 ttl             i32
//! 20 initial_term_id  i32
//! ```

use core::fmt;

use zerocopy::little_endian::I32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{FrameHeader, FrameType};
use crate::layout::assert_layout;
use crate::{SessionId, StreamId, TermId};

/// The publication asks for a response channel.
pub const FLAG_SEND_RESPONSE: u8 = 0x80;
/// The channel is multicast or has many destinations.
pub const FLAG_GROUP: u8 = 0x40;

/// What a SETUP says of its stream, in plain values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupParams {
    /// Of the publication.
    pub session_id: SessionId,
    /// Of the publication.
    pub stream_id: StreamId,
    /// The session's first term.
    pub initial_term_id: TermId,
    /// The term of the sender's position.
    pub active_term_id: TermId,
    /// The sender's position in that term, in bytes.
    pub term_offset: i32,
    /// In bytes.
    pub term_length: i32,
    /// The longest datagram, in bytes.
    pub mtu: i32,
    /// The multicast TTL that the publication asked for, else 0.
    pub ttl: i32,
}

/// A SETUP frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Setup {
    header: FrameHeader,
    term_offset: I32,
    session_id: I32,
    stream_id: I32,
    initial_term_id: I32,
    active_term_id: I32,
    term_length: I32,
    mtu: I32,
    ttl: I32,
}
assert_layout!(
    Setup,
    40,
    header = 0,
    term_offset = 8,
    session_id = 12,
    stream_id = 16,
    initial_term_id = 20,
    active_term_id = 24,
    term_length = 28,
    mtu = 32,
    ttl = 36,
);

impl Setup {
    /// A frame with these flags and values.
    #[must_use]
    pub const fn new(flags: u8, params: &SetupParams) -> Setup {
        Setup {
            header: FrameHeader::new(40, flags, FrameType::Setup),
            term_offset: I32::new(params.term_offset),
            session_id: I32::new(params.session_id.0),
            stream_id: I32::new(params.stream_id.0),
            initial_term_id: I32::new(params.initial_term_id.0),
            active_term_id: I32::new(params.active_term_id.0),
            term_length: I32::new(params.term_length),
            mtu: I32::new(params.mtu),
            ttl: I32::new(params.ttl),
        }
    }

    /// All values. None is checked: the frame may come from anyone.
    #[must_use]
    pub const fn params(&self) -> SetupParams {
        SetupParams {
            session_id: SessionId(self.session_id.get()),
            stream_id: StreamId(self.stream_id.get()),
            initial_term_id: TermId(self.initial_term_id.get()),
            active_term_id: TermId(self.active_term_id.get()),
            term_offset: self.term_offset.get(),
            term_length: self.term_length.get(),
            mtu: self.mtu.get(),
            ttl: self.ttl.get(),
        }
    }

    /// Whether the publication asks for a response channel.
    #[must_use]
    pub const fn is_response_wanted(&self) -> bool {
        self.header.flags() & FLAG_SEND_RESPONSE != 0
    }

    /// Whether the channel is multicast or has many destinations.
    #[must_use]
    pub const fn is_group(&self) -> bool {
        self.header.flags() & FLAG_GROUP != 0
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
}
frame_header_accessors!(Setup);

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params = self.params();
        write!(
            f,
            "{} {}:{}:{} {} @{:#x} term={} mtu={} ttl={}",
            self.header,
            params.session_id,
            params.stream_id,
            params.active_term_id,
            params.initial_term_id,
            params.term_offset,
            params.term_length,
            params.mtu,
            params.ttl
        )
    }
}
