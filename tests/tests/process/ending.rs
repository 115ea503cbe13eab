//! Ending: by signal, by request, and what is left behind.

use crate::support::{assert_serves, launch};
use gannet::{Aeron, Context};
use gannet_tests::{DriverProcess, PATIENCE, Settings, wait_until};
use nix::sys::signal::Signal;

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
