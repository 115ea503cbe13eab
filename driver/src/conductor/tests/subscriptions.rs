//! Who reads what.

use gannet_core::command::{Command, ErrorCode};
use gannet_core::{Position, StreamId};

use super::harness::{SMALL, STREAM, TERM};
use super::{Harness, Heard};

#[test]
fn a_subscription_is_told_that_it_is_ready_then_of_all_images() {
    let mut harness = Harness::new();
    let (one, two) = (harness.publish_exclusively(1, SMALL), harness.publish(1, SMALL));
    let (id, heard) = harness.subscribe(2, "aeron:ipc");
    assert!(matches!(heard[0], Heard::CounterReady { correlation_id: 2, .. }));
    assert_eq!(heard[1], Heard::Subscription { correlation_id: id });
    let images: Vec<_> = heard[2..]
        .iter()
        .map(|heard| match heard {
            Heard::Available { correlation_id, subscription, .. } if *subscription == id => *correlation_id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(images, [one.id, two.id]);
    assert!(one.log.metadata().is_connected());
}

#[test]
fn a_session_filter_takes_one_session_and_another_stream_takes_none() {
    let mut harness = Harness::new();
    harness.publish_exclusively(1, "aeron:ipc?session-id=1");
    let wanted = harness.publish_exclusively(1, "aeron:ipc?session-id=2");
    let (_, heard) = harness.subscribe(2, "aeron:ipc?session-id=2");
    assert_eq!(harness.image(&heard).session_id, wanted.session_id);
    assert_eq!(heard.iter().filter(|heard| matches!(heard, Heard::Available { .. })).count(), 1);
    let correlation_id = harness.next_id();
    let heard = harness.ask(&Command::AddSubscription {
        client_id: 2,
        correlation_id,
        stream_id: StreamId(5),
        channel: "aeron:ipc",
    });
    assert_eq!(heard, [Heard::Subscription { correlation_id }]);
}

#[test]
fn a_late_joiner_starts_where_the_slowest_subscriber_is() {
    let mut harness = Harness::new();
    let stream = harness.publish(1, SMALL);
    let (_, heard) = harness.subscribe(2, "aeron:ipc");
    let first = harness.image(&heard);
    let (_, heard) = harness.subscribe(2, "aeron:ipc");
    let second = harness.image(&heard);
    harness.settle();
    super::limits::append(&stream, 3, 1000);
    first.counter.set(stream.producer().0);
    second.counter.set(1056);
    harness.settle();
    let (_, heard) = harness.subscribe(3, "aeron:ipc");
    assert_eq!(harness.image(&heard).position(), Position(1056));
}

#[test]
fn a_subscription_after_all_others_left_starts_where_the_fastest_was() {
    let mut harness = Harness::new();
    let stream = harness.publish(1, SMALL);
    let (id, heard) = harness.subscribe(2, "aeron:ipc");
    let image = harness.image(&heard);
    harness.settle();
    super::limits::append(&stream, 2, 1000);
    image.counter.set(stream.producer().0);
    harness.settle();
    let correlation_id = harness.next_id();
    harness.ask(&Command::RemoveSubscription { client_id: 2, correlation_id, registration_id: id });
    assert!(!stream.log.metadata().is_connected());
    assert_eq!(stream.position(), stream.producer(), "nothing more may be published");
    let (_, heard) = harness.subscribe(2, "aeron:ipc");
    assert_eq!(harness.image(&heard).position(), stream.producer());
}

#[test]
fn whoever_removes_a_subscription_hears_success_and_nothing_of_its_images() {
    let mut harness = Harness::new();
    harness.publish(1, SMALL);
    let (id, heard) = harness.subscribe(2, "aeron:ipc");
    let counter_id = harness.image(&heard).counter.id();
    let correlation_id = harness.next_id();
    let heard = harness.ask(&Command::RemoveSubscription { client_id: 2, correlation_id, registration_id: id });
    assert_eq!(heard, [Heard::Success { correlation_id }]);
    assert!(!harness.is_allocated(counter_id));
}

#[test]
fn removing_an_unknown_subscription_is_an_error() {
    let mut harness = Harness::new();
    let correlation_id = harness.next_id();
    let heard = harness.ask(&Command::RemoveSubscription { client_id: 7, correlation_id, registration_id: 8 });
    let message = "unknown subscription client_id=7 registration_id=8".to_owned();
    assert_eq!(heard, [Heard::Error { correlation_id, code: ErrorCode::UnknownSubscription, message }]);
}

#[test]
fn bad_values_are_refused_and_make_no_client_known() {
    let mut harness = Harness::new();
    for (channel, code) in [
        ("aeron:ipc?tether=maybe", ErrorCode::GenericError),
        ("aeron:ipc?reliable=1", ErrorCode::GenericError),
        ("aeron:ipc?session-id=x", ErrorCode::GenericError),
        ("aeron:ipc?rcv-wnd=big", ErrorCode::GenericError),
        ("aeron:ipc?untethered-linger-timeout=x", ErrorCode::GenericError),
        ("aeron:ipcx", ErrorCode::InvalidChannel),
        ("aeron:ipc?=", ErrorCode::InvalidChannel),
    ] {
        let correlation_id = harness.next_id();
        let heard = harness.ask(&Command::AddSubscription { client_id: 2, correlation_id, stream_id: STREAM, channel });
        assert!(matches!(&heard[..], [Heard::Error { code: got, .. }] if *got == code), "{channel}: {heard:?}");
    }
}

#[test]
fn there_are_no_more_subscriptions_than_counters_for_their_images() {
    let mut harness = Harness::new();
    let add = |harness: &mut Harness| {
        harness.now.ns += 20_000_000;
        let correlation_id = harness.next_id();
        let command =
            Command::AddSubscription { client_id: 1, correlation_id, stream_id: STREAM, channel: "aeron:ipc" };
        (correlation_id, harness.ask(&command))
    };
    let (first, _) = add(&mut harness);
    for _ in 1..200 {
        let (correlation_id, heard) = add(&mut harness);
        assert_eq!(heard, [Heard::Subscription { correlation_id }]);
    }
    let (_, heard) = add(&mut harness);
    let [Heard::Error { code: ErrorCode::GenericError, message, .. }] = &heard[..] else { panic!("{heard:?}") };
    assert!(message.contains("200") && message.contains("AERON_COUNTERS_BUFFER_LENGTH"), "{message}");
    let correlation_id = harness.next_id();
    harness.ask(&Command::RemoveSubscription { client_id: 1, correlation_id, registration_id: first });
    let (correlation_id, heard) = add(&mut harness);
    assert_eq!(heard, [Heard::Subscription { correlation_id }]);
}

#[test]
fn where_others_join_does_not_follow_a_position_that_is_made_up() {
    let (mut harness, stream, image) = super::limits::connected(SMALL);
    let mut last = Position(0);
    while stream.producer() < Position(TERM + TERM / 2) {
        super::limits::append(&stream, 4, 1000);
        last = image.position();
        image.counter.set(stream.producer().0);
        harness.settle();
    }
    for made_up in [i64::MIN, -1, 0, 7, last.0 + 1, stream.producer().0 + 32, i64::MAX] {
        image.counter.set(made_up);
        let (subscription, heard) = harness.subscribe(3, "aeron:ipc");
        let joined = harness.image(&heard).position();
        assert!(joined.0 % 32 == 0 && joined <= stream.producer(), "{joined} for {made_up}");
        assert!(joined > Position(TERM / 2), "{joined} for {made_up}: it lies in what is clean");
        let correlation_id = harness.next_id();
        harness.ask(&Command::RemoveSubscription { client_id: 3, correlation_id, registration_id: subscription });
    }
}
