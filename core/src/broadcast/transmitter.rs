//! The writing end of a broadcast buffer. `[conductor]`
//!
//! Mirrors `aeron_broadcast_transmitter.c`; cnc.md §3. Relaxed stores here are of words that a receiver uses only after
//! it has compared them with the tail intent.

use core::fmt;

use super::{
    LATEST_OFFSET, PADDING_TYPE_ID, RECORD_ALIGNMENT, RECORD_HEADER_LENGTH, TAIL_INTENT_OFFSET, TAIL_OFFSET,
    TRAILER_LENGTH, TYPE_OFFSET, max_message_length,
};
use crate::position::align;
use crate::ring::CapacityError;
use crate::sync::{Memory, Ordering};

/// The one writer of a broadcast buffer.
#[derive(Debug)]
pub struct Transmitter<M> {
    memory: M,
    capacity: usize,
    /// Its own copy: clients can write the shared one.
    tail: i64,
}

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransmitError {
    /// The message is longer than an eighth of the capacity.
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The longest that the buffer takes.
        max: usize,
    },
    /// A type id below 1; those are the buffer's own.
    InvalidTypeId(i32),
}

impl fmt::Display for TransmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TransmitError::TooLong { length, max } => {
                write!(f, "message of {length} bytes exceeds the broadcast buffer's {max}")
            }
            TransmitError::InvalidTypeId(id) => write!(f, "message type id {id} is below 1"),
        }
    }
}

impl core::error::Error for TransmitError {}

impl<M: Memory> Transmitter<M> {
    /// The writer of the buffer in `memory`, which ends with its trailer; it goes on where the buffer's tail stands.
    ///
    /// # Errors
    /// When the memory is not a power of two plus [`TRAILER_LENGTH`].
    pub fn new(memory: M) -> Result<Self, CapacityError> {
        let capacity = CapacityError::check(memory.len(), TRAILER_LENGTH)?;
        // Relaxed: there is no other writer whose stores it would order.
        let tail = memory.load_i64(capacity + TAIL_OFFSET, Ordering::Relaxed) & !(RECORD_ALIGNMENT as i64 - 1);
        Ok(Transmitter { memory, capacity, tail })
    }

    /// Length of the records' part, in bytes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The longest message, an eighth of the capacity, in bytes.
    #[must_use]
    pub fn max_message_length(&self) -> usize {
        max_message_length(self.capacity)
    }

    /// Sends a message to everybody, over the oldest ones.
    ///
    /// # Errors
    /// As [`TransmitError`] says.
    pub fn transmit(&mut self, type_id: i32, message: &[u8]) -> Result<(), TransmitError> {
        let (length, max) = (message.len(), self.max_message_length());
        if length > max {
            return Err(TransmitError::TooLong { length, max });
        }
        if type_id < 1 {
            return Err(TransmitError::InvalidTypeId(type_id));
        }
        let record_length = length + RECORD_HEADER_LENGTH;
        let aligned_length = align(record_length, RECORD_ALIGNMENT);
        // The capacity is a power of two: the low bits of a position are its index.
        let index = self.tail as usize & (self.capacity - 1);
        let to_end = self.capacity - index;
        let padding = if aligned_length > to_end { to_end } else { 0 };
        let latest = self.tail.wrapping_add(padding as i64);
        let tail = latest.wrapping_add(aligned_length as i64);

        self.store_trailer(TAIL_INTENT_OFFSET, tail);
        // SYNC: broadcast-overwrite: whoever sees a word of what follows sees the tail intent before it.
        self.memory.fence(Ordering::Release);
        if padding > 0 {
            self.store_header(index, padding, PADDING_TYPE_ID);
        }
        let index = latest as usize & (self.capacity - 1);
        self.store_header(index, record_length, type_id);
        self.memory.write_racing(index + RECORD_HEADER_LENGTH, message);
        // SYNC: broadcast-record: the records below these positions are complete.
        self.store_trailer(LATEST_OFFSET, latest);
        self.store_trailer(TAIL_OFFSET, tail);
        self.tail = tail;
        Ok(())
    }

    fn store_header(&self, index: usize, length: usize, type_id: i32) {
        self.memory.store_i32(index, length as i32, Ordering::Relaxed); // at most 1 GiB
        self.memory.store_i32(index + TYPE_OFFSET, type_id, Ordering::Relaxed);
    }

    fn store_trailer(&self, offset: usize, position: i64) {
        self.memory.store_i64(self.capacity + offset, position, Ordering::Release);
    }
}
