//! The one publisher of an exclusive publication. `[client]`
//!
//! Mirrors `aeron_exclusive_publication.c`; spec: logbuffer.md §6.
//!
//! The tail lives here; the one in the metadata is a copy for the driver, released before a frame is written. Frames
//! are claimed with a negative length all the same, although there is no other publisher to be kept apart: when the
//! publisher dies in the middle of a frame, the driver, draining the publication, pads what is claimed; behind a
//! length of 0 it would find nothing (no later frame shows where the claim ends) or, worse, take the words of a
//! half-written payload for the next frame. The negative length costs one plain store.

use core::fmt;

use super::message::{Message, Vectored, Whole};
use super::{AppendError, Claim, LogError, SHORT, Space, framed_length, refused};
use crate::log::descriptor::{PARTITION_COUNT, RawTail};
use crate::log::frame::Frame;
use crate::log::frame_descriptor::{
    self, FRAME_ALIGNMENT, HEADER_LENGTH, TYPE_DATA, TYPE_PAD, UNFRAGMENTED, aligned, committed,
};
use crate::log::metadata::partition_of_count;
use crate::log::{LogBuffers, rebuilder};
use crate::position::{Position, TermId};
use crate::sync::{Bytes, Memory};

/// Appends for an exclusive publication. There is at most one for a log at any time, and no [`ConcurrentAppender`] beside
/// it: whoever made the [`LogBuffers`] vouches for it.
///
/// [`ConcurrentAppender`]: super::ConcurrentAppender
#[derive(Debug)]
pub struct ExclusiveAppender<M> {
    log: LogBuffers<M>,
    term_begin: Position,
    /// The tail of the active term when it began: its id, and 0.
    begin: RawTail,
    /// Invariant: less than 3.
    partition: usize,
    /// Invariant: a multiple of 32, at most the term length.
    offset: usize,
}

/// Why a block was not appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferBlockError {
    /// As for any other message.
    Append(AppendError),
    /// The block is not made of whole frames, or goes past the end of the term.
    Length {
        /// Of the block, in bytes.
        length: usize,
        /// In the term, in bytes.
        remaining: usize,
    },
    /// The block's first frame is not a data frame of this publication at this position.
    FirstFrame,
    /// A later frame has a length with which it would not end within the block.
    Frame {
        /// Where in the block the frame begins, in bytes.
        offset: usize,
        /// What its header says, in bytes.
        length: i32,
    },
}

impl fmt::Display for OfferBlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OfferBlockError::Append(error) => error.fmt(f),
            OfferBlockError::Length { length, remaining } => {
                write!(
                    f,
                    "a block of {length} bytes is not frames of at most {remaining} bytes, what the term has left"
                )
            }
            OfferBlockError::FirstFrame => {
                f.write_str("the block's first frame is not a data frame of this publication at its position")
            }
            OfferBlockError::Frame { offset, length } => {
                write!(f, "the frame of {length} bytes at {offset} of the block is not one that ends within it")
            }
        }
    }
}

impl core::error::Error for OfferBlockError {}

impl<M: Memory> ExclusiveAppender<M> {
    /// Goes on where the log's tail is.
    ///
    /// # Errors
    /// When the tail is not at a multiple of 32.
    pub fn new(log: LogBuffers<M>) -> Result<Self, LogError> {
        let partition = partition_of_count(log.metadata().active_term_count_acquire());
        let tail = log.metadata().raw_tail_acquire(partition);
        let (term_id, offset) = (tail.term_id(), tail.term_offset(log.term_length()));
        if !(offset as usize).is_multiple_of(FRAME_ALIGNMENT) {
            return Err(LogError::Start { term_id, offset });
        }
        let term_begin = Position::new(term_id, 0, log.term_length(), log.initial_term_id());
        Ok(ExclusiveAppender { term_begin, begin: RawTail::new(term_id, 0), partition, offset: offset as usize, log })
    }

