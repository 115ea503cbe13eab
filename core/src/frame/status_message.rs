//! SM: how far a receiver is and how far it lets the sender go. `[receiver]` → `[sender]`
//!
//! Mirrors `StatusMessageFlyweight`; wire.md §4.
//!
//! ```text
//!  0 header               8 bytes      20 consumption_term_offset  i32
//!  8 session_id           i32          24 receiver_window          i32
//! 12 stream_id            i32          28 receiver_id              i64
//! 16 consumption_term_id  i32          36 group_tag                i64, if the frame has 44 bytes
//! ```

use core::fmt;

use zerocopy::little_endian::{I32, I64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{FrameHeader, FrameType};
use crate::layout::assert_layout;
use crate::{SessionId, StreamId, TermId};

/// The receiver asks for a SETUP.
pub const FLAG_SEND_SETUP: u8 = 0x80;
/// The receiver leaves.
pub const FLAG_EOS: u8 = 0x40;

/// What a status message says, in plain values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusParams {
    /// Of the stream.
    pub session_id: SessionId,
    /// Of the stream.
    pub stream_id: StreamId,
    /// The term up to which it has consumed.
    pub consumption_term_id: TermId,
    /// The offset in that term, in bytes.
    pub consumption_term_offset: i32,
    /// How much more it takes, in bytes.
    pub receiver_window: i32,
    /// Who it is.
    pub receiver_id: i64,
}

/// A status message without a group tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct StatusMessage {
    header: FrameHeader,
    session_id: I32,
    stream_id: I32,
    consumption_term_id: I32,
    consumption_term_offset: I32,
    receiver_window: I32,
    receiver_id: I64,
}
assert_layout!(
    StatusMessage,
    36,
    header = 0,
    session_id = 8,
    stream_id = 12,
    consumption_term_id = 16,
    consumption_term_offset = 20,
    receiver_window = 24,
    receiver_id = 28,
);

/// A status message of a receiver that has a group tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct TaggedStatusMessage {
    message: StatusMessage,
    group_tag: I64,
}
assert_layout!(TaggedStatusMessage, 44, message = 0, group_tag = 36);
frame_accessors!(TaggedStatusMessage);

/// What a status message says of its receiver's group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupTag {
    /// Nothing.
    Absent,
    /// This one.
    Tag(i64),
    /// The frame is neither 36 nor 44 bytes long.
    Malformed {
        /// As the frame says.
        frame_length: i32,
    },
}

impl StatusMessage {
    /// A frame with these flags and values.
    #[must_use]
    pub const fn new(flags: u8, params: &StatusParams) -> StatusMessage {
        StatusMessage::of(36, flags, params)
    }

    /// A frame that asks for a SETUP: no consumption, no window. To register with a multi-destination publication both
    /// ids are 0.
    #[must_use]
    pub const fn eliciting(session_id: SessionId, stream_id: StreamId, receiver_id: i64) -> StatusMessage {
        let params = StatusParams {
            session_id,
            stream_id,
            consumption_term_id: TermId(0),
            consumption_term_offset: 0,
            receiver_window: 0,
            receiver_id,
        };
        StatusMessage::of(36, FLAG_SEND_SETUP, &params)
    }

    /// The same message with a group tag.
    #[must_use]
    pub const fn with_group_tag(mut self, group_tag: i64) -> TaggedStatusMessage {
        self.header = FrameHeader::new(44, self.header.flags(), FrameType::StatusMessage);
        TaggedStatusMessage { message: self, group_tag: I64::new(group_tag) }
    }

    const fn of(frame_length: i32, flags: u8, params: &StatusParams) -> StatusMessage {
        StatusMessage {
            header: FrameHeader::new(frame_length, flags, FrameType::StatusMessage),
            session_id: I32::new(params.session_id.0),
            stream_id: I32::new(params.stream_id.0),
            consumption_term_id: I32::new(params.consumption_term_id.0),
            consumption_term_offset: I32::new(params.consumption_term_offset),
            receiver_window: I32::new(params.receiver_window),
            receiver_id: I64::new(params.receiver_id),
        }
    }

    /// All values. None is checked: the frame may come from anyone.
    #[must_use]
    pub const fn params(&self) -> StatusParams {
        StatusParams {
            session_id: SessionId(self.session_id.get()),
            stream_id: StreamId(self.stream_id.get()),
            consumption_term_id: TermId(self.consumption_term_id.get()),
            consumption_term_offset: self.consumption_term_offset.get(),
            receiver_window: self.receiver_window.get(),
            receiver_id: self.receiver_id.get(),
        }
    }

    /// The group tag of the status message at the beginning of `datagram`.
    #[must_use]
    pub fn group_tag(datagram: &[u8]) -> GroupTag {
        let frame_length = StatusMessage::parse(datagram).map_or(0, |message| message.header.frame_length());
        match (frame_length, TaggedStatusMessage::parse(datagram)) {
            (44, Some(tagged)) => GroupTag::Tag(tagged.group_tag.get()),
            (36, _) => GroupTag::Absent,
            _ => GroupTag::Malformed { frame_length },
        }
    }

    /// Whether the receiver asks for a SETUP.
    #[must_use]
    pub const fn is_setup_elicited(&self) -> bool {
        self.header.flags() & FLAG_SEND_SETUP != 0
    }

    /// Whether the receiver leaves.
    #[must_use]
    pub const fn is_end_of_stream(&self) -> bool {
        self.header.flags() & FLAG_EOS != 0
    }
}
frame_header_accessors!(StatusMessage);

impl fmt::Display for StatusMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params = self.params();
        write!(
            f,
            "{} {}:{}:{} @{:#x} window={} receiver={}",
            self.header,
            params.session_id,
            params.stream_id,
            params.consumption_term_id,
            params.consumption_term_offset,
            params.receiver_window,
            params.receiver_id
        )
    }
}
