//! Clients and drivers that come and go: clean ends, kills, stops, and the driver's own end.

use crate::support::{How, Pair, STREAM, transfer};
use gannet_interop::peer::{Event, Options, Way};
use gannet_interop::{Actor, Driver, Peer, official, ours};
use gannet_tests::messages::{Verifier, message};
use gannet_tests::{DriverProcess, PATIENCE, Settings, wait_for, wait_until};
use nix::sys::signal::Signal;
use std::time::Duration;

for_pairs! {
    a_clean_close_lets_go_of_everything,
    a_killed_publisher_is_timed_out,
    a_killed_subscriber_is_timed_out,
}

for_peers! {
    a_stopped_client_learns_that_it_was_timed_out,
    a_driver_that_is_asked_to_end_ends,
    a_driver_that_denies_termination_goes_on,
    a_closed_driver_closes_its_clients,
    a_killed_driver_closes_its_clients,
    without_a_driver_connecting_fails,
    a_client_that_touches_whole_files_works,
    many_clients_share_a_driver,
}

/// Clients die after two seconds of silence.
fn mortal() -> Settings {
    Settings::small().with_liveness(Duration::from_secs(2), Duration::from_secs(3))
}

const CHANNEL: &str = "aeron:ipc?term-length=64k";

/// Waits until a driver knows nothing of a client any more.
#[track_caller]
fn await_forgotten(driver: &DriverProcess, client_id: i64) {
    wait_until("the client's counters are freed", PATIENCE, || {
        driver.cnc().counters.iter().all(|counter| counter.owner_id != client_id)
    });
}

fn a_clean_close_lets_go_of_everything(driver: Driver, leaving: Peer, staying: Peer) {
    let mut pair = Pair::new(driver, leaving, staying, false, CHANNEL);
    transfer(&mut pair, How::Offer, Way::Assembled, 10, |_| 100);
    let counter = pair.publisher.add_counter(1500, b"", "leaves too").unwrap();
    let (counter_id, counter_registration) = (counter.id(), counter.registration_id());
    let id = pair.publisher.client_id();
    let log = pair.publication.constants().registration_id;
    let log = pair.driver.path().join(format!("publications/{log}.logbuffer"));
    let Pair { publication, subscription, publisher, subscriber, driver } = pair;
    drop((publication, counter));
    publisher.close();
    let events = subscriber.events();
    wait_until("the image is unavailable", PATIENCE, || {
        events.count(|event| matches!(event, Event::UnavailableImage { .. })) == 1
    });
    let gone = Event::UnavailableCounter { registration_id: counter_registration, counter_id };
    wait_until("the counter is unavailable", PATIENCE, || events.count(|event| *event == gone) == 1);
    wait_until("the heartbeat is unavailable", PATIENCE, || {
        events
            .count(|event| matches!(event, Event::UnavailableCounter { registration_id, .. } if *registration_id == id))
            == 1
    });
    await_forgotten(&driver, id);
    wait_until("the log file is gone", PATIENCE, || !log.exists());
    assert_eq!(driver.system_counter(24), 0, "a close is no timeout");
    assert!(!subscriber.is_closed());
    drop(subscription);
}

fn a_killed_publisher_is_timed_out(driver: Driver, killed: Peer, staying: Peer) {
    let driver = driver.launch_with("killed-publisher", &mortal());
    let client = staying.connect(driver.path());
    let mut subscription = client.add_subscription("aeron:ipc", STREAM).unwrap();
    let mut actor = Actor::launch(killed, driver.path());
    let log = actor.ask(&format!("publication shared {CHANNEL} {STREAM}"), "publication ")[0];
    let counter = actor.ask("counter 1600 doomed", "counter ")[0];
    actor.ask("offer 30 500", "offered ");
    actor.process.kill();
    // What it published is there to the last message.
    crate::support::receive(&mut *subscription, &mut Verifier::new(42, 0), 30, 500);
    let events = client.events();
    wait_until("its image is unavailable", PATIENCE, || {
        events.count(|event| matches!(event, Event::UnavailableImage { correlation_id, .. } if *correlation_id == log))
            == 1
    });
    await_forgotten(&driver, actor.client_id);
    wait_until("its counter is unavailable", PATIENCE, || {
        events.count(
            |event| matches!(event, Event::UnavailableCounter { counter_id, .. } if i64::from(*counter_id) == counter),
        ) == 1
    });
    let log = driver.path().join(format!("publications/{log}.logbuffer"));
    wait_until("its log file is gone", PATIENCE, || !log.exists());
    assert_eq!(driver.system_counter(24), 1, "client liveness timeouts");
    assert!(!client.is_closed(), "the other client lives");
}

