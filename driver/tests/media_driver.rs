//! The driver embedded in a process: every threading mode serves, ends, and leaves its directory as it was told.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test fails by panicking

use std::path::Path;
use std::time::{Duration, Instant};

use gannet_core::StreamId;
use gannet_core::broadcast::Receiver;
use gannet_core::cnc::Cnc;
use gannet_core::command::{Command, Response};
use gannet_core::counters::CountersReader;
use gannet_core::counters::system::SystemCounter;
use gannet_core::ring::ManyToOneRing;
use gannet_driver::config::{
    Context, IdleStrategyConfig, IdleStrategyName, TerminationValidator, ThreadNaming, ThreadingMode,
};
use gannet_driver::{DriverError, InvokedDriver, MediaDriver};
use gannet_transport_ipc::{AeronDirectory, CncFile, Region, storage};

/// A client with its hands: the ring, the broadcast buffer, and nothing that lives by itself.
struct Client {
    cnc: Cnc<Region>,
    ring: ManyToOneRing<Region>,
    receiver: Receiver<Region>,
    scratch: Vec<u8>,
}

impl Client {
    fn attach(directory: &Path) -> Self {
        let cnc = CncFile::open(&AeronDirectory::at(directory)).unwrap();
        let ring = ManyToOneRing::new(cnc.to_driver()).unwrap();
        let receiver = Receiver::new(cnc.to_clients()).unwrap();
        Client { cnc, ring, receiver, scratch: vec![0; 1 << 17] }
    }

    fn send(&self, command: &Command<'_>) {
        let mut message = vec![0; command.encoded_length()];
        let length = command.encode(&mut message).unwrap();
        self.ring.write(command.type_id(), &message[..length]).unwrap();
    }

    /// Adds a publication and waits until it is ready; `work` is done meanwhile.
    fn publishes(&mut self, mut work: impl FnMut()) {
        let correlation_id = self.ring.next_correlation_id();
        self.send(&Command::AddPublication {
            client_id: 1,
            correlation_id,
            stream_id: StreamId(1001),
            channel: "aeron:ipc?term-length=64k",
        });
        wait_until("the publication is ready", || {
            work();
            let mut is_ready = false;
            let received = self.receiver.receive(&mut self.scratch, |type_id, message| {
                let response = Response::parse(type_id, message).unwrap();
                is_ready =
                    matches!(response, Response::PublicationReady(ready) if ready.correlation_id == correlation_id);
            });
            received.unwrap();
            is_ready
        });
    }

    fn label(&self, counter: SystemCounter) -> String {
        let reader = CountersReader::new(self.cnc.counters_metadata(), self.cnc.counters_values());
        reader.record(counter.id()).unwrap().label_text().to_owned()
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not within 30 s");
        std::thread::yield_now();
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
    // A directory inside, so that the driver makes and deletes it.
    Context { directory: directory.path().join("aeron"), ..Context::small() }
}

fn thread_names() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .collect()
}

#[test]
fn every_threading_mode_serves_and_says_so_in_its_labels() {
    for (mode, name) in [
        (ThreadingMode::Dedicated, "DEDICATED"),
        (ThreadingMode::SharedNetwork, "SHARED_NETWORK"),
        (ThreadingMode::Shared, "SHARED"),
    ] {
        let directory = directory();
        let context = Context { threading_mode: mode, ..context(&directory) };
        let path = context.directory.clone();
        let driver = MediaDriver::launch(context).unwrap();
        let mut client = Client::attach(&path);
        client.publishes(|| {});
        let label = client.label(SystemCounter::ConductorMaxCycleTime);
        assert_eq!(label, format!("Conductor max cycle time doing its work in ns: {name}"));
        let label = client.label(SystemCounter::ConductorCycleTimeThresholdExceeded);
        assert_eq!(label, format!("Conductor work cycle exceeded threshold count: threshold=100ms {name}"));
        assert!(client.label(SystemCounter::AeronVersion).starts_with("Aeron software: version=1.54.0 commit=gannet-"));
        assert!(!driver.is_terminating());
        driver.close().unwrap();
        assert_eq!(client.ring.consumer_heartbeat_ms(), -1);
        assert!(path.join("cnc.dat").exists(), "the directory stays unless it is to be deleted");
        assert_eq!(std::fs::read_dir(path.join("publications")).unwrap().count(), 0);
    }
}

#[test]
fn every_idle_strategy_serves() {
    for name in [
        IdleStrategyName::Noop,
        IdleStrategyName::BusySpinning,
        IdleStrategyName::Yielding,
        IdleStrategyName::Sleeping,
        IdleStrategyName::Backoff,
    ] {
        let directory = directory();
        let context = Context {
            conductor_idle_strategy: IdleStrategyConfig { name, init_args: None },
            native_resource_agent_idle_strategy: IdleStrategyConfig { name, init_args: None },
            ..context(&directory)
        };
        let path = context.directory.clone();
        let driver = MediaDriver::launch(context).unwrap();
        Client::attach(&path).publishes(|| {});
        driver.close().unwrap();
    }
}