    /// Appends a message, in fragments where it is longer than one frame, and returns the position behind it.
    ///
    /// # Errors
    /// When nothing was appended.
    #[inline]
    pub fn offer(&mut self, limit: Position, message: &[u8]) -> Result<Position, AppendError> {
        if message.len() > self.log.max_payload_length() {
            self.append(limit, Whole(message), |_| None)
        } else if message.len() > SHORT {
            self.offer_frame_with_call(limit, message)
        } else {
            self.offer_frame(limit, message, true)
        }
    }

    /// As `offer`, for a message in several pieces.
    ///
    /// # Errors
    /// When nothing was appended.
    pub fn offer_vectored(&mut self, limit: Position, pieces: &[&[u8]]) -> Result<Position, AppendError> {
        self.append(limit, Vectored::new(pieces), |_| None)
    }

    /// Claims a frame for a message of `length` bytes, to be written in place.
    ///
    /// # Errors
    /// When nothing was claimed; a message must fit one frame.
    #[inline]
    pub fn try_claim(&mut self, limit: Position, length: usize) -> Result<Claim<'_, M>, AppendError> {
        let max = self.log.max_payload_length();
        if length > max {
            return Err(AppendError::MessageTooLong { length, max });
        }
        let frame_length = length + HEADER_LENGTH;
        match self.attempt(limit, aligned(frame_length)) {
            // SAFETY: claimed by the attempt.
            Some(offset) => Ok(unsafe { self.space(offset).claim(&self.log, frame_length, self.position()) }),
            None => Err(self.decline(limit, length, aligned(frame_length))),
        }
    }

    /// Appends padding with a payload of `length` bytes, which no reader sees, to move the position on.
    ///
    /// # Errors
    /// When nothing was appended.
    pub fn append_padding(&mut self, limit: Position, length: usize) -> Result<Position, AppendError> {
        let max = self.log.max_message_length();
        if length > max {
            return Err(AppendError::MessageTooLong { length, max });
        }
        let frame_length = length + HEADER_LENGTH;
        let offset = self.claim(limit, length, Ok(aligned(frame_length)))?;
        let space = self.space(offset);
        // SAFETY: the aligned length was claimed.
        let frame = unsafe { Frame::new(space.term, space.offset, frame_length) };
        frame.claim(UNFRAGMENTED, TYPE_PAD, self.log.session_id(), self.log.stream_id(), space.begin);
        frame.commit();
        Ok(self.position())
    }

    /// Appends frames that are formatted already, whose first is a data frame of this publication at its position. The
    /// frames behind the first are taken as they are, but for their lengths: one that reached beyond the block would have
    /// readers lend what is written next.
    ///
    /// # Errors
    /// When nothing was appended.
    pub fn offer_block(&mut self, limit: Position, block: &[u8]) -> Result<Position, OfferBlockError> {
        if self.offset == self.log.term_length().as_usize() {
            // Not an error, unlike a trip: the block was made for the term that begins here.
            self.rotate().map_err(OfferBlockError::Append)?;
        }
        if self.position() >= limit {
            return Err(OfferBlockError::Append(refused(&self.log, self.position(), block.len())));
        }
        let (length, remaining) = (block.len(), self.log.term_length().as_usize() - self.offset);
        if length > remaining || length < HEADER_LENGTH || !length.is_multiple_of(FRAME_ALIGNMENT) {
            return Err(OfferBlockError::Length { length, remaining });
        }
        if !self.is_first_frame(block) {
            return Err(OfferBlockError::FirstFrame);
        }
        check_lengths(block)?;
        let offset = self.offset;
        self.move_tail(offset + length);
        self.offset = offset + length;
        // SAFETY: within the term by the check, and behind the tail all is the exclusive publisher's, by the log's
        // contract.
        unsafe {
            // One claim for all of it, so that a publisher that dies in the copy leaves one to be padded.
            Frame::new(self.log.term(self.partition), offset, length).claim_length();
            rebuilder::place(self.log.term(self.partition), offset, block);
        }
        Ok(self.position())
    }

    /// Whether a block begins with a data frame for the tail; version, flags and reserved value are its own.
    fn is_first_frame(&self, block: &[u8]) -> bool {
        let (session_id, stream_id) = (self.log.session_id(), self.log.stream_id());
        let expected = frame_descriptor::header(
            UNFRAGMENTED,
            TYPE_DATA,
            self.term_offset(),
            session_id,
            stream_id,
            self.term_id(),
        );
        let fields = frame_descriptor::TYPE..frame_descriptor::RESERVED_VALUE;
        let length = i32::from_le_bytes([block[0], block[1], block[2], block[3]]);
        block[fields.clone()] == expected[fields] && committed(length, 0, block.len()).is_some()
    }

    /// The position behind what was appended last.
    #[must_use]
    #[inline(always)]
    pub fn position(&self) -> Position {
        self.term_begin.plus(self.offset as i64)
    }

    /// The term that the next frame goes to, unless the term is full.
    #[must_use]
    #[inline]
    pub fn term_id(&self) -> TermId {
        self.begin.term_id()
    }

    /// Where in the term the next frame goes, in bytes.
    #[must_use]
    #[inline]
    pub fn term_offset(&self) -> i32 {
        self.offset as i32
    }

    /// The log that is appended to.
    #[must_use]
    #[inline]
    pub fn log(&self) -> &LogBuffers<M> {
        &self.log
    }

    /// Offers a message that is one frame; a `short` one is at most [`SHORT`] bytes.
    #[inline(always)]
    fn offer_frame(&mut self, limit: Position, message: &[u8], short: bool) -> Result<Position, AppendError> {
        let Some(offset) = self.attempt(limit, aligned(message.len() + HEADER_LENGTH)) else {
            return self.append(limit, Whole(message), |_| None);
        };
        // SAFETY: claimed by the attempt.
        unsafe { self.space(offset).write_frame(&self.log, message, short) };
        Ok(self.position())
    }

    /// Offers a longer message that is one frame: apart, to leave the short ones the registers that the call takes.
    #[inline(never)]
    fn offer_frame_with_call(&mut self, limit: Position, message: &[u8]) -> Result<Position, AppendError> {
        self.offer_frame(limit, message, false)
    }

    /// Claims `required` bytes (a multiple of 32, at most twice 16 MiB) within the limit and the term, and returns where
    /// they begin; nothing is done where they do not fit.
    #[inline(always)]
    fn attempt(&mut self, limit: Position, required: usize) -> Option<usize> {
        let (begin, end) = (self.offset, self.offset + required);
        if self.position() >= limit || end > self.log.term_length().as_usize() {
            return None;
        }
        self.move_tail(end);
        self.offset = end;
        Some(begin)
    }

    /// Appends a message the general way.
    #[inline(never)]
    fn append(
        &mut self,
        limit: Position,
        message: impl Message,
        reserved_value: impl FnMut(&Frame<'_, M>) -> Option<i64>,
    ) -> Result<Position, AppendError> {
        let framed_length = framed_length(&self.log, message.length());
        let offset = self.claim(limit, message.length(), framed_length)?;
        // SAFETY: the framed length was claimed.
        unsafe { self.space(offset).write(&self.log, message, reserved_value) }?;
        Ok(self.position())
    }

    /// Claims `required` bytes for a message of `length` bytes, and returns where they begin. What is wrong with the length comes after what is wrong with the position, as in the C client.
    fn claim(
        &mut self,
        limit: Position,
        length: usize,
        required: Result<usize, AppendError>,
    ) -> Result<usize, AppendError> {
        if self.position() >= limit {
            return Err(refused(&self.log, self.position(), length));
        }
        let required = required?;
        match self.attempt(limit, required) {
            Some(offset) => Ok(offset),
            None => Err(self.decline(limit, length, required)),
        }
    }

    /// Why an attempt came to nothing, and what is to be done about it.
    #[cold]
    #[inline(never)]
    fn decline(&mut self, limit: Position, length: usize, required: usize) -> AppendError {
        if self.position() >= limit {
            return refused(&self.log, self.position(), length);
        }
        self.move_tail(self.offset + required);
        self.trip()
    }

    /// Tells the driver of a claim before anything of it is written, as every publisher does.
    #[inline(always)]
    fn move_tail(&self, offset: usize) {
        // Below 2^32: a term and a message. The partition is less than 3 by the invariant.
        let tail = RawTail(self.begin.0 | offset as i64);
        // SAFETY: see above.
        unsafe { self.log.metadata().set_raw_tail_release_unchecked(self.partition, tail) };
    }

    /// The active term from `offset` on.
    #[inline(always)]
    fn space(&self, offset: usize) -> Space<'_, M> {
        // SAFETY: the partition is less than 3 by the invariant.
        Space { term: unsafe { self.log.term_unchecked(self.partition) }, offset, begin: self.begin }
    }

    /// A message did not fit: pads the term and goes on to the next.
    ///
    /// At the last term's end the offset stays at the end, so that the padding, committed once, is not written again
    /// by the next call (the C client writes it again, and its position stays before it).
    #[cold]
    fn trip(&mut self) -> AppendError {
        // SAFETY: the offset is a multiple of 32 within the term by the invariant, and behind it all is ours.
        unsafe { self.space(self.offset).pad(&self.log) };
        self.offset = self.log.term_length().as_usize();
        match self.rotate() {
            Ok(()) => AppendError::AdminAction,
            Err(error) => error,
        }
    }

    #[cold]
    fn rotate(&mut self) -> Result<(), AppendError> {
        let begin = self.term_begin.plus(i64::from(self.log.term_length().bytes()));
        if begin >= self.log.term_length().max_possible_position() {
            return Err(AppendError::MaxPositionExceeded);
        }
        self.term_begin = begin;
        self.begin = RawTail::new(self.term_id().plus(1), 0);
        self.partition = (self.partition + 1) % PARTITION_COUNT;
        self.offset = 0;
        // SYNC: rotation. The tail before the count that points to it.
        let metadata = self.log.metadata();
        metadata.set_raw_tail_release(self.partition, self.begin);
        metadata.set_active_term_count_release(self.term_id().count_since(self.log.initial_term_id()));
        Ok(())
    }
}