fn a_killed_subscriber_is_timed_out(driver: Driver, staying: Peer, killed: Peer) {
    let driver = driver.launch_with("killed-subscriber", &mortal());
    let client = staying.connect(driver.path());
    let mut publication = client.add_publication(CHANNEL, STREAM).unwrap();
    let mut actor = Actor::launch(killed, driver.path());
    actor.ask(&format!("subscription aeron:ipc {STREAM}"), "subscription ");
    wait_until("the publication is connected", PATIENCE, || publication.is_connected());
    for number in 0..5 {
        wait_until("a message goes", PATIENCE, || publication.offer(&message(42, number, 100)).is_ok());
    }
    actor.ask("receive 5 100", "received ");
    actor.process.kill();
    wait_until("the publication is not connected", PATIENCE, || !publication.is_connected());
    await_forgotten(&driver, actor.client_id);
    assert_eq!(driver.system_counter(24), 1, "client liveness timeouts");
    assert!(!publication.is_closed());
}

fn a_stopped_client_learns_that_it_was_timed_out(driver: Driver, peer: Peer) {
    let driver = driver.launch_with("stopped-client", &mortal());
    let mut actor = Actor::launch(peer, driver.path());
    actor.ask(&format!("publication shared {CHANNEL} {STREAM}"), "publication ");
    actor.process.signal(Signal::SIGSTOP);
    wait_until("the driver times it out", PATIENCE, || driver.system_counter(24) == 1);
    await_forgotten(&driver, actor.client_id);
    actor.process.signal(Signal::SIGCONT);
    let code = actor.ask("await-closed", "closed ")[0];
    // Its own service interval and the driver's notice race.
    assert!([1001, 1002].contains(&code), "closed with {code}");
}

fn terminate(peer: Peer, driver: &DriverProcess, token: &[u8]) {
    match peer {
        Peer::Official => official::request_driver_termination(driver.path(), token).unwrap(),
        Peer::Ours => ours::request_driver_termination(driver.path(), token).unwrap(),
    }
}

fn a_driver_that_is_asked_to_end_ends(driver: Driver, peer: Peer) {
    let settings = Settings::small().with("AERON_DRIVER_TERMINATION_VALIDATOR", "allow");
    let mut driver = driver.launch_with("terminate", &settings);
    let client = peer.connect(driver.path());
    terminate(peer, &driver, b"please");
    let status = driver.process().wait_exit(PATIENCE);
    assert_eq!(status.code(), Some(0), "{}", driver.process().report());
    assert!(driver.process().output().iter().any(|line| line.starts_with("Shutting down driver")));
    assert_eq!(driver.process().errors(), [""; 0]);
    assert_eq!(driver.cnc().heartbeat_ms, -1, "the directory stays and says that its driver ended");
    wait_until("the client is closed", PATIENCE, || client.is_closed());
}

fn a_driver_that_denies_termination_goes_on(driver: Driver, peer: Peer) {
    let mut driver = driver.launch("deny-termination");
    terminate(peer, &driver, b"please");
    wait_until("the command is consumed", PATIENCE, || {
        let cnc = driver.cnc();
        cnc.producer_position > 0 && cnc.consumer_position == cnc.producer_position
    });
    let client = peer.connect(driver.path());
    client.add_publication(CHANNEL, STREAM).unwrap();
    assert!(driver.process().is_running());
}

