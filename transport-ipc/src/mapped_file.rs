//! Creating, opening and mapping a shared file. `[any]`
//!
//! Mirrors `aeron_map_new_file`, `aeron_map_existing_file` and `aeron_map_readonly_file` of the C client's
//! `util/aeron_fileutil.c`, with the checks that a foreign or hostile directory asks for: no link is followed at the
//! file, a name that exists is never reused, and a length is believed only when the file still has it once mapped.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use memmap2::{MmapOptions, MmapRaw};

use crate::error::FileError;
use crate::read_only_region::ReadOnlyRegion;
use crate::region::{Mapping, Region};
use crate::sharing::Sharing;
use crate::storage::{self, Space};

/// Makes mappings of shared files. No file descriptor outlives a call.
pub struct MappedFile;

impl MappedFile {
    /// Creates a file of `length` zero bytes and maps it. A file that could not be completed is removed.
    ///
    /// # Errors
    /// When something of that name exists already, a link included; when there is no space; when the system refuses.
    pub fn create(path: &Path, length: u64, space: Space, sharing: Sharing) -> Result<Region, FileError> {
        let mapped = addressable(path, length)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(Sharing::Owner.file_mode())
            .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
            .open(path)
            .map_err(|error| FileError::io("create", path, error))?;
        Self::fill(&file, path, mapped, space, sharing).inspect_err(|_| {
            // The first error is the one to tell; an empty file that stays is in nobody's way, and one that somebody else
            // has put there is not to be removed.
            if let (Ok(made), Ok(named)) = (file.metadata(), fs::symlink_metadata(path))
                && (made.dev(), made.ino()) == (named.dev(), named.ino())
            {
                let _ = fs::remove_file(path);
            }
        })
    }

    fn fill(file: &File, path: &Path, length: usize, space: Space, sharing: Sharing) -> Result<Region, FileError> {
        if sharing != Sharing::Owner {
            file.set_permissions(Permissions::from_mode(sharing.file_mode()))
                .map_err(|error| FileError::io("set the permissions of", path, error))?;
        }
        if space == Space::Reserved {
            storage::allocate(file, path, 0, length as u64)?;
        }
        file.set_len(length as u64).map_err(|error| FileError::io("set the length of", path, error))?;
        let region = Region::new(map(file, path, Some(length), |options| options.map_raw(file))?);
        if space == Space::Reserved {
            region.reserve(0, length)?;
        }
        Ok(region)
    }

    /// Maps the whole of an existing file for reading and writing.
    ///
    /// # Errors
    /// When the path is absent, a link, or no regular file; when it is empty or is cut at that moment; when the system
    /// refuses.
    pub fn open(path: &Path) -> Result<Region, FileError> {
        let file = open(OpenOptions::new().read(true).write(true), path)?;
        Ok(Region::new(map(&file, path, None, |options| options.map_raw(&file))?))
    }

    /// Maps the whole of an existing file for reading only.
    ///
    /// # Errors
    /// As for [`MappedFile::open`]; permission to write is not needed.
    pub fn open_read_only(path: &Path) -> Result<ReadOnlyRegion, FileError> {
        let file = open(OpenOptions::new().read(true), path)?;
        Ok(ReadOnlyRegion::new(map(&file, path, None, |options| options.map_raw_read_only(&file))?))
    }
}

/// Opens without following a link at the end of the path and without waiting for the other end of a pipe.
fn open(options: &mut OpenOptions, path: &Path) -> Result<File, FileError> {
    let file = options
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK)
        .open(path)
        .map_err(|error| FileError::io("open", path, error))?;
    let metadata = file.metadata().map_err(|error| FileError::io("look at", path, error))?;
    if !metadata.is_file() {
        return Err(FileError::NotRegular { path: path.to_path_buf() });
    }
    Ok(file)
}

/// Maps a file whole, or as long as it was just made, and makes sure that it is still that long.
fn map(
    file: &File,
    path: &Path,
    length: Option<usize>,
    map: impl FnOnce(&MmapOptions) -> io::Result<MmapRaw>,
) -> Result<Mapping, FileError> {
    let look = || file.metadata().map_err(|error| FileError::io("look at", path, error));
    let metadata = look()?;
    let length = match length {
        Some(length) => length,
        None => addressable(path, metadata.len())?,
    };
    let memory = map(MmapOptions::new().len(length)).map_err(|error| FileError::io("map", path, error))?;
    let after = look()?.len();
    if after < length as u64 {
        return Err(FileError::Cut { path: path.to_path_buf(), before: length as u64, after });
    }
    Ok(Mapping { memory, path: path.to_path_buf(), identity: (metadata.dev(), metadata.ino()) })
}

fn addressable(path: &Path, length: u64) -> Result<usize, FileError> {
    if length == 0 {
        return Err(FileError::TooShort { path: path.to_path_buf(), length, minimum: 1 });
    }
    match isize::try_from(length) {
        Ok(fits) => Ok(fits.unsigned_abs()),
        Err(_) => Err(FileError::TooLong { path: path.to_path_buf(), length }),
    }
}
