//! The ring as producers and observers see it. `[any]`
//!
//! Mirrors `aeron_mpsc_rb.c` (`aeron_mpsc_rb_claim_capacity`, `_write`, `_try_claim`); cnc.md §2. Reading is
//! [`Consumer`]'s. Relaxed accesses here are of a record's type and payload, which its length orders.

use core::fmt;

use super::{
    CONSUMER_HEARTBEAT_OFFSET, CORRELATION_COUNTER_OFFSET, CapacityError, Claim, Consumer, HEAD_CACHE_OFFSET,
    HEAD_OFFSET, PADDING_TYPE_ID, RECORD_ALIGNMENT, RECORD_HEADER_LENGTH, TAIL_OFFSET, TAKEN_AWAY, TRAILER_LENGTH,
    TYPE_OFFSET,
};
use crate::position::align;
use crate::sync::{Memory, Ordering};

/// A ring that many threads and processes write messages to, and one reads.
///
/// Clones are handles to the same ring.
#[derive(Clone, Debug)]
pub struct ManyToOneRing<M> {
    pub(super) memory: M,
    pub(super) capacity: usize,
}

/// Why a message was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// The consumer has not made room yet: try again.
    Full,
    /// The message is longer than an eighth of the capacity.
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The longest that the ring takes.
        max: usize,
    },
    /// A type id below 1; those are the ring's own.
    InvalidTypeId(i32),
    /// The consumer took this producer for dead and gave its record away; the message was not sent.
    ClaimLost,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::Full => f.write_str("the ring is full: its consumer does not keep up"),
            WriteError::TooLong { length, max } => write!(f, "message of {length} bytes exceeds the ring's {max}"),
            WriteError::InvalidTypeId(id) => write!(f, "message type id {id} is below 1"),
            WriteError::ClaimLost => f.write_str("the consumer gave this record away: its producer paused too long"),
        }
    }
}

impl core::error::Error for WriteError {}

impl<M: Memory> ManyToOneRing<M> {
    /// A handle to the ring in `memory`, which ends with its trailer. Writes nothing.
    ///
    /// # Errors
    /// When the memory is not a power of two plus [`TRAILER_LENGTH`].
    pub fn new(memory: M) -> Result<Self, CapacityError> {
        let capacity = CapacityError::check(memory.len(), TRAILER_LENGTH)?;
        Ok(ManyToOneRing { memory, capacity })
    }

    /// The memory that it lies in.
    #[must_use]
    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// Length of the records' part, in bytes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The longest message, an eighth of the capacity, in bytes.
    #[must_use]
    pub fn max_message_length(&self) -> usize {
        if self.capacity == RECORD_HEADER_LENGTH { 0 } else { self.capacity / 8 }
    }

    /// The one reader of this ring.
    ///
    /// Only one may be in use at a time, over all processes.
    #[must_use]
    pub fn consumer(&self) -> Consumer<M> {
        Consumer::new(self.clone())
    }

    /// Copies a message into the ring.
    ///
    /// # Errors
    /// As [`WriteError`] says. After `ClaimLost` the message was not sent.
    pub fn write(&self, type_id: i32, message: &[u8]) -> Result<(), WriteError> {
        let (position, length) = self.claim(type_id, message.len())?;
        self.memory.write_racing(self.index(position) + RECORD_HEADER_LENGTH, message);
        self.commit(position, length, type_id)
    }

