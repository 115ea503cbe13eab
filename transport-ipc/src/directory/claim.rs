//! Taking possession of a directory: a new one, or that of a driver that is dead. `[any]`
//!
//! Mirrors `aeron_driver_ensure_dir_is_recreated` and `aeron_is_driver_active_with_cnc`; cnc.md §8. The C driver
//! deletes the directory and makes it again, so that two drivers that start at once may delete each other's files.
//! Here the directory itself stays, and a lock on it, held until the CnC file is published, lets one start at a time.

use std::fs::{DirBuilder, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gannet_core::cnc::Cnc;
use gannet_core::ring::ManyToOneRing;
use gannet_core::sync::Memory;
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::Pid;

use super::access::{DirectoryError, open_own, open_own_at};
use super::saved_errors::{self, SavedErrors};
use super::{AeronDirectory, delete};
use crate::cnc_file::{CncFile, CncFileError, version_text};
use crate::error::FileError;
use crate::sharing::Sharing;

/// Between looks at a CnC file that is not ready: the C driver's interval.
const NOT_READY_INTERVAL: Duration = Duration::from_millis(1);
/// How long a driver that starts waits for one that holds the directory: that one is ending, or starts itself and then
/// shows that it lives.
const HOLD_PATIENCE: Duration = Duration::from_secs(1);

/// How a directory is to be claimed.
#[derive(Clone, Copy, Debug)]
pub struct ClaimOptions {
    /// Who else may use it.
    pub sharing: Sharing,
    /// How old a heartbeat may be, in milliseconds, for its driver to count as living.
    pub driver_timeout_ms: i64,
    /// Whether whatever is there goes, a living driver's files included.
    pub delete_on_start: bool,
}

/// A directory that is this driver's, empty but for the directories of logs. Dropped once the CnC file is published:
/// until then no other driver of this kind can claim it.
#[derive(Debug)]
pub struct Claim {
    /// Whether the directory was there before.
    pub existed: bool,
    /// How old the heartbeat of the driver was that had it, in milliseconds.
    pub heartbeat_age_ms: Option<i64>,
    /// What became of the errors that it had recorded.
    pub saved_errors: Option<SavedErrors>,
    /// What was in the directory and is not Aeron's; it was left alone.
    pub left: Vec<PathBuf>,
    _lock: DirectoryLock,
}

/// Keeps drivers of this kind from starting in a directory, until it is dropped. A driver that ends holds it while it
/// deletes what is its own, so that it never deletes what its successor has made.
#[derive(Debug)]
pub struct DirectoryLock {
    /// Locked, where the file system knows locks.
    pub(super) directory: File,
}

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        // A process that was forked meanwhile has the same open directory, and the lock would last as long as that.
        let _ = self.directory.unlock();
    }
}

/// A driver's life sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The driver's process, as it stated it.
    pub pid: i64,
    /// How long ago it showed life, in milliseconds. Very long for one that closed its directory.
    pub age_ms: i64,
    /// Whether the driver closed its directory in order.
    pub is_closed: bool,
}

impl Heartbeat {
    /// Of a CnC file at a time.
    ///
    /// # Errors
    /// When its ring of commands has no length that a ring may have.
    pub fn of<M: Memory>(cnc: &Cnc<M>, now_ms: i64) -> Result<Heartbeat, gannet_core::ring::CapacityError> {
        let heartbeat_ms = ManyToOneRing::new(cnc.to_driver())?.consumer_heartbeat_ms();
        Ok(Heartbeat {
            pid: cnc.config().pid,
            age_ms: now_ms.saturating_sub(heartbeat_ms),
            is_closed: heartbeat_ms == -1,
        })
    }

    /// Whether its driver lives: it has shown life within the time-out, in milliseconds. A heartbeat that lies further
    /// than that in the future is from before the clock was set back, and says nothing; then it lives if its process does.
    #[must_use]
    pub fn is_alive(&self, driver_timeout_ms: i64) -> bool {
        if self.age_ms < driver_timeout_ms.saturating_neg() {
            return is_process(self.pid);
        }
        self.age_ms <= driver_timeout_ms
    }
}

