//! Space in a log that its claimer writes in place. `[client]`
//!
//! Mirrors `aeron_buffer_claim_t` and `BufferClaim.java`; spec: logbuffer.md §5.

use core::fmt;
use core::mem;

use crate::log::frame::Frame;
use crate::position::{Position, TermId};
use crate::sync::{Bytes, Memory};

/// A claimed frame: written in place, then committed. Dropped otherwise, it becomes padding, which readers skip.
///
/// Readers of the stream wait at a claim until it is committed or aborted. A claim that is held for longer than the
/// driver's unblock timeout (15 s, unless set otherwise), or beyond the close of its publication or client by another
/// handle, is taken for a dead publisher's and replaced by padding: it is lost, and its space may be another's already.
/// Nothing may be written to it then: see [`ClaimLost`].
#[must_use = "a claim that is dropped is aborted"]
pub struct Claim<'a, M: Memory> {
    frame: Frame<'a, M>,
    /// The term of the frame.
    term_id: TermId,
    position: Position,
}

/// A claim was held for longer than the driver's unblock timeout, or beyond the close of its publication or client by
/// another handle, and has become padding: its message is not published.
///
/// What was written to the payload since then may have gone into a later message of any publisher: hold no claim for
/// that long, and close after the last claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimLost {
    /// The position behind the claim.
    pub position: Position,
}

impl fmt::Display for ClaimLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ClaimLost { position } = self;
        write!(
            f,
            "the claim up to position {position} is lost: it was held for longer than the driver's unblock timeout, or \
             the publication or its client was closed meanwhile"
        )
    }
}

impl core::error::Error for ClaimLost {}

impl<'a, M: Memory> Claim<'a, M> {
    /// Takes over a frame whose header is written and whose length is negative.
    #[inline(always)]
    pub(super) fn new(frame: Frame<'a, M>, term_id: TermId, position: Position) -> Self {
        Claim { frame, term_id, position }
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

    /// Sets the header's flags; nothing where the claim is lost, whose header readers may look at.
    #[inline]
    pub fn set_flags(&mut self, flags: u8) {
        if self.frame.is_claimed_in(self.term_id) {
            self.frame.set_flags(flags);
        }
    }

    /// The header's type: data, unless changed.
    #[must_use]
    #[inline]
    pub fn header_type(&self) -> u16 {
        self.frame.frame_type()
    }

    /// Sets the header's type; nothing where the claim is lost, whose header readers may look at.
    #[inline]
    pub fn set_header_type(&mut self, header_type: u16) {
        if self.frame.is_claimed_in(self.term_id) {
            self.frame.set_frame_type(header_type);
        }
    }

    /// The header's reserved value.
    #[must_use]
    #[inline]
    pub fn reserved_value(&self) -> i64 {
        self.frame.reserved_value()
    }

    /// Sets the header's reserved value; nothing where the claim is lost, whose header readers may look at.
    #[inline]
    pub fn set_reserved_value(&mut self, value: i64) {
        if self.frame.is_claimed_in(self.term_id) {
            self.frame.set_reserved_value(value);
        }
    }

    /// Publishes the message, and returns the position behind it.
    ///
    /// # Errors
    /// When the driver has taken the publisher for dead or gone and made padding of the claim: nothing is published, and
    /// the log is left alone. A claim that is lost while this call runs may not be noticed.
    #[inline(always)]
    pub fn commit(self) -> Result<Position, ClaimLost> {
        let (position, is_claimed) = (self.position, self.frame.is_claimed_in(self.term_id));
        if is_claimed {
            self.frame.commit();
        }
        mem::forget(self);
        if is_claimed { Ok(position) } else { Err(ClaimLost { position }) }
    }

    /// Gives the space up: it becomes padding, unless that is what it is already because the claim was lost.
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
        if self.frame.is_claimed_in(self.term_id) {
            self.frame.abort();
        }
    }
}

impl<M: Memory> fmt::Debug for Claim<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("position", &self.position).field("len", &self.len()).finish_non_exhaustive()
    }
}
