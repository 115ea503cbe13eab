//! Appending to a log: offer and claim. `[client]`
//!
//! [`ConcurrentAppender`] is for publications that any number of publishers share, [`ExclusiveAppender`] for a
//! publication of one. Does not know whether the publication is closed, nor the counter of its limit.
//!
//! **The limit** is a position that the driver moves; a call that finds the tail at or beyond it appends nothing. The
//! caller reads the counter before each call: the driver takes the limit *back* when the last subscriber leaves
//! (`aeron_ipc_publication_update_pub_pos_and_lmt`), so a publisher that kept an old one would go on, up to a window
//! of bytes, to publish to nobody.
//!
//! Mirrors `aeron_publication.c` and `aeron_exclusive_publication.c`; spec: logbuffer.md §4 to §6.

use core::fmt;
use core::mem;

mod claim;
mod concurrent;
mod exclusive;
mod message;

pub use claim::{Claim, ClaimLost};
pub use concurrent::ConcurrentAppender;
pub use exclusive::{ExclusiveAppender, OfferBlockError};

use super::descriptor::RawTail;
use super::frame::Frame;
use super::frame_descriptor::{
    BEGIN_FLAG, END_FLAG, HEADER_LENGTH, TYPE_DATA, TYPE_PAD, UNFRAGMENTED, aligned, fragmented_length,
};
use super::{LogBuffers, LogError};
use crate::position::{Position, TermId};
use crate::sync::{Memory, prefetch, unchecked};
use message::Message;

/// Why nothing was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// Nobody subscribes.
    NotConnected,
    /// The slowest subscriber (or the network) must catch up first.
    BackPressured,
    /// The log went on to its next term; the call may be repeated at once.
    AdminAction,
    /// The session has no positions left: the publication must be closed and added anew.
    MaxPositionExceeded,
    /// The message is longer than can be sent.
    MessageTooLong {
        /// Of the message, in bytes.
        length: usize,
        /// For this call, in bytes.
        max: usize,
    },
    /// The driver took what was claimed for a dead publisher's and made padding of it, while the caller's closure ran. Of
    /// a message in several frames, those before are published: readers drop such a message.
    ClaimLost,
    /// The tail is one that no publisher makes: somebody damaged the log.
    DamagedTail(RawTail),
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AppendError::NotConnected => f.write_str("not connected: nobody subscribes"),
            AppendError::BackPressured => f.write_str("back pressured: a subscriber must catch up first"),
            AppendError::AdminAction => f.write_str("admin action: the log went on to its next term, try again"),
            AppendError::MaxPositionExceeded => f.write_str("max position exceeded: the session has no positions left"),
            AppendError::MessageTooLong { length, max } => {
                write!(f, "message of {length} bytes is longer than {max}")
            }
            AppendError::ClaimLost => f.write_str("claim lost: the driver made padding of it meanwhile"),
            AppendError::DamagedTail(tail) => write!(f, "the log is damaged: its tail is {:#x}", tail.0),
        }
    }
}

impl core::error::Error for AppendError {}

/// Why a call at `position` was refused at the limit.
#[cold]
fn refused<M: Memory>(log: &LogBuffers<M>, position: Position, length: usize) -> AppendError {
    let required = aligned(length.saturating_add(HEADER_LENGTH).min(i32::MAX as usize)) as i64;
    if position.plus(required) >= log.term_length().max_possible_position() {
        AppendError::MaxPositionExceeded
    } else if log.metadata().is_connected() {
        AppendError::BackPressured
    } else {
        AppendError::NotConnected
    }
}

/// The space that a message of `length` bytes takes in frames: at most a term, since a frame is, and since a longer
/// message is at most an eighth of a term and its frames are payload by half at least.
fn framed_length<M: Memory>(log: &LogBuffers<M>, length: usize) -> Result<usize, AppendError> {
    let max_payload = log.max_payload_length();
    if length <= max_payload {
        return Ok(aligned(length + HEADER_LENGTH));
    }
    // Without room for a payload in a frame there is no message that could be fragmented.
    let max = if max_payload > 0 { log.max_message_length() } else { 0 };
    if length > max {
        return Err(AppendError::MessageTooLong { length, max });
    }
    Ok(fragmented_length(length, max_payload))
}

/// How far ahead of short frames, and of claims, their lines are asked for, in bytes. The log was cleaned on another
/// core and has left its caches since: each line comes from afar, and the processor's own look ahead begins anew with
/// each page. A page ahead, the next page is known too (measured from 2 KiB on; a few lines do not suffice).
const AHEAD: usize = 4096;

/// Where a claim lies.
struct Space<'a, M> {
    term: &'a M,
    offset: usize,
    /// The tail of the term when it began.
    begin: RawTail,
}

