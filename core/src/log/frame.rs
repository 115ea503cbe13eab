//! A claimed frame, whose range was checked once: how its owner writes it. `[client]`
//!
//! Mirrors `aeron_header_write`; spec: logbuffer.md §4.

use super::descriptor::RawTail;
use super::frame_descriptor::{
    FLAGS, FRAME_ALIGNMENT, FRAME_LENGTH, HEADER_LENGTH, RESERVED_VALUE, STREAM_ID, TERM_ID, TERM_OFFSET, TYPE,
    TYPE_PAD, VERSION,
};
use crate::position::{SessionId, StreamId, TermId};
use crate::sync::{Bytes, Memory, Ordering, unchecked};

/// A range of a term that a claim has made the holder's alone until it is committed.
///
/// Invariants: `offset` is a multiple of 32; `length` is at least 32 and less than 2^31; both lie within the term.
pub(super) struct Frame<'a, M> {
    term: &'a M,
    offset: usize,
    length: usize,
}

impl<'a, M: Memory> Frame<'a, M> {
    /// # Safety
    /// The type's invariants, and the claim: by the log's contract it makes the range the caller's alone.
    #[inline(always)]
    pub(super) unsafe fn new(term: &'a M, offset: usize, length: usize) -> Self {
        debug_assert!(offset.is_multiple_of(FRAME_ALIGNMENT) && length >= HEADER_LENGTH);
        debug_assert!(offset + length <= term.len());
        Frame { term, offset, length }
    }

    /// Claims the frame in the eyes of all others.
    ///
    /// The negative length comes first and must be seen before any byte after it: the unblocker takes a length of 0
    /// for a claim whose owner died before it got here, and then looks for the next frame behind it, where a payload
    /// could look like one.
    #[inline(always)]
    pub(super) fn claim_length(&self) {
        // SAFETY: a word of the header, within the term by the invariants.
        unsafe {
            // Relaxed: the length makes nothing visible; it is the fence that keeps the rest behind it.
            let length = -(self.length as i32);
            unchecked::store_i32(self.term, self.offset + FRAME_LENGTH, length, Ordering::Relaxed);
        }
        // SYNC: claimed. Who sees a byte of the frame sees its length not 0 (foreign: aeron_term_unblocker.c).
        self.term.fence(Ordering::Release);
    }

    /// Claims the frame, and writes its header but for the length to come and the reserved value. `begin` is the tail of
    /// its term when that began.
    #[inline(always)]
    pub(super) fn claim(&self, flags: u8, frame_type: u16, session_id: SessionId, stream_id: StreamId, begin: RawTail) {
        let first = (u32::from(flags) << 8 | u32::from(frame_type) << 16).to_le_bytes();
        let second = self.offset as u64 | u64::from(session_id.0 as u32) << 32;
        let third = u64::from(stream_id.0 as u32) | begin.0 as u64;
        self.claim_length();
        // SAFETY: all within the header, which lies within the term, at multiples of their sizes by the invariants;
        // the plain bytes are the holder's alone.
        unsafe {
            unchecked::write_bytes(self.term, self.offset + VERSION, &first);
            unchecked::write_bytes(self.term, self.offset + TERM_OFFSET, &second.to_le_bytes());
            unchecked::write_bytes(self.term, self.offset + STREAM_ID, &third.to_le_bytes());
        }
    }

    /// Whether the claim, made in the term `term_id`, still stands: not when the driver took its holder for dead. The
    /// length alone would not tell it from another's claim of the same length, when the log has gone round.
    #[inline(always)]
    pub(super) fn is_claimed_in(&self, term_id: TermId) -> bool {
        // Relaxed: words that the holder wrote itself, unless the claim is lost, and then nothing is read.
        // SAFETY: words of the header, within the term by the invariants.
        unsafe {
            unchecked::load_i32(self.term, self.offset + FRAME_LENGTH, Ordering::Relaxed) == -(self.length as i32)
                && unchecked::load_i32(self.term, self.offset + TERM_ID, Ordering::Relaxed) == term_id.0
        }
    }

