//! A log on disk: creating it for a publication or an image, and opening that of any driver. `[any]`
//!
//! Mirrors `aeron_raw_log_map`, `aeron_raw_log_map_existing` and `aeron_raw_log_free`; logbuffer.md §1. A sparse log
//! has space for its metadata from the start, and for its terms when [`LogFile::reserve`] says so.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gannet_core::log::{LogBuffers, LogError, LogProperties, file_length};
use gannet_core::sync::Memory;
use gannet_core::{Position, TermId};

use crate::error::FileError;
use crate::mapped_file::MappedFile;
use crate::region::Region;
use crate::sharing::Sharing;
use crate::storage::Space;

/// A mapped log. Clones are of the same mapping.
#[derive(Clone, Debug)]
pub struct LogFile {
    region: Region,
    buffers: LogBuffers<Region>,
}

/// Why there is no log to work with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogFileError {
    /// The file is no log, or the properties make none.
    #[error("{}: {source}", path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: LogError,
    },
    /// It cannot be created, opened or mapped.
    #[error(transparent)]
    File(#[from] FileError),
}

impl LogFileError {
    /// Whether the file system has no room left.
    #[must_use]
    pub fn is_out_of_space(&self) -> bool {
        matches!(self, LogFileError::File(error) if error.is_out_of_space())
    }
}

impl LogFile {
    /// Creates a log that begins at `start`, or at the start of its initial term. Its space is reserved whole unless the
    /// properties say that it is sparse, in which case only its metadata is. A log that could not be completed is
    /// removed.
    ///
    /// # Errors
    /// When the file exists, there is no space, the system refuses, or the properties make no log.
    ///
    /// # Safety
    /// That of [`LogBuffers::initialise`]: a file cannot know who else has it mapped, and the log's contract is about them.
    pub unsafe fn create(
        path: &Path,
        properties: &LogProperties,
        start: Option<(TermId, i32)>,
        sharing: Sharing,
    ) -> Result<LogFile, LogFileError> {
        let page_size = usize::try_from(properties.page_size).unwrap_or(0);
        if !page_size.is_power_of_two() {
            let source = LogError::PageSize(properties.page_size);
            return Err(LogFileError::Log { path: path.to_path_buf(), source });
        }
        let length = file_length(properties.term_length, page_size);
        let space = if properties.sparse { Space::Sparse } else { Space::Reserved };
        let region = MappedFile::create(path, length, space, sharing)?;
        // SAFETY: by the caller's contract.
        unsafe { Self::initialise(region, properties, start) }.inspect_err(|_| {
            // The first error is the one to tell.
            let _ = fs::remove_file(path);
        })
    }

    /// # Safety
    /// As for `create`.
    unsafe fn initialise(
        region: Region,
        properties: &LogProperties,
        start: Option<(TermId, i32)>,
    ) -> Result<LogFile, LogFileError> {
        let metadata = region.len() - gannet_core::log::METADATA_LENGTH;
        region.reserve(metadata, gannet_core::log::METADATA_LENGTH)?;
        // SAFETY: by the caller's contract.
        let buffers = unsafe { LogBuffers::initialise(&region, properties, start) }
            .map_err(|source| LogFileError::Log { path: region.path().to_path_buf(), source })?;
        Ok(LogFile { region, buffers })
    }

    /// Opens a log that a driver made, after checking every number in it that is used later.
    ///
    /// # Errors
    /// When the file is absent, a link, or no log; when the system refuses.
    ///
    /// # Safety
    /// As for [`LogFile::create`].
    pub unsafe fn open(path: &Path) -> Result<LogFile, LogFileError> {
        let region = MappedFile::open(path)?;
        // SAFETY: by the caller's contract.
        let buffers = unsafe { LogBuffers::open(&region) }
            .map_err(|source| LogFileError::Log { path: path.to_path_buf(), source })?;
        Ok(LogFile { region, buffers })
    }

    /// The log.
    #[must_use]
    pub fn buffers(&self) -> &LogBuffers<Region> {
        &self.buffers
    }