#[test]
fn bad_init_args_are_refused_before_the_directory_is_touched() {
    let directory = directory();
    let context = Context {
        conductor_idle_strategy: IdleStrategyConfig {
            name: IdleStrategyName::Backoff,
            init_args: Some("1-2".to_owned()),
        },
        ..context(&directory)
    };
    let path = context.directory.clone();
    assert!(matches!(MediaDriver::launch(context), Err(DriverError::IdleStrategy(_))));
    assert!(!path.exists());
}

#[test]
fn an_invoker_has_no_thread_and_serves_while_it_is_called() {
    let directory = directory();
    let context = Context { threading_mode: ThreadingMode::Invoker, ..context(&directory) };
    let path = context.directory.clone();
    assert!(matches!(MediaDriver::launch(context.clone()), Err(DriverError::NeedsInvoker)));
    let mut driver: InvokedDriver = MediaDriver::launch_invoker(context).unwrap();
    assert_eq!(driver.role_name(), "[conductor, sender, receiver]");
    let mut client = Client::attach(&path);
    client.publishes(|| {
        let work_count = driver.do_work();
        driver.idle(work_count);
    });
    driver.close().unwrap();
    assert_eq!(client.ring.consumer_heartbeat_ms(), -1);
}

#[test]
fn threads_have_aerons_names_and_none_is_there_for_a_network() {
    let directory = directory();
    let context = Context { thread_naming: ThreadNaming::New, ..context(&directory) };
    let driver = MediaDriver::launch(context).unwrap();
    wait_until("both threads are named", || {
        let names = thread_names();
        ["aeron-md-cnd", "aeron-md-nra"].iter().all(|name| names.iter().any(|thread| thread == name))
    });
    for absent in ["aeron-md-snd", "aeron-md-rcv", "aeron-md-net", "sender", "receiver"] {
        assert!(!thread_names().iter().any(|name| name == absent), "{absent}");
    }
    drop(driver);
}

#[test]
fn a_second_driver_is_refused_while_the_first_lives_and_takes_over_when_it_has_closed() {
    let directory = directory();
    let context = context(&directory);
    let first = MediaDriver::launch(context.clone()).unwrap();
    let refused = MediaDriver::launch(context.clone()).unwrap_err();
    assert!(matches!(refused, DriverError::Directory(_)), "{refused}");
    assert!(refused.to_string().contains("active media driver"), "{refused}");
    first.close().unwrap();
    MediaDriver::launch(context).unwrap().close().unwrap();
}

#[test]
fn the_directory_is_deleted_at_the_end_where_the_settings_say_so() {
    let directory = directory();
    let context = Context { delete_directory_on_shutdown: true, ..context(&directory) };
    let path = context.directory.clone();
    let driver = MediaDriver::launch(context).unwrap();
    Client::attach(&path).publishes(|| {});
    driver.close().unwrap();
    assert!(!path.exists());
}

#[test]
fn a_driver_that_a_client_may_end_says_that_it_shall_end() {
    let directory = directory();
    let context = Context { termination_validator: TerminationValidator::Allow, ..context(&directory) };
    let path = context.directory.clone();
    let driver = MediaDriver::launch(context).unwrap();
    let client = Client::attach(&path);
    client.send(&Command::TerminateDriver { client_id: 1, correlation_id: 2, token: b"" });
    wait_until("the driver is told to end", || driver.is_terminating());
    drop(driver);
    assert_eq!(client.ring.consumer_heartbeat_ms(), -1, "dropping it closes it");
}

#[test]
fn what_was_wrong_with_a_setting_stands_in_the_error_log() {
    let directory = directory();
    let mut context = context(&directory);
    context.conductor_cpu_affinity = 255;
    let path = context.directory.clone();
    let driver = MediaDriver::launch(context).unwrap();
    let client = Client::attach(&path);
    let texts = || {
        gannet_core::error_log::entries(&client.cnc.error_log())
            .map(|entry| {
                let mut text = vec![0; entry.text_length()];
                String::from_utf8_lossy(entry.text(&mut text)).into_owned()
            })
            .collect::<Vec<_>>()
    };
    wait_until("the conductor tells that it cannot have its core", || {
        texts().iter().any(|text| text.starts_with("WARNING: unable to apply affinity 255 to conductor"))
    });
    assert!(texts().iter().any(|text| text.starts_with("WARN: conductor has cpu affinity=255")), "{:?}", texts());
    driver.close().unwrap();
}
