//! RTTM: a measurement of the round-trip time. `[receiver]` ↔ `[sender]`
//!
//! Mirrors `RttMeasurementFlyweight`; wire.md §6.
//!
//! ```text
//!  0 header      8 bytes      16 echo_timestamp   i64
//!  8 session_id  i32          24 reception_delta  i64
//! 12 stream_id   i32          32 receiver_id      i64
//! ```

use core::fmt;

use zerocopy::little_endian::{I32, I64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{FrameHeader, FrameType};
use crate::layout::assert_layout;
use crate::{SessionId, StreamId};

/// The other side shall answer.
pub const FLAG_REPLY: u8 = 0x80;

/// An RTTM frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct RttMeasurement {
    header: FrameHeader,
    session_id: I32,
    stream_id: I32,
    echo_timestamp: I64,
    reception_delta: I64,
    receiver_id: I64,
}
assert_layout!(
    RttMeasurement,
    40,
    header = 0,
    session_id = 8,
    stream_id = 12,
    echo_timestamp = 16,
    reception_delta = 24,
    receiver_id = 32,
);

impl RttMeasurement {
    /// A question, at this time of the asker's clock.
    #[must_use]
    pub const fn request(session_id: SessionId, stream_id: StreamId, receiver_id: i64, now_ns: i64) -> RttMeasurement {
        RttMeasurement::of(FLAG_REPLY, session_id, stream_id, receiver_id, now_ns)
    }

    /// The answer to this one, from or for `receiver_id`, given without delay.
    #[must_use]
    pub const fn reply(&self, receiver_id: i64) -> RttMeasurement {
        RttMeasurement::of(0, self.session_id(), self.stream_id(), receiver_id, self.echo_timestamp_ns())
    }

    const fn of(
        flags: u8,
        session_id: SessionId,
        stream_id: StreamId,
        receiver_id: i64,
        echo_timestamp_ns: i64,
    ) -> RttMeasurement {
        RttMeasurement {
            header: FrameHeader::new(40, flags, FrameType::RttMeasurement),
            session_id: I32::new(session_id.0),
            stream_id: I32::new(stream_id.0),
            echo_timestamp: I64::new(echo_timestamp_ns),
            reception_delta: I64::new(0),
            receiver_id: I64::new(receiver_id),
        }
    }

    /// Whether the other side shall answer.
    #[must_use]
    pub const fn is_reply_wanted(&self) -> bool {
        self.header.flags() & FLAG_REPLY != 0
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

    /// When the question was asked, by the asker's clock.
    #[must_use]
    pub const fn echo_timestamp_ns(&self) -> i64 {
        self.echo_timestamp.get()
    }

    /// How long the other side took to answer.
    #[must_use]
    pub const fn reception_delta_ns(&self) -> i64 {
        self.reception_delta.get()
    }

    /// The receiver that measures; 0 means any.
    #[must_use]
    pub const fn receiver_id(&self) -> i64 {
        self.receiver_id.get()
    }
}
frame_header_accessors!(RttMeasurement);

impl fmt::Display for RttMeasurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}:{} echo={} delta={} receiver={}",
            self.header,
            self.session_id(),
            self.stream_id(),
            self.echo_timestamp_ns(),
            self.reception_delta_ns(),
            self.receiver_id()
        )
    }
}
