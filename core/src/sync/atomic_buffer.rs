//! Shared memory in earnest: an address and a length. `[any]`
//!
//! Mirrors Agrona's and Aeron's `AtomicBuffer`, without their unchecked accesses.

use core::marker::PhantomData;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicI32, AtomicI64, AtomicU8, AtomicU64, fence};

use super::{Bytes, Memory, Ordering};

/// Bytes at an address, lent for `'a`, that other threads or processes may write at the same time.
///
/// Invariants: `address` is aligned to 8 and valid for reads and writes of `length` bytes during `'a`;
/// nobody holds a plain reference into it, except where a protocol has made a range theirs.
#[derive(Clone, Copy, Debug)]
pub struct AtomicBuffer<'a> {
    address: NonNull<u8>,
    length: usize,
    lent: PhantomData<&'a [AtomicU64]>,
}

// SAFETY: the type is an address of memory that is shared by nature: words are accessed atomically, and plain
// ranges only by whom the protocol on top has made their owner.
unsafe impl Send for AtomicBuffer<'_> {}
// SAFETY: as for Send.
unsafe impl Sync for AtomicBuffer<'_> {}

impl<'a> AtomicBuffer<'a> {
    /// Borrows memory by address.
    ///
    /// # Panics
    /// When `address` is null or not aligned to 8.
    ///
    /// # Safety
    /// `address` is valid for reads and writes of `length` bytes during `'a`, and nobody holds a plain
    /// reference into it.
    #[must_use]
    pub unsafe fn from_raw_parts(address: *mut u8, length: usize) -> Self {
        assert!(address.addr().is_multiple_of(8), "shared memory must be aligned to 8 bytes");
        let Some(address) = NonNull::new(address) else { panic!("shared memory at a null address") };
        AtomicBuffer { address, length, lent: PhantomData }
    }

    /// Borrows memory that has an address.
    #[must_use]
    #[inline]
    pub fn of<M: Bytes>(memory: &'a M) -> Self {
        // SAFETY: the trait's contract: not null, aligned to 8, valid for the length while the value lives.
        let address = unsafe { NonNull::new_unchecked(memory.as_ptr()) };
        AtomicBuffer { address, length: memory.len(), lent: PhantomData }
    }

    /// Borrows an array of words, a static one for instance.
    #[must_use]
    pub fn from_words(words: &'a [AtomicU64]) -> Self {
        AtomicBuffer { address: NonNull::from(words).cast(), length: size_of_val(words), lent: PhantomData }
    }

    /// Borrows plain words for as long as nobody else can see them.
    #[must_use]
    pub fn from_mut(words: &'a mut [u64]) -> Self {
        AtomicBuffer { length: size_of_val(words), address: NonNull::from(words).cast(), lent: PhantomData }
    }

    #[inline]
    fn check(&self, offset: usize, length: usize) {
        if offset > self.length || length > self.length - offset {
            outside(offset, length, self.length);
        }
    }

    #[inline]
    fn word<T>(&self, offset: usize) -> *mut T {
        self.check(offset, size_of::<T>());
        if !offset.is_multiple_of(align_of::<T>()) {
            misaligned(offset, align_of::<T>());
        }
        // SAFETY: in bounds by the check above.
        unsafe { self.address.as_ptr().add(offset).cast() }
    }

    #[inline]
    fn i32_at(&self, offset: usize) -> &'a AtomicI32 {
        // SAFETY: `word` checked bounds and alignment; the memory lives for 'a and words are only accessed atomically.
        unsafe { AtomicI32::from_ptr(self.word(offset)) }
    }

    #[inline]
    fn i64_at(&self, offset: usize) -> &'a AtomicI64 {
        // SAFETY: as for `i32_at`.
        unsafe { AtomicI64::from_ptr(self.word(offset)) }
    }

    #[inline]
    fn u8_at(&self, offset: usize) -> &'a AtomicU8 {
        // SAFETY: as for `i32_at`.
        unsafe { AtomicU8::from_ptr(self.word(offset)) }
    }
}

#[cold]
#[inline(never)]
fn outside(offset: usize, length: usize, capacity: usize) -> ! {
    panic!("{length} bytes at offset {offset} lie outside a memory of {capacity} bytes")
}

#[cold]
#[inline(never)]
fn misaligned(offset: usize, alignment: usize) -> ! {
    panic!("offset {offset} is not a multiple of {alignment}")
}

