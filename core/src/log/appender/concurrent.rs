//! One of the publishers of a shared publication. `[client]`
//!
//! Mirrors `aeron_publication.c`; spec: logbuffer.md §5.
//!
//! Publishers claim space with one fetch-and-add of the active term's tail. The one whose claim crosses the term's end
//! pads what is left and makes the next term the active one; all whose claim lies beyond do the latter too.
//!
//! Offers and claims go a straight way first, for a message in the middle of a term, and a general one when that
//! finds anything unusual. The straight way compares tails as whole words, minus the tail with which the counted term
//! began: another term's tail, or one past the end, is then more than the term's length.

use super::message::{Message, Vectored, Whole};
use super::{AppendError, Claim, SHORT, Space, framed_length, refused};
use crate::log::LogBuffers;
use crate::log::descriptor::RawTail;
use crate::log::frame::Frame;
use crate::log::frame_descriptor::{FRAME_ALIGNMENT, HEADER_LENGTH, aligned};
use crate::log::metadata::partition_of_count;
use crate::position::Position;
use crate::sync::{Bytes, Memory, prefetch};

/// Appends for a publication that others append to as well, from any thread or process.
#[derive(Clone, Debug)]
pub struct ConcurrentAppender<M> {
    log: LogBuffers<M>,
}

/// How far ahead of short frames their lines are asked for once more, in bytes, to be there when they are written: the
/// next claim's fetch-and-add waits until all of this one is written.
const NEAR: usize = 512;

