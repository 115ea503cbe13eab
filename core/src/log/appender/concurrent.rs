//! One of the publishers of a shared publication. `[client]`
//!
//! Mirrors `aeron_publication.c`; spec: logbuffer.md §5.
//!
//! Publishers claim space with one fetch-and-add of the active term's tail. The one whose claim crosses the term's end
//! pads what is left and makes the next term the active one; all whose claim lies beyond do the latter too.

use super::message::{Message, Vectored, Whole};
use super::{AppendError, Claim, append_fragments, append_frame, pad_to_end, refused};
use crate::log::LogBuffers;
use crate::log::frame::Frame;
use crate::log::frame_descriptor::{
    FRAME_ALIGNMENT, HEADER_LENGTH, TYPE_DATA, UNFRAGMENTED, aligned, fragmented_length,
};
use crate::log::metadata::partition_of_count;
use crate::position::{Position, TermId};
use crate::sync::{Bytes, Memory};

/// Appends for a publication that others append to as well, from any thread or process.
#[derive(Clone, Debug)]
pub struct ConcurrentAppender<M> {
    log: LogBuffers<M>,
}

/// What a fetch-and-add won.
struct Space<'a, M> {
    term: &'a M,
    offset: usize,
    term_id: TermId,
    /// Behind it.
    position: Position,
}

impl<M: Memory> ConcurrentAppender<M> {
    /// Appends to a log.
    #[must_use]
    pub fn new(log: LogBuffers<M>) -> Self {
        ConcurrentAppender { log }
    }

    /// Appends a message, in fragments where it is longer than one frame, and returns the position behind it.
    ///
    /// # Errors
    /// When nothing was appended.
    #[inline]
    pub fn offer(&self, limit: Position, message: &[u8]) -> Result<Position, AppendError> {
        self.append(limit, Whole(message), |_| None)
    }

    /// As `offer`, for a message in several pieces.
    ///
    /// # Errors
    /// When nothing was appended.
    pub fn offer_vectored(&self, limit: Position, pieces: &[&[u8]]) -> Result<Position, AppendError> {
        self.append(limit, Vectored::new(pieces), |_| None)
    }

