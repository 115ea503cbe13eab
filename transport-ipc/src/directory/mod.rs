//! The directory of a driver: what is in it, whose it is, who takes it over. `[any]`
//!
//! Mirrors `aeron_default_path` and the location functions of the C client's `util/aeron_fileutil.c`, and
//! `aeron_driver_ensure_dir_is_recreated` of `aeron_driver.c`. cnc.md §1 and §8.
//!
//! `/dev/shm` is everybody's to write: another user may have put something of the expected name there first. So a
//! driver's directory must be a directory, no link, and its own user's; only what Aeron names is ever deleted, and no
//! link is followed on the way.

mod access;
mod claim;
mod delete;
mod saved_errors;
#[cfg(test)]
mod tests;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use nix::unistd::{User, getuid};

pub use access::DirectoryError;
pub use claim::{Claim, ClaimOptions, DirectoryLock, Heartbeat};
pub use delete::Deleted;
pub use saved_errors::SavedErrors;

/// A driver's directory, by name; nothing is held open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AeronDirectory {
    path: PathBuf,
}

impl AeronDirectory {
    /// The name of the CnC file.
    pub const CNC_FILE: &'static str = "cnc.dat";
    /// The name of the loss report.
    pub const LOSS_REPORT_FILE: &'static str = "loss-report.dat";
    /// The name of the directory of publications' logs.
    pub const PUBLICATIONS: &'static str = "publications";
    /// The name of the directory of images' logs.
    pub const IMAGES: &'static str = "images";
    /// How a log's file name ends, after the decimal registration id.
    pub const LOG_SUFFIX: &'static str = ".logbuffer";

    /// The directory at a path; slashes at its end do not count.
    #[must_use]
    pub fn at(path: impl AsRef<Path>) -> Self {
        // A slash at the end would make the system follow a link there.
        AeronDirectory { path: path.as_ref().components().collect() }
    }

    /// The directory of the environment: `AERON_DIR` where it is set, else [`AeronDirectory::default_path`].
    #[must_use]
    pub fn from_env() -> Self {
        Self::at(env::var_os("AERON_DIR").map_or_else(Self::default_path, PathBuf::from))
    }

    /// `/dev/shm/aeron-<user>`, where every Aeron driver and client on Linux looks first. The user is `USER` of the
    /// environment, else the name of the real user id, else `default`.
    #[must_use]
    pub fn default_path() -> PathBuf {
        let user = env::var_os("USER").or_else(|| {
            let entry = User::from_uid(getuid()).ok().flatten()?;
            (!entry.name.is_empty()).then(|| entry.name.into())
        });
        let mut name = OsString::from("/dev/shm/aeron-");
        name.push(user.unwrap_or_else(|| "default".into()));
        name.into()
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of the CnC file.
    #[must_use]
    pub fn cnc_file(&self) -> PathBuf {
        self.path.join(Self::CNC_FILE)
    }

    /// The path of the loss report.
    #[must_use]
    pub fn loss_report_file(&self) -> PathBuf {
        self.path.join(Self::LOSS_REPORT_FILE)
    }

    /// The path of a publication's log.
    #[must_use]
    pub fn publication_log(&self, registration_id: i64) -> PathBuf {
        self.log(Self::PUBLICATIONS, registration_id)
    }

    /// The path of an image's log.
    #[must_use]
    pub fn image_log(&self, correlation_id: i64) -> PathBuf {
        self.log(Self::IMAGES, correlation_id)
    }

    fn log(&self, directory: &str, id: i64) -> PathBuf {
        self.path.join(directory).join(format!("{id}{}", Self::LOG_SUFFIX))
    }
}
