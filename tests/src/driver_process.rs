//! A media driver in a process of its own, with an Aeron directory of its own. `[any]`

use crate::{AeronDirectory, CncSnapshot, PATIENCE, Process, wait_for};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Environment variables for a driver. The defaults keep its files small and its timers short, so that a suite of
/// hundreds of drivers fits into a small shared-memory file system and a few minutes.
#[derive(Clone, Debug)]
pub struct Settings {
    variables: Vec<(String, String)>,
}

impl Settings {
    /// Small files, 20 ms timer interval, one thread.
    #[must_use]
    pub fn small() -> Self {
        Settings { variables: Vec::new() }
            .with("AERON_THREADING_MODE", "SHARED")
            .with("AERON_SHARED_IDLE_STRATEGY", "sleep-ns")
            .with("AERON_SHARED_IDLE_STRATEGY_INIT_ARGS", "500us")
            .with("AERON_TIMER_INTERVAL", "20ms")
            .with("AERON_COUNTERS_BUFFER_LENGTH", "1m")
            .with("AERON_COUNTERS_FREE_TO_REUSE_TIMEOUT", "0")
            .with("AERON_TERM_BUFFER_LENGTH", "64k")
            .with("AERON_IPC_TERM_BUFFER_LENGTH", "64k")
    }

    /// Only what the caller adds.
    #[must_use]
    pub fn bare() -> Self {
        Settings { variables: Vec::new() }
    }

    /// Sets one variable, replacing an earlier value.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Whether a variable is set.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.variables.iter().any(|(known, _)| known == name)
    }

    /// Client liveness and unblock timeouts for tests that wait for them.
    #[must_use]
    pub fn with_liveness(self, liveness: Duration, unblock: Duration) -> Self {
        self.with("AERON_CLIENT_LIVENESS_TIMEOUT", &format!("{}ms", liveness.as_millis()))
            .with("AERON_PUBLICATION_UNBLOCK_TIMEOUT", &format!("{}ms", unblock.as_millis()))
    }

    /// Puts them into a command's environment, from which every other `AERON_` and `GANNET_` variable goes.
    pub fn apply(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("AERON_") || name.starts_with("GANNET_")) {
                command.env_remove(name);
            }
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
    }
}

/// A running driver. It is killed, and its directory removed, when this value goes.
#[derive(Debug)]
pub struct DriverProcess {
    // Fields drop in order: the process ends before its files go.
    process: Process,
    directory: AeronDirectory,
}

impl DriverProcess {
    /// Starts `program` on a new directory and waits until it is ready for clients.
    ///
    /// # Panics
    /// When it is not ready within [`PATIENCE`].
    #[must_use]
    #[track_caller]
    pub fn launch(program: &Path, name: &str, settings: &Settings) -> Self {
        Self::launch_in(Command::new(program), AeronDirectory::new(name), settings)
    }

    /// Starts `command` as a driver on a directory that may exist, and waits until it is ready for clients.
    ///
    /// # Panics
    /// When it is not ready within [`PATIENCE`].
    #[must_use]
    #[track_caller]
    pub fn launch_in(mut command: Command, directory: AeronDirectory, settings: &Settings) -> Self {
        settings.apply(&mut command);
        command.env("AERON_DIR", directory.path());
        let process = Process::spawn(command);
        let mut driver = DriverProcess { process, directory };
        let id = i64::from(driver.process.id());
        wait_for("the driver publishes its CnC file", PATIENCE, || {
            assert!(driver.process.is_running(), "the driver ended: {}", driver.process.report());
            CncSnapshot::read(driver.directory.path()).filter(|cnc| cnc.pid == id && cnc.heartbeat_ms > 0)
        });
        driver
    }

    /// Its directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Its directory, with the listing.
    #[must_use]
    pub fn directory(&self) -> &AeronDirectory {
        &self.directory
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Its CnC file, read now.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[track_caller]
    pub fn cnc(&self) -> CncSnapshot {
        CncSnapshot::read(self.path()).expect("a running driver has a CnC file")
    }

    /// The value of a system counter.
    ///
    /// # Panics
    /// When there is no such counter.
    #[must_use]
    #[track_caller]
    pub fn system_counter(&self, id: i32) -> i64 {
        self.cnc().counter(id).expect("a system counter").value
    }

    /// Ends the process and hands its directory on.
    #[must_use]
    pub fn into_directory(self) -> AeronDirectory {
        let DriverProcess { process, directory } = self;
        drop(process);
        directory
    }
}
