//! Space in the file system of a shared file: how much there is, and taking it before anybody can die for want of it.
//! `[any]`
//!
//! A sparse file promises more than the file system may have; whoever writes its missing page is killed by SIGBUS,
//! driver or client. Reserving is `fallocate`, which takes the space all at once or says that there is none, then
//! `MADV_POPULATE_WRITE`, which makes the pages and says so when it cannot (a memory limit, a file system that
//! allocates late). The C driver does neither for sparse files; it compares `statvfs` with the length once.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use memmap2::Advice;
use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};
use nix::sys::statfs::{HUGETLBFS_MAGIC, fstatfs};
use nix::sys::statvfs::statvfs;
use nix::unistd::{SysconfVar, sysconf};

use crate::error::FileError;
use crate::region::Mapping;

/// How a new file gets its space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// Only the length is set; pages come when they are first written, if the file system then has any.
    Sparse,
    /// All space is taken, and every page made, before the file is of use to anybody.
    Reserved,
}

/// How many bytes an ordinary user may still take from the file system of `path`: free blocks times their size, as the
/// C driver computes it for its storage checks. What sparse files still lack is not subtracted.
///
/// # Errors
/// When the path cannot be looked up.
pub fn usable_space(path: &Path) -> io::Result<u64> {
    let system = statvfs(path)?;
    Ok(system.fragment_size().saturating_mul(system.blocks_available()))
}

/// Whole pages of a mapping.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pages {
    range: Range<usize>,
    page: usize,
}

impl Pages {
    /// The pages that hold `length` bytes from `start` on; the last page of a mapping may be cut short.
    fn covering(start: usize, length: usize, page: usize, mapped: usize) -> Pages {
        let first = start - start % page;
        let end = (start + length).div_ceil(page).saturating_mul(page).min(mapped);
        Pages { range: first..end, page }
    }

    pub(crate) fn starts(&self) -> impl Iterator<Item = usize> {
        self.range.clone().step_by(self.page)
    }
}

/// What the kernel could do for a range.
pub(crate) enum Reserved {
    /// The pages exist.
    Populated,
    /// The space is taken; the kernel (before 5.14) cannot make the pages, and writing to them is safe.
    Allocated(Pages),
}

/// Reserves part of a mapping: see [`Region::reserve`](crate::Region::reserve).
pub(crate) fn reserve(mapping: &Mapping, start: usize, length: usize) -> Result<Reserved, FileError> {
    if length == 0 {
        return Ok(Reserved::Populated);
    }
    let file = reopen(mapping);
    let page = file.as_ref().map_or_else(base_page_size, page_size);
    let pages = Pages::covering(start, length, page, mapping.len());
    let length = pages.range.end - pages.range.start;
    let allocated = match &file {
        Some(file) => allocate(file, &mapping.path, pages.range.start as u64, length as u64)?,
        None => false,
    };
    let populated = loop {
        match mapping.memory.advise_range(Advice::PopulateWrite, pages.range.start, length) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => break result,
        }
    };
    match populated {
        Ok(()) => Ok(Reserved::Populated),
        Err(error) => match error.raw_os_error() {
            // A page that cannot be had: as a write it would have been a SIGBUS, or the end by a memory limit.
            Some(libc::EFAULT | libc::ENOMEM) => {
                Err(no_space(&mapping.path, pages.range.start as u64, length as u64, Errno::ENOSPC.into()))
            }
            Some(libc::EINVAL) if allocated => Ok(Reserved::Allocated(pages)),
            _ => Err(FileError::io("reserve space for", &mapping.path, error)),
        },
    }
}

/// Takes space for a range of a file; false where the file system has no such call.
pub(crate) fn allocate(file: &File, path: &Path, offset: u64, length: u64) -> Result<bool, FileError> {
    let (Ok(from), Ok(bytes)) = (libc::off_t::try_from(offset), libc::off_t::try_from(length)) else {
        return Err(FileError::TooLong { path: path.to_path_buf(), length });
    };
    loop {
        match fallocate(file, FallocateFlags::empty(), from, bytes) {
            Ok(()) => return Ok(true),
            Err(Errno::EINTR) => {}
            Err(Errno::EOPNOTSUPP | Errno::ENOSYS) => return Ok(false),
            Err(errno @ (Errno::ENOSPC | Errno::EDQUOT | Errno::ENOMEM | Errno::EFBIG)) => {
                return Err(no_space(path, offset, length, errno.into()));
            }
            Err(errno) => return Err(FileError::io("allocate space for", path, errno)),
        }
    }
}

fn no_space(path: &Path, offset: u64, length: u64, source: io::Error) -> FileError {
    let usable = usable_space(path).or_else(|_| path.parent().map_or(Ok(0), usable_space)).unwrap_or(0);
    FileError::NoSpace { path: path.to_path_buf(), offset, length, usable, source }
}

/// The mapping's file by its path, if it is still there and still the same.
fn reopen(mapping: &Mapping) -> Option<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK)
        .open(&mapping.path)
        .ok()?;
    let metadata = file.metadata().ok()?;
    ((metadata.dev(), metadata.ino()) == mapping.identity).then_some(file)
}

/// The size of a page of the file's memory: larger than the machine's only on hugetlbfs.
fn page_size(file: &File) -> usize {
    match fstatfs(file) {
        Ok(system) if system.filesystem_type() == HUGETLBFS_MAGIC => {
            usize::try_from(system.block_size()).ok().filter(|size| size.is_power_of_two())
        }
        _ => None,
    }
    .unwrap_or_else(base_page_size)
}

/// The machine's page size, 4 KiB where it does not tell.
pub(crate) fn base_page_size() -> usize {
    sysconf(SysconfVar::PAGE_SIZE).ok().flatten().and_then(|size| usize::try_from(size).ok()).unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_grow_to_whole_pages_and_end_with_the_mapping() {
        let pages = |start, length| Pages::covering(start, length, 4096, 10_000).range;
        assert_eq!(pages(0, 1), 0..4096);
        assert_eq!(pages(4095, 2), 0..8192);
        assert_eq!(pages(4096, 4096), 4096..8192);
        assert_eq!(pages(9_000, 1_000), 8192..10_000);
        assert_eq!(Pages::covering(5000, 4000, 4096, 10_000).starts().collect::<Vec<_>>(), [4096, 8192]);
    }

    #[test]
    fn usable_space_is_told_for_a_directory_and_not_for_nothing() {
        assert!(usable_space(Path::new("/dev/shm")).is_ok_and(|bytes| bytes > 0));
        assert_eq!(
            usable_space(Path::new("/nonexistent/gannet")).map_err(|error| error.kind()),
            Err(io::ErrorKind::NotFound)
        );
    }
}
