//! What an operator and his tools see of both drivers: directory, CnC header, system counters, error log, exit.

use crate::support::{How, Pair, transfer};
use gannet_interop::peer::Way;
use gannet_interop::{Driver, Peer};
use gannet_tests::{CncSnapshot, DriverProcess, PATIENCE, Settings, wait_until};
use nix::sys::signal::Signal;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use std::fs;

for_drivers! {
    a_driver_leaves_its_directory_when_it_ends,
    a_driver_removes_its_directory_when_asked,
    a_refused_command_is_in_the_error_log,
    a_driver_beats,
    a_driver_without_descriptors_says_so_and_recovers,
}

/// Names and lengths of all files, while a stream runs.
fn directory(driver: Driver) -> Vec<(String, u64)> {
    let mut pair = Pair::new(driver, Peer::Official, Peer::Official, false, "aeron:ipc?term-length=64k|session-id=5");
    transfer(&mut pair, How::Offer, Way::Assembled, 10, |_| 100);
    let names = pair.driver.directory().listing();
    names
        .into_iter()
        .map(|name| {
            let metadata = fs::metadata(pair.driver.path().join(&name)).unwrap();
            let length = if metadata.is_dir() { 0 } else { metadata.len() };
            (name, length)
        })
        .collect()
}

#[test]
fn both_drivers_directories_hold_the_same_files() {
    assert_eq!(directory(Driver::Gannetd), directory(Driver::Official));
}

fn cnc_header(settings: &Settings, driver: Driver) -> (i32, [usize; 5], i64, i32, usize) {
    let driver = driver.launch_with("header", settings);
    let cnc = driver.cnc();
    (cnc.version, cnc.lengths, cnc.client_liveness_timeout_ns, cnc.file_page_size, cnc.file_length)
}

#[test]
fn both_drivers_cnc_headers_are_the_same() {
    for settings in [
        Settings::bare(),
        Settings::small(),
        Settings::small()
            .with("AERON_CONDUCTOR_BUFFER_LENGTH", "2097920")
            .with("AERON_CLIENTS_BUFFER_LENGTH", "4194432")
            .with("AERON_COUNTERS_BUFFER_LENGTH", "2m")
            .with("AERON_ERROR_BUFFER_LENGTH", "5m")
            .with("AERON_FILE_PAGE_SIZE", "65536")
            .with("AERON_CLIENT_LIVENESS_TIMEOUT", "7s"),
    ] {
        assert_eq!(cnc_header(&settings, Driver::Gannetd), cnc_header(&settings, Driver::Official), "{settings:?}");
    }
}

/// The system counters' labels, without a version and a commit, which are each driver's own.
fn system_labels(cnc: &CncSnapshot) -> Vec<(i32, i64, String)> {
    cnc.counters_of(0)
        .map(|counter| {
            let label = match counter.label.split_once("version=") {
                Some((text, rest)) => {
                    assert!(rest.contains(" commit="), "{}", counter.label);
                    format!("{text}version=… commit=…")
                }
                None => counter.label.clone(),
            };
            (counter.id, counter.registration_id, label)
        })
        .collect()
}

#[test]
fn both_drivers_system_counters_are_labelled_alike() {
    for mode in ["DEDICATED", "SHARED_NETWORK", "SHARED"] {
        let settings = Settings::bare().with("AERON_THREADING_MODE", mode);
        let labels = |driver: Driver| system_labels(&driver.launch_with("labels", &settings).cnc());
        let (ours, official) = (labels(Driver::Gannetd), labels(Driver::Official));
        assert_eq!(official.len(), 46);
        assert_eq!(ours, official, "{mode}");
    }
}

#[test]
fn both_drivers_system_counters_begin_with_the_same_values() {
    let values = |driver: Driver| {
        let cnc = driver.launch("values").cnc();
        // Software version, bytes mapped and cycle times are a driver's own.
        let own = [26, 28, 30, 32, 34, 35];
        cnc.counters_of(0)
            .filter(|counter| !own.contains(&counter.id))
            .map(|counter| (counter.id, counter.value, counter.key.clone(), counter.owner_id))
            .collect::<Vec<_>>()
    };
    assert_eq!(values(Driver::Gannetd), values(Driver::Official));
}

