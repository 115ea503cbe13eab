//! The memory that the lock-free algorithms are written over. `[any]`

use core::ptr::NonNull;

use super::Ordering;

/// Shared memory: words that are always accessed atomically, and plain bytes that a protocol hands from
/// one owner to the next.
///
/// Offsets are bytes from the start. A word is accessed at one size only, everywhere; an `i32` at a
/// multiple of 4, an `i64` at a multiple of 8.
///
/// Clones lend the same bytes.
///
/// # Panics
/// Every accessor panics when the range lies outside the memory or a word is misaligned: whoever takes an
/// offset from a peer validates it first.
///
/// # Safety
/// An implementer vouches that the length never changes, that clones and slices alias the same bytes for
/// as long as any of them lives, and that the accessors do what they say for every thread. An address, where
/// there is one, never changes, is aligned to 8, and is valid for reads and writes of the whole length.
pub unsafe trait Memory: Clone {
    /// Length in bytes.
    fn len(&self) -> usize;

    /// Whether there is no memory at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The address of the first byte, where the memory has one. The hot paths check a frame's range once and then
    /// access its words through it; memory without an address is accessed, and checked, word by word.
    #[inline]
    fn address(&self) -> Option<NonNull<u8>> {
        None
    }

    /// The same memory from `offset` on, `length` bytes of it. `offset` is a multiple of 8.
    #[must_use]
    fn slice(&self, offset: usize, length: usize) -> Self;

    /// Loads the 32-bit word at `offset`.
    fn load_i32(&self, offset: usize, order: Ordering) -> i32;
    /// Stores the 32-bit word at `offset`.
    fn store_i32(&self, offset: usize, value: i32, order: Ordering);
    /// Adds to the 32-bit word at `offset` (wrapping, sequentially consistent) and returns what it was.
    fn fetch_add_i32(&self, offset: usize, delta: i32) -> i32;
    /// Sets the 32-bit word at `offset` to `new` if it is `current` (sequentially consistent); whether it was.
    fn compare_exchange_i32(&self, offset: usize, current: i32, new: i32) -> bool;

    /// Loads the 64-bit word at `offset`.
    fn load_i64(&self, offset: usize, order: Ordering) -> i64;
    /// Stores the 64-bit word at `offset`.
    fn store_i64(&self, offset: usize, value: i64, order: Ordering);
    /// Adds to the 64-bit word at `offset` (wrapping, sequentially consistent) and returns what it was.
    fn fetch_add_i64(&self, offset: usize, delta: i64) -> i64;
    /// Sets the 64-bit word at `offset` to `new` if it is `current` (sequentially consistent); whether it was.
    fn compare_exchange_i64(&self, offset: usize, current: i64, new: i64) -> bool;

    /// Loads the byte at `offset`, a word of its own.
    fn load_u8(&self, offset: usize, order: Ordering) -> u8;
    /// Stores the byte at `offset`, a word of its own.
    fn store_u8(&self, offset: usize, value: u8, order: Ordering);

    /// A fence between the accesses before and after it.
    fn fence(&self, order: Ordering);

    /// Copies plain bytes out.
    ///
    /// # Safety
    /// Nobody writes the range meanwhile.
    unsafe fn read_bytes(&self, offset: usize, target: &mut [u8]);
    /// Copies plain bytes in.
    ///
    /// # Safety
    /// The range is the caller's alone: nobody else reads or writes it meanwhile, and no reference into it is alive.
    unsafe fn write_bytes(&self, offset: usize, source: &[u8]);
    /// Zeroes plain bytes.
    ///
    /// # Safety
    /// As for [`Memory::write_bytes`].
    unsafe fn zero(&self, offset: usize, length: usize);

    /// Copies out bytes that another may be writing at this moment, by relaxed 32-bit loads: the copy may be
    /// torn, and the caller finds out before using it. `offset` is a multiple of 4; the last word is loaded whole, so it
    /// must lie within the memory.
    fn read_racing(&self, offset: usize, target: &mut [u8]) {
        for (index, bytes) in target.chunks_mut(4).enumerate() {
            let word = self.load_i32(offset + index * 4, Ordering::Relaxed).to_le_bytes();
            bytes.copy_from_slice(&word[..bytes.len()]);
        }
    }
    /// Copies in bytes that another may be reading at this moment, by relaxed 32-bit stores; the last word is
    /// filled up with zeroes. `offset` is a multiple of 4.
    fn write_racing(&self, offset: usize, source: &[u8]) {
        let mut words = source.chunks_exact(4);
        let mut at = offset;
        for word in &mut words {
            self.store_i32(at, i32::from_le_bytes([word[0], word[1], word[2], word[3]]), Ordering::Relaxed);
            at += 4;
        }
        let rest = words.remainder();
        if !rest.is_empty() {
            let mut last = [0; 4];
            last[..rest.len()].copy_from_slice(rest);
            self.store_i32(at, i32::from_le_bytes(last), Ordering::Relaxed);
        }
    }
}

/// Memory whose bytes have an address, so that a range may be lent as a slice without a copy.
///
/// # Safety
/// The pointer is not null, aligned to 8, and stays valid for reads and writes of [`Memory::len`] bytes for as long as the
/// value or a clone of it lives.
pub unsafe trait Bytes: Memory {
    /// The first byte.
    fn as_ptr(&self) -> *mut u8;

    /// Lends a committed range.
    ///
    /// # Panics
    /// When the range lies outside the memory.
    ///
    /// # Safety
    /// Nobody writes the range while the slice lives.
    unsafe fn bytes(&self, offset: usize, length: usize) -> &[u8] {
        assert!(offset <= self.len() && length <= self.len() - offset, "range outside the memory");
        // SAFETY: in bounds by the assert, valid by the trait's contract, unwritten by the caller's.
        unsafe { core::slice::from_raw_parts(self.as_ptr().add(offset), length) }
    }

    /// Lends a claimed range.
    ///
    /// # Panics
    /// When the range lies outside the memory.
    ///
    /// # Safety
    /// The range is the caller's alone while the slice lives.
    #[allow(clippy::mut_from_ref)] // the memory is shared by design; exclusiveness is the caller's proof
    unsafe fn bytes_mut(&self, offset: usize, length: usize) -> &mut [u8] {
        assert!(offset <= self.len() && length <= self.len() - offset, "range outside the memory");
        // SAFETY: in bounds by the assert, valid by the trait's contract, exclusive by the caller's.
        unsafe { core::slice::from_raw_parts_mut(self.as_ptr().add(offset), length) }
    }
}
