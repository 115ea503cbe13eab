//! Runs of `gannetd` that end by themselves, and clients to see that it serves.

use gannet::{Aeron, Context};
use gannet_tests::{AeronDirectory, DriverProcess, PATIENCE, Process, Settings, gannetd, wait_until};
use std::path::Path;
use std::process::{Command, ExitStatus};

/// How a run ended.
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    pub(crate) output: Vec<String>,
    pub(crate) errors: Vec<String>,
}

/// Runs `gannetd` with arguments until it ends.
#[track_caller]
pub(crate) fn run(arguments: &[&str], settings: &Settings, directory: &Path) -> Run {
    let mut command = Command::new(gannetd::program());
    settings.apply(&mut command);
    command.args(arguments).env("AERON_DIR", directory);
    let mut process = Process::spawn(command);
    let status = process.wait_exit(PATIENCE);
    Run { status, output: process.output(), errors: process.errors() }
}

/// Starts `gannetd` with arguments.
#[track_caller]
pub(crate) fn launch(name: &str, arguments: &[&str], settings: &Settings) -> DriverProcess {
    launch_in(AeronDirectory::new(name), arguments, settings)
}

/// Starts `gannetd` with arguments on a directory that may exist.
#[track_caller]
pub(crate) fn launch_in(directory: AeronDirectory, arguments: &[&str], settings: &Settings) -> DriverProcess {
    let mut command = Command::new(gannetd::program());
    command.args(arguments);
    DriverProcess::launch_in(command, directory, settings)
}

/// A client's message goes through the driver.
#[track_caller]
pub(crate) fn assert_serves(directory: &Path) {
    let aeron = Aeron::connect(Context::defaults().aeron_dir(directory)).unwrap();
    let mut subscription = aeron.add_subscription("aeron:ipc", 1).unwrap();
    let publication = aeron.add_publication("aeron:ipc", 1).unwrap();
    wait_until("a message goes", PATIENCE, || publication.offer(b"a message").is_ok());
    wait_until("it comes", PATIENCE, || subscription.poll(1, |bytes, _| assert_eq!(bytes, b"a message")) == 1);
    aeron.close();
}