    /// Makes the frame everyone's.
    #[inline(always)]
    pub(super) fn commit(&self) {
        // SYNC: committed. Who sees a positive length sees the whole frame.
        // SAFETY: a word of the header, within the term by the invariants.
        unsafe {
            let length = self.length as i32;
            unchecked::store_i32(self.term, self.offset + FRAME_LENGTH, length, Ordering::Release);
        }
    }

    /// Makes the frame padding, and everyone's.
    #[inline]
    pub(super) fn abort(&self) {
        self.set_frame_type(TYPE_PAD);
        self.commit();
    }

    #[inline]
    pub(super) fn payload_length(&self) -> usize {
        self.length - HEADER_LENGTH
    }

    /// Copies into the payload from `at` on.
    ///
    /// # Panics
    /// When the bytes do not fit.
    #[inline(always)]
    pub(super) fn write_payload(&self, at: usize, bytes: &[u8]) {
        let capacity = self.payload_length();
        assert!(at <= capacity && bytes.len() <= capacity - at, "payload outside its frame");
        // SAFETY: within the frame by the check, within the term by the invariants; the holder's alone.
        unsafe { unchecked::write_bytes(self.term, self.offset + HEADER_LENGTH + at, bytes) };
    }

    /// Copies the whole payload, at most [`unchecked::SHORT`] bytes, without a call.
    ///
    /// # Panics
    /// When the bytes do not fit.
    #[inline(always)]
    pub(super) fn write_short_payload(&self, bytes: &[u8]) {
        assert!(bytes.len() <= unchecked::SHORT && bytes.len() <= self.payload_length(), "payload outside its frame");
        // SAFETY: as for `write_payload`; short by the check.
        unsafe { unchecked::write_short(self.term, self.offset + HEADER_LENGTH, bytes) };
    }

    #[inline]
    pub(super) fn set_flags(&self, flags: u8) {
        self.write_header(FLAGS, [flags]);
    }

    #[inline]
    pub(super) fn flags(&self) -> u8 {
        let [flags] = self.read_header(FLAGS);
        flags
    }

    #[inline]
    pub(super) fn set_frame_type(&self, frame_type: u16) {
        self.write_header(TYPE, frame_type.to_le_bytes());
    }

    #[inline]
    pub(super) fn frame_type(&self) -> u16 {
        u16::from_le_bytes(self.read_header(TYPE))
    }

    #[inline]
    pub(super) fn set_reserved_value(&self, value: i64) {
        self.write_header(RESERVED_VALUE, value.to_le_bytes());
    }

    #[inline]
    pub(super) fn reserved_value(&self) -> i64 {
        i64::from_le_bytes(self.read_header(RESERVED_VALUE))
    }

    #[inline]
    fn write_header<const N: usize>(&self, field: usize, bytes: [u8; N]) {
        assert!(field >= VERSION && field + N <= HEADER_LENGTH);
        // SAFETY: within the header by the check, within the term by the invariants; the holder's alone.
        unsafe { unchecked::write_bytes(self.term, self.offset + field, &bytes) };
    }

    #[inline]
    fn read_header<const N: usize>(&self, field: usize) -> [u8; N] {
        assert!(field >= VERSION && field + N <= HEADER_LENGTH);
        // SAFETY: as for `write_header`.
        unsafe { unchecked::read_array(self.term, self.offset + field) }
    }
}

impl<M: Bytes> Frame<'_, M> {
    /// Header and payload, to look at before the commit; the length in the header is negative still.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: within the term by the invariants; nobody else writes a claimed frame, and the holder does so by
        // way of this value only.
        unsafe { core::slice::from_raw_parts(self.term.as_ptr().add(self.offset), self.length) }
    }

    #[inline]
    pub(super) fn payload_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `bytes`; the borrow of the value makes the slice the only one.
        unsafe {
            let payload = self.term.as_ptr().add(self.offset + HEADER_LENGTH);
            core::slice::from_raw_parts_mut(payload, self.payload_length())
        }
    }

    #[inline]
    pub(super) fn payload(&self) -> &[u8] {
        &self.bytes()[HEADER_LENGTH..]
    }
}