/// All counters but the system's of a driver on which one client did the same things.
fn labels_after_the_same_actions(driver: Driver) -> Vec<String> {
    let driver = driver.launch("actions");
    let client = Peer::Official.connect(driver.path());
    let _counter = client.add_counter(1000, b"key", "a counter").unwrap();
    let _first = client.add_subscription("aeron:ipc", 5).unwrap();
    let _shared = client.add_publication("aeron:ipc?session-id=7", 5).unwrap();
    let _exclusive = client.add_exclusive_publication("aeron:ipc?session-id=8|alias=x", 5).unwrap();
    let _second = client.add_subscription("aeron:ipc?session-id=8", 5).unwrap();
    let _static_counter = client.add_static_counter(1001, b"", "a static counter", 3).unwrap();
    let cnc = driver.cnc();
    cnc.counters
        .iter()
        .filter(|counter| counter.type_id != 0)
        .map(|counter| {
            // The client adds its name to its heartbeat when it gets round to it.
            let label = counter.label.split(" name=").next().unwrap_or_default();
            let (id, type_id, owner) = (counter.id, counter.type_id, counter.owner_id);
            format!("{id} {type_id} {label} {owner} {} {:?}", counter.registration_id, counter.key)
        })
        .collect()
}

#[test]
fn both_drivers_label_counters_alike() {
    assert_eq!(labels_after_the_same_actions(Driver::Gannetd), labels_after_the_same_actions(Driver::Official));
}

fn end(driver: &mut DriverProcess, signal: Signal) {
    driver.process().signal(signal);
    let status = driver.process().wait_exit(PATIENCE);
    assert_eq!(status.code(), Some(signal as i32), "{}", driver.process().report());
    assert!(driver.process().output().iter().any(|line| line.starts_with("Shutting down driver")));
    assert_eq!(driver.process().errors(), [""; 0], "nothing on standard error");
}

fn a_driver_leaves_its_directory_when_it_ends(driver: Driver) {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut running = driver.launch("leaves");
        end(&mut running, signal);
        assert_eq!(running.cnc().heartbeat_ms, -1);
    }
}

fn a_driver_removes_its_directory_when_asked(driver: Driver) {
    let settings = Settings::small().with("AERON_DIR_DELETE_ON_SHUTDOWN", "true");
    let mut running = driver.launch_with("removes", &settings);
    end(&mut running, Signal::SIGTERM);
    assert!(!running.path().exists());
}

fn a_refused_command_is_in_the_error_log(driver: Driver) {
    let driver = driver.launch("error-log");
    let client = Peer::Official.connect(driver.path());
    for _ in 0..3 {
        client.add_publication("aeron:ipc?mtu=7", 5).map(drop).unwrap_err();
    }
    wait_until("the error is logged", PATIENCE, || {
        driver.cnc().errors.iter().any(|error| error.observation_count == 3)
    });
    assert_eq!(driver.system_counter(15), 3, "errors");
    let errors = driver.cnc().errors;
    assert_eq!(errors.len(), 1, "the same error is one entry: {errors:?}");
    assert!(errors[0].first_ms <= errors[0].last_ms && errors[0].text.contains("mtu"), "{errors:?}");
    let read = gannet_interop::official::read_error_log(driver.path()).unwrap();
    assert_eq!(read, [(3, errors[0].text.clone())], "as the official reader sees it");
}

fn a_driver_beats(driver: Driver) {
    let driver = driver.launch("beats");
    let first = driver.cnc().heartbeat_ms;
    wait_until("the heartbeat moves on", PATIENCE, || driver.cnc().heartbeat_ms > first);
    let (constants_pid, heartbeat) = gannet_interop::official::read_cnc(driver.path()).unwrap();
    assert_eq!(constants_pid, driver.cnc().pid);
    assert!(heartbeat >= first);
    assert_eq!(gannet_interop::official::count_losses(driver.path()), Ok(0), "the loss report can be read");
}

fn a_driver_without_descriptors_says_so_and_recovers(driver: Driver) {
    let mut driver = driver.launch("descriptors");
    let client = Peer::Official.connect(driver.path());
    let usual = getrlimit(Resource::Nofile);
    let pid = Pid::from_raw(i32::try_from(driver.process().id()).unwrap());
    let limit = |current| prlimit(pid, Resource::Nofile, Rlimit { current, ..usual.clone() }).unwrap();
    limit(Some(0));
    let refused = client.add_publication("aeron:ipc", 5).map(drop).unwrap_err();
    assert_eq!(refused.code, 11, "{refused}");
    limit(usual.current);
    client.add_publication("aeron:ipc", 5).unwrap();
}