impl<M: Memory> Space<'_, M> {
    /// Fills what is left of the term, where there is anything, with one frame of padding.
    ///
    /// # Safety
    /// The offset is a multiple of 32 within the term, and the rest of the term is the caller's claim.
    unsafe fn pad(self, log: &LogBuffers<M>) {
        let length = log.term_length().as_usize() - self.offset;
        if length > 0 {
            // SAFETY: by the caller's contract; the rest is a multiple of 32 and not nothing.
            let frame = unsafe { Frame::new(self.term, self.offset, length) };
            frame.claim(UNFRAGMENTED, TYPE_PAD, log.session_id(), log.stream_id(), self.begin);
            frame.commit();
        }
    }

    /// Writes a message, in fragments where it is longer than one frame. The reserved value is asked for once for each
    /// frame, of that frame.
    ///
    /// A panic in the closure makes padding of what is not committed by then. A closure that takes its time may come back
    /// to a claim that is lost: nothing more is written then, and what else of the message was claimed is left to the
    /// driver as well.
    ///
    /// (The C client shows the first frame of the message each time, except for vectored messages; Java shows each
    /// frame, as here.)
    ///
    /// # Safety
    /// The offset is a multiple of 32, and the framed length of the message from there on lies within the term and is
    /// the caller's claim.
    unsafe fn write(
        self,
        log: &LogBuffers<M>,
        mut message: impl Message,
        mut reserved_value: impl FnMut(&Frame<'_, M>) -> Option<i64>,
    ) -> Result<(), AppendError> {
        let mut offset = self.offset;
        let mut flags = BEGIN_FLAG;
        loop {
            let remaining = message.length();
            let payload = remaining.min(log.max_payload_length());
            if payload == remaining {
                flags |= END_FLAG;
            }
            let length = payload + HEADER_LENGTH;
            // SAFETY: by the caller's contract: the aligned lengths of all frames are what was claimed.
            let frame = unsafe { Frame::new(self.term, offset, length) };
            prefetch::range(self.term, offset, length);
            frame.claim(flags, TYPE_DATA, log.session_id(), log.stream_id(), self.begin);
            let unwritten = Unwritten {
                log,
                term: self.term,
                term_id: self.begin.term_id(),
                offset,
                length,
                later: remaining - payload,
            };
            message.fill(&frame);
            let value = reserved_value(&frame);
            mem::forget(unwritten);
            if let Some(value) = value {
                // Only the application's code may have taken long enough to be worth a look.
                if !frame.is_claimed_in(self.begin.term_id()) {
                    return Err(AppendError::ClaimLost);
                }
                frame.set_reserved_value(value);
            }
            frame.commit();
            if payload == remaining {
                return Ok(());
            }
            flags = 0;
            offset += aligned(length);
        }
    }

    /// Writes a message that is one frame; a `short` one is at most [`SHORT`] bytes.
    ///
    /// # Safety
    /// As for `write`.
    #[inline(always)]
    unsafe fn write_frame(self, log: &LogBuffers<M>, message: &[u8], short: bool) {
        // SAFETY: by the caller's contract.
        let frame = unsafe { Frame::new(self.term, self.offset, message.len() + HEADER_LENGTH) };
        if short {
            prefetch::distant_line(self.term, self.offset + AHEAD);
        } else {
            prefetch::range(self.term, self.offset, message.len() + HEADER_LENGTH);
        }
        frame.claim(UNFRAGMENTED, TYPE_DATA, log.session_id(), log.stream_id(), self.begin);
        if short {
            frame.write_short_payload(message);
        } else {
            frame.write_payload(0, message);
        }
        frame.commit();
    }

    /// Writes the header of a frame that its claimer fills.
    ///
    /// # Safety
    /// As for `write`, for one frame of `length` bytes.
    #[inline(always)]
    unsafe fn claim<'a>(self, log: &LogBuffers<M>, length: usize, position: Position) -> Claim<'a, M>
    where
        Self: 'a,
    {
        // SAFETY: by the caller's contract.
        let frame = unsafe { Frame::new(self.term, self.offset, length) };
        prefetch::distant_line(self.term, self.offset + AHEAD);
        frame.claim(UNFRAGMENTED, TYPE_DATA, log.session_id(), log.stream_id(), self.begin);
        Claim::new(frame, self.begin.term_id(), position)
    }
}

/// What of a message is claimed and not committed: it becomes one frame of padding, should the caller's closure panic,
/// so that readers need not wait for the driver's unblock timeout.
///
/// Invariants: a frame of `length` bytes is claimed at `offset` of the term `term_id`, and behind it the frames of the
/// `later` bytes of payload.
struct Unwritten<'a, M: Memory> {
    log: &'a LogBuffers<M>,
    term: &'a M,
    term_id: TermId,
    offset: usize,
    length: usize,
    later: usize,
}

impl<M: Memory> Drop for Unwritten<'_, M> {
    #[cold]
    fn drop(&mut self) {
        // SAFETY: by the invariants.
        let frame = unsafe { Frame::new(self.term, self.offset, self.length) };
        // The closure may have taken its time.
        if frame.is_claimed_in(self.term_id) {
            let later = if self.later > 0 { fragmented_length(self.later, self.log.max_payload_length()) } else { 0 };
            // SAFETY: by the invariants; a claim is at most a term.
            unsafe { Frame::new(self.term, self.offset, aligned(self.length) + later) }.abort();
        }
    }
}

/// The longest message that is copied without a call.
const SHORT: usize = unchecked::SHORT;

#[cfg(test)]
mod tests;
