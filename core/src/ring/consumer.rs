//! The ring's one reader. `[conductor]`
//!
//! Mirrors `aeron_mpsc_rb_read`; cnc.md §2. Relaxed accesses here are of a record's type and message, which its length
//! orders, and of words that only the consumer writes.

use super::{HEAD_CACHE_OFFSET, HEAD_OFFSET, ManyToOneRing, PADDING_TYPE_ID, RECORD_ALIGNMENT, RECORD_HEADER_LENGTH};
use crate::position::align;
use crate::sync::{Memory, Ordering};

/// The reader of a [`ManyToOneRing`], and its unblocker.
///
/// It trusts nobody who can write the ring. It keeps its own head, and mends the shared one when a peer has changed it.
#[derive(Debug)]
pub struct Consumer<M> {
    pub(super) ring: ManyToOneRing<M>,
    pub(super) head: i64,
    tail: i64,
    malformed_count: u64,
}

/// What lies at a position below the tail. Lengths are aligned, and end neither beyond the tail nor the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// Claimed; its producer has written nothing.
    Unwritten,
    /// Its producer is writing it.
    Entered { aligned_length: usize },
    /// To be skipped.
    Padding { aligned_length: usize },
    /// To be read.
    Message { type_id: i32, length: usize, aligned_length: usize },
    /// No correct producer writes this.
    Malformed,
}

impl<M: Memory> Consumer<M> {
    pub(super) fn new(ring: ManyToOneRing<M>) -> Self {
        let head = ring.consumer_position() & !(RECORD_ALIGNMENT as i64 - 1);
        Consumer { ring, head, tail: head, malformed_count: 0 }
    }

    /// The ring that it reads.
    #[must_use]
    pub fn ring(&self) -> &ManyToOneRing<M> {
        &self.ring
    }

    /// Up to where it has read, in bytes since the ring began.
    #[must_use]
    pub fn position(&self) -> i64 {
        self.head
    }

    /// How often it found what no correct producer writes, and skipped it.
    #[must_use]
    pub fn malformed_count(&self) -> u64 {
        self.malformed_count
    }

    /// Hands at most `limit` messages to `handler`, as type id and bytes; how many it handed over.
    ///
    /// Each message is copied into `scratch` and its space given back before the handler sees it: no peer can change it
    /// any more. A type id may be any number but -1; the handler judges it. Reads at most one capacity in a call.
    ///
    /// # Malformed records
    /// A record shorter than its header, longer than a message may be, or reaching beyond the tail or the end of the
    /// buffer is skipped, and everything up to the next place from which whole records lead to the tail; if there is
    /// none, up to the tail. Of positions that cannot be (a tail before the head, beyond the capacity, not aligned), the
    /// tail is set back to the head, and the buffer zeroed. Each is counted once by [`Consumer::malformed_count`].
    ///
    /// # Panics
    /// When `scratch` is shorter than [`ManyToOneRing::max_message_length`], rounded up to 4.
    pub fn read(&mut self, limit: usize, scratch: &mut [u8], mut handler: impl FnMut(i32, &[u8])) -> usize {
        assert!(scratch.len() >= align(self.ring.max_message_length(), 4), "scratch of {} bytes", scratch.len());
        if self.ring.consumer_position() != self.head {
            self.publish_head();
        }
        let start = self.head;
        let mut messages = 0;
        while messages < limit && self.head.wrapping_sub(start) < self.ring.capacity as i64 {
            if self.head == self.tail && !self.refresh_tail() {
                break;
            }
            match self.record_at_head() {
                Record::Unwritten | Record::Entered { .. } => break,
                Record::Padding { aligned_length } => self.release(aligned_length),
                Record::Malformed => self.resynchronise(),
                Record::Message { type_id, length, aligned_length } => {
                    let index = self.ring.index(self.head);
                    let copy = &mut scratch[..align(length, 4)];
                    self.ring.memory.read_racing(index + RECORD_HEADER_LENGTH, copy);
                    self.release(aligned_length);
                    messages += 1;
                    handler(type_id, &scratch[..length]);
                }
            }
        }
        messages
    }

    /// Whether anything is claimed beyond the head, from a fresh look at the tail.
    pub(super) fn refresh_tail(&mut self) -> bool {
        self.tail = self.ring.producer_position();
        let claimed = self.tail.wrapping_sub(self.head);
        let is_boundary = claimed % RECORD_ALIGNMENT as i64 == 0;
        if !is_boundary || !(0..=self.ring.capacity as i64).contains(&claimed) {
            self.reset_tail();
        }
        self.tail != self.head
    }

