//! What is appended: one slice, or several that make one message. `[client]`

use crate::log::frame::Frame;
use crate::sync::Memory;

/// The bytes of a message, taken from front to back.
pub(super) trait Message {
    /// All that is left, in bytes.
    fn length(&self) -> usize;
    /// Takes as many bytes as the frame's payload, and copies them there.
    fn fill<M: Memory>(&mut self, frame: &Frame<'_, M>);
}

/// A message in one piece.
pub(super) struct Whole<'a>(pub(super) &'a [u8]);

impl Message for Whole<'_> {
    #[inline]
    fn length(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn fill<M: Memory>(&mut self, frame: &Frame<'_, M>) {
        let (now, later) = self.0.split_at(frame.payload_length());
        frame.write_payload(0, now);
        self.0 = later;
    }
}

/// A message in several pieces.
pub(super) struct Vectored<'a> {
    pieces: &'a [&'a [u8]],
    /// Of the first piece, how much was taken.
    taken: usize,
    length: usize,
}

impl<'a> Vectored<'a> {
    pub(super) fn new(pieces: &'a [&'a [u8]]) -> Self {
        let length = pieces.iter().fold(0_usize, |length, piece| length.saturating_add(piece.len()));
        Vectored { pieces, taken: 0, length }
    }
}

impl Message for Vectored<'_> {
    #[inline]
    fn length(&self) -> usize {
        self.length
    }

    fn fill<M: Memory>(&mut self, frame: &Frame<'_, M>) {
        let wanted = frame.payload_length();
        let mut at = 0;
        while at < wanted {
            let piece = &self.pieces[0][self.taken..];
            let now = &piece[..piece.len().min(wanted - at)];
            frame.write_payload(at, now);
            at += now.len();
            if now.len() == piece.len() {
                self.pieces = &self.pieces[1..];
                self.taken = 0;
            } else {
                self.taken += now.len();
            }
        }
        self.length -= wanted;
    }
}