    /// Claims a frame for a message of `length` bytes, to be written in place.
    ///
    /// # Errors
    /// When nothing was claimed; a message must fit one frame.
    #[inline]
    pub fn try_claim(&self, limit: Position, length: usize) -> Result<Claim<'_, M>, AppendError> {
        let max = self.log.max_payload_length();
        if length > max {
            return Err(AppendError::MessageTooLong { length, max });
        }
        let frame_length = length + HEADER_LENGTH;
        let space = self.claim(limit, length, aligned(frame_length))?;
        // SAFETY: the aligned length was claimed.
        let frame = unsafe { Frame::new(space.term, space.offset, frame_length) };
        frame.claim(UNFRAGMENTED, TYPE_DATA, self.log.session_id(), self.log.stream_id(), space.term_id);
        Ok(Claim::new(frame, space.position))
    }

    /// The position behind what all publishers have claimed.
    #[must_use]
    #[inline]
    pub fn position(&self) -> Position {
        self.log.producer_position()
    }

    /// The log that is appended to.
    #[must_use]
    #[inline]
    pub fn log(&self) -> &LogBuffers<M> {
        &self.log
    }

    #[inline(always)]
    fn append(
        &self,
        limit: Position,
        mut message: impl Message,
        mut reserved_value: impl FnMut(&Frame<'_, M>) -> Option<i64>,
    ) -> Result<Position, AppendError> {
        let length = message.length();
        if length > self.log.max_payload_length() {
            return self.append_long(limit, message, reserved_value);
        }
        let frame_length = length + HEADER_LENGTH;
        let space = self.claim(limit, length, aligned(frame_length))?;
        // SAFETY: the aligned length was claimed.
        let frame = unsafe { Frame::new(space.term, space.offset, frame_length) };
        append_frame(&self.log, frame, space.term_id, &mut message, &mut reserved_value);
        Ok(space.position)
    }

    #[inline(never)]
    fn append_long(
        &self,
        limit: Position,
        mut message: impl Message,
        mut reserved_value: impl FnMut(&Frame<'_, M>) -> Option<i64>,
    ) -> Result<Position, AppendError> {
        let (length, max_payload) = (message.length(), self.log.max_payload_length());
        let max = if max_payload > 0 { self.log.max_message_length() } else { 0 };
        if length > max {
            self.active_partition(limit, length)?;
            return Err(AppendError::MessageTooLong { length, max });
        }
        let space = self.claim(limit, length, fragmented_length(length, max_payload))?;
        // SAFETY: the fragmented length was claimed; the payload is not 0 by the check above.
        unsafe {
            let Space { term, offset, term_id, .. } = space;
            append_fragments(&self.log, term, offset, term_id, &mut message, &mut reserved_value);
        }
        Ok(space.position)
    }

    /// Where to claim, if the limit allows.
    #[inline(always)]
    fn active_partition(&self, limit: Position, length: usize) -> Result<usize, AppendError> {
        let (metadata, term_length) = (self.log.metadata(), self.log.term_length());
        // SYNC: rotation. The tail of the term that is counted, or of one after it.
        let count = metadata.active_term_count_acquire();
        let partition = partition_of_count(count);
        let tail = metadata.raw_tail_acquire(partition);
        if tail.term_id().count_since(self.log.initial_term_id()) != count {
            // The term went on between the two loads.
            return Err(AppendError::AdminAction);
        }
        let offset = tail.term_offset(term_length);
        let position = Position((i64::from(count) << term_length.bits()) + i64::from(offset));
        if position < limit { Ok(partition) } else { Err(refused(&self.log, position, length)) }
    }

    /// Claims `required` bytes (a multiple of 32, at most twice 16 MiB) for a message of `length` bytes.
    #[inline(always)]
    fn claim(&self, limit: Position, length: usize, required: usize) -> Result<Space<'_, M>, AppendError> {
        let partition = self.active_partition(limit, length)?;
        let term_length = self.log.term_length();
        let tail = self.log.metadata().fetch_add_raw_tail(partition, required);
        let (term_id, offset) = (tail.term_id(), tail.term_offset(term_length) as usize);
        if !offset.is_multiple_of(FRAME_ALIGNMENT) {
            return Err(AppendError::DamagedTail(tail));
        }
        let end = offset + required;
        let begin = Position::new(term_id, 0, term_length, self.log.initial_term_id());
        let position = begin.plus(end as i64);
        let term = self.log.term(partition);
        if end > term_length.as_usize() {
            return Err(self.trip(term, offset, term_id, position));
        }
        Ok(Space { term, offset, term_id, position })
    }

    /// A claim crossed the end of the term: pads what is left, if anything, and makes the next term the active one.
    #[cold]
    fn trip(&self, term: &M, offset: usize, term_id: TermId, position: Position) -> AppendError {
        // SAFETY: the offset was checked to be a multiple of 32, is at most the term length, and behind it all was
        // claimed by this call.
        unsafe { pad_to_end(&self.log, term, offset, term_id) };
        if position >= self.log.term_length().max_possible_position() {
            return AppendError::MaxPositionExceeded;
        }
        self.log.metadata().rotate_log(term_id.count_since(self.log.initial_term_id()), term_id);
        AppendError::AdminAction
    }
}

impl<M: Bytes> ConcurrentAppender<M> {
    /// As `offer`; `reserved_value` makes each frame's reserved value from its bytes, header first.
    ///
    /// # Errors
    /// When nothing was appended.
    pub fn offer_with(
        &self,
        limit: Position,
        message: &[u8],
        mut reserved_value: impl FnMut(&[u8]) -> i64,
    ) -> Result<Position, AppendError> {
        self.append(limit, Whole(message), |frame| Some(reserved_value(frame.bytes())))
    }

    /// As `offer_vectored`; `reserved_value` makes each frame's reserved value from its bytes, header first.
    ///
    /// # Errors
    /// When nothing was appended.
    pub fn offer_vectored_with(
        &self,
        limit: Position,
        pieces: &[&[u8]],
        mut reserved_value: impl FnMut(&[u8]) -> i64,
    ) -> Result<Position, AppendError> {
        self.append(limit, Vectored::new(pieces), |frame| Some(reserved_value(frame.bytes())))
    }
}
