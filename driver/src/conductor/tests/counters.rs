//! Counters that clients add.

use gannet_core::command::{Command, ErrorCode};
use gannet_core::counters::CounterId;

use super::harness::SECOND_NS;
use super::{Harness, Heard};

fn add(harness: &mut Harness, client_id: i64) -> (i64, CounterId) {
    let correlation_id = harness.next_id();
    let heard = harness.ask(&Command::AddCounter {
        client_id,
        correlation_id,
        type_id: 1234,
        key: b"key",
        label: b"a counter of a client",
    });
    match heard.last() {
        Some(Heard::CounterReady { correlation_id: id, counter_id }) if *id == correlation_id => (*id, *counter_id),
        _ => panic!("{heard:?}"),
    }
}

fn add_static(harness: &mut Harness, client_id: i64, registration_id: i64) -> Vec<Heard> {
    let correlation_id = harness.next_id();
    harness.ask(&Command::AddStaticCounter {
        client_id,
        correlation_id,
        registration_id,
        type_id: 1234,
        key: b"static key",
        label: b"a static counter",
    })
}

#[test]
fn a_counter_has_the_type_key_label_and_owner_that_were_asked_for() {
    let mut harness = Harness::new();
    let (correlation_id, counter_id) = add(&mut harness, 5);
    let record = harness.reader().record(counter_id).unwrap();
    assert_eq!((record.type_id, record.label_text()), (1234, "a counter of a client"));
    assert_eq!(&record.key[..4], b"key\0");
    let counter = harness.counter(counter_id);
    assert_eq!((counter.registration_id(), counter.owner_id()), (correlation_id, 5));
}

#[test]
fn removing_a_counter_is_answered_first_and_told_to_all_then() {
    let mut harness = Harness::new();
    let (registration_id, counter_id) = add(&mut harness, 5);
    let correlation_id = harness.next_id();
    let heard = harness.ask(&Command::RemoveCounter { client_id: 5, correlation_id, registration_id });
    assert_eq!(
        heard,
        [Heard::Success { correlation_id }, Heard::CounterGone { correlation_id: registration_id, counter_id }]
    );
    assert!(!harness.is_allocated(counter_id));
}

#[test]
fn a_client_cannot_remove_what_is_not_its_own() {
    let mut harness = Harness::new();
    let (registration_id, counter_id) = add(&mut harness, 5);
    add(&mut harness, 6);
    for client_id in [6, 7] {
        let correlation_id = harness.next_id();
        let heard = harness.ask(&Command::RemoveCounter { client_id, correlation_id, registration_id });
        assert!(matches!(heard[..], [Heard::Error { code: ErrorCode::UnknownCounter, .. }]), "{heard:?}");
    }
    assert!(harness.is_allocated(counter_id));
}

#[test]
fn a_static_counter_is_found_again_by_anybody_and_outlives_its_client() {
    let mut harness = Harness::new();
    let heard = add_static(&mut harness, 5, 77);
    let Some(Heard::StaticCounter { counter_id, .. }) = heard.last().cloned() else { panic!("{heard:?}") };
    assert_eq!(heard.len(), 2, "the client's heartbeat, and no notice that a counter is ready: {heard:?}");
    let counter = harness.counter(counter_id);
    assert_eq!((counter.registration_id(), counter.owner_id()), (77, -1));
    counter.set(42);
    harness.ask(&Command::ClientClose { client_id: 5, correlation_id: -1 });
    harness.pass(2 * SECOND_NS);
    let heard = add_static(&mut harness, 6, 77);
    assert!(matches!(heard.last(), Some(Heard::StaticCounter { counter_id: again, .. }) if *again == counter_id));
    assert_eq!(harness.counter(counter_id).get(), 42);
    assert!(matches!(add_static(&mut harness, 6, 78).last(),
        Some(Heard::StaticCounter { counter_id: other, .. }) if *other != counter_id));
}

#[test]
fn a_static_counter_is_not_made_of_a_clients_own_nor_removed() {
    let mut harness = Harness::new();
    let (registration_id, counter_id) = add(&mut harness, 5);
    let heard = add_static(&mut harness, 5, registration_id);
    let Heard::Error { code, message, .. } = &heard[0] else { panic!("{heard:?}") };
    assert_eq!(*code, ErrorCode::GenericError);
    assert!(message.contains(&format!("(counterId={counter_id})")), "{message}");
    add_static(&mut harness, 5, 77);
    let correlation_id = harness.next_id();
    let heard = harness.ask(&Command::RemoveCounter { client_id: 5, correlation_id, registration_id: 77 });
    assert!(matches!(heard[..], [Heard::Error { code: ErrorCode::UnknownCounter, .. }]));
}

#[test]
fn when_all_counters_are_in_use_the_client_is_told_and_nothing_is_left_behind() {
    let mut harness = Harness::new();
    add(&mut harness, 5);
    let error = loop {
        let correlation_id = harness.next_id();
        let heard =
            harness.ask(&Command::AddCounter { client_id: 5, correlation_id, type_id: 1, key: b"", label: b"" });
        if let [Heard::Error { code, message, .. }] = &heard[..] {
            break (*code, message.clone());
        }
    };
    assert_eq!(error.0, ErrorCode::GenericError);
    assert!(error.1.starts_with("unable to allocate counter"), "{}", error.1);
    // Neither a new client, nor a publication, nor a subscription's images find room now.
    let correlation_id = harness.next_id();
    let channel = "aeron:ipc?term-length=64k";
    let stream_id = super::harness::STREAM;
    for command in [
        Command::AddPublication { client_id: 5, correlation_id, stream_id, channel },
        Command::AddSubscription { client_id: 9, correlation_id, stream_id, channel },
    ] {
        let heard = harness.ask(&command);
        assert!(matches!(heard[..], [Heard::Error { code: ErrorCode::GenericError, .. }]), "{heard:?}");
    }
    let logs = std::fs::read_dir(harness.directory().join("publications")).unwrap().count();
    assert_eq!(logs, 0, "the log of a publication without counters is removed");
}
