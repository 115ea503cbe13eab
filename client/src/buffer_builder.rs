//! Puts the fragments of one session's messages together again. `[any]`
//!
//! Mirrors `aeron_buffer_builder_t` and `BufferBuilder.java`; section 7 of `logbuffer.md`.

use gannet_core::log::frame_descriptor::{BEGIN_FLAG, END_FLAG, FLAGS, FRAME_LENGTH, UNFRAGMENTED};
use gannet_core::log::{HEADER_LENGTH, Header};
use gannet_core::position::TermId;

/// Room that a builder takes at least, C's `AERON_BUFFER_BUILDER_MIN_ALLOCATED_CAPACITY`.
const MIN_CAPACITY: usize = 4096;

/// Of how many fragments the beginnings are known; of more, the first ones' and the last one's.
const MAX_FRAGMENTS: usize = 1 << 14;

/// A message that is being put together, or nothing.
#[derive(Debug, Default)]
pub(crate) struct BufferBuilder {
    message: Vec<u8>,
    /// Of the first fragment.
    header: [u8; HEADER_LENGTH],
    first_term_offset: i32,
    term_id: TermId,
    /// Of each fragment: where it begins in the term, and in the message. One may come again, when the handler aborted or
    /// panicked.
    fragments: Vec<(i32, usize)>,
    /// Where the next fragment begins; none when no message was begun.
    next_term_offset: Option<i32>,
}

impl BufferBuilder {
    /// Whether a fragment is a message of its own.
    #[inline(always)]
    pub(crate) fn is_whole(header: Header<'_>) -> bool {
        header.flags() & UNFRAGMENTED == UNFRAGMENTED
    }

    /// Takes a fragment that is not whole; whether it was the last one of a message.
    #[inline]
    pub(crate) fn append(&mut self, payload: &[u8], header: Header<'_>) -> bool {
        let flags = header.flags();
        if flags & BEGIN_FLAG != 0 {
            self.begin(header);
        } else if self.next_term_offset != Some(header.term_offset()) && !self.go_back(header) {
            // Its beginning, or a part between, was missed.
            self.reset();
            return false;
        }
        // Room is taken only up to the longest message, so what fits is not too long.
        let room = self.message.capacity() - self.message.len();
        if payload.len() > room && !self.grow(payload.len(), header) {
            return false;
        }
        if self.fragments.len() == MAX_FRAGMENTS {
            self.fragments.pop();
        }
        self.fragments.push((header.term_offset(), self.message.len()));
        self.message.extend_from_slice(payload);
        self.next_term_offset = Some(header.next_term_offset());
        flags & END_FLAG != 0
    }

    fn begin(&mut self, header: Header<'_>) {
        self.message.clear();
        self.fragments.clear();
        self.header = *header.as_bytes();
        self.first_term_offset = header.term_offset();
        self.term_id = header.term_id();
    }

    /// Forgets the message from a fragment on that comes again; whether it does.
    #[cold]
    fn go_back(&mut self, header: Header<'_>) -> bool {
        let found = self.fragments.iter().position(|(term_offset, _)| *term_offset == header.term_offset());
        let Some(index) = found.filter(|_| header.term_id() == self.term_id) else { return false };
        self.message.truncate(self.fragments[index].1);
        self.fragments.truncate(index);
        true
    }

    /// Makes room for `additional` bytes, twice what there was at least, but never for more than a publisher can send
    /// in one message: then it forgets the message. Whether there is room.
    #[cold]
    fn grow(&mut self, additional: usize, header: Header<'_>) -> bool {
        let max = header.term_length().max_message_length();
        let needed = self.message.len().saturating_add(additional);
        if needed > max {
            self.reset();
            return false;
        }
        let capacity = needed.max(MIN_CAPACITY).max(2 * self.message.capacity()).min(max);
        self.message.reserve_exact(capacity - self.message.len());
        true
    }

    /// The complete message, with the first fragment's header made that of a whole frame; `header` is the last's.
    pub(crate) fn complete(&mut self, header: Header<'_>) -> (&[u8], Header<'_>) {
        // Wraps for a message that no publisher can send.
        let length = (HEADER_LENGTH + self.message.len()) as u32;
        self.header[FRAME_LENGTH..FRAME_LENGTH + 4].copy_from_slice(&length.to_le_bytes());
        self.header[FLAGS] |= header.flags();
        let occupied = header.next_term_offset().wrapping_sub(self.first_term_offset);
        let whole = Header::new(&self.header, header.initial_term_id(), header.term_length());
        (&self.message, whole.assembled(usize::try_from(occupied).unwrap_or(0)))
    }

    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.message.capacity()
    }

    /// Forgets the message.
    pub(crate) fn reset(&mut self) {
        self.message.clear();
        self.fragments.clear();
        self.next_term_offset = None;
    }
}
