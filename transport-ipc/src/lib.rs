//! Aeron's shared files: the CnC file, log buffers and the loss report, created, reserved and mapped.
//!
//! [`Region`] is the memory of a mapped file, over which the algorithms of `gannet-core` work; [`ReadOnlyRegion`] is
//! its like for tools that only look. [`AeronDirectory`] is the directory that a driver owns: who may use it, whether
//! its driver lives, how it is taken over and deleted.
//!
//! Linux only: space is reserved with `fallocate` and `MADV_POPULATE_WRITE`.
//!
//! No driver state lives here, nothing is cached between calls, and nobody retries: a caller that waits for a driver
//! does so by calling again.

mod cnc_file;
mod datestamp;
mod directory;
mod error;
mod log_file;
mod loss_report_file;
mod mapped_file;
mod read_only_region;
mod region;
mod sharing;
pub mod storage;

pub use cnc_file::{CncFile, CncFileError};
pub use directory::{
    AeronDirectory, Claim, ClaimOptions, Deleted, DirectoryError, DirectoryLock, Heartbeat, SavedErrors,
};
pub use error::FileError;
pub use log_file::{LogFile, LogFileError};
pub use loss_report_file::LossReportFile;
pub use mapped_file::MappedFile;
pub use read_only_region::ReadOnlyRegion;
pub use region::Region;
pub use sharing::{Sharing, UnknownSharing};
pub use storage::Space;
