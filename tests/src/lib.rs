//! What the process, fault and interop suites share: driver processes under guard, their directories, deadlines,
//! verified messages, and a reading of the CnC file that is independent of the code under test. `[any]`
//!
//! A failed step panics with a sentence that names what was waited for: that is how a test fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)] // a helper of tests fails the test

pub mod aeron_directory;
pub mod cnc_snapshot;
pub mod driver_process;
pub mod gannetd;
pub mod kill_points;
mod leash;
pub mod messages;
pub mod process;
pub mod raw_client;
pub mod raw_log;
pub mod skip;
pub mod wait;

pub use aeron_directory::AeronDirectory;
pub use cnc_snapshot::{CncSnapshot, CounterSnapshot};
pub use driver_process::{DriverProcess, Settings};
pub use process::Process;
pub use raw_client::RawClient;
pub use skip::skip;
pub use wait::{PATIENCE, wait_for, wait_until};
