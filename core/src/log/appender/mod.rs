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

mod claim;
mod concurrent;
mod exclusive;
mod message;

pub use claim::Claim;
pub use concurrent::ConcurrentAppender;
pub use exclusive::{ExclusiveAppender, OfferBlockError};

use super::descriptor::RawTail;
use super::frame::Frame;
use super::frame_descriptor::{HEADER_LENGTH, TYPE_DATA, TYPE_PAD, UNFRAGMENTED, aligned};
use super::{LogBuffers, LogError};
use crate::position::{Position, TermId};
use crate::sync::Memory;

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

/// Fills the rest of a term, where there is any, with one frame of padding.
///
/// # Safety
/// `offset` is a multiple of 32 within the term, and the rest of the term is the caller's claim.
#[cold]
unsafe fn pad_to_end<M: Memory>(log: &LogBuffers<M>, term: &M, offset: usize, term_id: TermId) {
    let length = log.term_length().as_usize() - offset;
    if length > 0 {
        // SAFETY: by the caller's contract; the rest is a multiple of 32 and not nothing.
        let frame = unsafe { Frame::new(term, offset, length) };
        frame.claim(UNFRAGMENTED, TYPE_PAD, log.session_id(), log.stream_id(), term_id);
        frame.commit();
    }
}

/// Writes one frame that is a whole message, into a range that was claimed for it.
#[inline(always)]
fn append_frame<M: Memory>(
    log: &LogBuffers<M>,
    frame: Frame<'_, M>,
    term_id: TermId,
    message: &mut impl message::Message,
    reserved_value: &mut impl FnMut(&Frame<'_, M>) -> Option<i64>,
) {
    frame.claim(UNFRAGMENTED, TYPE_DATA, log.session_id(), log.stream_id(), term_id);
    message.fill(&frame);
    if let Some(value) = reserved_value(&frame) {
        frame.set_reserved_value(value);
    }
    frame.commit();
}

/// Writes a message in fragments. The reserved value is asked for once for each fragment, of that fragment's frame.
///
/// (The C client shows the first frame of the message each time, except for vectored messages; Java shows each
/// fragment's own, as here.)
///
/// # Safety
/// `offset` is a multiple of 32, and `fragmented_length(message.length(), max payload)` bytes from there on lie within
/// the term and are the caller's claim. The longest payload is not 0.
unsafe fn append_fragments<M: Memory>(
    log: &LogBuffers<M>,
    term: &M,
    offset: usize,
    term_id: TermId,
    message: &mut impl message::Message,
    reserved_value: &mut impl FnMut(&Frame<'_, M>) -> Option<i64>,
) {
    use super::frame_descriptor::{BEGIN_FLAG, END_FLAG};

    let max_payload = log.max_payload_length();
    let mut remaining = message.length();
    let mut offset = offset;
    let mut flags = BEGIN_FLAG;
    while remaining > 0 {
        let payload = remaining.min(max_payload);
        if payload == remaining {
            flags |= END_FLAG;
        }
        let length = payload + HEADER_LENGTH;
        // SAFETY: by the caller's contract: the aligned lengths of all the frames are what was claimed.
        let frame = unsafe { Frame::new(term, offset, length) };
        frame.claim(flags, TYPE_DATA, log.session_id(), log.stream_id(), term_id);
        message.fill(&frame);
        if let Some(value) = reserved_value(&frame) {
            frame.set_reserved_value(value);
        }
        frame.commit();
        flags = 0;
        offset += aligned(length);
        remaining -= payload;
    }
}

#[cfg(test)]
mod tests;
