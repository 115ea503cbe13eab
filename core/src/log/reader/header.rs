//! The header of a fragment. `[client]`
//!
//! Mirrors `aeron_header_t`; spec: logbuffer.md §4.

use core::fmt;

use crate::log::frame_descriptor::{
    FLAGS, FRAME_ALIGNMENT, FRAME_LENGTH, HEADER_LENGTH, RESERVED_VALUE, SESSION_ID, STREAM_ID, TERM_ID, TERM_OFFSET,
    TYPE, VERSION, aligned,
};
use crate::position::{Position, SessionId, StreamId, TermId, TermLength};

/// What stands before a fragment, read field by field where it lies.
///
/// The fields are what the publisher wrote; only the frame's length was checked.
#[derive(Clone, Copy)]
pub struct Header<'a> {
    frame: &'a [u8; HEADER_LENGTH],
    initial_term_id: TermId,
    extent: Extent,
}

/// The length of the terms, and of an assembled message the space that it took, in one word: a header passes in two
/// registers.
///
/// Invariant: the low byte is the binary logarithm of a term length.
#[derive(Clone, Copy)]
struct Extent(u32);

impl Extent {
    #[inline(always)]
    fn of(term_length: TermLength) -> Self {
        Extent(term_length.bits())
    }

    #[inline(always)]
    fn term_length(self) -> TermLength {
        TermLength::model(1 << (self.0 & 0xFF))
    }

    fn with_occupied(self, length: usize) -> Self {
        // Longer than any term for a length that is none.
        let units = (length / FRAME_ALIGNMENT).min(0xFF_FFFF) as u32;
        Extent(self.0 & 0xFF | units << 8)
    }

    /// In bytes; 0 when the header is a frame's own.
    #[inline(always)]
    fn occupied(self) -> usize {
        (self.0 >> 8) as usize * FRAME_ALIGNMENT
    }
}

impl<'a> Header<'a> {
    /// The header in `frame`, of a log with this initial term and term length.
    #[must_use]
    #[inline(always)]
    pub fn new(frame: &'a [u8; HEADER_LENGTH], initial_term_id: TermId, term_length: TermLength) -> Self {
        Header { frame, initial_term_id, extent: Extent::of(term_length) }
    }

    /// The header of a message that was put together from fragments, which took `occupied` bytes of the log (a multiple
    /// of 32) from the first one's beginning to the last one's end.
    #[must_use]
    pub fn assembled(self, occupied: usize) -> Self {
        Header { extent: self.extent.with_occupied(occupied), ..self }
    }

    /// The 32 bytes themselves.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &'a [u8; HEADER_LENGTH] {
        self.frame
    }

    /// Header and payload in bytes.
    #[must_use]
    #[inline]
    pub fn frame_length(&self) -> i32 {
        i32_at(self.frame, FRAME_LENGTH)
    }

    /// The protocol's version.
    #[must_use]
    #[inline]
    pub fn version(&self) -> u8 {
        self.frame[VERSION]
    }

    /// Whether the fragment begins and ends a message, and the application's flags.
    #[must_use]
    #[inline]
    pub fn flags(&self) -> u8 {
        self.frame[FLAGS]
    }

    /// The frame's type.
    #[must_use]
    #[inline]
    pub fn frame_type(&self) -> u16 {
        u16::from_le_bytes([self.frame[TYPE], self.frame[TYPE + 1]])
    }

    /// Where in the term the frame begins, in bytes.
    #[must_use]
    #[inline]
    pub fn term_offset(&self) -> i32 {
        i32_at(self.frame, TERM_OFFSET)
    }

    /// Where in the term the next frame begins, in bytes; the term's end, when it is the next term.
    #[must_use]
    #[inline]
    pub fn next_term_offset(&self) -> i32 {
        let length = match self.extent.occupied() {
            0 => aligned(self.frame_length() as u32 as usize),
            occupied => occupied,
        };
        self.term_offset().wrapping_add(length as i32)
    }

    /// The publication's session.
    #[must_use]
    #[inline]
    pub fn session_id(&self) -> SessionId {
        SessionId(i32_at(self.frame, SESSION_ID))
    }

    /// The publication's stream.
    #[must_use]
    #[inline]
    pub fn stream_id(&self) -> StreamId {
        StreamId(i32_at(self.frame, STREAM_ID))
    }

    /// The term that the frame is in.
    #[must_use]
    #[inline]
    pub fn term_id(&self) -> TermId {
        TermId(i32_at(self.frame, TERM_ID))
    }

    /// The application's.
    #[must_use]
    #[inline]
    pub fn reserved_value(&self) -> i64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.frame[RESERVED_VALUE..]);
        i64::from_le_bytes(bytes)
    }

    /// The position behind the frame, by what the header says.
    #[must_use]
    #[inline]
    pub fn position(&self) -> Position {
        Position::new(self.term_id(), self.next_term_offset(), self.term_length(), self.initial_term_id)
    }

    /// The term of position 0.
    #[must_use]
    #[inline]
    pub fn initial_term_id(&self) -> TermId {
        self.initial_term_id
    }

    /// The length of the log's terms.
    #[must_use]
    #[inline]
    pub fn term_length(&self) -> TermLength {
        self.extent.term_length()
    }
}

#[inline]
pub(super) fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

impl fmt::Debug for Header<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header")
            .field("frame_length", &self.frame_length())
            .field("flags", &self.flags())
            .field("frame_type", &self.frame_type())
            .field("term_offset", &self.term_offset())
            .field("session_id", &self.session_id())
            .field("stream_id", &self.stream_id())
            .field("term_id", &self.term_id())
            .field("reserved_value", &self.reserved_value())
            .finish()
    }
}
