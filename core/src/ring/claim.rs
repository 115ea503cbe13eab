//! A claimed record, being written. `[any]`
//!
//! Mirrors `aeron_mpsc_rb_commit` and `aeron_mpsc_rb_abort`.

use core::ops::Range;

use super::{ManyToOneRing, PADDING_TYPE_ID, RECORD_HEADER_LENGTH, WriteError};
use crate::sync::{Memory, Ordering};

/// Space for one message in a ring; dropped without a commit it becomes padding.
#[derive(Debug)]
pub struct Claim<'a, M: Memory> {
    ring: &'a ManyToOneRing<M>,
    position: i64,
    length: usize,
    type_id: i32,
    open: bool,
}

impl<'a, M: Memory> Claim<'a, M> {
    pub(super) fn new(ring: &'a ManyToOneRing<M>, position: i64, length: usize, type_id: i32) -> Self {
        ring.set_type(ring.index(position), type_id);
        Claim { ring, position, length, type_id, open: true }
    }

    /// Copies a part of the message to `offset` bytes from its start. What is never written is zero.
    ///
    /// # Panics
    /// When the part lies outside the claimed length.
    pub fn write(&mut self, offset: usize, bytes: &[u8]) {
        let Range { start, end } = offset..offset.saturating_add(bytes.len());
        assert!(end <= self.length, "bytes {start} to {end} lie outside a claim of {} bytes", self.length);
        let memory = &self.ring.memory;
        let message = self.ring.index(self.position) + RECORD_HEADER_LENGTH;
        // Words that the part covers by less than four bytes keep the rest; the record is this producer's alone.
        for word in (start / 4 * 4..end).step_by(4) {
            let mut le = memory.load_i32(message + word, Ordering::Relaxed).to_le_bytes();
            for (at, byte) in le.iter_mut().enumerate() {
                if let Some(index) = (word + at).checked_sub(start)
                    && let Some(new) = bytes.get(index)
                {
                    *byte = *new;
                }
            }
            memory.store_i32(message + word, i32::from_le_bytes(le), Ordering::Relaxed);
        }
    }

    /// Sends the message.
    ///
    /// # Errors
    /// `ClaimLost` when the consumer took this producer for dead and gave the record away.
    pub fn commit(mut self) -> Result<(), WriteError> {
        self.open = false;
        self.ring.commit(self.position, self.record_length(), self.type_id)
    }

    /// Gives the space up; the consumer skips it.
    pub fn abort(self) {
        drop(self);
    }

    fn record_length(&self) -> i32 {
        (self.length + RECORD_HEADER_LENGTH) as i32 // checked when claimed
    }
}

impl<M: Memory> Drop for Claim<'_, M> {
    fn drop(&mut self) {
        if self.open {
            // A claim that was lost is padding already.
            let _ = self.ring.commit(self.position, self.record_length(), PADDING_TYPE_ID);
        }
    }
}
