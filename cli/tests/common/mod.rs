//! A driver's directory without a driver, and the tools run as processes.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gannet_core::cnc::{Cnc, CncConfig, CncLengths};
use gannet_core::counters::layout::NewCounter;
use gannet_core::counters::{CounterSlot, CountersManager};
use gannet_core::error_log::DistinctErrorLog;
use gannet_core::ring::ManyToOneRing;
use gannet_transport_ipc::{AeronDirectory, CncFile, Region, Sharing};
use tempfile::TempDir;

/// What a driver leaves in its directory, made by hand.
pub(crate) struct FakeDriver {
    directory: TempDir,
    pub(crate) cnc: Cnc<Region>,
}

impl FakeDriver {
    /// A CnC file that is not published yet.
    pub(crate) fn unpublished() -> FakeDriver {
        let directory = temporary_directory();
        let config = CncConfig {
            lengths: CncLengths {
                counters_metadata: 64 * 512,
                counters_values: 64 * 128,
                error_log: 4096,
                ..CncLengths::DEFAULT
            },
            client_liveness_timeout_ns: 10_000_000_000,
            start_timestamp_ms: 1_700_000_000_123,
            pid: 4242,
            file_page_size: 4096,
        };
        let cnc = CncFile::create(&AeronDirectory::at(directory.path()), config, Sharing::Owner).unwrap();
        FakeDriver { directory, cnc }
    }

    /// With a heartbeat of now.
    pub(crate) fn alive() -> FakeDriver {
        let driver = FakeDriver::unpublished();
        driver.set_heartbeat_ms(now_ms());
        driver.cnc.publish();
        driver
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn ring(&self) -> ManyToOneRing<Region> {
        ManyToOneRing::new(self.cnc.to_driver()).unwrap()
    }

    pub(crate) fn set_heartbeat_ms(&self, heartbeat_ms: i64) {
        self.ring().set_consumer_heartbeat_ms(heartbeat_ms);
    }

    pub(crate) fn add_counters(&self, counters: &[NewCounter]) {
        let slots = vec![CounterSlot::default(); 64];
        let (metadata, values) = (self.cnc.counters_metadata(), self.cnc.counters_values());
        let mut manager = CountersManager::new(metadata, values, slots, 1000).unwrap();
        for counter in counters {
            manager.allocate_counter(counter, now_ms()).unwrap();
        }
    }

    pub(crate) fn record_errors(&self, errors: &[(&str, i64)]) {
        let mut log = DistinctErrorLog::new(self.cnc.error_log());
        for (text, at_ms) in errors {
            log.record(text, *at_ms).unwrap();
        }
    }

    /// Runs a tool on this directory.
    pub(crate) fn gannet(&self, arguments: &[&str]) -> Output {
        gannet(arguments, self.path())
    }
}

/// Where shared files are anywhere else too.
pub(crate) fn temporary_directory() -> TempDir {
    tempfile::Builder::new().prefix("gannet-cli-").tempdir_in("/dev/shm").unwrap()
}

/// Runs a tool on a directory, to its end.
pub(crate) fn gannet(arguments: &[&str], directory: &Path) -> Output {
    command(arguments, directory).stdin(Stdio::null()).output().unwrap()
}

/// A tool on a directory, by AERON_DIR.
pub(crate) fn command(arguments: &[&str], directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gannet"));
    command.args(arguments).env("AERON_DIR", directory);
    command
}

pub(crate) fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a tool that failed told the operator.
pub(crate) fn failure(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Waits for something that another process or thread does.
pub(crate) fn await_true(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "{what} has not come");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

pub(crate) fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since_epoch.as_millis()).unwrap()
}
