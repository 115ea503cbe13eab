//! Starting: a live directory is refused, a dead one is taken over, links and strangers' directories are refused.

use crate::support::{assert_serves, launch, launch_in, run};
use gannet::{Aeron, Context};
use gannet_tests::{AeronDirectory, CncSnapshot, DriverProcess, PATIENCE, Settings, wait_until};
use nix::sys::signal::Signal;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

/// A driver is held for dead after half a second.
fn impatient() -> Settings {
    Settings::small().with("AERON_DRIVER_TIMEOUT", "500")
}

#[test]
fn a_second_driver_on_a_live_directory_is_refused() {
    let mut driver = launch("second", &[], &Settings::small());
    let pid = driver.cnc().pid;
    let second = run(&[], &Settings::small(), driver.path());
    assert_eq!(second.status.code(), Some(1));
    assert!(second.errors.iter().any(|line| line.contains("ctive")), "{:?}", second.errors);
    assert!(driver.process().is_running());
    assert_eq!(driver.cnc().pid, pid, "the first one's files are untouched");
    assert_serves(driver.path());
}

#[test]
fn a_killed_drivers_directory_is_taken_over() {
    let mut driver = launch("killed", &[], &impatient());
    let aeron = gannet::Aeron::connect(gannet::Context::defaults().aeron_dir(driver.path())).unwrap();
    let publication = aeron.add_publication("aeron:ipc", 1).unwrap();
    let old_log = driver.path().join(format!("publications/{}.logbuffer", publication.registration_id()));
    assert!(old_log.exists());
    driver.process().kill();
    let old = driver.cnc();
    let directory = driver.into_directory();
    let start = old.heartbeat_ms;
    wait_until("the old heartbeat is too old", PATIENCE, || now_ms() > start + 600);
    let second = launch_in(directory, &[], &impatient());
    let new = second.cnc();
    assert_ne!(new.pid, old.pid);
    assert!(new.start_timestamp_ms > old.start_timestamp_ms);
    assert!(!old_log.exists(), "what the old one left is gone");
    assert_serves(second.path());
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// A client that keeps quiet about the end of its driver.
fn connect(driver: &DriverProcess) -> Aeron {
    Aeron::connect(Context::defaults().aeron_dir(driver.path()).error_handler(|_| {})).unwrap()
}

#[test]
fn a_driver_that_was_stopped_while_another_took_over_ends_without_touching_the_others_files() {
    let mut first = launch("ousted", &[], &impatient().with("AERON_DIR_DELETE_ON_SHUTDOWN", "true"));
    // Ids begin anew with each driver, so the logs of both have the same names.
    let old = connect(&first);
    let _publication = old.add_publication("aeron:ipc", 1).unwrap();
    first.process().signal(Signal::SIGSTOP);
    let stopped = first.cnc().heartbeat_ms;
    wait_until("the heartbeat is too old", PATIENCE, || now_ms() > stopped + 600);

    let mut command = std::process::Command::new(gannet_tests::gannetd::program());
    impatient().apply(&mut command);
    command.env("AERON_DIR", first.path());
    let mut second = gannet_tests::Process::spawn(command);
    let pid = i64::from(second.id());
    wait_until("the second driver is there", PATIENCE, || {
        CncSnapshot::read(first.path()).is_some_and(|cnc| cnc.pid == pid)
    });
    let new = connect(&first);
    let mut subscription = new.add_subscription("aeron:ipc", 1).unwrap();
    let publication = new.add_publication("aeron:ipc", 1).unwrap();
    wait_until("a message goes", PATIENCE, || publication.offer(b"a message").is_ok());
    let listing = first.directory().listing();

    first.process().signal(Signal::SIGCONT);
    assert_eq!(first.process().wait_exit(PATIENCE).code(), Some(1), "{}", first.process().report());
    let errors = first.process().errors();
    assert!(errors.iter().any(|line| line.contains("another media driver took over")), "{errors:?}");
    assert_eq!(first.directory().listing(), listing);
    assert!(second.is_running());
    wait_until("the message comes", PATIENCE, || subscription.poll(1, |_, _| {}) == 1);
    wait_until("the next one goes", PATIENCE, || publication.offer(b"a message").is_ok());
    assert_serves(first.path());
}

#[test]
fn a_start_that_waits_for_another_to_finish_its_file_ends_by_a_signal() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let directory = AeronDirectory::new("unfinished");
        fs::create_dir(directory.path()).unwrap();
        fs::write(directory.path().join("cnc.dat"), [0; 4096]).unwrap();
        let mut command = std::process::Command::new(gannet_tests::gannetd::program());
        Settings::small().with("AERON_DRIVER_TIMEOUT", "600000").apply(&mut command);
        command.env("AERON_DIR", directory.path());
        let mut waiting = gannet_tests::Process::spawn(command);
        wait_until("it takes signals", PATIENCE, || waiting.catches(signal));
        waiting.signal(signal);
        assert_eq!(waiting.wait_exit(PATIENCE).code(), Some(signal as i32), "{}", waiting.report());
        assert_eq!(directory.listing(), ["cnc.dat"], "it touched nothing");
    }
}

