//! A client is killed: all that it had goes after the liveness timeout, and nobody else notices.

use crate::support::{CHANNEL, Stream, connect, launch};
use gannet_tests::raw_client::{RawClient, command, counter_fields};
use gannet_tests::{PATIENCE, Process, Settings, wait_until};
use nix::sys::signal::Signal;
use std::process::Command;
use std::time::{Duration, Instant};

const LIVENESS: Duration = Duration::from_secs(2);
const UNBLOCK: Duration = Duration::from_secs(3);
/// A tick of the conductor's timer, and a busy machine.
const GRACE: Duration = Duration::from_secs(1);

fn idle_client(directory: &std::path::Path, stream_id: i32) -> (Process, i64, Vec<String>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_idle-client"));
    command.arg(directory).arg(stream_id.to_string());
    let mut process = Process::spawn(command);
    let (_, id) = process.wait_line("client ", 0, PATIENCE);
    let (_, logs) = process.wait_line("logs ", 0, PATIENCE);
    let id = id["client ".len()..].parse().unwrap();
    let logs = logs["logs ".len()..].split(' ').map(|log| format!("publications/{log}.logbuffer")).collect();
    (process, id, logs)
}

#[test]
fn all_that_a_killed_client_had_goes_after_the_liveness_timeout() {
    let settings = Settings::small().with_liveness(LIVENESS, UNBLOCK);
    let mut driver = launch("killed-client", &settings);
    let survivor = connect(driver.path());
    let mut stream = Stream::new(&survivor, CHANNEL, 1);
    stream.transfer(100);
    let before = driver.directory().listing();
    let (mut killed, client_id, logs) = idle_client(driver.path(), 10);
    for log in &logs {
        assert!(driver.path().join(log).is_file(), "{log}");
    }
    let also = survivor.add_publication("aeron:ipc", 11).unwrap();
    wait_until("the other's subscription is there", PATIENCE, || also.is_connected());
    killed.kill();
    let died = Instant::now();
    let owned = |driver: &gannet_tests::DriverProcess| {
        driver.cnc().counters.iter().filter(|counter| counter.owner_id == client_id).count()
    };
    assert!(owned(&driver) >= 7, "heartbeat, counter, two limits, two positions, and a subscriber's position");
    wait_until("its counters go", PATIENCE, || {
        stream.transfer(1);
        owned(&driver) == 0
    });
    let took = died.elapsed();
    assert!(took <= LIVENESS + GRACE, "gone only after {took:?}");
    wait_until("its logs go", PATIENCE, || logs.iter().all(|log| !driver.path().join(log).exists()));
    wait_until("the survivor's publication has no subscriber", PATIENCE, || !also.is_connected());
    assert_eq!(driver.system_counter(24), 1, "client liveness timeouts");
    stream.transfer(1000);
    also.close();
    wait_until("the directory is as before", PATIENCE, || driver.directory().listing() == before);
    assert_eq!(driver.process().errors(), [""; 0], "nothing on standard error");
}

#[test]
fn a_client_that_is_stopped_for_too_long_is_closed_and_others_are_not() {
    let settings = Settings::small().with_liveness(LIVENESS, UNBLOCK);
    let driver = launch("stopped-client", &settings);
    let survivor = connect(driver.path());
    let (mut stopped, client_id, _) = idle_client(driver.path(), 10);
    stopped.signal(Signal::SIGSTOP);
    wait_until("the driver gives it up", PATIENCE, || {
        driver.cnc().counters.iter().all(|counter| counter.owner_id != client_id)
    });
    stopped.signal(Signal::SIGCONT);
    stopped.tell("close");
    stopped.wait_line("bye", 0, PATIENCE);
    assert!(stopped.wait_exit(PATIENCE).success(), "{}", stopped.report());
    assert!(!survivor.is_closed());
    Stream::new(&survivor, CHANNEL, 1).transfer(100);
}

#[test]
fn many_clients_that_are_killed_at_once_leave_nothing_behind() {
    let settings = Settings::small().with_liveness(LIVENESS, UNBLOCK);
    let driver = launch("killed-clients", &settings);
    let survivor = connect(driver.path());
    let mut stream = Stream::new(&survivor, CHANNEL, 1);
    stream.transfer(10);
    let clients: Vec<_> = (0..8).map(|index| idle_client(driver.path(), 10 + 10 * index)).collect();
    drop(clients);
    wait_until("all are timed out", PATIENCE, || {
        stream.transfer(1);
        driver.system_counter(24) == 8
    });
    wait_until("their logs are gone", PATIENCE, || {
        driver.directory().listing().iter().filter(|name| name.ends_with(".logbuffer")).count() == 1
    });
    stream.transfer(100);
}

#[test]
fn a_client_that_closes_with_all_the_counters_there_are_takes_nobody_with_it() {
    const COUNT: usize = 65_536;
    let settings = Settings::small().with("AERON_COUNTERS_BUFFER_LENGTH", "8m");
    let driver = launch("counters-at-once", &settings);
    let survivor = connect(driver.path());
    let mut stream = Stream::new(&survivor, CHANNEL, 1);
    stream.transfer(100);
    let mut raw = RawClient::connect(driver.path());
    let fields = counter_fields(1100, b"", b"one of many");
    let header = raw.header(0);
    for _ in 0..COUNT {
        wait_until("there is room in the ring", PATIENCE, || raw.producer_position() - raw.consumer_position() < 8192);
        raw.send_fields(command::ADD_COUNTER, &fields);
    }
    let owned = || driver.cnc().counters.iter().filter(|counter| counter.owner_id == raw.client_id).count();
    wait_until("all commands are read", PATIENCE, || raw.consumer_position() == raw.producer_position());
    assert!(owned() > COUNT - 100, "{}", owned());
    assert!(raw.send(command::CLIENT_CLOSE, &header));
    wait_until("its counters go", PATIENCE, || owned() == 0);
    assert!(!survivor.is_closed());
    stream.transfer(100);
    Stream::new(&survivor, CHANNEL, 2).transfer(100);
}
