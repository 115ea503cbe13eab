//! The one place where the driver makes a log of a file, and vouches for it. `[native-resource]`
//!
//! See the contract of [`LogBuffers::initialise`]. The clients' side of it stands in `client/src/conductor/logs.rs`.

use gannet_core::TermId;
use gannet_core::log::{LogBuffers, LogError, LogProperties};
use gannet_transport_ipc::Region;

/// Makes a log of a new file. Its contract, point by point:
/// - Publishers: the driver has no appender. It names a log by a registration id, which is not used twice, and that of an
///   exclusive publication to the one client that added it.
/// - Readers: the driver lends nobody a frame; it reads headers, as words. A subscriber is told to join where the
///   others are, or the publishers: where a frame begins.
/// - Cleaning: the conductor cleans behind the slowest subscriber's position and the publishers' (`update_limit`), and
///   moves the limit only over what is clean.
/// - Nobody else: the file is open to whom the directory's permissions admit, which are clients that keep Aeron's
///   protocol; words of the metadata change by the conductor, as that protocol says.
///
/// # Errors
/// When the properties or the start make no log.
pub(super) fn initialise(
    region: &Region,
    properties: &LogProperties,
    start: Option<(TermId, i32)>,
) -> Result<LogBuffers<Region>, LogError> {
    // SAFETY: the log's contract is kept, see above.
    unsafe { LogBuffers::initialise(region, properties, start) }
}

/// Opens a log as a client would, which a test of the conductor plays.
#[cfg(test)]
pub(crate) fn open(region: &Region) -> Result<LogBuffers<Region>, LogError> {
    // SAFETY: a test is one thread, and keeps nothing that it was lent.
    unsafe { LogBuffers::open(region) }
}