    /// The whole file.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.region.path()
    }

    /// Makes sure that everybody can write from one stream position to another, as [`Region::reserve`] does; three
    /// terms or more are the whole log.
    ///
    /// # Errors
    /// As for [`Region::reserve`].
    pub fn reserve(&self, from: Position, to: Position) -> Result<(), FileError> {
        let term_length = self.buffers.term_length();
        let log = 3 * i64::from(term_length.bytes());
        let mut at = from;
        let end = to.min(from.plus(log));
        while at < end {
            let offset = i64::from(at.term_offset(term_length));
            let length = end.since(at).min(i64::from(term_length.bytes()) - offset);
            let start = at.partition(term_length) * term_length.as_usize()
                + at.term_offset(term_length).unsigned_abs() as usize;
            // Less than a term, and so within usize.
            self.region.reserve(start, usize::try_from(length).unwrap_or(0))?;
            at = at.plus(length);
        }
        Ok(())
    }

    /// Deletes the file; who has it mapped keeps it. One that is gone already is deleted.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn delete(path: &Path) -> Result<(), FileError> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::io("delete", path, error)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use gannet_core::{SessionId, StreamId, TermLength};

    use super::*;

    fn properties(sparse: bool) -> LogProperties {
        let term_length = TermLength::MIN;
        LogProperties { sparse, ..LogProperties::ipc(7, SessionId(1), StreamId(2), TermId(-3), term_length) }
    }

    fn create(path: &Path, properties: &LogProperties, start: Option<(TermId, i32)>) -> Result<LogFile, LogFileError> {
        // SAFETY: nothing is published or read here.
        unsafe { LogFile::create(path, properties, start, Sharing::Owner) }
    }

    fn open(path: &Path) -> Result<LogFile, LogFileError> {
        // SAFETY: as for `create`.
        unsafe { LogFile::open(path) }
    }

    fn taken(path: &Path) -> u64 {
        fs::metadata(path).unwrap().blocks() * 512
    }

    fn shared_memory() -> tempfile::TempDir {
        tempfile::Builder::new().prefix("gannet-ipc-").tempdir_in("/dev/shm").unwrap()
    }

    #[test]
    fn a_client_opens_what_a_driver_created() {
        let directory = shared_memory();
        let path = directory.path().join("7.logbuffer");
        let log = create(&path, &properties(true), Some((TermId(0), 64))).unwrap();
        let opened = open(&path).unwrap();
        assert_eq!(opened.buffers().properties(), Some(properties(true)));
        assert_eq!(opened.buffers().producer_position(), Position(3 * 65_536 + 64));
        assert_eq!(fs::metadata(&path).unwrap().len(), 3 * 65_536 + 4096);
        drop(log);
        LogFile::delete(&path).unwrap();
        LogFile::delete(&path).unwrap();
        assert!(!opened.region().is_current());
    }

    #[test]
    fn a_sparse_log_has_space_for_its_metadata_only_and_another_for_all() {
        let directory = shared_memory();
        for (sparse, wanted) in [(true, 4096), (false, 3 * 65_536 + 4096)] {
            let path = directory.path().join(format!("{sparse}.logbuffer"));
            create(&path, &properties(sparse), None).unwrap();
            assert_eq!(taken(&path), wanted);
        }
    }

    #[test]
    fn positions_are_reserved_in_their_partitions() {
        let directory = shared_memory();
        let path = directory.path().join("7.logbuffer");
        let log = create(&path, &properties(true), None).unwrap();
        log.reserve(Position(0), Position(0)).unwrap();
        assert_eq!(taken(&path), 4096);
        // The last page of the third partition and the first of the first.
        log.reserve(Position(3 * 65_536 - 32), Position(3 * 65_536 + 32)).unwrap();
        assert_eq!(taken(&path), 3 * 4096);
        log.reserve(Position(0), Position(32)).unwrap();
        assert_eq!(taken(&path), 3 * 4096, "the first page was there");
        log.reserve(Position(65_536), Position(i64::MAX)).unwrap();
        assert_eq!(taken(&path), 3 * 65_536 + 4096);
    }

    #[test]
    fn what_is_no_log_is_refused_with_its_path() {
        let directory = shared_memory();
        let path = directory.path().join("7.logbuffer");
        fs::write(&path, vec![0; 3 * 65_536 + 4096]).unwrap();
        let error = open(&path).unwrap_err();
        assert!(error.to_string().contains("7.logbuffer: term length 0"), "{error}");
        let path = directory.path().join("8.logbuffer");
        for bad in [
            LogProperties { page_size: 4095, ..properties(true) },
            LogProperties { mtu_length: 33, ..properties(true) },
        ] {
            assert!(matches!(create(&path, &bad, None), Err(LogFileError::Log { .. })));
            assert!(!path.exists());
        }
    }
}
