//! Deleting what Aeron put into a directory, and nothing else. `[any]`
//!
//! The C driver removes the whole tree with `nftw`. Here a mistyped `AERON_DIR` costs nobody their home directory:
//! entries that Aeron does not name stay, and so does the directory around them.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::sys::stat::{Mode, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::AeronDirectory;
use super::access::{DirectoryError, absent_is_done, open_own, open_own_at};
use crate::error::FileError;

/// What a deletion left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Entries that are not Aeron's, because of which the directory is still there.
    pub left: Vec<PathBuf>,
}

impl AeronDirectory {
    /// Deletes the files that Aeron names, then the directories if nothing else is in them. A directory that is not
    /// there is deleted already. Whether a driver lives in it is not asked.
    ///
    /// # Errors
    /// When the directory is a link or another user's; when the system refuses.
    pub fn delete(&self) -> Result<Deleted, DirectoryError> {
        let Some(directory) = open_own(self.path())? else { return Ok(Deleted::default()) };
        let left = empty(&directory, self.path())?;
        if left.is_empty() {
            absent_is_done(unlinkat(AT_FDCWD, self.path(), UnlinkatFlags::RemoveDir))
                .map_err(|error| FileError::io("remove directory", self.path(), error))?;
        }
        Ok(Deleted { left })
    }
}

/// Deletes everything of Aeron's in an open directory; what is left.
pub(super) fn empty(directory: &File, path: &Path) -> Result<Vec<PathBuf>, DirectoryError> {
    let mut left = Vec::new();
    for name in names(directory, path)? {
        let shown = path.join(&name);
        if name == AeronDirectory::CNC_FILE || name == AeronDirectory::LOSS_REPORT_FILE {
            remove_file(directory, &name, &shown)?;
        } else if name == AeronDirectory::PUBLICATIONS || name == AeronDirectory::IMAGES {
            left.append(&mut remove_logs(directory, Path::new(&name), &shown)?);
        } else {
            left.push(shown);
        }
    }
    Ok(left)
}

/// Deletes a directory of logs, unless something else is in it too; what that is.
fn remove_logs(parent: &File, name: &Path, shown: &Path) -> Result<Vec<PathBuf>, DirectoryError> {
    let logs = match open_own_at(parent, name, shown) {
        Ok(Some(logs)) => logs,
        Ok(None) => return Ok(Vec::new()),
        // The entry itself goes, wherever it points: the name is Aeron's.
        Err(DirectoryError::Link { .. } | DirectoryError::NotADirectory { .. }) => {
            remove_file(parent, name.as_os_str(), shown)?;
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut left = Vec::new();
    for log in names(&logs, shown)? {
        if is_log_name(&log) && !is_directory(&logs, &log) {
            remove_file(&logs, &log, &shown.join(&log))?;
        } else {
            left.push(shown.join(&log));
        }
    }
    if left.is_empty() {
        absent_is_done(unlinkat(parent, name, UnlinkatFlags::RemoveDir))
            .map_err(|error| FileError::io("remove directory", shown, error))?;
    }
    Ok(left)
}

/// Whether a name is a decimal number and `.logbuffer`.
fn is_log_name(name: &OsStr) -> bool {
    name.to_str()
        .and_then(|name| name.strip_suffix(AeronDirectory::LOG_SUFFIX))
        .is_some_and(|id| id.parse::<i64>().is_ok())
}

fn is_directory(parent: &File, name: &OsStr) -> bool {
    fstatat(parent, Path::new(name), AtFlags::AT_SYMLINK_NOFOLLOW)
        .is_ok_and(|status| status.st_mode & libc::S_IFMT == libc::S_IFDIR)
}

fn remove_file(parent: &File, name: &OsStr, shown: &Path) -> Result<(), FileError> {
    absent_is_done(unlinkat(parent, Path::new(name), UnlinkatFlags::NoRemoveDir))
        .map_err(|error| FileError::io("delete", shown, error))
}

/// The names in a directory, all read before any of them goes.
fn names(directory: &File, path: &Path) -> Result<Vec<std::ffi::OsString>, FileError> {
    let fail = |errno: Errno| FileError::io("list", path, errno);
    let mut listing = Dir::openat(directory, ".", nix::fcntl::OFlag::O_RDONLY, Mode::empty()).map_err(fail)?;
    let mut names = Vec::new();
    for entry in listing.iter() {
        let entry = entry.map_err(fail)?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name != "." && name != ".." {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_name_logs() {
        for name in ["1.logbuffer", "-9223372036854775808.logbuffer"] {
            assert!(is_log_name(OsStr::new(name)), "{name}");
        }
        for name in
            [".logbuffer", "a.logbuffer", "1.logbuffer~", "1", "1.2.logbuffer", "99999999999999999999.logbuffer"]
        {
            assert!(!is_log_name(OsStr::new(name)), "{name}");
        }
    }
}
