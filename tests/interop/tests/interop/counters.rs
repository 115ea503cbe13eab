//! Counters, as the client that owns them and as others see them.

use gannet_interop::peer::{CounterView, Event, Options};
use gannet_interop::{Driver, Peer};
use gannet_tests::{PATIENCE, wait_for, wait_until};

for_pairs! {
    a_counter_is_seen_from_both_sides,
    a_static_counter_is_shared_and_outlives_its_client,
}

for_peers! {
    a_counter_with_the_longest_key_and_label_fits,
    a_clients_heartbeat_is_labelled,
    stream_counters_follow_the_positions,
}

fn find(counters: &[CounterView], id: i32) -> Option<&CounterView> {
    counters.iter().find(|counter| counter.id == id)
}

fn a_counter_is_seen_from_both_sides(driver: Driver, owner: Peer, other: Peer) {
    let driver = driver.launch("counter");
    let owner = owner.connect(driver.path());
    let other = other.connect(driver.path());
    let counter = owner.add_counter(1234, b"a key", "my counter: work done").unwrap();
    let (id, registration_id) = (counter.id(), counter.registration_id());
    let events = other.events();
    wait_until("the other is told", PATIENCE, || {
        events.count(|event| *event == Event::AvailableCounter { registration_id, counter_id: id }) == 1
    });
    counter.set(4711);
    let counters = other.counters();
    let view = find(&counters, id).expect("the other reads it");
    assert_eq!((view.type_id, view.value, view.label.as_str()), (1234, 4711, "my counter: work done"));
    assert_eq!((view.registration_id, view.owner_id), (registration_id, owner.client_id()));
    assert_eq!((&view.key[..5], view.key[5..].iter().all(|byte| *byte == 0)), (&b"a key"[..], true));
    counter.set(-1);
    assert_eq!(find(&other.counters(), id).unwrap().value, -1);
    assert_eq!(counter.value(), -1);
    counter.close();
    wait_until("the other is told of its end", PATIENCE, || {
        events.count(|event| *event == Event::UnavailableCounter { registration_id, counter_id: id }) == 1
    });
    assert!(find(&other.counters(), id).is_none());
}

fn a_static_counter_is_shared_and_outlives_its_client(driver: Driver, first: Peer, second: Peer) {
    let driver = driver.launch("static-counter");
    let first = first.connect(driver.path());
    let second = second.connect(driver.path());
    let counter = first.add_static_counter(2000, b"key", "a static counter", 99).unwrap();
    counter.set(5);
    let same = second.add_static_counter(2000, b"other key", "another label", 99).unwrap();
    assert_eq!((same.id(), same.registration_id(), same.value()), (counter.id(), 99, 5));
    let different = second.add_static_counter(2000, b"key", "a second one", 100).unwrap();
    assert_ne!(different.id(), counter.id());
    let view = find(&second.counters(), counter.id()).unwrap().clone();
    assert_eq!((view.owner_id, view.registration_id, view.label.as_str()), (-1, 99, "a static counter"));
    let (id, client_id) = (counter.id(), first.client_id());
    drop(counter);
    first.close();
    wait_until("the first client is gone", PATIENCE, || {
        driver.cnc().counters_of(11).all(|heartbeat| heartbeat.registration_id != client_id)
    });
    assert_eq!(find(&second.counters(), id).expect("it stays").value, 5);
    // A counter that a client owns is not a static one, though type and registration are the same.
    let owned = second.add_counter(2001, b"", "owned").unwrap();
    let refused = second.add_static_counter(2001, b"", "not mine", owned.registration_id()).map(drop).unwrap_err();
    assert_eq!(refused.code, 11, "{refused}");
}

fn a_counter_with_the_longest_key_and_label_fits(driver: Driver, peer: Peer) {
    let driver = driver.launch("long-counter");
    let client = peer.connect(driver.path());
    let (key, label) = ([7; 112], "l".repeat(380));
    let counter = client.add_counter(3000, &key, &label).unwrap();
    let cnc = driver.cnc();
    let view = cnc.counter(counter.id()).unwrap();
    assert_eq!((view.key.as_slice(), &view.label), (&key[..], &label));
}

fn a_clients_heartbeat_is_labelled(driver: Driver, peer: Peer) {
    let driver = driver.launch("heartbeat");
    let options = Options { name: "the-tester".to_owned(), ..Options::default() };
    let client = peer.try_connect(driver.path(), &options).unwrap();
    let id = client.client_id();
    let _counter = client.add_counter(1, b"", "makes the client known").unwrap();
    let label = wait_for("the client labels its heartbeat", PATIENCE, || {
        let cnc = driver.cnc();
        let heartbeat = cnc.counters_of(11).find(|counter| counter.registration_id == id)?.clone();
        (heartbeat.label.contains("name=") && heartbeat.value > 0).then_some(heartbeat)
    });
    assert!(label.label.starts_with(&format!("client-heartbeat: id={id} name=the-tester version=")), "{label:?}");
    assert_eq!((&label.key[..8], label.owner_id), (&id.to_le_bytes()[..], id));
}

fn stream_counters_follow_the_positions(driver: Driver, peer: Peer) {
    use crate::support::{How, Pair, transfer};
    use gannet_interop::peer::Way;
    let mut pair = Pair::new(driver, peer, peer, false, "aeron:ipc?term-length=64k");
    transfer(&mut pair, How::Offer, Way::Assembled, 20, |_| 1000);
    let position = pair.publication.position().unwrap();
    let publication = pair.publication.constants();
    let subscription = pair.subscription.registration_id();
    let value = |type_id: i32, registration_id: i64| {
        let cnc = pair.driver.cnc();
        let counter = cnc.counters_of(type_id).find(|counter| counter.registration_id == registration_id)?.clone();
        assert_eq!((counter.session_id(), counter.stream_id()), (publication.session_id, publication.stream_id));
        Some(counter.value)
    };
    wait_until("sub-pos is at the end", PATIENCE, || value(4, subscription) == Some(position));
    wait_until("pub-pos is at the end", PATIENCE, || value(12, publication.registration_id) == Some(position));
    let limit = position + 32 * 1024;
    // The limit is granted in steps of an eighth of the window.
    wait_until("pub-lmt is a window ahead", PATIENCE, || {
        value(1, publication.registration_id).is_some_and(|value| value > limit - 4096 && value <= limit)
    });
    assert_eq!(value(1, publication.registration_id), pair.publication.position_limit());
}
