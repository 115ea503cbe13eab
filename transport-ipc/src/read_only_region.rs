//! The memory of a file that a tool looks at and cannot change. `[any]`
//!
//! A type of its own, so that a read-only mapping cannot go where a [`Region`](crate::Region) is asked for. It is
//! [`Memory`], because the readers of `gannet-core` (counters, error log, loss report) work over memory and only load;
//! its storing accessors **panic**, before they touch the mapping, which would be a SIGSEGV. It is not
//! [`Bytes`](gannet_core::sync::Bytes) and tells no address: nobody gets a pointer to write through.

use std::fmt;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU8, fence};

use gannet_core::sync::{Memory, Ordering};

use crate::region::Mapping;

/// Memory of a file, or a part of it, mapped for reading only.
///
/// # Panics
/// Every storing accessor of [`Memory`] panics, in addition to what each accessor panics on.
#[derive(Clone)]
pub struct ReadOnlyRegion {
    /// Invariant: aligned to 8, and `length` bytes from here lie in `mapping` and are readable.
    address: NonNull<u8>,
    length: usize,
    mapping: Arc<Mapping>,
}

// SAFETY: an address of shared memory that lives with the `Arc` beside it, read with atomic loads only.
unsafe impl Send for ReadOnlyRegion {}
// SAFETY: as for Send.
unsafe impl Sync for ReadOnlyRegion {}

impl ReadOnlyRegion {
    pub(crate) fn new(mapping: Mapping) -> Self {
        let Some(address) = NonNull::new(mapping.memory.as_mut_ptr()) else { panic!("a mapping at a null address") };
        ReadOnlyRegion { address, length: mapping.len(), mapping: Arc::new(mapping) }
    }

    /// The file that is mapped.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.mapping.path
    }

    #[inline]
    fn word<T>(&self, offset: usize) -> *const T {
        assert!(
            offset <= self.length && size_of::<T>() <= self.length - offset && offset.is_multiple_of(align_of::<T>()),
            "{} bytes at offset {offset} lie outside a memory of {} bytes, or are misaligned",
            size_of::<T>(),
            self.length
        );
        // SAFETY: in bounds by the assert.
        unsafe { self.address.as_ptr().add(offset).cast_const().cast() }
    }

    #[cold]
    #[inline(never)]
    fn refuse(&self) -> ! {
        panic!("{} is mapped for reading only and must not be written", self.path().display())
    }
}

impl fmt::Debug for ReadOnlyRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadOnlyRegion").field("path", &self.mapping.path).field("length", &self.length).finish()
    }
}

/// Loads a word of read-only memory: on such memory only relaxed loads are defined (core's `atomic` module), so that a
/// stronger order comes from a fence after the load.
macro_rules! load {
    ($self:ident, $offset:ident, $order:ident, $atomic:ty) => {{
        // SAFETY: `word` checked bounds and alignment; the mapping lives with `self`; words are accessed atomically
        // only.
        let value = unsafe { &*$self.word::<$atomic>($offset) }.load(Ordering::Relaxed);
        if !matches!($order, Ordering::Relaxed) {
            fence($order);
        }
        value
    }};
}

// SAFETY: length and address never change; clones and slices hold the same mapping; loads are atomic, and the others
// do nothing but panic, as the module says.
unsafe impl Memory for ReadOnlyRegion {
    #[inline]
    fn len(&self) -> usize {
        self.length
    }

    fn slice(&self, offset: usize, length: usize) -> Self {
        assert!(
            offset <= self.length && length <= self.length - offset && offset.is_multiple_of(8),
            "{length} bytes at offset {offset} lie outside a memory of {} bytes, or are misaligned",
            self.length
        );
        // SAFETY: in bounds by the assert.
        let address = unsafe { self.address.add(offset) };
        ReadOnlyRegion { address, length, mapping: Arc::clone(&self.mapping) }
    }

    #[inline]
    fn load_i32(&self, offset: usize, order: Ordering) -> i32 {
        load!(self, offset, order, AtomicI32)
    }

    fn store_i32(&self, _offset: usize, _value: i32, _order: Ordering) {
        self.refuse();
    }

    fn fetch_add_i32(&self, _offset: usize, _delta: i32) -> i32 {
        self.refuse();
    }

    fn compare_exchange_i32(&self, _offset: usize, _current: i32, _new: i32) -> bool {
        self.refuse();
    }

    #[inline]
    fn load_i64(&self, offset: usize, order: Ordering) -> i64 {
        load!(self, offset, order, AtomicI64)
    }

    fn store_i64(&self, _offset: usize, _value: i64, _order: Ordering) {
        self.refuse();
    }

    fn fetch_add_i64(&self, _offset: usize, _delta: i64) -> i64 {
        self.refuse();
    }

    fn compare_exchange_i64(&self, _offset: usize, _current: i64, _new: i64) -> bool {
        self.refuse();
    }

    #[inline]
    fn load_u8(&self, offset: usize, order: Ordering) -> u8 {
        load!(self, offset, order, AtomicU8)
    }

    fn store_u8(&self, _offset: usize, _value: u8, _order: Ordering) {
        self.refuse();
    }

    fn fence(&self, order: Ordering) {
        fence(order);
    }

    fn read_bytes(&self, offset: usize, target: &mut [u8]) {
        assert!(
            offset <= self.length && target.len() <= self.length - offset,
            "{} bytes at offset {offset} lie outside a memory of {} bytes",
            target.len(),
            self.length
        );
        // SAFETY: in bounds by the assert; `target` is exclusive and so no part of the mapping; the protocol has made
        // the range the caller's to read.
        unsafe {
            self.address.as_ptr().add(offset).copy_to_nonoverlapping(target.as_mut_ptr(), target.len());
        }
    }

    fn write_bytes(&self, _offset: usize, _source: &[u8]) {
        self.refuse();
    }

    fn zero(&self, _offset: usize, _length: usize) {
        self.refuse();
    }
}