#[test]
fn a_directory_that_a_driver_left_in_good_order_is_taken_over_at_once() {
    let mut driver = launch("left", &[], &Settings::small());
    driver.process().signal(Signal::SIGTERM);
    driver.process().wait_exit(PATIENCE);
    let second = launch_in(driver.into_directory(), &[], &Settings::small());
    assert_serves(second.path());
}

#[test]
fn a_live_directory_is_deleted_when_the_operator_says_so() {
    let first = launch("delete-on-start", &[], &Settings::small());
    let settings = Settings::small().with("AERON_DIR_DELETE_ON_START", "true");
    let mut command = std::process::Command::new(gannet_tests::gannetd::program());
    settings.apply(&mut command);
    command.env("AERON_DIR", first.path());
    let second = gannet_tests::Process::spawn(command);
    let pid = i64::from(second.id());
    wait_until("the second driver is there", PATIENCE, || {
        CncSnapshot::read(first.path()).is_some_and(|cnc| cnc.pid == pid)
    });
    assert_serves(first.path());
}

#[test]
fn errors_of_the_driver_before_are_saved() {
    let mut driver = launch("saved-errors", &[], &Settings::small());
    let aeron = gannet::Aeron::connect(gannet::Context::defaults().aeron_dir(driver.path())).unwrap();
    aeron.add_publication("aeron:ipc?mtu=7", 1).map(drop).unwrap_err();
    wait_until("the error is logged", PATIENCE, || !driver.cnc().errors.is_empty());
    driver.process().signal(Signal::SIGTERM);
    driver.process().wait_exit(PATIENCE);
    let directory = driver.into_directory();
    let name = directory.path().file_name().unwrap().to_string_lossy().into_owned();
    let second = launch_in(directory, &[], &Settings::small());
    let parent = second.path().parent().unwrap();
    let saved: Vec<_> = fs::read_dir(parent)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            file.starts_with(&name) && file.ends_with("-error.log")
        })
        .collect();
    assert_eq!(saved.len(), 1, "{saved:?}");
    let text = fs::read_to_string(&saved[0]).unwrap();
    fs::remove_file(&saved[0]).unwrap();
    assert!(text.contains("mtu"), "{text}");
}

#[test]
fn files_are_the_owners_alone_by_default() {
    let driver = launch("modes", &[], &Settings::small());
    let mode = |name: &str| fs::metadata(driver.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    let aeron = gannet::Aeron::connect(gannet::Context::defaults().aeron_dir(driver.path())).unwrap();
    let publication = aeron.add_publication("aeron:ipc", 1).unwrap();
    for name in [
        "cnc.dat".to_owned(),
        "loss-report.dat".to_owned(),
        format!("publications/{}.logbuffer", publication.registration_id()),
    ] {
        assert_eq!(mode(&name), 0o600, "{name}");
    }
}

#[test]
fn a_directory_that_is_a_link_is_refused() {
    let target = AeronDirectory::new("link-target");
    let link = AeronDirectory::new("link");
    fs::create_dir(target.path()).unwrap();
    fs::write(target.path().join("precious"), b"data").unwrap();
    symlink(target.path(), link.path()).unwrap();
    let refused = run(&[], &Settings::small().with("AERON_DIR_DELETE_ON_START", "true"), link.path());
    fs::remove_file(link.path()).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(!refused.errors.is_empty());
    assert_eq!(fs::read(target.path().join("precious")).unwrap(), b"data", "nothing behind the link is touched");
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error_that_names_it() {
    let refused = run(&[], &Settings::small(), std::path::Path::new("/proc/no-such-place/aeron"));
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.errors.iter().any(|line| line.contains("/proc/no-such-place")), "{:?}", refused.errors);
}
