//! What a driver says without being asked: clients that fall silent, publications that drain, tick by tick, the same with
//! both drivers.

use gannet_interop::Driver;
use gannet_tests::cnc_snapshot::i64_at;
use gannet_tests::raw_client::{RawClient, command, counter_fields, describe};
use gannet_tests::{DriverProcess, PATIENCE, Settings, wait_until};
use std::time::{Duration, Instant};

for_drivers! {
    keepalives_keep_a_client_alive,
}

const STREAM: i32 = 10;
const ON_CLIENT_TIMEOUT: i32 = 0x0f0a;

fn launch(driver: Driver) -> DriverProcess {
    driver.launch_with("silence", &Settings::small().with_liveness(Duration::from_secs(1), Duration::from_secs(2)))
}

/// What a driver broadcasts after a script, until a client that never beats is timed out, and all that it had is gone.
fn until_forgotten(driver: Driver, script: fn(&mut RawClient)) -> Vec<String> {
    let driver = launch(driver);
    let mut client = RawClient::connect(driver.path());
    script(&mut client);
    let mut heard = Vec::new();
    wait_until("the client is timed out", PATIENCE, || {
        heard.extend(client.responses());
        heard.iter().any(|(type_id, _)| *type_id == ON_CLIENT_TIMEOUT)
    });
    wait_until("all that it had is gone", PATIENCE, || {
        driver.cnc().counters.iter().all(|counter| counter.type_id == 0)
            && !driver.directory().listing().iter().any(|name| name.ends_with(".logbuffer"))
    });
    heard.extend(client.responses());
    assert_eq!(driver.system_counter(24), 1, "client liveness timeouts");
    heard.iter().map(|(type_id, body)| describe(*type_id, body, driver.path())).collect()
}

macro_rules! silences {
    ($($script:ident),* $(,)?) => {$(
        mod $script {
            #[test]
            fn is_the_same_with_both_drivers() {
                use gannet_interop::Driver;
                let official = super::until_forgotten(Driver::Official, super::$script);
                let ours = super::until_forgotten(Driver::Gannetd, super::$script);
                assert_eq!(ours, official, "(left gannetd, right official)");
            }
        }
    )*};
}

silences! {
    a_client_with_counters,
    a_client_with_a_publication,
    a_client_with_an_exclusive_publication,
    a_client_with_a_subscription,
    a_client_with_both_ends_of_a_stream,
}

fn a_client_with_counters(client: &mut RawClient) {
    client.send_fields(command::ADD_COUNTER, &counter_fields(1000, b"key", b"one"));
    client.send_fields(command::ADD_COUNTER, &counter_fields(1001, b"key", b"two"));
}

fn a_client_with_a_publication(client: &mut RawClient) {
    client.add_publication(false, "aeron:ipc?session-id=7", STREAM);
    client.add_publication(false, "aeron:ipc", STREAM);
}

fn a_client_with_an_exclusive_publication(client: &mut RawClient) {
    client.add_publication(true, "aeron:ipc?session-id=7", STREAM);
}

fn a_client_with_a_subscription(client: &mut RawClient) {
    client.add_subscription("aeron:ipc", STREAM);
}

fn a_client_with_both_ends_of_a_stream(client: &mut RawClient) {
    client.add_subscription("aeron:ipc", STREAM);
    client.add_publication(true, "aeron:ipc?session-id=7", STREAM);
    client.send_fields(command::ADD_COUNTER, &counter_fields(1000, b"key", b"one"));
}

/// A client without access to its heartbeat counter lives by commands.
fn keepalives_keep_a_client_alive(driver: Driver) {
    let driver = launch(driver);
    let mut client = RawClient::connect(driver.path());
    client.send_fields(command::ADD_COUNTER, &counter_fields(1000, b"key", b"kept"));
    let start = Instant::now();
    wait_until("three liveness timeouts pass", PATIENCE, || {
        client.send_fields(command::CLIENT_KEEPALIVE, &[]);
        start.elapsed() > Duration::from_secs(3)
    });
    assert_eq!(driver.system_counter(24), 0, "client liveness timeouts");
    let id = client.client_id;
    assert!(driver.cnc().counters.iter().any(|counter| counter.owner_id == id));
    let timed_out = |(type_id, body): &(i32, Vec<u8>)| *type_id == ON_CLIENT_TIMEOUT && i64_at(body, 0) == id;
    wait_until("it is timed out when it falls silent", PATIENCE, || client.responses().iter().any(timed_out));
}
