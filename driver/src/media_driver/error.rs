//! Why a driver did not start, or did not end cleanly. `[any]`

use std::path::PathBuf;

use gannet_transport_ipc::{CncFileError, DirectoryError, FileError};

use crate::agent::{IdleStrategyError, StartError};
use crate::conductor::CncSetupError;
use crate::config::ConfigError;

/// A driver that could not be launched or closed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriverError {
    /// Of the settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Of an idle strategy's init args.
    #[error(transparent)]
    IdleStrategy(#[from] IdleStrategyError),
    /// INVOKER has no threads.
    #[error("INVOKER threading mode requires a caller: use MediaDriver::launch_invoker")]
    NeedsInvoker,
    /// Of the directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// Of a file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Of the CnC file.
    #[error(transparent)]
    Cnc(#[from] CncFileError),
    /// Of the CnC file's contents.
    #[error(transparent)]
    Conductor(#[from] CncSetupError),
    /// Of the counters.
    #[error("the counters buffers are too short: {0}")]
    Counters(String),
    /// Of signals, in `gannetd`.
    #[error("cannot listen to signals: {0}")]
    Signals(std::io::Error),
    /// Another driver has its directory now: it was told to delete whatever was there, or this one had shown no life
    /// for too long.
    #[error(
        "another media driver took over {}: this one showed no life for its time-out, or the other deletes on start",
        directory.display()
    )]
    Ousted {
        /// The directory.
        directory: PathBuf,
    },
    /// A thread of the driver ended by itself, which only a panic can cause.
    #[error("the thread '{role_name}' of the media driver died")]
    ThreadDied {
        /// Its name.
        role_name: String,
    },
    /// Of a thread.
    #[error(transparent)]
    Thread(#[from] StartError),
}
