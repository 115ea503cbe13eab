//! An official client that wakes up while the unblocker takes its record: it enters by a plain store.

use super::super::*;
use super::{CAPACITY, claim_and_die, words};
use crate::sync::{AtomicBuffer, Memory, Ordering};
use std::cell::Cell;
use std::rc::Rc;

/// A ring's memory, in which a negative length appears at index 0 when the word at index 8 is exchanged.
#[derive(Clone)]
struct Waking<'a> {
    memory: AtomicBuffer<'a>,
    is_asleep: Rc<Cell<bool>>,
}

// SAFETY: all of it is the buffer's own.
unsafe impl Memory for Waking<'_> {
    fn len(&self) -> usize {
        self.memory.len()
    }
    fn slice(&self, offset: usize, length: usize) -> Self {
        Waking { memory: self.memory.slice(offset, length), is_asleep: self.is_asleep.clone() }
    }
    fn load_i32(&self, offset: usize, order: Ordering) -> i32 {
        self.memory.load_i32(offset, order)
    }
    fn store_i32(&self, offset: usize, value: i32, order: Ordering) {
        self.memory.store_i32(offset, value, order);
    }
    fn fetch_add_i32(&self, offset: usize, delta: i32) -> i32 {
        self.memory.fetch_add_i32(offset, delta)
    }
    fn compare_exchange_i32(&self, offset: usize, current: i32, new: i32) -> bool {
        if offset == 8 && self.is_asleep.replace(false) {
            self.memory.store_i32(0, -24, Ordering::Release);
        }
        self.memory.compare_exchange_i32(offset, current, new)
    }
    fn load_i64(&self, offset: usize, order: Ordering) -> i64 {
        self.memory.load_i64(offset, order)
    }
    fn store_i64(&self, offset: usize, value: i64, order: Ordering) {
        self.memory.store_i64(offset, value, order);
    }
    fn fetch_add_i64(&self, offset: usize, delta: i64) -> i64 {
        self.memory.fetch_add_i64(offset, delta)
    }
    fn compare_exchange_i64(&self, offset: usize, current: i64, new: i64) -> bool {
        self.memory.compare_exchange_i64(offset, current, new)
    }
    fn load_u8(&self, offset: usize, order: Ordering) -> u8 {
        self.memory.load_u8(offset, order)
    }
    fn store_u8(&self, offset: usize, value: u8, order: Ordering) {
        self.memory.store_u8(offset, value, order);
    }
    fn fence(&self, order: Ordering) {
        self.memory.fence(order);
    }
    unsafe fn read_bytes(&self, offset: usize, target: &mut [u8]) {
        // SAFETY: by the caller's contract.
        unsafe { self.memory.read_bytes(offset, target) };
    }
    unsafe fn write_bytes(&self, offset: usize, source: &[u8]) {
        // SAFETY: by the caller's contract.
        unsafe { self.memory.write_bytes(offset, source) };
    }
    unsafe fn zero(&self, offset: usize, length: usize) {
        // SAFETY: by the caller's contract.
        unsafe { self.memory.zero(offset, length) };
    }
}

#[test]
fn is_given_its_record_back_and_sends_its_message() {
    let mut words = words(CAPACITY);
    let memory = AtomicBuffer::from_mut(&mut words);
    let plain = ManyToOneRing::new(memory).unwrap();
    let ring = ManyToOneRing::new(Waking { memory, is_asleep: Rc::new(Cell::new(true)) }).unwrap();
    let mut consumer = ring.consumer();
    claim_and_die(&plain, 24);

    assert!(!consumer.unblock(24));
    for at in [8, 16] {
        assert_eq!(plain.length_at(at), 0);
    }
    plain.memory().write_racing(8, b"late but whole!!");
    plain.set_type(0, 5);
    memory.store_i32(0, 24, Ordering::Release);
    let mut messages = 0;
    consumer.read(10, &mut [0; 64], |type_id, bytes| {
        assert_eq!((type_id, bytes), (5, &b"late but whole!!"[..]));
        messages += 1;
    });
    assert_eq!((messages, consumer.malformed_count()), (1, 0));
}
