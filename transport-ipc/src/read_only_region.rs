//! The memory of a file that a tool looks at and cannot change. `[any]`
//!
//! A type of its own, so that a read-only mapping cannot go where a [`Region`](crate::Region) is asked for. It is
//! [`Memory`], because the readers of `gannet-core` (counters, error log, loss report) work over memory and only load;
//! its storing accessors **panic**, before they touch the mapping, which would be a SIGSEGV. It is not
//! [`Bytes`](gannet_core::sync::Bytes) and tells no address: nobody gets a pointer to write through.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use gannet_core::sync::{Memory, Ordering, ReadOnlyBuffer};

use crate::region::Mapping;

/// Memory of a file, or a part of it, mapped for reading only.
///
/// # Panics
/// Every storing accessor of [`Memory`] panics, in addition to what each accessor panics on.
#[derive(Clone)]
pub struct ReadOnlyRegion {
    /// Invariant: lies in `mapping`, which is readable and moves only with the last region; never handed out, so that
    /// nothing outlives `mapping` on the strength of its `'static`.
    words: ReadOnlyBuffer<'static>,
    mapping: Arc<Mapping>,
}

impl ReadOnlyRegion {
    /// The whole of a mapping.
    pub(crate) fn new(mapping: Mapping) -> Self {
        let (address, length) = (mapping.memory.as_ptr(), mapping.len());
        // SAFETY: a mapping is aligned to a page and readable, and lives as long as the `Arc` beside it; nobody holds
        // plain references into it.
        let words = unsafe { ReadOnlyBuffer::from_raw_parts(address, length) };
        ReadOnlyRegion { words, mapping: Arc::new(mapping) }
    }

    /// The file that is mapped.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.mapping.path
    }

    #[cold]
    #[inline(never)]
    fn refuse(&self) -> ! {
        panic!("{} is mapped for reading only and must not be written", self.path().display())
    }
}

impl fmt::Debug for ReadOnlyRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadOnlyRegion")
            .field("path", &self.mapping.path)
            .field("length", &self.words.len())
            .finish_non_exhaustive()
    }
}

// SAFETY: the length is the buffer's, which never changes; clones and slices hold the same mapping and therefore alias
// the same bytes for as long as any of them lives; loads are the buffer's, and the others do nothing but panic, as the
// module says.
unsafe impl Memory for ReadOnlyRegion {
    #[inline]
    fn len(&self) -> usize {
        self.words.len()
    }

    fn slice(&self, offset: usize, length: usize) -> Self {
        ReadOnlyRegion { words: self.words.slice(offset, length), mapping: Arc::clone(&self.mapping) }
    }

    #[inline]
    fn load_i32(&self, offset: usize, order: Ordering) -> i32 {
        self.words.load_i32(offset, order)
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
        self.words.load_i64(offset, order)
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
        self.words.load_u8(offset, order)
    }

    fn store_u8(&self, _offset: usize, _value: u8, _order: Ordering) {
        self.refuse();
    }

    fn fence(&self, order: Ordering) {
        self.words.fence(order);
    }

    unsafe fn read_bytes(&self, offset: usize, target: &mut [u8]) {
        // SAFETY: by the caller's contract.
        unsafe { self.words.read_bytes(offset, target) };
    }

    unsafe fn write_bytes(&self, _offset: usize, _source: &[u8]) {
        self.refuse();
    }

    unsafe fn zero(&self, _offset: usize, _length: usize) {
        self.refuse();
    }
}
