//! The memory of a mapped file. `[any]`
//!
//! Mirrors the C client's `aeron_mapped_file_t`, with an owner: the file stays mapped for as long as a [`Region`] over
//! any part of it lives.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::Arc;

use gannet_core::sync::{AtomicBuffer, Bytes, Memory, Ordering};
use memmap2::MmapRaw;

use crate::error::FileError;
use crate::storage::{self, Pages, Reserved};

/// A file's mapping and which file it is of; unmapped when dropped.
pub(crate) struct Mapping {
    pub(crate) memory: MmapRaw,
    pub(crate) path: PathBuf,
    /// Device and inode, by which the file is known again when its path is opened anew.
    pub(crate) identity: (u64, u64),
}

impl Mapping {
    pub(crate) fn len(&self) -> usize {
        self.memory.len()
    }
}

/// Shared memory of a file, or a part of it.
///
/// Clones and slices alias the same bytes and keep the file mapped. The accessors touch only the address, never the
/// reference count: cloning is the cold path.
#[derive(Clone)]
pub struct Region {
    /// Invariant: lies in `mapping`, which is writable and moves only with the last region; never handed out, so that
    /// nothing outlives `mapping` on the strength of its `'static`.
    words: AtomicBuffer<'static>,
    mapping: Arc<Mapping>,
}

impl Region {
    /// The whole of a writable mapping.
    pub(crate) fn new(mapping: Mapping) -> Self {
        let (address, length) = (mapping.memory.as_mut_ptr(), mapping.len());
        // SAFETY: a mapping is aligned to a page, readable and writable (the caller's word: only `MappedFile` makes
        // one), and lives as long as the `Arc` beside it; nobody holds plain references into it.
        let words = unsafe { AtomicBuffer::from_raw_parts(address, length) };
        Region { words, mapping: Arc::new(mapping) }
    }

    /// The file that is mapped.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.mapping.path
    }

    /// Makes sure that `length` bytes from `offset` on can be written by every process that maps the file: the space
    /// is allocated, then the pages are faulted in here. Whole pages are reserved; what was reserved stays as it is.
    ///
    /// Takes system calls and page faults, so it belongs off the hot path. No file descriptor is kept for it: the file
    /// is opened by its path again, and when that is not possible (it is gone, or the descriptors are), faulting in
    /// alone decides.
    ///
    /// # Errors
    /// [`FileError::NoSpace`] when the file system, or the memory that this process may use, has no room: then part of
    /// the range may be reserved, the content is as it was, and trying again later may succeed.
    /// [`FileError::Io`] for any other refusal.
    ///
    /// # Panics
    /// When the range lies outside the region.
    pub fn reserve(&self, offset: usize, length: usize) -> Result<(), FileError> {
        assert!(
            offset <= self.len() && length <= self.len() - offset,
            "{length} bytes at offset {offset} lie outside a region of {} bytes",
            self.len()
        );
        let start = self.words.as_ptr().addr() - self.mapping.memory.as_ptr().addr() + offset;
        match storage::reserve(&self.mapping, start, length)? {
            Reserved::Populated => {}
            Reserved::Allocated(pages) => self.touch(&pages),
        }
        Ok(())
    }

    /// Whether the path still leads to the file that is mapped: not when it was deleted, or replaced by another.
    #[must_use]
    pub fn is_current(&self) -> bool {
        fs::symlink_metadata(self.path()).is_ok_and(|named| (named.dev(), named.ino()) == self.mapping.identity)
    }

    /// Whether the path leads to another file than the one that is mapped: somebody replaced it. Not when it is gone.
    #[must_use]
    pub fn is_replaced(&self) -> bool {
        fs::symlink_metadata(self.path()).is_ok_and(|named| (named.dev(), named.ino()) != self.mapping.identity)
    }

    /// Removes the mapped file's name, unless the path does not lead to it any more: then it is gone already, and what
    /// stands there is somebody else's.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn remove_file(&self) -> Result<(), FileError> {
        if !self.is_current() {
            return Ok(());
        }
        match fs::remove_file(self.path()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(FileError::io("remove", self.path(), error))
            }
            _ => Ok(()),
        }
    }

    /// Writes the mapping's changes to the file and tells other mappings of it, `msync` with `MS_SYNC`. Memory file
    /// systems have nothing to write.
    ///
    /// # Errors
    /// When the system cannot write.
    pub fn flush(&self) -> Result<(), FileError> {
        self.mapping.memory.flush().map_err(|error| FileError::io("write back", self.path(), error))
    }

    /// Faults allocated pages in, on kernels that cannot do it themselves.
    fn touch(&self, pages: &Pages) {
        // SAFETY: as in `new`.
        let whole: AtomicBuffer<'static> =
            unsafe { AtomicBuffer::from_raw_parts(self.mapping.memory.as_mut_ptr(), self.mapping.len()) };
        for page in pages.starts() {
            // Replacing a zero by a zero faults the page in for writing and leaves it as it is, whoever writes it.
            whole.compare_exchange_i32(page, 0, 0);
        }
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Region").field("path", &self.mapping.path).field("length", &self.len()).finish_non_exhaustive()
    }
}

