//! Space in a log that its claimer writes in place. `[client]`
//!
//! Mirrors `aeron_buffer_claim_t` and `BufferClaim.java`; spec: logbuffer.md §5.

use core::fmt;
use core::mem;

use crate::log::frame::Frame;
use crate::position::Position;
use crate::sync::{Bytes, Memory};

/// A claimed frame: written in place, then committed. Dropped otherwise, it becomes padding, which readers skip.
///
/// Readers of the stream wait at a claim until it is committed or aborted; a claim that is held for longer than the
/// driver's unblock timeout may be taken for a dead publisher's and replaced by padding.
#[must_use = "a claim that is dropped is aborted"]
pub struct Claim<'a, M: Memory> {
    frame: Frame<'a, M>,
    position: Position,
}

impl<'a, M: Memory> Claim<'a, M> {
    /// Takes over a frame whose header is written and whose length is negative.
    #[inline(always)]
    pub(super) fn new(frame: Frame<'a, M>, position: Position) -> Self {
        Claim { frame, position }
    }

    /// The position behind the frame: what an offer of it would have returned.
    #[must_use]
    #[inline]
    pub fn position(&self) -> Position {
        self.position
    }

    /// The length of the claimed payload in bytes.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.frame.payload_length()
    }

    /// Whether a payload of no bytes was claimed.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies into the payload from `offset` on, for memory that cannot lend a slice.
    ///
    /// # Panics
    /// When the bytes do not fit.
    #[inline]
    pub fn write(&mut self, offset: usize, bytes: &[u8]) {
        self.frame.write_payload(offset, bytes);
    }

    /// The header's flags: begin and end of a message, unless changed.
    #[must_use]
    #[inline]
    pub fn flags(&self) -> u8 {
        self.frame.flags()
    }

    /// Sets the header's flags.
    #[inline]
    pub fn set_flags(&mut self, flags: u8) {
        self.frame.set_flags(flags);
    }

    /// The header's type: data, unless changed.
    #[must_use]
    #[inline]
    pub fn header_type(&self) -> u16 {
        self.frame.frame_type()
    }

    /// Sets the header's type.
    #[inline]
    pub fn set_header_type(&mut self, header_type: u16) {
        self.frame.set_frame_type(header_type);
    }

    /// The header's reserved value.
    #[must_use]
    #[inline]
    pub fn reserved_value(&self) -> i64 {
        self.frame.reserved_value()
    }

    /// Sets the header's reserved value.
    #[inline]
    pub fn set_reserved_value(&mut self, value: i64) {
        self.frame.set_reserved_value(value);
    }

    /// Publishes the message.
    #[inline(always)]
    pub fn commit(self) {
        self.frame.commit();
        mem::forget(self);
    }

    /// Gives the space up: it becomes padding.
    #[inline]
    pub fn abort(self) {
        drop(self);
    }
}

impl<M: Bytes> Claim<'_, M> {
    /// What was written so far; zeroes where nothing was.
    #[must_use]
    #[inline]
    pub fn data(&self) -> &[u8] {
        self.frame.payload()
    }

    /// The payload to write; zeroes where nothing was written.
    #[must_use]
    #[inline(always)]
    pub fn data_mut(&mut self) -> &mut [u8] {
        self.frame.payload_mut()
    }
}

impl<M: Memory> Drop for Claim<'_, M> {
    #[inline]
    fn drop(&mut self) {
        self.frame.abort();
    }
}

impl<M: Memory> fmt::Debug for Claim<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("position", &self.position).field("len", &self.len()).finish_non_exhaustive()
    }
}