impl AeronDirectory {
    /// Whether a driver lives in the directory, as [`Heartbeat::is_alive`] tells.
    #[must_use]
    pub fn is_driver_active(&self, driver_timeout_ms: i64) -> bool {
        self.heartbeat().is_ok_and(|heartbeat| heartbeat.is_some_and(|beat| beat.is_alive(driver_timeout_ms)))
    }

    /// The life sign of the directory's driver; nothing where the CnC file cannot hold one.
    ///
    /// # Errors
    /// When the CnC file cannot be opened.
    pub fn heartbeat(&self) -> Result<Option<Heartbeat>, CncFileError> {
        let cnc = CncFile::open_read_only(self)?;
        Ok(Heartbeat::of(&cnc, epoch_ms()).ok())
    }

    /// Makes the directory this driver's: creates it, or takes it over from a driver that is dead, whose errors are
    /// saved beside it first. A CnC file that is not ready is given the driver time-out to become so.
    ///
    /// # Errors
    /// When a driver lives or starts in it; when it is a link, no directory, or another user's; when its CnC file is
    /// of another version; when the system refuses.
    pub fn claim(&self, options: ClaimOptions) -> Result<Claim, DirectoryError> {
        self.claim_unless(options, &|| false)
    }

    /// As [`AeronDirectory::claim`], and gives up the wait for a CnC file that is not ready, or for a driver that is ending
    /// or starting, as soon as `is_stopped`.
    ///
    /// # Errors
    /// As for [`AeronDirectory::claim`]; and [`DirectoryError::Stopped`].
    pub fn claim_unless(&self, options: ClaimOptions, is_stopped: &dyn Fn() -> bool) -> Result<Claim, DirectoryError> {
        let (lock, existed) = self.lock(is_stopped)?;
        let directory = &lock.directory;
        let (mut heartbeat_age_ms, mut saved_errors) = (None, None);
        if existed
            && !options.delete_on_start
            && let Some(cnc) = self.wait_for_cnc(options.driver_timeout_ms, is_stopped)?
        {
            let now_ms = epoch_ms();
            if let Ok(heartbeat) = Heartbeat::of(&cnc, now_ms) {
                if heartbeat.is_alive(options.driver_timeout_ms) {
                    return Err(DirectoryError::Active {
                        path: self.path().to_path_buf(),
                        pid: heartbeat.pid,
                        heartbeat_age_ms: heartbeat.age_ms,
                    });
                }
                heartbeat_age_ms = Some(heartbeat.age_ms);
            }
            saved_errors = saved_errors::save(self.path(), &cnc.error_log(), now_ms);
        }
        let left = delete::empty(directory, self.path())?;
        set_mode(directory, self.path(), options.sharing)?;
        for name in [Self::PUBLICATIONS, Self::IMAGES] {
            make_directory(directory, Path::new(name), &self.path().join(name), options.sharing)?;
        }
        Ok(Claim { existed, heartbeat_age_ms, saved_errors, left, _lock: lock })
    }

    /// Locks the directory, so that no other driver starts in it; waits as long as `patience` for one that is starting.
    /// Nothing where there is no directory any more.
    ///
    /// # Errors
    /// [`DirectoryError::Starting`] when another driver is starting all the while; when it is a link or another user's;
    /// when the system refuses.
    pub fn hold(&self, patience: Duration) -> Result<Option<DirectoryLock>, DirectoryError> {
        let start = Instant::now();
        loop {
            let Some(directory) = open_own(self.path())? else { return Ok(None) };
            match directory.try_lock() {
                Ok(()) | Err(TryLockError::Error(_)) if is_same(&directory, self.path()) => {
                    return Ok(Some(DirectoryLock { directory }));
                }
                Ok(()) | Err(TryLockError::Error(_)) => {}
                Err(TryLockError::WouldBlock) if start.elapsed() > patience => {
                    return Err(DirectoryError::Starting { path: self.path().to_path_buf() });
                }
                Err(TryLockError::WouldBlock) => thread::sleep(NOT_READY_INTERVAL),
            }
        }
    }

