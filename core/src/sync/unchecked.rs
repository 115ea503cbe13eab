//! Accesses of a range that the caller has checked already. `[any]`
//!
//! The same accesses as [`Memory`]'s, without its checks where the memory has an address: a frame's range is checked
//! once, then its words are touched. In a model, whose memory has no address, each access is checked.
//!
//! # Safety
//! Of every function here: the word or the range lies inside the memory, and a word's offset is a multiple of its
//! size. Plain copies need what [`Memory::read_bytes`] and [`Memory::write_bytes`] need.

use core::sync::atomic::{AtomicI32, AtomicI64};

use super::{Memory, Ordering};

macro_rules! word {
    ($memory:expr, $offset:expr, $atomic:ty, $address:ident => $direct:expr, $checked:expr) => {{
        debug_assert!($offset + size_of::<$atomic>() <= $memory.len() && $offset.is_multiple_of(size_of::<$atomic>()));
        match $memory.address() {
            Some(address) => {
                // SAFETY: inside the memory and aligned by the caller's proof and the address's alignment to 8; words
                // are accessed atomically only.
                let $address = unsafe { <$atomic>::from_ptr(address.as_ptr().add($offset).cast()) };
                $direct
            }
            None => $checked,
        }
    }};
}

/// # Safety
/// See the module.
#[inline(always)]
pub(crate) unsafe fn load_i32<M: Memory>(memory: &M, offset: usize, order: Ordering) -> i32 {
    word!(memory, offset, AtomicI32, word => word.load(order), memory.load_i32(offset, order))
}

/// # Safety
/// See the module.
#[inline(always)]
pub(crate) unsafe fn store_i32<M: Memory>(memory: &M, offset: usize, value: i32, order: Ordering) {
    word!(memory, offset, AtomicI32, word => word.store(value, order), memory.store_i32(offset, value, order));
}

/// # Safety
/// See the module.
#[inline(always)]
pub(crate) unsafe fn load_i64<M: Memory>(memory: &M, offset: usize, order: Ordering) -> i64 {
    word!(memory, offset, AtomicI64, word => word.load(order), memory.load_i64(offset, order))
}

/// # Safety
/// See the module.
#[inline(always)]
pub(crate) unsafe fn store_i64<M: Memory>(memory: &M, offset: usize, value: i64, order: Ordering) {
    word!(memory, offset, AtomicI64, word => word.store(value, order), memory.store_i64(offset, value, order));
}

/// # Safety
/// See the module.
#[inline(always)]
pub(crate) unsafe fn fetch_add_i64<M: Memory>(memory: &M, offset: usize, delta: i64) -> i64 {
    word!(memory, offset, AtomicI64, word => word.fetch_add(delta, Ordering::SeqCst), memory.fetch_add_i64(offset, delta))
}

/// Copies `N` plain bytes out.
///
/// # Safety
/// See the module.
#[inline(always)]
pub(crate) unsafe fn read_array<M: Memory, const N: usize>(memory: &M, offset: usize) -> [u8; N] {
    debug_assert!(offset + N <= memory.len());
    match memory.address() {
        // SAFETY: inside the memory by the caller's proof; bytes have no alignment.
        Some(address) => unsafe { address.as_ptr().add(offset).cast::<[u8; N]>().read() },
        None => {
            let mut bytes = [0; N];
            // SAFETY: by the caller's contract.
            unsafe { memory.read_bytes(offset, &mut bytes) };
            bytes
        }
    }
}

/// Copies plain bytes in.
///
/// # Safety
/// See the module.
#[inline(always)]
pub(crate) unsafe fn write_bytes<M: Memory>(memory: &M, offset: usize, source: &[u8]) {
    debug_assert!(offset + source.len() <= memory.len());
    match memory.address() {
        // SAFETY: inside the memory by the caller's proof; the range is the caller's alone, so that a source lent from
        // the same memory, which is committed, does not overlap it.
        Some(address) => unsafe {
            address.as_ptr().add(offset).copy_from_nonoverlapping(source.as_ptr(), source.len());
        },
        // SAFETY: by the caller's contract.
        None => unsafe { memory.write_bytes(offset, source) },
    }
}

/// The longest range that [`write_short`] copies.
pub(crate) const SHORT: usize = 64;

/// Copies at most [`SHORT`] plain bytes in, without a call: short messages are most messages, and a call costs the hot
/// path its registers. Each length is two copies of one size that overlap in the middle.
///
/// # Safety
/// See the module; no more than [`SHORT`] bytes.
#[inline(always)]
pub(crate) unsafe fn write_short<M: Memory>(memory: &M, offset: usize, source: &[u8]) {
    /// Copies `N` bytes at the beginning and `N` at the end.
    ///
    /// # Safety
    /// Both ranges are valid for `length` bytes, from `N` to `2 * N`, and do not overlap.
    #[inline(always)]
    unsafe fn ends<const N: usize>(from: *const u8, to: *mut u8, length: usize) {
        // SAFETY: both pieces lie within `length` bytes by the caller's contract; arrays of bytes have no alignment.
        unsafe {
            let (first, last) = (from.cast::<[u8; N]>().read(), from.add(length - N).cast::<[u8; N]>().read());
            to.cast::<[u8; N]>().write(first);
            to.add(length - N).cast::<[u8; N]>().write(last);
        }
    }
    let length = source.len();
    debug_assert!(length <= SHORT && offset + length <= memory.len());
    let Some(address) = memory.address() else {
        // SAFETY: by the caller's contract.
        return unsafe { memory.write_bytes(offset, source) };
    };
    let from = source.as_ptr();
    // SAFETY: inside the memory by the caller's proof, which the source does not overlap, see `write_bytes`; each
    // length is between one and two pieces.
    unsafe {
        let to = address.as_ptr().add(offset);
        match length {
            33.. => ends::<32>(from, to, length),
            17.. => ends::<16>(from, to, length),
            9.. => ends::<8>(from, to, length),
            5.. => ends::<4>(from, to, length),
            3.. => ends::<2>(from, to, length),
            1.. => ends::<1>(from, to, length),
            0 => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::AtomicBuffer;
    use std::vec::Vec;

    #[test]
    fn every_short_length_is_copied_whole_and_nothing_else() {
        let source: Vec<u8> = (1..=64).collect();
        for length in 0..=SHORT {
            let mut words = [0_u64; 16];
            let memory = AtomicBuffer::from_mut(&mut words);
            // SAFETY: at most 64 bytes from 32 on, of 128.
            unsafe { write_short(&memory, 32, &source[..length]) };
            let mut copied = [0; 128];
            memory.read_racing(0, &mut copied);
            assert_eq!(copied[32..32 + length], source[..length]);
            assert!(copied[..32].iter().chain(&copied[32 + length..]).all(|byte| *byte == 0));
        }
    }
}
