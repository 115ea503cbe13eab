//! A reading end of a broadcast buffer. `[client]`
//!
//! Mirrors `aeron_broadcast_receiver.{h,c}` and Agrona's `CopyBroadcastReceiver`; cnc.md §3. Writes nothing, so it works
//! on a file that is mapped for reading, and survives any contents. Relaxed loads here are of words that are used only
//! after a look at the tail intent.

use core::fmt;

use super::{
    LATEST_OFFSET, PADDING_TYPE_ID, RECORD_ALIGNMENT, RECORD_HEADER_LENGTH, TAIL_INTENT_OFFSET, TAIL_OFFSET,
    TRAILER_LENGTH, TYPE_OFFSET, max_message_length,
};
use crate::position::align;
use crate::ring::CapacityError;
use crate::sync::{Memory, Ordering};

/// A reader of a broadcast buffer, at its own pace.
#[derive(Debug)]
pub struct Receiver<M> {
    memory: M,
    capacity: usize,
    next: i64,
    lapped_count: u64,
}

/// Why no message was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiveError {
    /// The transmitter has overwritten messages that were not yet received. The receiver goes on with the latest one.
    Lapped,
    /// What stands in the buffer was not written by a transmitter. The receiver goes on with what is sent from now on.
    Malformed {
        /// Where, in bytes since the buffer began.
        position: i64,
    },
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The peer's words, which its users know.
            ReceiveError::Lapped => f.write_str("unable to keep up with broadcast"),
            ReceiveError::Malformed { position } => {
                write!(f, "the broadcast buffer is damaged at position {position}")
            }
        }
    }
}

impl core::error::Error for ReceiveError {}

/// A record that may have been overwritten while it was looked at.
struct Header {
    position: i64,
    type_id: i32,
    length: usize,
}

impl<M: Memory> Receiver<M> {
    /// A reader of the buffer in `memory`, which ends with its trailer. It starts with the latest message there is, as
    /// the peer does.
    ///
    /// # Errors
    /// When the memory is not a power of two plus [`TRAILER_LENGTH`].
    pub fn new(memory: M) -> Result<Self, CapacityError> {
        let capacity = CapacityError::check(memory.len(), TRAILER_LENGTH)?;
        let mut receiver = Receiver { memory, capacity, next: 0, lapped_count: 0 };
        receiver.next = receiver.trailer(LATEST_OFFSET);
        Ok(receiver)
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

    /// How often it was too slow.
    #[must_use]
    pub fn lapped_count(&self) -> u64 {
        self.lapped_count
    }

    /// Hands the next message to `handler`, as type id and bytes, copied into `scratch`; how many (0 or 1).
    ///
    /// # Errors
    /// As [`ReceiveError`] says. Messages were lost: a client that waits for an answer cannot go on.
    ///
    /// # Panics
    /// When `scratch` is shorter than [`Receiver::max_message_length`], rounded up to 4.
    pub fn receive(&mut self, scratch: &mut [u8], handler: impl FnOnce(i32, &[u8])) -> Result<usize, ReceiveError> {
        assert!(scratch.len() >= align(self.max_message_length(), 4), "scratch of {} bytes", scratch.len());
        match self.copy_next(scratch) {
            Ok(None) => Ok(0),
            Ok(Some((type_id, length))) => {
                handler(type_id, &scratch[..length]);
                Ok(1)
            }
            Err(error) => {
                self.next = match error {
                    ReceiveError::Lapped => {
                        self.lapped_count = self.lapped_count.wrapping_add(1);
                        self.trailer(LATEST_OFFSET)
                    }
                    ReceiveError::Malformed { .. } => self.trailer(TAIL_OFFSET),
                };
                Err(error)
            }
        }
    }

    fn copy_next(&mut self, scratch: &mut [u8]) -> Result<Option<(i32, usize)>, ReceiveError> {
        // SYNC: broadcast-record (here and in aeron_broadcast_transmitter.c).
        let tail = self.trailer(TAIL_OFFSET);
        if tail.wrapping_sub(self.next) <= 0 {
            return Ok(None);
        }
        let mut header = self.header(self.next, tail)?;
        if header.type_id == PADDING_TYPE_ID {
            let next = header.position.wrapping_add(header.length as i64);
            if self.index(next) != 0 {
                return Err(self.error_at(header.position));
            }
            header = self.header(next, tail)?;
        }
        if header.length - RECORD_HEADER_LENGTH > self.max_message_length() || header.type_id == PADDING_TYPE_ID {
            return Err(self.error_at(header.position));
        }
        let length = header.length - RECORD_HEADER_LENGTH;
        let message = self.index(header.position) + RECORD_HEADER_LENGTH;
        self.memory.read_racing(message, &mut scratch[..align(length, 4)]);
        if self.is_overwritten(header.position) {
            return Err(ReceiveError::Lapped);
        }
        self.next = header.position.wrapping_add(align(header.length, RECORD_ALIGNMENT) as i64);
        Ok(Some((header.type_id, length)))
    }

    /// The header of the record at a position, if it ends neither beyond the tail nor beyond the buffer.
    fn header(&self, position: i64, tail: i64) -> Result<Header, ReceiveError> {
        let index = self.index(position);
        let room = tail.wrapping_sub(position).min((self.capacity - index) as i64);
        if room < RECORD_HEADER_LENGTH as i64 || !index.is_multiple_of(RECORD_ALIGNMENT) {
            return Err(self.error_at(position));
        }
        let length = self.memory.load_i32(index, Ordering::Relaxed);
        let type_id = self.memory.load_i32(index + TYPE_OFFSET, Ordering::Relaxed);
        match usize::try_from(length) {
            Ok(length) if length >= RECORD_HEADER_LENGTH && align(length, RECORD_ALIGNMENT) as i64 <= room => {
                Ok(Header { position, type_id, length })
            }
            _ => Err(self.error_at(position)),
        }
    }

    /// Why what was just loaded from the record at a position makes no sense.
    fn error_at(&self, position: i64) -> ReceiveError {
        if self.is_overwritten(position) { ReceiveError::Lapped } else { ReceiveError::Malformed { position } }
    }

    /// Whether the transmitter may have overwritten the record at a position before its words were loaded.
    fn is_overwritten(&self, position: i64) -> bool {
        // SYNC: broadcast-overwrite (here and in aeron_broadcast_transmitter.c)
        self.memory.fence(Ordering::Acquire);
        self.trailer(TAIL_INTENT_OFFSET).wrapping_sub(position) >= self.capacity as i64
    }

    fn index(&self, position: i64) -> usize {
        position as usize & (self.capacity - 1)
    }

    fn trailer(&self, offset: usize) -> i64 {
        self.memory.load_i64(self.capacity + offset, Ordering::Acquire)
    }
}