fn a_closed_driver_closes_its_clients(driver: Driver, peer: Peer) {
    let mut pair = Pair::new(driver, peer, peer, false, CHANNEL);
    transfer(&mut pair, How::Offer, Way::Assembled, 10, |_| 100);
    pair.driver.process().signal(Signal::SIGTERM);
    let status = pair.driver.process().wait_exit(PATIENCE);
    assert_eq!(status.code(), Some(15), "{}", pair.driver.process().report());
    assert_eq!(pair.driver.cnc().heartbeat_ms, -1);
    wait_until("the client is closed", PATIENCE, || pair.publisher.is_closed() && pair.subscriber.is_closed());
    assert!(pair.publication.is_closed());
    assert_eq!(pair.publication.offer(b"late"), Err(gannet_interop::peer::Stuck::Closed));
    assert!(pair.subscription.is_closed());
}

fn a_killed_driver_closes_its_clients(driver: Driver, peer: Peer) {
    let mut driver = driver.launch("killed-driver");
    let options = Options { driver_timeout: Duration::from_secs(2), ..Options::default() };
    let client = peer.try_connect(driver.path(), &options).unwrap();
    let publication = client.add_publication(CHANNEL, STREAM).unwrap();
    driver.process().kill();
    let events = client.events();
    let code = wait_for("the client notices", PATIENCE, || {
        events.find(|event| match event {
            Event::Error { code, .. } => Some(*code),
            _ => None,
        })
    });
    assert_eq!(code, 1000, "driver timeout");
    wait_until("the client is closed", PATIENCE, || client.is_closed() && publication.is_closed());
}

fn without_a_driver_connecting_fails(driver: Driver, peer: Peer) {
    // A directory that a driver left in good order.
    let mut running = driver.launch("left-behind");
    running.process().signal(Signal::SIGTERM);
    running.process().wait_exit(PATIENCE);
    let options = Options { driver_timeout: Duration::from_millis(500), ..Options::default() };
    let refused = peer.try_connect(running.path(), &options).map(drop).unwrap_err();
    assert_eq!(refused.code, 1000, "{refused}");
    let nowhere = peer.try_connect(&running.path().join("nowhere"), &options).map(drop).unwrap_err();
    assert_eq!(nowhere.code, 1000, "{nowhere}");
}

fn a_client_that_touches_whole_files_works(driver: Driver, peer: Peer) {
    let driver = driver.launch("pre-touch");
    let options = Options { pre_touch: true, ..Options::default() };
    let client = peer.try_connect(driver.path(), &options).unwrap();
    for sparse in [false, true] {
        let stream_id = STREAM + i32::from(sparse);
        let subscription = client.add_subscription("aeron:ipc", stream_id).unwrap();
        let channel = format!("{CHANNEL}|sparse={sparse}");
        let mut publication = client.add_publication(&channel, stream_id).unwrap();
        crate::support::await_connected(&*publication, &*subscription);
        let mut subscription = subscription;
        let mut verifier = Verifier::new(9, 0);
        for number in 0..200 {
            crate::support::offer_until_taken(&mut *publication, &message(9, number, 1000));
            crate::support::receive(&mut *subscription, &mut verifier, 1, 1000);
        }
    }
}

fn many_clients_share_a_driver(driver: Driver, peer: Peer) {
    const CLIENTS: i32 = 12;
    let driver = driver.launch("many-clients");
    let clients: Vec<_> = (0..CLIENTS).map(|_| peer.connect(driver.path())).collect();
    let mut subscriptions: Vec<_> =
        clients.iter().map(|client| client.add_subscription("aeron:ipc", STREAM).unwrap()).collect();
    let mut publication = clients[0].add_publication(CHANNEL, STREAM).unwrap();
    for subscription in &subscriptions {
        crate::support::await_connected(&*publication, &**subscription);
    }
    let mut verifiers: Vec<_> = clients.iter().map(|_| Verifier::new(4, 0)).collect();
    for number in 0..100 {
        crate::support::offer_until_taken(&mut *publication, &message(4, number, 1000));
        for (subscription, verifier) in subscriptions.iter_mut().zip(&mut verifiers) {
            crate::support::receive(&mut **subscription, verifier, 1, 1000);
        }
    }
    let ids: std::collections::HashSet<_> = clients.iter().map(|client| client.client_id()).collect();
    assert_eq!(ids.len(), clients.len(), "client ids differ");
    let cnc = driver.cnc();
    assert_eq!(cnc.counters_of(11).count(), clients.len(), "each has a heartbeat");
}
