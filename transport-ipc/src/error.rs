//! What can go wrong with a shared file, with the path and the numbers that explain it. `[any]`

use std::io;
use std::path::{Path, PathBuf};

/// Why a file could not be created, opened, mapped or reserved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system refused.
    #[error("cannot {operation} {}: {source}", path.display())]
    Io {
        /// What was attempted, as a verb.
        operation: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file system has no room; nothing was written, and nobody will die of it later.
    #[error(
        "no space for {length} bytes at offset {offset} of {}: its file system has {usable} bytes usable ({source})",
        path.display()
    )]
    NoSpace {
        /// The file.
        path: PathBuf,
        /// Where the range starts, in bytes.
        offset: u64,
        /// How long the range is, in bytes.
        length: u64,
        /// What an ordinary user may still take from the file system, in bytes.
        usable: u64,
        /// The system's reason.
        source: io::Error,
    },
    /// The path names a directory, a device or a pipe.
    #[error("{} is not a regular file", path.display())]
    NotRegular {
        /// The path.
        path: PathBuf,
    },
    /// The file is shorter than what it must hold.
    #[error("{} is {length} bytes long, which is less than the {minimum} bytes that it must hold", path.display())]
    TooShort {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        length: u64,
        /// The least length in bytes.
        minimum: u64,
    },
    /// The length does not fit this machine's addresses.
    #[error("{length} bytes of {} do not fit into the address space", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The length in bytes.
        length: u64,
    },
    /// Somebody cut the file while it was being mapped.
    #[error("{} was cut from {before} to {after} bytes while it was mapped", path.display())]
    Cut {
        /// The file.
        path: PathBuf,
        /// Its length when it was opened, in bytes.
        before: u64,
        /// Its length once it was mapped, in bytes.
        after: u64,
    },
}

impl FileError {
    pub(crate) fn io(operation: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        FileError::Io { operation, path: path.to_path_buf(), source: source.into() }
    }

    /// The file or directory that the error is about.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            FileError::Io { path, .. }
            | FileError::NoSpace { path, .. }
            | FileError::NotRegular { path }
            | FileError::TooShort { path, .. }
            | FileError::TooLong { path, .. }
            | FileError::Cut { path, .. } => path,
        }
    }

    /// Whether the file, or a directory on the way to it, does not exist.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, FileError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Whether the system does not permit it.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self, FileError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied)
    }

    /// Whether the file system has no room left.
    #[must_use]
    pub fn is_out_of_space(&self) -> bool {
        matches!(self, FileError::NoSpace { .. })
    }
}
