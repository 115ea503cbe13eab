//! Shared memory that can only be looked at. `[any]`

use core::marker::PhantomData;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicI32, AtomicI64, AtomicU8, AtomicU64, Ordering, fence};

/// Bytes at an address, lent for `'a`, that this process cannot write and that others may write at the same time: what
/// a mapping for reading only is made of. Not [`Memory`](super::Memory), which can be written.
///
/// Of read-only memory only relaxed atomic loads are defined (core's `atomic` module), so that a stronger order comes
/// from a fence behind the load.
///
/// # Panics
/// Every accessor panics when the range lies outside the memory or a word is misaligned.
///
/// Invariants: `address` is aligned to 8 and valid for reads of `length` bytes during `'a`; nobody holds a plain
/// reference into it.
#[derive(Clone, Copy, Debug)]
pub struct ReadOnlyBuffer<'a> {
    address: NonNull<u8>,
    length: usize,
    lent: PhantomData<&'a [AtomicU64]>,
}

// SAFETY: the type is an address of memory that is shared by nature, and only read, by atomic loads or, where a
// protocol has made a range the reader's, by a plain copy.
unsafe impl Send for ReadOnlyBuffer<'_> {}
// SAFETY: as for Send.
unsafe impl Sync for ReadOnlyBuffer<'_> {}

impl<'a> ReadOnlyBuffer<'a> {
    /// Borrows memory by address.
    ///
    /// # Panics
    /// When `address` is null or not aligned to 8.
    ///
    /// # Safety
    /// `address` is valid for reads of `length` bytes during `'a`, and nobody holds a plain reference into it that is
    /// written through.
    #[must_use]
    pub unsafe fn from_raw_parts(address: *const u8, length: usize) -> Self {
        assert!(address.addr().is_multiple_of(8), "shared memory must be aligned to 8 bytes");
        let Some(address) = NonNull::new(address.cast_mut()) else { panic!("shared memory at a null address") };
        ReadOnlyBuffer { address, length, lent: PhantomData }
    }

    /// Length in bytes.
    #[must_use]
    #[inline]
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether there is no memory at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The same memory from `offset`, a multiple of 8, on, `length` bytes of it.
    #[must_use]
    pub fn slice(&self, offset: usize, length: usize) -> Self {
        self.check(offset, length, 8);
        // SAFETY: in bounds by the check.
        ReadOnlyBuffer { address: unsafe { self.address.add(offset) }, length, lent: PhantomData }
    }

    /// Loads the 32-bit word at `offset`.
    #[must_use]
    #[inline]
    pub fn load_i32(&self, offset: usize, order: Ordering) -> i32 {
        let word = self.word::<AtomicI32>(offset).load(Ordering::Relaxed);
        ordered(word, order)
    }

    /// Loads the 64-bit word at `offset`.
    #[must_use]
    #[inline]
    pub fn load_i64(&self, offset: usize, order: Ordering) -> i64 {
        let word = self.word::<AtomicI64>(offset).load(Ordering::Relaxed);
        ordered(word, order)
    }

    /// Loads the byte at `offset`, a word of its own.
    #[must_use]
    #[inline]
    pub fn load_u8(&self, offset: usize, order: Ordering) -> u8 {
        let word = self.word::<AtomicU8>(offset).load(Ordering::Relaxed);
        ordered(word, order)
    }

    /// A fence between the accesses before and after it.
    #[inline]
    pub fn fence(&self, order: Ordering) {
        fence(order);
    }

    /// Copies plain bytes out.
    ///
    /// # Safety
    /// Nobody writes the range meanwhile.
    pub unsafe fn read_bytes(&self, offset: usize, target: &mut [u8]) {
        self.check(offset, target.len(), 1);
        // SAFETY: in bounds by the check; `target` is a plain exclusive borrow, so it cannot overlap shared memory;
        // nobody writes the range by the caller's contract.
        unsafe {
            self.address.as_ptr().add(offset).copy_to_nonoverlapping(target.as_mut_ptr(), target.len());
        }
    }

    #[inline]
    fn check(&self, offset: usize, length: usize, alignment: usize) {
        assert!(
            offset <= self.length && length <= self.length - offset,
            "{length} bytes at offset {offset} lie outside a memory of {} bytes",
            self.length
        );
        assert!(offset.is_multiple_of(alignment), "offset {offset} is not a multiple of {alignment}");
    }

    /// `T` is one of the atomics of this file.
    #[inline]
    fn word<T>(&self, offset: usize) -> &'a T {
        self.check(offset, size_of::<T>(), align_of::<T>());
        // SAFETY: in bounds and aligned by the check; the memory lives for 'a, and words are only accessed atomically.
        unsafe { &*self.address.as_ptr().add(offset).cast_const().cast() }
    }
}

/// Orders what comes behind a load.
#[inline]
fn ordered<T>(word: T, order: Ordering) -> T {
    if !matches!(order, Ordering::Relaxed) {
        fence(order);
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(words: &[u64]) -> ReadOnlyBuffer<'_> {
        // SAFETY: nobody writes the words while they are lent.
        unsafe { ReadOnlyBuffer::from_raw_parts(words.as_ptr().cast(), size_of_val(words)) }
    }

    #[test]
    fn words_and_bytes_are_little_endian_views_of_one_memory() {
        let words = [0, 0x0807_0605_0403_0201, 0];
        let buffer = buffer(&words).slice(8, 16);
        assert_eq!(buffer.load_i64(0, Ordering::Acquire), 0x0807_0605_0403_0201);
        assert_eq!(buffer.load_i32(4, Ordering::SeqCst), 0x0807_0605);
        assert_eq!(buffer.load_u8(2, Ordering::Relaxed), 3);
        let mut bytes = [0; 3];
        // SAFETY: nobody writes the words.
        unsafe { buffer.read_bytes(5, &mut bytes) };
        assert_eq!(bytes, [6, 7, 8]);
        assert_eq!((buffer.len(), buffer.is_empty()), (16, false));
    }

    #[test]
    #[should_panic(expected = "8 bytes at offset 16 lie outside a memory of 16 bytes")]
    fn a_word_beyond_the_end_panics() {
        let _ = buffer(&[0; 2]).load_i64(16, Ordering::Relaxed);
    }

    #[test]
    #[should_panic(expected = "offset 2 is not a multiple of 4")]
    fn a_misaligned_word_panics() {
        let _ = buffer(&[0; 2]).load_i32(2, Ordering::Relaxed);
    }

    #[test]
    #[should_panic(expected = "lie outside a memory")]
    fn an_offset_that_would_overflow_panics() {
        // SAFETY: nobody writes the words.
        unsafe { buffer(&[0; 2]).read_bytes(usize::MAX, &mut [0; 2]) };
    }
}
