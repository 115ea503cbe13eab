//! Opening a directory that must be one's own. `[any]`

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::{Mode, fstat, lstat};
use nix::unistd::{Uid, User, geteuid};

use crate::error::FileError;

/// Why a directory cannot be a driver's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// A symbolic link stands at its name.
    #[error(
        "{} is a symbolic link, which whoever made it can turn elsewhere: remove it, or set AERON_DIR to the directory itself",
        path.display()
    )]
    Link {
        /// The path.
        path: PathBuf,
    },
    /// Something else stands at its name.
    #[error("{} is not a directory: remove it, or set AERON_DIR to another path", path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// Another user owns it.
    #[error(
        "{} belongs to user {}, and this driver runs as {}: have the owner remove it, or set AERON_DIR to a directory of your own",
        path.display(), user_name(*owner), user_name(*user)
    )]
    ForeignOwner {
        /// The path.
        path: PathBuf,
        /// The user id of the owner.
        owner: u32,
        /// The effective user id of this process.
        user: u32,
    },
    /// A driver lives in it.
    #[error(
        "an active media driver (process {pid}) uses {}: its heartbeat is {heartbeat_age_ms} ms old; stop it, or set AERON_DIR to another directory",
        path.display()
    )]
    Active {
        /// The path.
        path: PathBuf,
        /// The process that the CnC file names.
        pid: i64,
        /// How long ago the driver last showed life, in milliseconds.
        heartbeat_age_ms: i64,
    },
    /// Another driver is starting in it at this moment.
    #[error("another media driver is starting in {}: wait for it, or set AERON_DIR to another directory", path.display())]
    Starting {
        /// The path.
        path: PathBuf,
    },
    /// The start was given up while it waited for whoever began to make the CnC file.
    #[error("stopped while waiting for the media driver that began to make the CnC file in {}", path.display())]
    Stopped {
        /// The path.
        path: PathBuf,
    },
    /// Its CnC file is of a version that this driver cannot judge.
    #[error(
        "{} was made by a driver of CnC version {version}, which this one cannot read to see whether that driver lives: remove the directory, or set AERON_DIR_DELETE_ON_START=true",
        path.display()
    )]
    Incompatible {
        /// The path.
        path: PathBuf,
        /// The version that the file states.
        version: String,
    },
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// `alice (1000)`, or the number alone where it has no name.
fn user_name(uid: u32) -> String {
    match User::from_uid(Uid::from_raw(uid)) {
        Ok(Some(user)) => format!("{} ({uid})", user.name),
        _ => uid.to_string(),
    }
}

/// Opens a directory for listing, unless a link stands at the end of its path; nothing if nothing stands there.
///
/// # Errors
/// When it is a link, something else, or not the process's own.
pub(crate) fn open_own(path: &Path) -> Result<Option<File>, DirectoryError> {
    open_own_at(AT_FDCWD, path, path)
}

/// As [`open_own`], with a name inside an open directory; `shown` is its path for errors.
pub(crate) fn open_own_at(parent: impl AsFd, name: &Path, shown: &Path) -> Result<Option<File>, DirectoryError> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let directory = match openat(parent, name, flags, Mode::empty()) {
        Ok(directory) => File::from(directory),
        Err(Errno::ENOENT) => return Ok(None),
        Err(errno) => return Err(why_not(shown, errno)),
    };
    let status = fstat(&directory).map_err(|errno| FileError::io("look at", shown, errno))?;
    check_owner(shown, status.st_uid)?;
    Ok(Some(directory))
}

/// What stands at a path that could not be opened as a directory.
fn why_not(path: &Path, errno: Errno) -> DirectoryError {
    let Ok(status) = lstat(path) else { return FileError::io("open", path, errno).into() };
    match status.st_mode & libc::S_IFMT {
        libc::S_IFLNK => DirectoryError::Link { path: path.to_path_buf() },
        libc::S_IFDIR => {
            check_owner(path, status.st_uid).err().unwrap_or_else(|| FileError::io("open", path, errno).into())
        }
        _ => DirectoryError::NotADirectory { path: path.to_path_buf() },
    }
}

fn check_owner(path: &Path, owner: u32) -> Result<(), DirectoryError> {
    let user = geteuid().as_raw();
    if owner == user {
        return Ok(());
    }
    Err(DirectoryError::ForeignOwner { path: path.to_path_buf(), owner, user })
}

/// Whether an operation failed because there was nothing to operate on, which is as good as done for a deletion.
pub(crate) fn absent_is_done(result: nix::Result<()>) -> io::Result<()> {
    match result {
        Ok(()) | Err(Errno::ENOENT) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
