//! Aeron's shared files: the CnC file, log buffers and the loss report, created, reserved and mapped.
//!
//! [`Region`] is the memory of a mapped file, over which the algorithms of `gannet-core` work; [`ReadOnlyRegion`] is
//! its like for tools that only look.
//!
//! Linux only: space is reserved with `fallocate` and `MADV_POPULATE_WRITE`.
//!
//! No driver state lives here, nothing is cached between calls, and nobody retries: a caller that waits for a driver
//! does so by calling again.

mod error;
mod mapped_file;
mod read_only_region;
mod region;
mod sharing;
pub mod storage;

pub use error::FileError;
pub use mapped_file::MappedFile;
pub use read_only_region::ReadOnlyRegion;
pub use region::Region;
pub use sharing::Sharing;
pub use storage::Space;