// SAFETY: the length is a field that never changes, copies alias the same address, and every accessor checks its
// range and goes through core's atomics or a plain copy.
unsafe impl Memory for AtomicBuffer<'_> {
    #[inline]
    fn len(&self) -> usize {
        self.length
    }

    #[inline]
    fn address(&self) -> Option<NonNull<u8>> {
        Some(self.address)
    }

    #[inline]
    fn slice(&self, offset: usize, length: usize) -> Self {
        self.check(offset, length);
        if !offset.is_multiple_of(8) {
            misaligned(offset, 8);
        }
        // SAFETY: in bounds by the check.
        AtomicBuffer { address: unsafe { self.address.add(offset) }, length, lent: PhantomData }
    }

    #[inline]
    fn load_i32(&self, offset: usize, order: Ordering) -> i32 {
        self.i32_at(offset).load(order)
    }

    #[inline]
    fn store_i32(&self, offset: usize, value: i32, order: Ordering) {
        self.i32_at(offset).store(value, order);
    }

    #[inline]
    fn fetch_add_i32(&self, offset: usize, delta: i32) -> i32 {
        self.i32_at(offset).fetch_add(delta, Ordering::SeqCst)
    }

    #[inline]
    fn compare_exchange_i32(&self, offset: usize, current: i32, new: i32) -> bool {
        self.i32_at(offset).compare_exchange(current, new, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    #[inline]
    fn load_i64(&self, offset: usize, order: Ordering) -> i64 {
        self.i64_at(offset).load(order)
    }

    #[inline]
    fn store_i64(&self, offset: usize, value: i64, order: Ordering) {
        self.i64_at(offset).store(value, order);
    }

    #[inline]
    fn fetch_add_i64(&self, offset: usize, delta: i64) -> i64 {
        self.i64_at(offset).fetch_add(delta, Ordering::SeqCst)
    }

    #[inline]
    fn compare_exchange_i64(&self, offset: usize, current: i64, new: i64) -> bool {
        self.i64_at(offset).compare_exchange(current, new, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    #[inline]
    fn load_u8(&self, offset: usize, order: Ordering) -> u8 {
        self.u8_at(offset).load(order)
    }

    #[inline]
    fn store_u8(&self, offset: usize, value: u8, order: Ordering) {
        self.u8_at(offset).store(value, order);
    }

    #[inline]
    fn fence(&self, order: Ordering) {
        fence(order);
    }

    #[inline]
    unsafe fn read_bytes(&self, offset: usize, target: &mut [u8]) {
        self.check(offset, target.len());
        // SAFETY: in bounds by the check; `target` is a plain exclusive borrow, so it cannot overlap shared memory;
        // nobody writes the range by the caller's contract.
        unsafe {
            self.address.as_ptr().add(offset).copy_to_nonoverlapping(target.as_mut_ptr(), target.len());
        }
    }

    #[inline]
    unsafe fn write_bytes(&self, offset: usize, source: &[u8]) {
        self.check(offset, source.len());
        // SAFETY: in bounds by the check; the range is the caller's alone by its contract, so that no source overlaps it.
        unsafe {
            self.address.as_ptr().add(offset).copy_from_nonoverlapping(source.as_ptr(), source.len());
        }
    }

    #[inline]
    unsafe fn zero(&self, offset: usize, length: usize) {
        self.check(offset, length);
        // SAFETY: in bounds by the check; the range is the caller's alone by its contract.
        unsafe { self.address.as_ptr().add(offset).write_bytes(0, length) }
    }
}

// SAFETY: by the type's invariants.
unsafe impl Bytes for AtomicBuffer<'_> {
    #[inline]
    fn as_ptr(&self) -> *mut u8 {
        self.address.as_ptr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    #[test]
    fn words_and_bytes_are_little_endian_views_of_one_memory() {
        let mut words = vec![0_u64; 4];
        let buffer = AtomicBuffer::from_mut(&mut words);
        buffer.store_i64(8, 0x0807_0605_0403_0201, Ordering::Release);
        let mut bytes = [0; 8];
        buffer.slice(8, 8).read_racing(0, &mut bytes);
        assert_eq!(bytes, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(buffer.load_i32(12, Ordering::Acquire), 0x0807_0605);
    }

    #[test]
    fn racing_copies_fill_the_last_word_with_zeroes() {
        let mut words = vec![u64::MAX; 2];
        let buffer = AtomicBuffer::from_mut(&mut words);
        buffer.write_racing(4, &[1, 2, 3, 4, 5]);
        let mut bytes = [0; 12];
        buffer.read_racing(4, &mut bytes);
        assert_eq!(bytes, [1, 2, 3, 4, 5, 0, 0, 0, 255, 255, 255, 255]);
    }

    #[test]
    fn plain_and_racing_copies_of_any_length_agree() {
        let source: [u8; 16] = core::array::from_fn(|index| index as u8 + 1);
        for length in 0..=12 {
            let (mut words, mut bytes, mut racing) = (vec![u64::MAX; 2], [0; 12], [0; 12]);
            let buffer = AtomicBuffer::from_mut(&mut words);
            // SAFETY: nobody else has the words.
            unsafe { buffer.write_bytes(4, &source[..length]) };
            buffer.read_racing(4, &mut racing[..length]);
            // SAFETY: as above.
            unsafe { buffer.read_bytes(4, &mut bytes[..length]) };
            assert_eq!((&bytes[..length], &racing[..length]), (&source[..length], &source[..length]));
            // SAFETY: as above.
            unsafe { buffer.zero(4, length) };
            buffer.read_racing(4, &mut bytes);
            assert!(bytes.iter().enumerate().all(|(index, byte)| *byte == if index < length { 0 } else { 255 }));
        }
    }

    #[test]
    #[should_panic(expected = "8 bytes at offset 12 lie outside a memory of 16 bytes")]
    fn a_word_beyond_the_end_panics() {
        AtomicBuffer::from_mut(&mut [0; 2]).load_i64(12, Ordering::Relaxed);
    }

    #[test]
    #[should_panic(expected = "offset 2 is not a multiple of 4")]
    fn a_misaligned_word_panics() {
        AtomicBuffer::from_mut(&mut [0; 2]).load_i32(2, Ordering::Relaxed);
    }

    #[test]
    #[should_panic(expected = "outside a memory")]
    fn an_offset_that_would_overflow_panics() {
        // SAFETY: nobody else has the words.
        unsafe { AtomicBuffer::from_mut(&mut [0; 2]).zero(usize::MAX, 2) };
    }
}
