//! Finds the driver of a directory, waits for it, and notices when another takes its place. `[client]`
//!
//! Mirrors `aeron_client_connect_to_driver`; section 7 of `cnc.md`.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use gannet_core::cnc::{Cnc, CncError};
use gannet_core::command::Command;
use gannet_core::ring::ManyToOneRing;
use gannet_transport_ipc::{AeronDirectory, FileError, MappedFile, Region};

use crate::clock::epoch_ms;
use crate::driver_proxy::DriverProxy;
use crate::error::ConnectError;

/// How long to wait for a file that is not there, as the C client does.
const ABSENT: Duration = Duration::from_millis(16);
/// How long to wait for a file that is not finished, as the C client does.
const UNFINISHED: Duration = Duration::from_millis(1);
/// How long to wait for a dead driver's successor, as the C client does.
const DEAD: Duration = Duration::from_millis(100);

/// The driver's file, attached.
pub(crate) struct Attached {
    pub(crate) cnc: Cnc<Region>,
    pub(crate) to_driver: ManyToOneRing<Region>,
    pub(crate) directory: DriverDirectory,
}

/// Where the driver is, and which file is its own.
pub(crate) struct DriverDirectory {
    cnc_file: PathBuf,
    identity: Option<(u64, u64)>,
}

impl DriverDirectory {
    /// Whether another driver's file lies where this client's driver had its own.
    pub(crate) fn is_replaced(&self) -> bool {
        match (self.identity, identity(&self.cnc_file)) {
            (Some(ours), Some(there)) => ours != there,
            // A directory that is gone says nothing yet: the heartbeat will.
            _ => false,
        }
    }
}

/// Device and inode of a file, if it is there.
fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Why there is nothing to attach to at this moment.
enum Wait {
    Absent,
    Unfinished,
    Dead(Option<Duration>),
}

/// Attaches to the driver of a directory, waiting up to `patience` for it to appear and to live.
pub(crate) fn attach(directory: &Path, patience: Duration, driver_timeout: Duration) -> Result<Attached, ConnectError> {
    let start = Instant::now();
    loop {
        let wait = match try_attach(directory, driver_timeout)? {
            Ok(attached) => return Ok(attached),
            Err(wait) => wait,
        };
        let waited = start.elapsed();
        if waited >= patience {
            let directory = directory.to_owned();
            return Err(match wait {
                Wait::Absent => ConnectError::NoDriver { directory, waited },
                Wait::Unfinished => ConnectError::NotReady { directory, waited },
                Wait::Dead(age) => ConnectError::DriverGone { directory, age },
            });
        }
        let pause = match wait {
            Wait::Absent => ABSENT,
            Wait::Unfinished => UNFINISHED,
            Wait::Dead(_) => DEAD,
        };
        thread::sleep(pause.min(patience - waited));
    }
}

fn try_attach(directory: &Path, driver_timeout: Duration) -> Result<Result<Attached, Wait>, ConnectError> {
    let unusable = |reason: String| ConnectError::Unusable { directory: directory.to_owned(), reason };
    let cnc_file = AeronDirectory::at(directory).cnc_file();
    let identity = identity(&cnc_file);
    let memory = match MappedFile::open(&cnc_file) {
        Ok(memory) => memory,
        Err(error) if error.is_absent() => return Ok(Err(Wait::Absent)),
        Err(FileError::TooShort { .. } | FileError::Cut { .. }) => return Ok(Err(Wait::Unfinished)),
        Err(error) => return Err(unusable(error.to_string())),
    };
    let cnc = match Cnc::open(memory) {
        Ok(cnc) => cnc,
        Err(CncError::NotReady | CncError::TooShort { .. }) => return Ok(Err(Wait::Unfinished)),
        Err(error) => return Err(unusable(error.to_string())),
    };
    let to_driver = ManyToOneRing::new(cnc.to_driver()).map_err(|error| unusable(error.to_string()))?;
    match to_driver.consumer_heartbeat_ms() {
        0 => return Ok(Err(Wait::Unfinished)),
        heartbeat_ms if heartbeat_ms < 0 => return Ok(Err(Wait::Dead(None))),
        heartbeat_ms => {
            let age = Duration::from_millis(u64::try_from(epoch_ms().saturating_sub(heartbeat_ms)).unwrap_or(0));
            if age > driver_timeout {
                return Ok(Err(Wait::Dead(Some(age))));
            }
        }
    }
    Ok(Ok(Attached { cnc, to_driver, directory: DriverDirectory { cnc_file, identity } }))
}

/// Asks a directory's driver, which is there now, to end.
pub(crate) fn request_termination(directory: &Path, token: &[u8]) -> Result<(), ConnectError> {
    let unusable = |reason: String| ConnectError::Unusable { directory: directory.to_owned(), reason };
    let attached = attach(directory, Duration::ZERO, Duration::MAX)?;
    let proxy = DriverProxy::new(attached.to_driver);
    let (client_id, correlation_id) = (proxy.client_id(), proxy.next_correlation_id());
    proxy
        .send(&Command::TerminateDriver { client_id, correlation_id, token })
        .map_err(|error| unusable(error.to_string()))
}
