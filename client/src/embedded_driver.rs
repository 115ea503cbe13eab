//! A media driver inside the application's own process. `[any]`
//!
//! Mirrors `MediaDriver.launchEmbedded`. Feature `embedded-driver`.

use std::path::{Path, PathBuf};
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use gannet_driver::config::Context as DriverContext;
use gannet_driver::{DriverError, MediaDriver};
use gannet_transport_ipc::AeronDirectory;

use crate::context::Context;

/// A driver on threads of its own, in a directory of its own unless it is told another, for tests, tools and
/// applications that ship without a driver beside them.
///
/// It ends when it is closed or dropped, and its directory goes with it: drop its clients first.
///
/// ```no_run
/// use gannet::{Aeron, EmbeddedDriver};
///
/// let driver = EmbeddedDriver::launch()?;
/// let aeron = Aeron::connect(driver.context())?;
/// let publication = aeron.add_publication("aeron:ipc", 1001)?;
/// # drop(publication);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct EmbeddedDriver {
    driver: MediaDriver,
    directory: PathBuf,
}

impl EmbeddedDriver {
    /// Launches a driver with Aeron's defaults, in a new directory that is deleted with it.
    ///
    /// # Errors
    /// When files or threads cannot be had.
    pub fn launch() -> Result<EmbeddedDriver, DriverError> {
        Self::launch_with(|_| ())
    }

    /// As [`launch`](EmbeddedDriver::launch), after `configure` has changed what it likes, the directory included.
    ///
    /// ```no_run
    /// use gannet::EmbeddedDriver;
    /// use gannet::driver::config::ThreadingMode;
    ///
    /// let driver = EmbeddedDriver::launch_with(|context| {
    ///     context.threading_mode = ThreadingMode::Shared;
    ///     context.ipc_term_buffer_length = 64 * 1024;
    /// })?;
    /// # Ok::<(), gannet::driver::DriverError>(())
    /// ```
    ///
    /// # Errors
    /// When the settings contradict each other, another driver lives in the directory, or files or threads cannot be
    /// had.
    pub fn launch_with(configure: impl FnOnce(&mut DriverContext)) -> Result<EmbeddedDriver, DriverError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut name = AeronDirectory::default_path().into_os_string();
        name.push(format!("-embedded-{}-{}", process::id(), now.as_nanos()));
        let mut context = DriverContext {
            directory: name.into(),
            delete_directory_on_start: true,
            delete_directory_on_shutdown: true,
            ..DriverContext::default()
        };
        configure(&mut context);
        let directory = context.directory.clone();
        Ok(EmbeddedDriver { driver: MediaDriver::launch(context)?, directory })
    }

    /// The driver's directory, for clients of other processes.
    #[must_use]
    pub fn aeron_dir(&self) -> &Path {
        &self.directory
    }

    /// A context for a client of this driver.
    #[must_use]
    pub fn context(&self) -> Context {
        Context::new().aeron_dir(&self.directory)
    }

    /// Whether a client asked for the driver to end, and was allowed to; it goes on until it is closed.
    #[must_use]
    pub fn is_terminating(&self) -> bool {
        self.driver.is_terminating()
    }

    /// Ends the driver.
    ///
    /// # Errors
    /// When files cannot be written back or removed; the driver has ended all the same.
    pub fn close(self) -> Result<(), DriverError> {
        self.driver.close()
    }
}
