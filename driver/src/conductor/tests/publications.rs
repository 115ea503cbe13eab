//! How a publication is made, and what its log and counters say.

use gannet_core::command::{Command, ErrorCode};
use gannet_core::log::LogType;
use gannet_core::{Position, TermId};

use super::harness::{SECOND_NS, SMALL, STREAM};
use super::{Harness, Heard};

#[test]
fn a_new_client_is_told_of_its_heartbeat_then_of_the_publication_then_of_images() {
    let mut harness = Harness::new();
    let (subscription, _) = harness.subscribe(9, "aeron:ipc");
    let correlation_id = harness.next_id();
    let heard =
        harness.ask(&Command::AddPublication { client_id: 5, correlation_id, stream_id: STREAM, channel: "aeron:ipc" });
    assert!(matches!(heard[0], Heard::CounterReady { correlation_id: 5, .. }), "{heard:?}");
    assert!(matches!(heard[1], Heard::Publication { correlation_id: id, .. } if id == correlation_id), "{heard:?}");
    assert!(
        matches!(heard[2], Heard::Available { correlation_id: id, subscription: s, .. }
            if id == correlation_id && s == subscription),
        "{heard:?}"
    );
    assert_eq!(heard.len(), 3);
}

#[test]
fn the_log_file_is_named_after_the_registration_and_says_what_the_channel_said() {
    let mut harness = Harness::new();
    let channel = "aeron:ipc?term-length=128k|mtu=2048|pub-wnd=32k|linger=7s|tags=1,42|ssc=true|eos=false|sparse=false\
                   |max-resend=9|untethered-window-limit-timeout=2s|untethered-resting-timeout=3s\
                   |response-correlation-id=prototype";
    let stream = harness.publish_exclusively(1, channel);
    let expected = harness.directory().join(format!("publications/{}.logbuffer", stream.id));
    assert_eq!(stream.path, expected.to_str().unwrap());
    let properties = stream.log.properties().unwrap();
    assert_eq!(properties.correlation_id, stream.id);
    assert_eq!(properties.session_id, stream.session_id);
    assert_eq!(properties.stream_id, STREAM);
    assert_eq!((properties.mtu_length, properties.term_length.bytes()), (2048, 128 * 1024));
    assert_eq!(properties.publication_window_length, 32 * 1024);
    assert_eq!(properties.linger_timeout_ns, 7 * SECOND_NS);
    assert_eq!((properties.entity_tag, properties.response_correlation_id), (42, -2));
    assert_eq!(properties.untethered_window_limit_timeout_ns, 2 * SECOND_NS);
    assert_eq!(properties.untethered_linger_timeout_ns, 2 * SECOND_NS, "as the window limit's, where it is not given");
    assert_eq!(properties.untethered_resting_timeout_ns, 3 * SECOND_NS);
    assert_eq!((properties.max_resend, properties.socket_sndbuf_length), (9, 0));
    assert_eq!(properties.os_default_socket_sndbuf_length, 212_992);
    assert!(properties.spies_simulate_connection && !properties.signal_eos && !properties.sparse);
    assert!(!properties.group && !properties.rejoin && !properties.reliable && !properties.tether);
    assert_eq!(properties.log_type, LogType::ExclusivePublication);
}

#[test]
fn counters_have_the_keys_labels_and_owners_that_tools_expect() {
    let mut harness = Harness::new();
    let (subscription, _) = harness.subscribe(2, "aeron:ipc?alias=x");
    let correlation_id = harness.next_id();
    let heard =
        harness.ask(&Command::AddPublication { client_id: 1, correlation_id, stream_id: STREAM, channel: SMALL });
    let (stream, image) = (harness.stream(&heard), harness.image(&heard));
    let session = stream.session_id;
    let limit = stream.counter.id();
    assert_eq!(harness.label(limit), format!("pub-lmt: {correlation_id} {session} 1001 {SMALL}"));
    let position = gannet_core::counters::CounterId(limit.0 - 1);
    assert_eq!(harness.label(position), format!("pub-pos (concurrent): {correlation_id} {session} 1001 {SMALL}"));
    assert_eq!(
        harness.label(image.counter.id()),
        format!("sub-pos: {subscription} {session} 1001 aeron:ipc?alias=x @0")
    );
    assert_eq!((stream.counter.registration_id(), stream.counter.owner_id()), (correlation_id, 1));
    assert_eq!((image.counter.registration_id(), image.counter.owner_id()), (subscription, 2));
    assert_eq!(image.counter.reference_id(), correlation_id);
}

#[test]
fn a_publication_starts_where_its_channel_says() {
    let mut harness = Harness::new();
    let stream =
        harness.publish(1, "aeron:ipc?term-length=64k|init-term-id=2147483647|term-id=-2147483647|term-offset=4096");
    let start = Position(2 * 65_536 + 4096);
    assert_eq!(stream.log.initial_term_id(), TermId(i32::MAX));
    assert_eq!(stream.producer(), start);
    assert_eq!(stream.log.metadata().active_term_count_acquire(), 2);
    assert_eq!(stream.position(), start, "nothing may be published without subscribers");
    let (_, heard) = harness.subscribe(2, "aeron:ipc");
    assert_eq!(harness.image(&heard).position(), start);
    harness.settle();
    assert_eq!(stream.position(), Position(start.0 + 32 * 1024));
}

#[test]
fn without_a_position_the_first_term_is_a_random_one() {
    let mut harness = Harness::new();
    let first = harness.publish_exclusively(1, "aeron:ipc").log.initial_term_id();
    let second = harness.publish_exclusively(1, "aeron:ipc").log.initial_term_id();
    assert_ne!(first, second);
}

