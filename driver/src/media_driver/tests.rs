//! Drivers that do not start, or do not end, as they should: the directory is free at once for the next one.

use std::path::Path;
use std::time::{Duration, Instant};

use gannet_core::StreamId;
use gannet_core::command::Command;
use gannet_core::ring::ManyToOneRing;
use gannet_transport_ipc::{AeronDirectory, CncFile, storage};

use super::*;

/// An agent that dies in its first duty cycle.
#[derive(Debug)]
struct Panicking;

impl Agent for Panicking {
    fn role_name(&self) -> &str {
        "panicking"
    }

    fn do_work(&mut self) -> usize {
        panic!("this agent panics, as its test wants it to");
    }
}

fn directory() -> tempfile::TempDir {
    // Shared memory, or the temporary directory in a container that has little of it.
    let shared = Path::new("/dev/shm");
    let place = match storage::usable_space(shared) {
        Ok(usable) if usable > 1 << 30 => shared.to_path_buf(),
        _ => std::env::temp_dir(),
    };
    tempfile::Builder::new().prefix("gannet-driver-").tempdir_in(place).unwrap()
}

fn context(directory: &tempfile::TempDir) -> Context {
    Context { directory: directory.path().join("aeron"), ..Context::small() }
}

fn parts(context: &Context) -> Parts {
    assemble(context.clone(), &|| false).unwrap()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not within 30 s");
        std::thread::yield_now();
    }
}

fn heartbeat_ms(context: &Context) -> i64 {
    let cnc = CncFile::open(&AeronDirectory::at(&context.directory)).unwrap();
    ManyToOneRing::new(cnc.to_driver()).unwrap().consumer_heartbeat_ms()
}

#[test]
fn a_start_that_fails_before_clients_may_come_leaves_nothing_that_the_next_one_waits_for() {
    let directory = directory();
    let context = context(&directory);
    let (files, counters) = DriverFiles::create(&context, &|| false).unwrap();
    assert!(context.directory.join("cnc.dat").exists());
    drop((files, counters));
    assert!(!context.directory.join("cnc.dat").exists());
    MediaDriver::launch(context).unwrap().close().unwrap();
}

#[test]
fn a_start_that_fails_once_clients_may_come_says_that_the_driver_has_ended() {
    let directory = directory();
    let context = context(&directory);
    // As when there is no thread to be had.
    drop(parts(&context));
    assert_eq!(heartbeat_ms(&context), -1);
    MediaDriver::launch(context).unwrap().close().unwrap();
}

#[test]
fn a_start_that_fails_deletes_the_directory_where_the_settings_say_so() {
    let directory = directory();
    let context = Context { delete_directory_on_shutdown: true, ..context(&directory) };
    drop(parts(&context));
    assert!(!context.directory.exists());
}

#[test]
fn a_conductor_that_panics_ends_the_driver_and_the_next_one_starts_at_once() {
    let directory = directory();
    let context = context(&directory);
    let (_asks_for_nothing, terminating) = channel();
    let parts = Parts { primary: Box::new(Panicking), terminating, ..parts(&context) };
    let driver = MediaDriver::start(parts).unwrap();
    wait_until("the driver says that it shall end", || driver.is_terminating());
    let error = driver.close().unwrap_err();
    assert!(matches!(&error, DriverError::ThreadDied { role_name } if role_name == "panicking"), "{error}");
    assert_eq!(heartbeat_ms(&context), -1);
    MediaDriver::launch(context).unwrap().close().unwrap();
}

#[test]
fn a_panic_on_the_callers_thread_ends_the_driver_too() {
    let directory = directory();
    let context = context(&directory);
    let mut driver = InvokedDriver::start(Parts { primary: Box::new(Panicking), ..parts(&context) }).unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || driver.do_work()));
    assert!(panicked.is_err());
    assert_eq!(heartbeat_ms(&context), -1);
    MediaDriver::launch(context).unwrap().close().unwrap();
}

#[test]
fn an_invoked_driver_whose_other_thread_died_says_so() {
    let directory = directory();
    let context = Context { threading_mode: ThreadingMode::Dedicated, ..context(&directory) };
    let mut parts = parts(&context);
    let (agent, _) = parts.resources.as_mut().unwrap();
    agent.panic_at_the_next_request();
    let mut driver = InvokedDriver::start(parts).unwrap();
    assert!(!driver.is_terminating());
    let cnc = CncFile::open(&AeronDirectory::at(&context.directory)).unwrap();
    let ring = ManyToOneRing::new(cnc.to_driver()).unwrap();
    let channel = "aeron:ipc?term-length=64k";
    let command = Command::AddPublication { client_id: 1, correlation_id: 2, stream_id: StreamId(1), channel };
    let mut message = vec![0; command.encoded_length()];
    let length = command.encode(&mut message).unwrap();
    ring.write(command.type_id(), &message[..length]).unwrap();
    wait_until("the driver says that it shall end", || {
        driver.do_work();
        driver.is_terminating()
    });
    let error = driver.close().unwrap_err();
    assert!(matches!(&error, DriverError::ThreadDied { role_name } if role_name == "aeron-md-nra"), "{error}");
    assert_eq!(heartbeat_ms(&context), -1);
}

#[test]
fn a_driver_whose_directory_another_took_over_ends_without_touching_it() {
    let directory = directory();
    let context = Context { delete_directory_on_shutdown: true, ..context(&directory) };
    let ousted = MediaDriver::launch(context.clone()).unwrap();
    let successor = Context { delete_directory_on_start: true, delete_directory_on_shutdown: false, ..context.clone() };
    let successor = MediaDriver::launch(successor).unwrap();
    wait_until("the first one notices", || ousted.is_terminating());
    let error = ousted.close().unwrap_err();
    assert!(matches!(error, DriverError::Ousted { .. }), "{error}");
    assert!(!successor.is_terminating());
    assert!(heartbeat_ms(&context) > 0);
    successor.close().unwrap();
}