// SAFETY: length and address are the buffer's, which never change; clones and slices hold the same mapping and
// therefore alias the same bytes for as long as any of them lives; the accessors are the buffer's.
unsafe impl Memory for Region {
    #[inline]
    fn len(&self) -> usize {
        self.words.len()
    }

    #[inline]
    fn address(&self) -> Option<NonNull<u8>> {
        self.words.address()
    }

    fn slice(&self, offset: usize, length: usize) -> Self {
        Region { words: self.words.slice(offset, length), mapping: Arc::clone(&self.mapping) }
    }

    #[inline]
    fn load_i32(&self, offset: usize, order: Ordering) -> i32 {
        self.words.load_i32(offset, order)
    }

    #[inline]
    fn store_i32(&self, offset: usize, value: i32, order: Ordering) {
        self.words.store_i32(offset, value, order);
    }

    #[inline]
    fn fetch_add_i32(&self, offset: usize, delta: i32) -> i32 {
        self.words.fetch_add_i32(offset, delta)
    }

    #[inline]
    fn compare_exchange_i32(&self, offset: usize, current: i32, new: i32) -> bool {
        self.words.compare_exchange_i32(offset, current, new)
    }

    #[inline]
    fn load_i64(&self, offset: usize, order: Ordering) -> i64 {
        self.words.load_i64(offset, order)
    }

    #[inline]
    fn store_i64(&self, offset: usize, value: i64, order: Ordering) {
        self.words.store_i64(offset, value, order);
    }

    #[inline]
    fn fetch_add_i64(&self, offset: usize, delta: i64) -> i64 {
        self.words.fetch_add_i64(offset, delta)
    }

    #[inline]
    fn compare_exchange_i64(&self, offset: usize, current: i64, new: i64) -> bool {
        self.words.compare_exchange_i64(offset, current, new)
    }

    #[inline]
    fn load_u8(&self, offset: usize, order: Ordering) -> u8 {
        self.words.load_u8(offset, order)
    }

    #[inline]
    fn store_u8(&self, offset: usize, value: u8, order: Ordering) {
        self.words.store_u8(offset, value, order);
    }

    #[inline]
    fn fence(&self, order: Ordering) {
        self.words.fence(order);
    }

    #[inline]
    unsafe fn read_bytes(&self, offset: usize, target: &mut [u8]) {
        // SAFETY: by the caller's contract.
        unsafe { self.words.read_bytes(offset, target) };
    }

    #[inline]
    unsafe fn write_bytes(&self, offset: usize, source: &[u8]) {
        // SAFETY: by the caller's contract.
        unsafe { self.words.write_bytes(offset, source) };
    }

    #[inline]
    unsafe fn zero(&self, offset: usize, length: usize) {
        // SAFETY: by the caller's contract.
        unsafe { self.words.zero(offset, length) };
    }
}

// SAFETY: the buffer's address is valid, for reads and writes and aligned to 8, while the mapping beside it lives.
unsafe impl Bytes for Region {
    #[inline]
    fn as_ptr(&self) -> *mut u8 {
        self.words.as_ptr()
    }
}

#[cfg(test)]
mod tests;
