//! ERR: a receiver refuses a stream. `[receiver]` → `[sender]`
//!
//! Mirrors `ErrorFlyweight`; wire.md §7.
//!
//! ```text
//!  0 header       8 bytes      24 group_tag     i64, said only with the flag
//!  8 session_id   i32          32 error_code    i32
//! 12 stream_id    i32          36 error_length  i32, up to 1023
//! 16 receiver_id  i64          40 text
//! ```

use core::fmt;

use zerocopy::little_endian::{I32, I64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{FrameHeader, FrameType};
use crate::command::ErrorCode;
use crate::layout::assert_layout;
use crate::{SessionId, StreamId};

/// The receiver has a group tag.
pub const FLAG_HAS_GROUP_TAG: u8 = 0x08;

/// Longest text in bytes, `AERON_ERROR_MAX_TEXT_LENGTH`.
pub const MAX_TEXT_LENGTH: usize = 1023;

/// Longest frame in bytes.
pub const MAX_FRAME_LENGTH: usize = ErrorFrame::LENGTH + MAX_TEXT_LENGTH;

/// Fixed part of an ERR frame; the text follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct ErrorFrame {
    header: FrameHeader,
    session_id: I32,
    stream_id: I32,
    receiver_id: I64,
    group_tag: I64,
    error_code: I32,
    error_length: I32,
}
assert_layout!(
    ErrorFrame,
    40,
    header = 0,
    session_id = 8,
    stream_id = 12,
    receiver_id = 16,
    group_tag = 24,
    error_code = 32,
    error_length = 36,
);

/// What an ERR frame has for a text is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidErrorText {
    /// Of the text, as the frame says.
    pub error_length: i32,
    /// Of the frame, as it says itself.
    pub frame_length: i32,
}

impl fmt::Display for InvalidErrorText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "error text of {} bytes is not from 0 to {MAX_TEXT_LENGTH}, or beyond a frame of {} bytes",
            self.error_length, self.frame_length
        )
    }
}

impl core::error::Error for InvalidErrorText {}

impl ErrorFrame {
    /// The fixed part of a frame with a text of `text_length` bytes; `None` when that is over 1023. `group_tag` is what
    /// the receiver has, if anything.
    #[must_use]
    pub fn new(
        session_id: SessionId,
        stream_id: StreamId,
        receiver_id: i64,
        group_tag: Option<i64>,
        error_code: ErrorCode,
        text_length: usize,
    ) -> Option<ErrorFrame> {
        let error_length = i32::try_from(text_length).ok().filter(|_| text_length <= MAX_TEXT_LENGTH)?;
        let flags = if group_tag.is_some() { FLAG_HAS_GROUP_TAG } else { 0 };
        Some(ErrorFrame {
            header: FrameHeader::new(40 + error_length, flags, FrameType::Error),
            session_id: I32::new(session_id.0),
            stream_id: I32::new(stream_id.0),
            receiver_id: I64::new(receiver_id),
            group_tag: I64::new(group_tag.unwrap_or(-1)),
            error_code: I32::new(error_code.code()),
            error_length: I32::new(error_length),
        })
    }

    /// The text of the frame at the beginning of `datagram`.
    ///
    /// # Errors
    /// When its length is negative, over 1023, or takes it beyond the frame or the datagram.
    pub fn text(datagram: &[u8]) -> Result<&[u8], InvalidErrorText> {
        let Some(frame) = ErrorFrame::parse(datagram) else {
            return Err(InvalidErrorText { error_length: 0, frame_length: 0 });
        };
        let (error_length, frame_length) = (frame.error_length.get(), frame.header.frame_length());
        let invalid = InvalidErrorText { error_length, frame_length };
        let length = usize::try_from(error_length).ok().filter(|length| *length <= MAX_TEXT_LENGTH).ok_or(invalid)?;
        if ErrorFrame::LENGTH + length > usize::try_from(frame_length).map_err(|_| invalid)? {
            return Err(invalid);
        }
        datagram.get(ErrorFrame::LENGTH..ErrorFrame::LENGTH + length).ok_or(invalid)
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

    /// Who refuses.
    #[must_use]
    pub const fn receiver_id(&self) -> i64 {
        self.receiver_id.get()
    }

    /// The receiver's group, if it has one.
    #[must_use]
    pub const fn group_tag(&self) -> Option<i64> {
        if self.header.flags() & FLAG_HAS_GROUP_TAG != 0 { Some(self.group_tag.get()) } else { None }
    }

    /// Why.
    #[must_use]
    pub const fn error_code(&self) -> ErrorCode {
        ErrorCode::from_code(self.error_code.get())
    }
}
frame_header_accessors!(ErrorFrame);

impl fmt::Display for ErrorFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}:{} receiver={} {}",
            self.header,
            self.session_id(),
            self.stream_id(),
            self.receiver_id(),
            self.error_code()
        )
    }
}
