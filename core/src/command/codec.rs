//! Reading and writing the parts that commands and responses are made of. `[any]`
//!
//! A message is a fixed part, read as a zerocopy layout, and up to two texts after it, each behind its own length.
//! Every length comes from another process, so each is compared with what is there before it is used.

use zerocopy::little_endian::I32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{CommandError, EncodeError};
use crate::position::align;

/// A message being read.
#[derive(Clone, Copy)]
pub(super) struct Decoder<'a> {
    type_id: i32,
    message: &'a [u8],
    read: usize,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(type_id: i32, message: &'a [u8]) -> Self {
        Decoder { type_id, message, read: 0 }
    }

    /// Length of the whole message.
    pub(super) fn length(&self) -> usize {
        self.message.len()
    }

    /// The next fixed part.
    pub(super) fn fixed<T: FromBytes + KnownLayout + Immutable + Unaligned>(&mut self) -> Result<&'a T, CommandError> {
        let bytes = self.take(size_of::<T>())?;
        T::ref_from_bytes(bytes).map_err(|_| self.too_short(self.read))
    }

    /// `length` bytes, a length that the message itself gave.
    pub(super) fn counted(&mut self, length: I32) -> Result<&'a [u8], CommandError> {
        let Ok(count) = usize::try_from(length.get()) else {
            return Err(CommandError::NegativeLength {
                type_id: self.type_id,
                length: self.length(),
                field: length.get(),
            });
        };
        self.take(count)
    }

    /// As [`Decoder::counted`], for a channel: it must be UTF-8.
    pub(super) fn channel(&mut self, length: I32, correlation_id: i64) -> Result<&'a str, CommandError> {
        let type_id = self.type_id;
        let bytes = self.counted(length)?;
        core::str::from_utf8(bytes).map_err(|_| CommandError::ChannelNotText { type_id, correlation_id })
    }

    /// Skips to the next multiple of 4 from the start of the message.
    pub(super) fn align4(&mut self) -> Result<(), CommandError> {
        self.take(align(self.read, 4) - self.read).map(|_| ())
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], CommandError> {
        // `count` is at most i32::MAX and `read` at most the message's length, itself at most isize::MAX.
        let end = self.read.saturating_add(count);
        let Some(bytes) = self.message.get(self.read..end) else { return Err(self.too_short(end)) };
        self.read = end;
        Ok(bytes)
    }

    fn too_short(&self, needed: usize) -> CommandError {
        CommandError::TooShort { type_id: self.type_id, length: self.length(), needed }
    }
}

/// A message being written. It counts on where the target ends, so the same code tells how long a message will be.
pub(super) struct Encoder<'t> {
    target: &'t mut [u8],
    length: usize,
}

impl<'t> Encoder<'t> {
    pub(super) fn new(target: &'t mut [u8]) -> Self {
        Encoder { target, length: 0 }
    }

    /// What was written, or would have been.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    pub(super) fn finish(self) -> Result<usize, EncodeError> {
        // Beyond i32::MAX an inner length could not say how long it is.
        if self.length <= self.target.len() && i32::try_from(self.length).is_ok() {
            Ok(self.length)
        } else {
            Err(EncodeError { needed: self.length, capacity: self.target.len() })
        }
    }

    pub(super) fn fixed<T: IntoBytes + Immutable>(&mut self, part: &T) {
        self.bytes(part.as_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let end = self.length.saturating_add(bytes.len());
        if let Some(room) = self.target.get_mut(self.length..end) {
            room.copy_from_slice(bytes);
        }
        self.length = end;
    }

    /// Fills up with zeroes to a multiple of 4.
    pub(super) fn align4(&mut self) {
        self.pad_to(self.length.saturating_add(3) & !3);
    }

    /// Fills up with zeroes to at least `length`.
    pub(super) fn pad_to(&mut self, length: usize) {
        if length > self.length {
            let end = self.target.len().min(length);
            if let Some(room) = self.target.get_mut(self.length..end) {
                room.fill(0);
            }
            self.length = length;
        }
    }
}

/// The length of a text as it stands in a message. What does not fit is caught by [`Encoder::finish`].
pub(super) fn length_of(bytes: &[u8]) -> I32 {
    I32::new(i32::try_from(bytes.len()).unwrap_or(i32::MAX))
}
