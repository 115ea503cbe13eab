//! Tests that cannot run on this machine say so where it is seen. `[any]`

use std::fs::OpenOptions;
use std::io::Write;

/// Says on standard error that a test did not run, and why; and in the file that `GANNET_SKIPPED` names, for a build
/// that must not skip any.
///
/// # Panics
/// When the file cannot be written.
pub fn skip(test: &str, why: &str) {
    let line = format!("SKIPPED {test}: {why}\n");
    // Not eprintln!, which the test harness keeps to itself when a test passes.
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(path) = std::env::var_os("GANNET_SKIPPED") {
        let mut file = OpenOptions::new().create(true).append(true).open(path).expect("the list of skipped tests");
        file.write_all(line.as_bytes()).expect("the list of skipped tests");
    }
}