#[test]
fn defaults_come_from_the_settings() {
    let mut harness = Harness::with(|settings, _| {
        settings.ipc_mtu_length = 4096;
        settings.ipc_publication_window_length = 8192;
        settings.spies_simulate_connection = true;
        settings.untethered_linger_timeout_ns = Some(1);
    });
    let properties = harness.publish(1, "aeron:ipc").log.properties().unwrap();
    assert_eq!((properties.mtu_length, properties.publication_window_length), (4096, 8192));
    assert_eq!(properties.untethered_linger_timeout_ns, 1);
    assert!(properties.spies_simulate_connection && properties.sparse && properties.signal_eos);
}

#[test]
fn the_default_window_is_at_most_half_a_term() {
    let mut harness = Harness::with(|settings, _| settings.ipc_publication_window_length = 1 << 20);
    let properties = harness.publish(1, "aeron:ipc?term-length=64k").log.properties().unwrap();
    assert_eq!(properties.publication_window_length, 32 * 1024);
}

#[test]
fn removing_an_unknown_publication_is_an_error_also_of_another_clients() {
    let mut harness = Harness::new();
    let stream = harness.publish(1, "aeron:ipc");
    harness.subscribe(2, "aeron:ipc");
    for (client_id, registration_id) in [(2, stream.id), (1, stream.id + 1), (3, stream.id)] {
        let correlation_id = harness.next_id();
        let heard =
            harness.ask(&Command::RemovePublication { client_id, correlation_id, registration_id, revoke: false });
        let message = format!("unknown publication client_id={client_id} registration_id={registration_id}");
        assert_eq!(heard, [Heard::Error { correlation_id, code: ErrorCode::UnknownPublication, message }]);
    }
}

#[test]
fn a_response_publication_gives_its_session_to_the_subscription_that_waits_for_it() {
    let mut harness = Harness::new();
    // The requester subscribes for answers, and publishes requests that name that subscription.
    let (answers, heard) = harness.subscribe(1, "aeron:ipc?control-mode=response");
    assert_eq!(heard.len(), 2, "{heard:?}");
    let requests = harness.publish(1, &format!("aeron:ipc?response-correlation-id={answers}"));
    let stranger = harness.publish_exclusively(3, "aeron:ipc");
    // The responder publishes to the image of the requests.
    let correlation_id = harness.next_id();
    let channel = format!("aeron:ipc?response-correlation-id={}", requests.id);
    let heard = harness.ask(&Command::AddExclusivePublication {
        client_id: 2,
        correlation_id,
        stream_id: STREAM,
        channel: &channel,
    });
    let response = harness.stream(&heard);
    let images: Vec<_> = heard
        .iter()
        .filter_map(|heard| match heard {
            Heard::Available { session_id, subscription, .. } => Some((*session_id, *subscription)),
            _ => None,
        })
        .collect();
    assert_eq!(images, [(response.session_id, answers)]);
    assert_ne!(stranger.session_id, response.session_id);
}

#[test]
fn a_response_subscription_of_another_session_refuses_the_response() {
    let mut harness = Harness::new();
    let (answers, _) = harness.subscribe(1, "aeron:ipc?control-mode=response|session-id=5");
    let requests = harness.publish(1, &format!("aeron:ipc?response-correlation-id={answers}"));
    let correlation_id = harness.next_id();
    let channel = format!("aeron:ipc?session-id=6|response-correlation-id={}", requests.id);
    let heard = harness.ask(&Command::AddExclusivePublication {
        client_id: 2,
        correlation_id,
        stream_id: STREAM,
        channel: &channel,
    });
    assert!(matches!(heard[0], Heard::Error { code: ErrorCode::GenericError, .. }), "{heard:?}");
    let log = harness.directory().join(format!("publications/{correlation_id}.logbuffer"));
    assert!(!log.exists(), "the log of a publication that failed is removed");
}

#[test]
fn a_response_publication_that_came_to_nothing_leaves_the_subscription_to_the_next_one() {
    let mut harness = Harness::new();
    let (answers, _) = harness.subscribe(1, "aeron:ipc?control-mode=response");
    let requests = harness.publish(1, &format!("aeron:ipc?response-correlation-id={answers}"));
    // Counters for the publication, and none for the heartbeat of its client.
    let mut counters = Vec::new();
    loop {
        let correlation_id = harness.next_id();
        harness.now.ns += 20_000_000;
        let heard =
            harness.ask(&Command::AddCounter { client_id: 1, correlation_id, type_id: 2000, key: b"", label: b"" });
        if !matches!(heard[..], [Heard::CounterReady { .. }]) {
            break;
        }
        counters.push(correlation_id);
    }
    let free = |harness: &mut Harness, registration_id: i64| {
        let correlation_id = harness.next_id();
        harness.ask(&Command::RemoveCounter { client_id: 1, correlation_id, registration_id });
        harness.pass(2 * SECOND_NS);
    };
    let channel = format!("aeron:ipc?response-correlation-id={}", requests.id);
    let respond = |harness: &mut Harness| {
        let correlation_id = harness.next_id();
        harness.ask(&Command::AddExclusivePublication {
            client_id: 2,
            correlation_id,
            stream_id: STREAM,
            channel: &channel,
        })
    };
    free(&mut harness, counters[0]);
    free(&mut harness, counters[1]);
    let heard = respond(&mut harness);
    assert!(matches!(heard[..], [Heard::Error { .. }]), "{heard:?}");
    harness.pass(2 * SECOND_NS);
    for registration_id in &counters[2..6] {
        free(&mut harness, *registration_id);
    }
    let heard = respond(&mut harness);
    let response = harness.stream(&heard);
    assert_eq!(harness.image(&heard).session_id, response.session_id);
}