/// Checks that a block, a multiple of 32 bytes, is whole frames to its end.
fn check_lengths(block: &[u8]) -> Result<(), OfferBlockError> {
    let mut offset = 0;
    while offset < block.len() {
        let length = i32::from_le_bytes([block[offset], block[offset + 1], block[offset + 2], block[offset + 3]]);
        match committed(length, offset, block.len()) {
            Some(length) => offset += aligned(length),
            None => return Err(OfferBlockError::Frame { offset, length }),
        }
    }
    Ok(())
}

impl<M: Bytes> ExclusiveAppender<M> {
    /// As `offer`; `reserved_value` makes each frame's reserved value from its bytes, header first.
    ///
    /// # Errors
    /// When nothing was appended, or the claim was lost while `reserved_value` ran.
    ///
    /// # Panics
    /// When `reserved_value` does: what is not committed by then becomes padding.
    pub fn offer_with(
        &mut self,
        limit: Position,
        message: &[u8],
        mut reserved_value: impl FnMut(&[u8]) -> i64,
    ) -> Result<Position, AppendError> {
        self.append(limit, Whole(message), |frame| Some(reserved_value(frame.bytes())))
    }

    /// As `offer_vectored`; `reserved_value` makes each frame's reserved value from its bytes, header first.
    ///
    /// # Errors
    /// When nothing was appended, or the claim was lost while `reserved_value` ran.
    ///
    /// # Panics
    /// When `reserved_value` does: what is not committed by then becomes padding.
    pub fn offer_vectored_with(
        &mut self,
        limit: Position,
        pieces: &[&[u8]],
        mut reserved_value: impl FnMut(&[u8]) -> i64,
    ) -> Result<Position, AppendError> {
        self.append(limit, Vectored::new(pieces), |frame| Some(reserved_value(frame.bytes())))
    }
}
