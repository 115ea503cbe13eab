//! The CnC file on disk: creating it, and opening that of any driver. `[any]`
//!
//! Mirrors `aeron_driver_create_cnc_file` and `aeron_cnc_map_existing_file_and_load_metadata`; cnc.md §1. Does not wait
//! for a driver: an error that passes by itself says so, and the caller tries again.

use std::path::{Path, PathBuf};

use gannet_core::cnc::{Cnc, CncConfig, CncError, HEADER_LENGTH};
use gannet_core::sync::Memory;

use crate::directory::AeronDirectory;
use crate::error::FileError;
use crate::mapped_file::MappedFile;
use crate::read_only_region::ReadOnlyRegion;
use crate::region::Region;
use crate::sharing::Sharing;
use crate::storage::Space;

/// Makes and opens CnC files.
pub struct CncFile;

/// Why there is no CnC file to work with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CncFileError {
    /// No driver ever ran there, or its directory was deleted.
    #[error("{} does not exist: no media driver runs with this directory", path.display())]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// A driver has not given it its length yet.
    #[error("{} has {length} bytes and must have more than {needed}: its driver has not finished it", path.display())]
    TooShort {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        length: u64,
        /// What its header, or every header, says is needed.
        needed: u64,
    },
    /// Its version is still 0: a driver has not finished it, or died before it could.
    #[error("{} is not ready: its driver has not finished it", path.display())]
    NotReady {
        /// The file.
        path: PathBuf,
    },
    /// Its driver lays it out in another way.
    #[error("{} has CnC version {}, and 0.x.x is understood", path.display(), version_text(*version))]
    IncompatibleVersion {
        /// The file.
        path: PathBuf,
        /// The version as it stands in the file.
        version: i32,
    },
    /// Its header contradicts itself.
    #[error("{} is damaged: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: CncError,
    },
    /// It cannot be created, opened or mapped.
    #[error(transparent)]
    File(#[from] FileError),
}

/// `0.2.0` of a packed version.
pub(crate) fn version_text(version: i32) -> String {
    format!("{}.{}.{}", (version >> 16) & 0xFF, (version >> 8) & 0xFF, version & 0xFF)
}

impl CncFileError {
    /// Whether the same call may succeed in a moment, because a driver is starting.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            CncFileError::Absent { .. } | CncFileError::TooShort { .. } | CncFileError::NotReady { .. } => true,
            CncFileError::IncompatibleVersion { .. } | CncFileError::Damaged { .. } => false,
            // Between its creation and the setting of its mode a file is its owner's alone.
            CncFileError::File(error) => matches!(error, FileError::Cut { .. }) || error.is_denied(),
        }
    }

    fn new(path: &Path, error: CncError) -> Self {
        let path = path.to_path_buf();
        match error {
            CncError::NotReady => CncFileError::NotReady { path },
            CncError::IncompatibleVersion { version } => CncFileError::IncompatibleVersion { path, version },
            CncError::TooShort { length, needed } => {
                CncFileError::TooShort { path, length: length as u64, needed: needed as u64 }
            }
            source => CncFileError::Damaged { path, source },
        }
    }
}

impl CncFile {
    /// Creates the file in a directory that was claimed, its space reserved whole, and fills in the header. The buffers
    /// are zero; [`Cnc::publish`] comes last, when they are ready for clients.
    ///
    /// # Errors
    /// When the file exists, there is no space, the system refuses, or a length is out of range.
    pub fn create(
        directory: &AeronDirectory,
        config: CncConfig,
        sharing: Sharing,
    ) -> Result<Cnc<Region>, CncFileError> {
        let path = directory.cnc_file();
        let page = usize::try_from(config.file_page_size).unwrap_or(0).max(1);
        let length = config.lengths.total().next_multiple_of(page);
        let region = MappedFile::create(&path, length as u64, Space::Reserved, sharing)?;
        Cnc::initialise(region, config).map_err(|error| {
            // A file that nobody will finish only makes others wait.
            let _ = std::fs::remove_file(&path);
            CncFileError::new(&path, error)
        })
    }

    /// Opens a driver's file, as a client.
    ///
    /// # Errors
    /// The kind tells what to do: see [`CncFileError::may_pass`].
    pub fn open(directory: &AeronDirectory) -> Result<Cnc<Region>, CncFileError> {
        Self::open_with(directory, MappedFile::open)
    }

    /// Opens a driver's file without the possibility to change it, as a tool.
    ///
    /// # Errors
    /// As for [`CncFile::open`].
    pub fn open_read_only(directory: &AeronDirectory) -> Result<Cnc<ReadOnlyRegion>, CncFileError> {
        Self::open_with(directory, MappedFile::open_read_only)
    }