    /// Claims space for a message of `length` bytes, to be filled and committed.
    ///
    /// # Errors
    /// As [`WriteError`] says.
    pub fn try_claim(&self, type_id: i32, length: usize) -> Result<Claim<'_, M>, WriteError> {
        let (position, _) = self.claim(type_id, length)?;
        Ok(Claim::new(self, position, length, type_id))
    }

    /// The next id for a command or a resource, unique among all clients of the driver.
    #[must_use]
    pub fn next_correlation_id(&self) -> i64 {
        self.memory.fetch_add_i64(self.capacity + CORRELATION_COUNTER_OFFSET, 1)
    }

    /// When the consumer was last alive, in epoch milliseconds; 0 before it starts, -1 after it has closed.
    #[must_use]
    pub fn consumer_heartbeat_ms(&self) -> i64 {
        // SYNC: consumer-heartbeat (here and in aeron_mpsc_rb.c): what the driver set up before it was alive is visible.
        self.memory.load_i64(self.capacity + CONSUMER_HEARTBEAT_OFFSET, Ordering::Acquire)
    }

    /// Says that the consumer is alive at this time, in epoch milliseconds; -1 that it has closed.
    pub fn set_consumer_heartbeat_ms(&self, now_ms: i64) {
        // SYNC: consumer-heartbeat
        self.memory.store_i64(self.capacity + CONSUMER_HEARTBEAT_OFFSET, now_ms, Ordering::Release);
    }

    /// Up to where producers have claimed, in bytes since the ring began.
    #[must_use]
    pub fn producer_position(&self) -> i64 {
        // SYNC: ring-tail: with the tail, that a claimed record's index holds zeroes or its producer's length.
        self.memory.load_i64(self.capacity + TAIL_OFFSET, Ordering::Acquire)
    }

    /// Up to where the consumer has read, in bytes since the ring began.
    #[must_use]
    pub fn consumer_position(&self) -> i64 {
        // SYNC: ring-head: with the head, that what lies before it is zeroed and free.
        self.memory.load_i64(self.capacity + HEAD_OFFSET, Ordering::Acquire)
    }

    /// How many bytes are claimed and unread at this moment.
    #[must_use]
    pub fn size(&self) -> usize {
        let mut head = self.consumer_position();
        // A hostile peer may keep the head moving: a few attempts, then an estimate.
        for _ in 0..8 {
            let size = self.producer_position().wrapping_sub(head);
            let after = self.consumer_position();
            if after == head {
                return usize::try_from(size).unwrap_or(0).min(self.capacity);
            }
            head = after;
        }
        usize::try_from(self.producer_position().wrapping_sub(head)).unwrap_or(0).min(self.capacity)
    }

    pub(super) fn index(&self, position: i64) -> usize {
        // The capacity is a power of two: the low bits of a position are its index.
        position as usize & (self.capacity - 1)
    }

    pub(super) fn max_record_length(&self) -> usize {
        align(self.max_message_length() + RECORD_HEADER_LENGTH, RECORD_ALIGNMENT)
    }

    pub(super) fn length_at(&self, index: usize) -> i32 {
        // SYNC: record-length (here and in aeron_mpsc_rb.c): the record's type and message are visible with its length.
        self.memory.load_i32(index, Ordering::Acquire)
    }

    pub(super) fn type_at(&self, index: usize) -> i32 {
        self.memory.load_i32(index + TYPE_OFFSET, Ordering::Relaxed)
    }

    pub(super) fn set_type(&self, index: usize, type_id: i32) {
        self.memory.store_i32(index + TYPE_OFFSET, type_id, Ordering::Relaxed);
    }

    /// Claims a record and enters it; its position and its length with the header.
    fn claim(&self, type_id: i32, message_length: usize) -> Result<(i64, i32), WriteError> {
        let max = self.max_message_length();
        if message_length > max {
            return Err(WriteError::TooLong { length: message_length, max });
        }
        if type_id < 1 {
            return Err(WriteError::InvalidTypeId(type_id));
        }
        let length = message_length + RECORD_HEADER_LENGTH;
        let position = self.claim_space(length)?;
        let length = length as i32; // at most an eighth of 1 GiB and a header
        if self.enter(position, length) { Ok((position, length)) } else { Err(WriteError::ClaimLost) }
    }

    /// Moves the tail past a record of this length, padding before it included; the record's position.
    pub(super) fn claim_space(&self, record_length: usize) -> Result<i64, WriteError> {
        let required = align(record_length, RECORD_ALIGNMENT);
        // SYNC: ring-head, handed on by the producer that stored it.
        let mut head = self.memory.load_i64(self.capacity + HEAD_CACHE_OFFSET, Ordering::Acquire);
        loop {
            let tail = self.producer_position();
            let to_end = self.capacity - self.index(tail);
            let padding = if required > to_end { to_end } else { 0 };
            let needed = required + padding;
            if !self.has_room(tail, head, needed) {
                head = self.consumer_position();
                if !self.has_room(tail, head, needed) {
                    return Err(WriteError::Full);
                }
                // SYNC: ring-head, handed on to the next producer.
                self.memory.store_i64(self.capacity + HEAD_CACHE_OFFSET, head, Ordering::Release);
            }
            // SYNC: ring-tail
            if self.memory.compare_exchange_i64(self.capacity + TAIL_OFFSET, tail, tail.wrapping_add(needed as i64)) {
                if padding != 0 {
                    self.write_padding(tail, padding);
                }
                return Ok(tail.wrapping_add(padding as i64));
            }
        }
    }

    /// Whether `needed` bytes are free; never, when a foreign write has left positions that cannot be.
    fn has_room(&self, tail: i64, head: i64, needed: usize) -> bool {
        let (used, capacity) = (tail.wrapping_sub(head), self.capacity as i64);
        (0..=capacity).contains(&used)
            && capacity - used >= needed as i64
            && self.index(tail).is_multiple_of(RECORD_ALIGNMENT)
    }

    fn write_padding(&self, position: i64, padding: usize) {
        let length = padding as i32; // less than the longest record
        // A padding that the consumer gave away is padded; the record behind it is entered on its own account.
        if self.enter(position, length) {
            let _ = self.commit(position, length, PADDING_TYPE_ID);
        }
    }

    /// Marks a claimed record as being written; whether it is still this producer's.
    pub(super) fn enter(&self, position: i64, length: i32) -> bool {
        let index = self.index(position);
        // SYNC: record-length
        if !self.memory.compare_exchange_i32(index, 0, -length) {
            // Taken away at this moment; or else what a late or hostile producer left here: it is overwritten.
            let rubbish = self.length_at(index);
            if rubbish == TAKEN_AWAY || !self.memory.compare_exchange_i32(index, rubbish, -length) {
                return false;
            }
        }
        // What was replaced may be the zero of a record taken away and freed long ago.
        if self.consumer_position().wrapping_sub(position) > 0 {
            self.memory.compare_exchange_i32(index, -length, 0);
            return false;
        }
        // SYNC: record-entered (aeron_mpsc_rb.c, scan_back_to_confirm_still_zeroed): the official driver's unblocker, when
        // it sees a word of the payload, sees the negative length too.
        self.memory.fence(Ordering::Release);
        true
    }

    /// Publishes an entered record, unless the consumer has taken it away.
    pub(super) fn commit(&self, position: i64, length: i32, type_id: i32) -> Result<(), WriteError> {
        let index = self.index(position);
        // A record taken away is left alone. One taken away between here and the exchange gets a type id where no
        // length ever lies, and whoever owns it next writes its own before it commits.
        if self.length_at(index) != -length {
            return Err(WriteError::ClaimLost);
        }
        self.set_type(index, type_id);
        // SYNC: record-length
        if self.memory.compare_exchange_i32(index, -length, length) { Ok(()) } else { Err(WriteError::ClaimLost) }
    }
}