/// How far the straight way got.
enum Attempt<'a, M> {
    /// All the way; the position is behind the claim.
    Claimed(Space<'a, M>, Position),
    /// To a tail that needs a closer look, with the claim made.
    Moved(usize, RawTail),
    /// Nowhere.
    Nothing,
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
        // SAFETY: a frame by the check.
        match unsafe { self.attempt(limit, aligned(frame_length)) } {
            Attempt::Claimed(space, position) => {
                prefetch::own_line(space.term, space.offset + NEAR);
                // SAFETY: claimed by the attempt.
                Ok(unsafe { space.claim(&self.log, frame_length, position) })
            }
            Attempt::Moved(partition, tail) => self.claim_frame(limit, length, Some((partition, tail))),
            Attempt::Nothing => self.claim_frame(limit, length, None),
        }
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

    /// Offers a message that is one frame; a `short` one is at most [`SHORT`] bytes.
    #[inline(always)]
    fn offer_frame(&self, limit: Position, message: &[u8], short: bool) -> Result<Position, AppendError> {
        // SAFETY: the message is one frame.
        match unsafe { self.attempt(limit, aligned(message.len() + HEADER_LENGTH)) } {
            Attempt::Claimed(space, position) => {
                if short {
                    prefetch::own_line(space.term, space.offset + NEAR);
                }
                // SAFETY: claimed by the attempt.
                unsafe { space.write_frame(&self.log, message, short) };
                Ok(position)
            }
            Attempt::Moved(partition, tail) => self.append_claimed(partition, tail, Whole(message), |_| None),
            Attempt::Nothing => self.append_generally(limit, Whole(message), |_| None),
        }
    }

    /// Offers a longer message that is one frame: apart, to leave the short ones the registers that the call takes.
    #[inline(never)]
    fn offer_frame_with_call(&self, limit: Position, message: &[u8]) -> Result<Position, AppendError> {
        self.offer_frame(limit, message, false)
    }

    /// The straight way.
    ///
    /// # Safety
    /// `required` is a framed length, which is at most a term.
    #[inline(always)]
    unsafe fn attempt(&self, limit: Position, required: usize) -> Attempt<'_, M> {
        let (metadata, term_length) = (self.log.metadata(), self.log.term_length().as_usize() as u64);
        // SYNC: rotation. The tail of the term that is counted, or of one after it.
        let count = metadata.active_term_count_acquire();
        let partition = partition_of_count(count);
        let begin = RawTail::new(self.log.initial_term_id().plus(count), 0);
        let term_begin = i64::from(count) * i64::from(self.log.term_length().bytes());

        let used = metadata.raw_tail_acquire(partition).0.wrapping_sub(begin.0) as u64;
        if used > term_length || term_begin + used as i64 >= limit.0 {
            return Attempt::Nothing;
        }
        let tail = metadata.fetch_add_raw_tail(partition, required);
        let offset = tail.0.wrapping_sub(begin.0) as u64;
        if offset > term_length - required as u64 || !offset.is_multiple_of(FRAME_ALIGNMENT as u64) {
            return Attempt::Moved(partition, tail);
        }
        let space = Space { term: self.log.term(partition), offset: offset as usize, begin };
        Attempt::Claimed(space, Position(term_begin + (offset + required as u64) as i64))
    }

    /// Claims a frame the general way, or one for which a tail was moved already.
    #[cold]
    #[inline(never)]
    fn claim_frame(
        &self,
        limit: Position,
        length: usize,
        moved: Option<(usize, RawTail)>,
    ) -> Result<Claim<'_, M>, AppendError> {
        let frame_length = length + HEADER_LENGTH;
        let (space, position) = match moved {
            Some((partition, tail)) => self.settle(partition, tail, aligned(frame_length))?,
            None => self.claim(limit, length)?,
        };
        // SAFETY: claimed.
        Ok(unsafe { space.claim(&self.log, frame_length, position) })
    }

    /// Appends a message in one or more frames.
    #[inline(never)]
    fn append(
        &self,
        limit: Position,
        message: impl Message,
        reserved_value: impl FnMut(&Frame<'_, M>) -> Option<i64>,
    ) -> Result<Position, AppendError> {
        let Ok(required) = framed_length(&self.log, message.length()) else {
            return self.append_generally(limit, message, reserved_value);
        };
        // SAFETY: a framed length.
        match unsafe { self.attempt(limit, required) } {
            Attempt::Claimed(space, position) => {
                // SAFETY: claimed by the attempt.
                unsafe { space.write(&self.log, message, reserved_value) }?;
                Ok(position)
            }
            Attempt::Moved(partition, tail) => self.append_claimed(partition, tail, message, reserved_value),
            Attempt::Nothing => self.append_generally(limit, message, reserved_value),
        }
    }

    /// Appends a message the general way.
    #[cold]
    #[inline(never)]
    fn append_generally(
        &self,
        limit: Position,
        message: impl Message,
        reserved_value: impl FnMut(&Frame<'_, M>) -> Option<i64>,
    ) -> Result<Position, AppendError> {
        let (space, position) = self.claim(limit, message.length())?;
        // SAFETY: claimed.
        unsafe { space.write(&self.log, message, reserved_value) }?;
        Ok(position)
    }

    /// Appends a message for which the tail was moved already.
    #[cold]
    #[inline(never)]
    fn append_claimed(
        &self,
        partition: usize,
        tail: RawTail,
        message: impl Message,
        reserved_value: impl FnMut(&Frame<'_, M>) -> Option<i64>,
    ) -> Result<Position, AppendError> {
        let (space, position) = self.settle(partition, tail, framed_length(&self.log, message.length())?)?;
        // SAFETY: claimed.
        unsafe { space.write(&self.log, message, reserved_value) }?;
        Ok(position)
    }

    /// Claims space for a message of `length` bytes, if the limit allows.
    fn claim(&self, limit: Position, length: usize) -> Result<(Space<'_, M>, Position), AppendError> {
        let (metadata, term_length) = (self.log.metadata(), self.log.term_length());
        // SYNC: rotation.
        let count = metadata.active_term_count_acquire();
        let partition = partition_of_count(count);
        let tail = metadata.raw_tail_acquire(partition);
        if tail.term_id().count_since(self.log.initial_term_id()) != count {
            // The term went on between the two loads.
            return Err(AppendError::AdminAction);
        }
        let offset = tail.term_offset(term_length);
        let position = Position::new(tail.term_id(), offset, term_length, self.log.initial_term_id());
        if position >= limit {
            return Err(refused(&self.log, position, length));
        }
        let required = framed_length(&self.log, length)?;
        if position >= term_length.max_possible_position() {
            // Nobody rotates any more: each call would move the tail on, at last into the id of its term.
            return Err(AppendError::MaxPositionExceeded);
        }
        self.settle(partition, metadata.fetch_add_raw_tail(partition, required), required)
    }

    /// What became of a claim of `required` bytes (a multiple of 32, at most twice 16 MiB) for which `tail` was moved.
    fn settle(
        &self,
        partition: usize,
        tail: RawTail,
        required: usize,
    ) -> Result<(Space<'_, M>, Position), AppendError> {
        let term_length = self.log.term_length();
        let (term_id, offset) = (tail.term_id(), tail.term_offset(term_length) as usize);
        if !offset.is_multiple_of(FRAME_ALIGNMENT) {
            return Err(AppendError::DamagedTail(tail));
        }
        let end = offset + required;
        let term_begin = Position::new(term_id, 0, term_length, self.log.initial_term_id());
        let position = term_begin.plus(end as i64);
        let space = Space { term: self.log.term(partition), offset, begin: RawTail::new(term_id, 0) };
        if end <= term_length.as_usize() {
            return Ok((space, position));
        }
        // The claim crossed the end of the term, or was made beyond it.
        // SAFETY: the offset is a multiple of 32 by the check, at most the term's length, and behind it all is claimed.
        unsafe { space.pad(&self.log) };
        if position >= term_length.max_possible_position() {
            return Err(AppendError::MaxPositionExceeded);
        }
        self.log.metadata().rotate_log(term_id.count_since(self.log.initial_term_id()), term_id);
        Err(AppendError::AdminAction)
    }
}

impl<M: Bytes> ConcurrentAppender<M> {
    /// As `offer`; `reserved_value` makes each frame's reserved value from its bytes, header first.
    ///
    /// # Errors
    /// When nothing was appended, or the claim was lost while `reserved_value` ran.
    ///
    /// # Panics
    /// When `reserved_value` does: what is not committed by then becomes padding.
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
    /// When nothing was appended, or the claim was lost while `reserved_value` ran.
    ///
    /// # Panics
    /// When `reserved_value` does: what is not committed by then becomes padding.
    pub fn offer_vectored_with(
        &self,
        limit: Position,
        pieces: &[&[u8]],
        mut reserved_value: impl FnMut(&[u8]) -> i64,
    ) -> Result<Position, AppendError> {
        self.append(limit, Vectored::new(pieces), |frame| Some(reserved_value(frame.bytes())))
    }
}