    /// Opens the directory, or creates it, and locks it; whether it was there.
    fn lock(&self, is_stopped: &dyn Fn() -> bool) -> Result<(DirectoryLock, bool), DirectoryError> {
        let start = Instant::now();
        let path = self.path();
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            DirBuilder::new()
                .recursive(true)
                .create(parent)
                .map_err(|error| FileError::io("create directory", parent, error))?;
        }
        loop {
            let existed = match DirBuilder::new().mode(Sharing::Owner.directory_mode()).create(path) {
                Ok(()) => false,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => true,
                Err(error) => return Err(FileError::io("create directory", path, error).into()),
            };
            let Some(directory) = open_own(path)? else { continue };
            match directory.try_lock() {
                // A file system that knows no locks leaves what the C driver has: heartbeats.
                Ok(()) | Err(TryLockError::Error(_)) => {}
                Err(TryLockError::WouldBlock) if is_stopped() => {
                    return Err(DirectoryError::Stopped { path: path.to_path_buf() });
                }
                Err(TryLockError::WouldBlock) if start.elapsed() > HOLD_PATIENCE => {
                    return Err(DirectoryError::Starting { path: path.to_path_buf() });
                }
                Err(TryLockError::WouldBlock) => {
                    thread::sleep(NOT_READY_INTERVAL);
                    continue;
                }
            }
            // Another driver may have deleted the directory before it was locked: then there is a new one to lock.
            if is_same(&directory, path) {
                return Ok((DirectoryLock { directory }, existed));
            }
        }
    }

    /// The CnC file of whoever had the directory, if it is one that says anything.
    fn wait_for_cnc(
        &self,
        driver_timeout_ms: i64,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Option<Cnc<crate::read_only_region::ReadOnlyRegion>>, DirectoryError> {
        let patience = Duration::from_millis(u64::try_from(driver_timeout_ms).unwrap_or(0));
        let start = Instant::now();
        loop {
            match CncFile::open_read_only(self) {
                Ok(cnc) => return Ok(Some(cnc)),
                Err(CncFileError::Absent { .. } | CncFileError::Damaged { .. }) => return Ok(None),
                Err(CncFileError::TooShort { .. } | CncFileError::NotReady { .. }) => {
                    if start.elapsed() > patience {
                        return Ok(None);
                    }
                    if is_stopped() {
                        return Err(DirectoryError::Stopped { path: self.path().to_path_buf() });
                    }
                    thread::sleep(NOT_READY_INTERVAL);
                }
                Err(CncFileError::IncompatibleVersion { version, .. }) => {
                    let path = self.path().to_path_buf();
                    return Err(DirectoryError::Incompatible { path, version: version_text(version) });
                }
                Err(CncFileError::File(error)) => return Err(error.into()),
            }
        }
    }
}

/// Whether there is a process of this id.
fn is_process(pid: i64) -> bool {
    match i32::try_from(pid) {
        // Others, and 0, stand for groups of processes.
        Ok(pid @ 1..) => matches!(kill(Pid::from_raw(pid), None), Ok(()) | Err(Errno::EPERM)),
        _ => false,
    }
}

/// Whether a path still leads to an open directory.
fn is_same(directory: &File, path: &Path) -> bool {
    let (Ok(open), Ok(named)) = (directory.metadata(), std::fs::symlink_metadata(path)) else { return false };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

fn set_mode(directory: &File, path: &Path, sharing: Sharing) -> Result<(), FileError> {
    directory
        .set_permissions(Permissions::from_mode(sharing.directory_mode()))
        .map_err(|error| FileError::io("set the permissions of", path, error))
}

/// Makes a directory inside an open one, or takes the one that is there.
fn make_directory(parent: &File, name: &Path, shown: &Path, sharing: Sharing) -> Result<(), DirectoryError> {
    match mkdirat(parent, name, Mode::S_IRWXU) {
        Ok(()) | Err(Errno::EEXIST) => {}
        Err(errno) => return Err(FileError::io("create directory", shown, errno).into()),
    }
    let Some(directory) = open_own_at(parent, name, shown)? else {
        return Err(FileError::io("open", shown, Errno::ENOENT).into());
    };
    Ok(set_mode(&directory, shown, sharing)?)
}

/// Milliseconds since the epoch, as heartbeats are written.
fn epoch_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
