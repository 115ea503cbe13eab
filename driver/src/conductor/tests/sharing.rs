//! Who shares a publication with whom.

use gannet_core::SessionId;
use gannet_core::command::{Command, ErrorCode};

use super::harness::{SMALL, STREAM};
use super::{Harness, Heard};

#[test]
fn a_second_client_shares_the_publication_of_the_first() {
    let mut harness = Harness::new();
    let first = harness.publish(1, "aeron:ipc");
    let correlation_id = harness.next_id();
    let heard =
        harness.ask(&Command::AddPublication { client_id: 2, correlation_id, stream_id: STREAM, channel: "aeron:ipc" });
    assert!(matches!(heard[0], Heard::CounterReady { correlation_id: 2, .. }));
    assert_eq!(
        heard[1],
        Heard::Publication {
            correlation_id,
            registration_id: first.id,
            session_id: first.session_id,
            limit: first.counter.id(),
            log: first.path,
        }
    );
}

#[test]
fn what_a_sharer_asks_for_must_be_what_there_is() {
    let mut harness = Harness::new();
    let channel = "aeron:ipc?session-id=2000|mtu=2048|term-length=128k|init-term-id=5|term-id=6|term-offset=64";
    let first = harness.publish(1, channel);
    assert_eq!(harness.publish(2, channel).session_id, first.session_id);
    for (asked, message) in [
        ("session-id=2001", "existing publication has different 'session-id': existing=2000 requested=2001"),
        ("mtu=4096", "existing publication has different 'mtu': existing=2048 requested=4096"),
        ("term-length=64k", "existing publication has different 'term-length': existing=131072 requested=65536"),
        (
            "term-length=128k|init-term-id=4|term-id=6|term-offset=64",
            "existing publication has different 'init-term-id': existing=5 requested=4",
        ),
        (
            "term-length=128k|init-term-id=5|term-id=7|term-offset=64",
            "existing publication has different 'term-id': existing=6 requested=7",
        ),
        (
            "term-length=128k|init-term-id=5|term-id=6|term-offset=96",
            "existing publication has different 'term-offset': existing=64 requested=96",
        ),
    ] {
        let correlation_id = harness.next_id();
        let channel = format!("aeron:ipc?{asked}");
        let heard = harness.ask(&Command::AddPublication {
            client_id: 2,
            correlation_id,
            stream_id: STREAM,
            channel: &channel,
        });
        let message = message.to_owned();
        assert_eq!(heard, [Heard::Error { correlation_id, code: ErrorCode::GenericError, message }]);
    }
}

#[test]
fn an_exclusive_publication_is_shared_with_nobody() {
    let mut harness = Harness::new();
    let exclusive = harness.publish_exclusively(1, "aeron:ipc");
    let another = harness.publish_exclusively(1, "aeron:ipc");
    let shared = harness.publish(1, "aeron:ipc");
    assert_ne!(exclusive.session_id, another.session_id);
    assert_ne!(exclusive.session_id, shared.session_id);
    assert_ne!(exclusive.path, shared.path);
}

#[test]
fn a_publication_of_another_stream_or_another_response_channel_is_another() {
    let mut harness = Harness::new();
    let first = harness.publish(1, "aeron:ipc");
    let response = harness.publish(1, "aeron:ipc?response-correlation-id=5");
    assert_ne!(response.id, first.id);
    assert_ne!(response.session_id, first.session_id);
    let prototype = harness.publish(1, "aeron:ipc?response-correlation-id=prototype");
    assert!(![first.id, response.id].contains(&prototype.id));
}

#[test]
fn a_session_id_that_is_taken_clashes_until_the_publication_is_over() {
    let mut harness = Harness::new();
    let first = harness.publish_exclusively(1, "aeron:ipc?session-id=77");
    assert_eq!(first.session_id, SessionId(77));
    let clash = |harness: &mut Harness| {
        let correlation_id = harness.next_id();
        let channel = "aeron:ipc?session-id=77";
        harness.ask(&Command::AddExclusivePublication { client_id: 1, correlation_id, stream_id: STREAM, channel })
    };
    let heard = clash(&mut harness);
    let Heard::Error { code, message, .. } = &heard[0] else { panic!("{heard:?}") };
    assert_eq!(*code, ErrorCode::InvalidChannel);
    assert!(message.starts_with("existing publication has clashing sessionId=77 for streamId=1001"), "{message}");

    harness.unpublish(1, first.id, false);
    harness.pass(super::harness::SECOND_NS);
    assert!(matches!(clash(&mut harness)[0], Heard::Exclusive { session_id: SessionId(77), .. }));
}

#[test]
fn session_ids_that_the_driver_chooses_skip_those_in_use_and_the_reserved_range() {
    let mut harness = Harness::with(|settings, _| {
        settings.reserved_session_id_low = i32::MIN + 2;
        settings.reserved_session_id_high = i32::MAX - 1;
    });
    let sessions: Vec<i32> = (0..3).map(|_| harness.publish_exclusively(1, "aeron:ipc").session_id.0).collect();
    assert_eq!(sessions, [i32::MAX, i32::MIN, i32::MIN + 1]);
    let correlation_id = harness.next_id();
    let channel = "aeron:ipc";
    let heard =
        harness.ask(&Command::AddExclusivePublication { client_id: 1, correlation_id, stream_id: STREAM, channel });
    assert!(matches!(heard[0], Heard::Error { code: ErrorCode::GenericError, .. }), "{heard:?}");
}

#[test]
fn the_next_session_id_is_given_once_and_is_not_in_use() {
    let mut harness = Harness::new();
    let ask = |harness: &mut Harness| {
        let correlation_id = harness.next_id();
        match harness.ask(&Command::GetNextAvailableSessionId { client_id: 1, correlation_id, stream_id: STREAM })[..] {
            [Heard::SessionId { correlation_id: answered, session_id }] if answered == correlation_id => session_id,
            ref heard => panic!("{heard:?}"),
        }
    };
    let first = ask(&mut harness);
    let taken = format!("aeron:ipc?session-id={}", first.0.wrapping_add(1));
    harness.publish(1, &taken);
    assert_eq!(ask(&mut harness), SessionId(first.0.wrapping_add(2)));
    assert_eq!(ask(&mut harness), SessionId(first.0.wrapping_add(3)));
}

#[test]
fn a_session_tag_needs_a_network_publication() {
    let mut harness = Harness::new();
    harness.publish(1, "aeron:ipc?tags=1,99");
    let correlation_id = harness.next_id();
    let channel = "aeron:ipc?session-id=tag:99";
    let heard = harness.ask(&Command::AddPublication { client_id: 1, correlation_id, stream_id: STREAM, channel });
    let Heard::Error { code, message, .. } = &heard[0] else { panic!("{heard:?}") };
    assert_eq!(*code, ErrorCode::GenericError);
    assert!(message.contains("must reference a network publication"), "{message}");
}

#[test]
fn one_client_adds_a_shared_publication_no_more_often_than_there_are_counters() {
    let mut harness = Harness::new();
    let add = |harness: &mut Harness| {
        harness.now.ns += 20_000_000;
        let correlation_id = harness.next_id();
        harness.ask(&Command::AddPublication { client_id: 1, correlation_id, stream_id: STREAM, channel: SMALL })
    };
    for _ in 0..200 {
        let heard = add(&mut harness);
        assert!(matches!(heard.last(), Some(Heard::Publication { .. })), "{heard:?}");
    }
    let heard = add(&mut harness);
    assert!(matches!(heard[..], [Heard::Error { code: ErrorCode::GenericError, .. }]), "{heard:?}");
}
