//! Images that a subscriber rejects.

use gannet_core::Position;
use gannet_core::command::{Command, ErrorCode};
use gannet_core::counters::system::SystemCounter;

use super::harness::{SECOND_NS, SMALL};
use super::limits::append;
use super::{Harness, Heard};

fn reject(harness: &mut Harness, image_correlation_id: i64, reason: &[u8]) -> (i64, Vec<Heard>) {
    let correlation_id = harness.next_id();
    let position = Position(0);
    let heard =
        harness.ask(&Command::RejectImage { client_id: 2, correlation_id, image_correlation_id, position, reason });
    (correlation_id, heard)
}

#[test]
fn a_rejected_publication_is_told_loses_its_subscribers_and_gets_them_back_after_a_while() {
    let mut harness = Harness::new();
    let stream = harness.publish(1, SMALL);
    let (first, heard) = harness.subscribe(2, "aeron:ipc?alias=a");
    let image = harness.image(&heard);
    let (second, _) = harness.subscribe(3, "aeron:ipc?alias=b");
    append(&stream, 1, 1000);
    image.counter.set(stream.producer().0);
    harness.settle();

    let (correlation_id, heard) = reject(&mut harness, stream.id, b"no");
    let unavailable = |subscription, channel: &str| Heard::Unavailable {
        correlation_id: stream.id,
        subscription,
        channel: channel.to_owned(),
    };
    assert_eq!(
        heard,
        [
            Heard::PublicationError {
                registration_id: stream.id,
                code: ErrorCode::ImageRejected,
                message: "no".to_owned(),
                source: "127.0.0.1:0".to_owned(),
            },
            unavailable(first, "aeron:ipc?alias=a"),
            unavailable(second, "aeron:ipc?alias=b"),
            Heard::Success { correlation_id },
        ]
    );
    assert!(!stream.log.metadata().is_connected());
    assert!(!harness.is_allocated(image.counter.id()));
    assert_eq!(harness.system(SystemCounter::ImagesRejected), 1);
    assert_eq!(harness.system(SystemCounter::Errors), 1);
    let errors = harness.errors();
    assert!(errors[0].0.contains("onPublicationError: registrationId=") && errors[0].0.ends_with("errorMessage=no"));

    let (late, heard) = harness.subscribe(4, "aeron:ipc");
    assert_eq!(heard.len(), 2, "nobody joins meanwhile: {heard:?}");
    assert!(harness.pass(10 * SECOND_NS).is_empty());
    assert!(!stream.log.metadata().is_connected());
    let heard = harness.pass(SECOND_NS);
    let back: Vec<_> = heard
        .iter()
        .map(|heard| match heard {
            Heard::Available { correlation_id, subscription, .. } if *correlation_id == stream.id => *subscription,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(back, [first, second, late]);
    assert!(stream.log.metadata().is_connected());
    assert_eq!(harness.image(&heard).position(), stream.producer(), "what was read is not read again");
}

#[test]
fn a_second_rejection_tells_the_publisher_again_and_starts_the_while_anew() {
    let mut harness = Harness::new();
    let stream = harness.publish(1, SMALL);
    harness.subscribe(2, "aeron:ipc");
    reject(&mut harness, stream.id, b"one");
    harness.pass(8 * SECOND_NS);
    let (correlation_id, heard) = reject(&mut harness, stream.id, b"two");
    assert!(matches!(&heard[..],
        [Heard::PublicationError { message, .. }, Heard::Success { correlation_id: id }]
            if message == "two" && *id == correlation_id));
    assert!(harness.pass(9 * SECOND_NS).is_empty());
    assert!(matches!(harness.pass(2 * SECOND_NS)[..], [Heard::Available { .. }]));
    assert_eq!(harness.system(SystemCounter::ImagesRejected), 2);
}

#[test]
fn what_cannot_be_rejected_is_an_error() {
    let mut harness = Harness::new();
    let stream = harness.publish(1, SMALL);
    let (_, heard) = reject(&mut harness, stream.id + 1, b"");
    assert!(matches!(heard[..], [Heard::Error { code: ErrorCode::GenericError, .. }]));
    let (_, heard) = reject(&mut harness, stream.id, &[b'x'; 1024]);
    assert!(matches!(heard[..], [Heard::Error { code: ErrorCode::GenericError, .. }]));
    let (_, heard) = reject(&mut harness, stream.id, &[b'x'; 1023]);
    assert!(matches!(heard[..], [Heard::PublicationError { .. }, Heard::Success { .. }]));
}
