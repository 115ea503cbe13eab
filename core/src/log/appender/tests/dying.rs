//! A publisher that dies in the middle of a copy.

use super::super::*;
use super::FAR;
use crate::log::reader;
use crate::log::testing::{Log, frame, initialise, properties};
use crate::log::unblocker::unblock;
use crate::sync::{AtomicBuffer, Memory, Ordering};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A log's memory, whose writer dies after its first plain copy.
#[derive(Clone)]
struct Dying<'a>(AtomicBuffer<'a>);

// SAFETY: all of it is the buffer's own.
unsafe impl Memory for Dying<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn slice(&self, offset: usize, length: usize) -> Self {
        Dying(self.0.slice(offset, length))
    }
    fn load_i32(&self, offset: usize, order: Ordering) -> i32 {
        self.0.load_i32(offset, order)
    }
    fn store_i32(&self, offset: usize, value: i32, order: Ordering) {
        self.0.store_i32(offset, value, order);
    }
    fn fetch_add_i32(&self, offset: usize, delta: i32) -> i32 {
        self.0.fetch_add_i32(offset, delta)
    }
    fn compare_exchange_i32(&self, offset: usize, current: i32, new: i32) -> bool {
        self.0.compare_exchange_i32(offset, current, new)
    }
    fn load_i64(&self, offset: usize, order: Ordering) -> i64 {
        self.0.load_i64(offset, order)
    }
    fn store_i64(&self, offset: usize, value: i64, order: Ordering) {
        self.0.store_i64(offset, value, order);
    }
    fn fetch_add_i64(&self, offset: usize, delta: i64) -> i64 {
        self.0.fetch_add_i64(offset, delta)
    }
    fn compare_exchange_i64(&self, offset: usize, current: i64, new: i64) -> bool {
        self.0.compare_exchange_i64(offset, current, new)
    }
    fn load_u8(&self, offset: usize, order: Ordering) -> u8 {
        self.0.load_u8(offset, order)
    }
    fn store_u8(&self, offset: usize, value: u8, order: Ordering) {
        self.0.store_u8(offset, value, order);
    }
    fn fence(&self, order: Ordering) {
        self.0.fence(order);
    }
    unsafe fn read_bytes(&self, offset: usize, target: &mut [u8]) {
        // SAFETY: by the caller's contract.
        unsafe { self.0.read_bytes(offset, target) };
    }
    unsafe fn write_bytes(&self, offset: usize, source: &[u8]) {
        // SAFETY: by the caller's contract.
        unsafe { self.0.write_bytes(offset, source) };
        panic!("killed");
    }
    unsafe fn zero(&self, offset: usize, length: usize) {
        // SAFETY: by the caller's contract.
        unsafe { self.0.zero(offset, length) };
    }
}

#[test]
fn a_block_whose_publisher_died_in_the_copy_is_padded_whole() {
    let mut memory = Log::new();
    let memory = memory.buffer();
    let log = initialise(&memory, &properties(), None).unwrap();
    // SAFETY: one thread has the memory, and one exclusive publisher, which is dead before the log is used otherwise.
    let dying = unsafe { LogBuffers::open(&Dying(memory)) }.unwrap();
    let mut appender = ExclusiveAppender::new(dying).unwrap();
    // What would pass for frames, were a length of 0 in front of it.
    let block = [frame(0, 40, 1), frame(96, 3, 2)].concat();
    let killed = catch_unwind(AssertUnwindSafe(|| appender.offer_block(FAR, &block)));
    assert!(killed.is_err());
    assert!(unblock(&log, Position(0)).is_unblocked());
    let polled = reader::poll(&log, Position(0), 9, |payload, _| panic!("{payload:?} was not published"));
    assert_eq!((polled.position, polled.damaged), (Position(160), false));
}
