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
            memory.read_bytes(offset, &mut bytes);
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
        None => memory.write_bytes(offset, source),
    }
}
