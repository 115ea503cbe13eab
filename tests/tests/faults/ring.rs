//! A client is killed while it writes a command: the others' commands go on after the client liveness timeout.

use crate::support::{CHANNEL, Stream, connect, launch};
use gannet_tests::raw_client::{RawClient, command};
use gannet_tests::{DriverProcess, PATIENCE, Settings, wait_until};
use std::time::{Duration, Instant};

const LIVENESS: Duration = Duration::from_secs(2);
const UNBLOCK: Duration = Duration::from_secs(3);
const GRACE: Duration = Duration::from_secs(1);

fn driver(name: &str) -> DriverProcess {
    launch(name, &Settings::small().with_liveness(LIVENESS, UNBLOCK))
}

/// Leaves a record as its writer would that dies at `length` (0: the tail moved; negative: it had begun), and checks
/// that a client's command gets through in time.
fn unblocks(driver: &DriverProcess, raw: &RawClient, length: i32) {
    let unblocked = driver.system_counter(20);
    let body = vec![0; usize::try_from(length.unsigned_abs()).unwrap().max(40) - 8];
    if length == 0 {
        assert!(raw.claim(48));
    } else {
        assert!(raw.send_as(command::CLIENT_KEEPALIVE, &body, length));
    }
    let left = Instant::now();
    let aeron = connect(driver.path());
    let mut stream = Stream::new(&aeron, CHANNEL, 1);
    let took = left.elapsed();
    assert!(took <= LIVENESS + GRACE, "the command got through only after {took:?}");
    assert_eq!(driver.system_counter(20), unblocked + 1, "unblocked control commands");
    stream.transfer(100);
    drop(stream);
    aeron.close();
}

#[test]
fn a_dead_writer_at_index_0_is_unblocked() {
    let driver = driver("ring-0");
    let raw = RawClient::connect(driver.path());
    assert_eq!(raw.producer_position(), 0);
    unblocks(&driver, &raw, 0);
}

#[test]
fn a_dead_writer_that_had_begun_at_index_0_is_unblocked() {
    let driver = driver("ring-0-begun");
    let raw = RawClient::connect(driver.path());
    assert_eq!(raw.producer_position(), 0);
    unblocks(&driver, &raw, -56);
}

#[test]
fn dead_writers_in_the_middle_are_unblocked_one_after_the_other() {
    let driver = driver("ring-middle");
    let mut raw = RawClient::connect(driver.path());
    raw.settle();
    unblocks(&driver, &raw, 0);
    raw.settle();
    unblocks(&driver, &raw, -56);
}

/// Sends keepalives until so many bytes are left before the end of the ring.
fn advance(raw: &mut RawClient, left: i64) {
    let capacity = raw.ring_capacity();
    let header = raw.header(0);
    while capacity - raw.producer_position() % capacity > left {
        wait_until("there is room in the ring", PATIENCE, || raw.send(command::CLIENT_KEEPALIVE, &header));
    }
    wait_until("the driver has read all", PATIENCE, || raw.consumer_position() == raw.producer_position());
}

#[test]
fn a_dead_writer_at_the_end_of_the_ring_is_unblocked() {
    for length in [0, -56] {
        let driver = driver("ring-end");
        let mut raw = RawClient::connect(driver.path());
        advance(&mut raw, 120);
        unblocks(&driver, &raw, length);
        assert!(raw.producer_position() > raw.ring_capacity(), "the ring wrapped around");
    }
}

#[test]
fn a_dead_writer_whose_record_wraps_around_is_unblocked() {
    for length in [0, -136] {
        let driver = driver("ring-wrap");
        let mut raw = RawClient::connect(driver.path());
        advance(&mut raw, 48);
        unblocks(&driver, &raw, length);
        assert!(raw.producer_position() > raw.ring_capacity(), "the ring wrapped around");
    }
}
