//! Ending: by signal, by request, and what is left behind.

use crate::support::{assert_serves, launch};
use gannet::{Aeron, Context};
use gannet_tests::{AeronDirectory, CncSnapshot, DriverProcess, PATIENCE, Process, Settings, gannetd, wait_until};
use nix::sys::signal::Signal;
use std::process::Command;

const THREADING_MODES: [&str; 3] = ["DEDICATED", "SHARED_NETWORK", "SHARED"];

#[track_caller]
fn assert_ended(driver: &mut DriverProcess, status: i32) {
    let exit = driver.process().wait_exit(PATIENCE);
    assert_eq!(exit.code(), Some(status), "{}", driver.process().report());
    assert_eq!(driver.process().errors(), [""; 0], "nothing on standard error");
    assert!(driver.process().output().iter().any(|line| line.starts_with("Shutting down driver")));
}

#[test]
fn signals_end_it_in_good_order() {
    for mode in THREADING_MODES {
        for signal in [Signal::SIGTERM, Signal::SIGINT] {
            let settings = Settings::small().with("AERON_THREADING_MODE", mode);
            let mut driver = launch("signal", &[], &settings);
            assert_serves(driver.path());
            driver.process().signal(signal);
            assert_ended(&mut driver, signal as i32);
            assert_eq!(driver.cnc().heartbeat_ms, -1, "{mode}: the directory stays and says that its driver ended");
        }
    }
}

#[test]
fn a_signal_right_after_the_start_ends_it_too() {
    for _ in 0..20 {
        let mut driver = launch("early-signal", &[], &Settings::small());
        driver.process().signal(Signal::SIGTERM);
        assert_ended(&mut driver, 15);
    }
}

#[test]
fn the_directory_goes_when_the_operator_says_so() {
    let settings = Settings::small().with("AERON_DIR_DELETE_ON_SHUTDOWN", "true");
    let mut driver = launch("delete-on-shutdown", &[], &settings);
    assert_serves(driver.path());
    driver.process().signal(Signal::SIGTERM);
    assert_ended(&mut driver, 15);
    assert!(!driver.path().exists());
}

#[test]
fn it_ends_with_streams_open() {
    let mut driver = launch("open-streams", &[], &Settings::small());
    let aeron = Aeron::connect(Context::defaults().aeron_dir(driver.path()).error_handler(|_| {})).unwrap();
    let _subscription = aeron.add_subscription("aeron:ipc", 1).unwrap();
    let publication = aeron.add_publication("aeron:ipc", 1).unwrap();
    wait_until("a message goes", PATIENCE, || publication.offer(b"a message").is_ok());
    driver.process().signal(Signal::SIGTERM);
    assert_ended(&mut driver, 15);
    wait_until("the client is told", PATIENCE, || aeron.is_closed() && publication.is_closed());
}

#[test]
fn a_client_may_end_it_when_the_validator_allows_it() {
    for mode in THREADING_MODES {
        let settings =
            Settings::small().with("AERON_THREADING_MODE", mode).with("AERON_DRIVER_TERMINATION_VALIDATOR", "allow");
        let mut driver = launch("termination", &[], &settings);
        Aeron::request_driver_termination(driver.path(), b"token").unwrap();
        assert_ended(&mut driver, 0);
    }
}

#[test]
fn a_client_may_not_end_it_by_default() {
    let mut driver = launch("termination-denied", &[], &Settings::small());
    Aeron::request_driver_termination(driver.path(), b"token").unwrap();
    wait_until("the command is consumed", PATIENCE, || {
        let cnc = driver.cnc();
        cnc.producer_position > 0 && cnc.consumer_position == cnc.producer_position
    });
    assert_serves(driver.path());
    assert!(driver.process().is_running());
}

#[test]
fn nobody_who_listens_is_no_reason_to_end() {
    let directory = AeronDirectory::new("no-listener");
    std::fs::create_dir(directory.path()).unwrap();
    // Something to say on both: settings, a warning, and a directory that is there.
    let settings = Settings::small()
        .with("AERON_PRINT_CONFIGURATION", "true")
        .with("AERON_COUNTERS_BUFFER_LENGTH", "1k")
        .with("AERON_DIR_WARN_IF_EXISTS", "true");
    let mut command = Command::new(gannetd::program());
    settings.apply(&mut command);
    command.env("AERON_DIR", directory.path());
    let (reader, writer) = std::io::pipe().unwrap();
    command.stdout(writer.try_clone().unwrap()).stderr(writer);
    drop(reader);
    let mut driver = Process::spawn_unheard(command);
    let pid = i64::from(driver.id());
    wait_until("the driver is there", PATIENCE, || {
        assert!(driver.is_running(), "it ended");
        CncSnapshot::read(directory.path()).is_some_and(|cnc| cnc.pid == pid)
    });
    assert_serves(directory.path());
    driver.signal(Signal::SIGTERM);
    assert_eq!(driver.wait_exit(PATIENCE).code(), Some(15));
    assert_eq!(CncSnapshot::read(directory.path()).unwrap().heartbeat_ms, -1);
}

/// Whether there is a process of this id, and it is more than a zombie.
fn is_running(pid: i64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z') && !rest.starts_with('X'))
}

#[test]
fn a_driver_of_a_test_process_that_is_killed_does_not_stay_behind() {
    let directory = AeronDirectory::new("killed-suite");
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomed-suite"));
    command.arg(directory.path()).arg(gannetd::program());
    let mut suite = Process::spawn(command);
    let (_, line) = suite.wait_line("driver ", 0, PATIENCE);
    let pid: i64 = line["driver ".len()..].parse().unwrap();
    assert!(is_running(pid));
    suite.kill();
    wait_until("the driver goes too", PATIENCE, || !is_running(pid));
}