    pub(super) fn tail(&self) -> i64 {
        self.tail
    }

    pub(super) fn record_at_head(&mut self) -> Record {
        // The length comes before the tail: a record that is visible lies below the tail that is loaded next.
        match self.record_at(self.head) {
            Record::Malformed if self.refresh_tail() => self.record_at(self.head),
            Record::Malformed => Record::Unwritten, // the tail was reset: nothing is claimed
            record => record,
        }
    }

    /// The record at a position from the head to below the known tail.
    fn record_at(&self, position: i64) -> Record {
        let index = self.ring.index(position);
        let room = (self.ring.capacity - index).min(self.tail.wrapping_sub(position).max(0) as usize);
        let word = self.ring.length_at(index);
        if word == 0 {
            return Record::Unwritten;
        }
        let length = word.unsigned_abs() as usize;
        let aligned_length = align(length, RECORD_ALIGNMENT);
        if length < RECORD_HEADER_LENGTH || aligned_length > room {
            return Record::Malformed;
        }
        let is_message_length = aligned_length <= self.ring.max_record_length();
        if word < 0 {
            return if is_message_length { Record::Entered { aligned_length } } else { Record::Malformed };
        }
        match self.ring.type_at(index) {
            PADDING_TYPE_ID => Record::Padding { aligned_length },
            type_id if length - RECORD_HEADER_LENGTH <= self.ring.max_message_length() => {
                Record::Message { type_id, length: length - RECORD_HEADER_LENGTH, aligned_length }
            }
            _ => Record::Malformed,
        }
    }

    /// Gives the first `length` bytes beyond the head back to the producers.
    pub(super) fn release(&mut self, length: usize) {
        let index = self.ring.index(self.head);
        let to_end = length.min(self.ring.capacity - index);
        self.zero(index, to_end);
        self.zero(0, length - to_end);
        self.head = self.head.wrapping_add(length as i64);
        self.publish_head();
    }

    /// Zeroes by words: a producer that lost its record may still be writing it.
    fn zero(&self, index: usize, length: usize) {
        for at in (index..index + length).step_by(4) {
            self.ring.memory.store_i32(at, 0, Ordering::Relaxed);
        }
    }

    fn publish_head(&self) {
        // SYNC: ring-head: the zeroes are visible to the producer that claims them next.
        self.ring.memory.store_i64(self.ring.capacity + HEAD_OFFSET, self.head, Ordering::Release);
    }

    /// Skips what is malformed at the head.
    pub(super) fn resynchronise(&mut self) {
        self.malformed_count = self.malformed_count.wrapping_add(1);
        let claimed = self.tail.wrapping_sub(self.head);
        // Bounds the search: a hostile ring can make each step follow nearly all of the records.
        let mut budget = claimed / 2;
        let mut skipped = RECORD_ALIGNMENT as i64;
        while skipped < claimed && !self.leads_to_tail(self.head.wrapping_add(skipped), &mut budget) {
            skipped = if budget > 0 { skipped + RECORD_ALIGNMENT as i64 } else { claimed };
        }
        self.release(skipped as usize); // at most the capacity
        // SYNC: ring-head. A cache beyond the head may be what broke the record.
        self.ring.memory.store_i64(self.ring.capacity + HEAD_CACHE_OFFSET, self.head, Ordering::Release);
    }

    /// Whether whole records lead from here to the known tail.
    fn leads_to_tail(&self, mut position: i64, budget: &mut i64) -> bool {
        while position != self.tail {
            *budget -= 1;
            let length = match self.record_at(position) {
                Record::Message { type_id: ..1, .. } | Record::Unwritten | Record::Malformed => return false,
                Record::Message { aligned_length, .. }
                | Record::Entered { aligned_length }
                | Record::Padding { aligned_length } => aligned_length,
            };
            if *budget <= 0 {
                return false;
            }
            position = position.wrapping_add(length as i64);
        }
        true
    }

    /// Sets a tail that cannot be back to the head.
    fn reset_tail(&mut self) {
        self.malformed_count = self.malformed_count.wrapping_add(1);
        self.zero(0, self.ring.capacity);
        // SYNC: ring-head
        self.ring.memory.store_i64(self.ring.capacity + HEAD_CACHE_OFFSET, self.head, Ordering::Release);
        // A producer or hostile peer that moves it meanwhile is judged at the next read.
        // SYNC: ring-tail
        self.ring.memory.compare_exchange_i64(self.ring.capacity + super::TAIL_OFFSET, self.tail, self.head);
        self.tail = self.head;
    }
}