    fn open_with<M: Memory>(
        directory: &AeronDirectory,
        map: impl FnOnce(&Path) -> Result<M, FileError>,
    ) -> Result<Cnc<M>, CncFileError> {
        let path = directory.cnc_file();
        let memory = match map(&path) {
            Ok(memory) => memory,
            Err(error) if error.is_absent() => return Err(CncFileError::Absent { path }),
            Err(FileError::TooShort { path, length, .. }) => {
                return Err(CncFileError::TooShort { path, length, needed: HEADER_LENGTH as u64 });
            }
            Err(error) => return Err(error.into()),
        };
        if memory.len() <= HEADER_LENGTH {
            let (length, needed) = (memory.len() as u64, HEADER_LENGTH as u64);
            return Err(CncFileError::TooShort { path, length, needed });
        }
        Cnc::open(memory).map_err(|error| CncFileError::new(&path, error))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use gannet_core::cnc::{CncLengths, semantic_version};
    use gannet_core::sync::Ordering;

    use super::*;

    pub(crate) fn config() -> CncConfig {
        CncConfig {
            lengths: CncLengths { counters_metadata: 4 << 20, counters_values: 1 << 20, ..CncLengths::DEFAULT },
            client_liveness_timeout_ns: 10_000_000_000,
            start_timestamp_ms: 1,
            pid: 42,
            file_page_size: 4096,
        }
    }

    fn directory() -> (tempfile::TempDir, AeronDirectory) {
        let temporary = tempfile::Builder::new().prefix("gannet-ipc-").tempdir_in("/dev/shm").unwrap();
        let directory = AeronDirectory::at(temporary.path());
        (temporary, directory)
    }

    #[test]
    fn a_new_file_is_reserved_whole_and_not_ready_until_published() {
        let (_temporary, directory) = directory();
        let cnc = CncFile::create(&directory, config(), Sharing::Owner).unwrap();
        let metadata = fs::metadata(directory.cnc_file()).unwrap();
        assert_eq!(metadata.len(), config().lengths.file_length(4096) as u64);
        assert!(metadata.blocks() * 512 >= metadata.len());
        let early = CncFile::open(&directory).unwrap_err();
        assert!(matches!(early, CncFileError::NotReady { .. }) && early.may_pass());
        cnc.publish();
        let client = CncFile::open(&directory).unwrap();
        let tool = CncFile::open_read_only(&directory).unwrap();
        assert_eq!((client.config(), tool.config()), (&config(), &config()));
        cnc.counters_values().store_i64(128, 7, Ordering::Release);
        assert_eq!(tool.counters_values().load_i64(128, Ordering::Acquire), 7);
    }

    #[test]
    fn every_reason_not_to_open_has_its_kind() {
        let (temporary, directory) = directory();
        let path = directory.cnc_file();
        assert!(matches!(CncFile::open(&directory), Err(CncFileError::Absent { .. })));
        for length in [0, 128] {
            fs::write(&path, vec![0; length]).unwrap();
            let error = CncFile::open_read_only(&directory).unwrap_err();
            assert!(matches!(error, CncFileError::TooShort { needed: 128, .. }) && error.may_pass(), "{error}");
        }
        fs::remove_file(&path).unwrap();
        let cnc = CncFile::create(&directory, config(), Sharing::Owner).unwrap();
        cnc.publish();
        let whole = fs::metadata(&path).unwrap().len();
        fs::File::options().write(true).open(&path).unwrap().set_len(whole - 4096).unwrap();
        assert!(matches!(CncFile::open(&directory), Err(CncFileError::TooShort { .. })));
        fs::File::options().write(true).open(&path).unwrap().set_len(whole).unwrap();
        cnc.memory().store_i32(4, -1, Ordering::Relaxed);
        let error = CncFile::open(&directory).unwrap_err();
        assert!(matches!(error, CncFileError::Damaged { .. }) && !error.may_pass(), "{error}");
        cnc.memory().store_i32(0, semantic_version(1, 2, 3), Ordering::Relaxed);
        let error = CncFile::open(&directory).unwrap_err();
        assert!(error.to_string().ends_with("has CnC version 1.2.3, and 0.x.x is understood"), "{error}");
        drop(temporary);
    }

    #[test]
    fn a_second_driver_cannot_create_the_file_again() {
        let (_temporary, directory) = directory();
        let _first = CncFile::create(&directory, config(), Sharing::Owner).unwrap();
        assert!(matches!(CncFile::create(&directory, config(), Sharing::Owner), Err(CncFileError::File(_))));
        assert!(directory.cnc_file().exists());
    }

    #[test]
    fn a_header_that_cannot_be_written_leaves_no_file() {
        let (_temporary, directory) = directory();
        let mut config = config();
        config.lengths.to_driver += 8;
        assert!(matches!(
            CncFile::create(&directory, config, Sharing::Owner),
            Err(CncFileError::Damaged { source: CncError::NotPowerOfTwo { .. }, .. })
        ));
        assert!(!directory.cnc_file().exists());
    }
}
