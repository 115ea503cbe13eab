//! How publications end, and how the driver does.

use gannet_core::Position;
use gannet_core::command::Command;
use gannet_core::counters::system::SystemCounter;
use gannet_core::sync::{Memory, Ordering};

use super::harness::{SECOND_NS, SMALL, STREAM};
use super::limits::{append, claim_and_die};
use super::{Harness, Heard};
use crate::config::TerminationValidator;

#[test]
fn the_last_publisher_ends_the_stream_where_it_is() {
    let mut harness = Harness::new();
    let first = harness.publish(1, SMALL);
    let second = harness.publish(2, SMALL);
    harness.subscribe(3, "aeron:ipc");
    append(&first, 2, 1000);
    let end = first.producer();
    let heard = harness.unpublish(1, first.id, false);
    assert!(matches!(heard[..], [Heard::Success { .. }]));
    assert_eq!(first.log.metadata().end_of_stream_position(), Position(i64::MAX), "the other still publishes");
    harness.unpublish(2, second_link(&harness, &second), false);
    assert_eq!(first.log.metadata().end_of_stream_position(), end);
    assert_eq!(first.position(), end, "the limit falls to what was published");
}

/// The second client's link: the id of its own command, which is two after the first's.
fn second_link(_: &Harness, second: &super::harness::Stream) -> i64 {
    second.id
}

#[test]
fn subscribers_read_on_until_the_end_and_then_lose_the_image() {
    let mut harness = Harness::new();
    let stream = harness.publish(1, SMALL);
    let (fast, heard) = harness.subscribe(2, "aeron:ipc?alias=fast");
    let fast_image = harness.image(&heard);
    let (slow, heard) = harness.subscribe(2, "aeron:ipc?alias=slow");
    let slow_image = harness.image(&heard);
    append(&stream, 2, 1000);
    harness.unpublish(1, stream.id, false);
    fast_image.counter.set(stream.producer().0);
    assert!(harness.pass(3 * SECOND_NS).is_empty(), "one subscriber has not read everything");

    slow_image.counter.set(stream.producer().0);
    let heard = harness.pass(SECOND_NS);
    let unavailable =
        |subscription| Heard::Unavailable { correlation_id: stream.id, subscription, channel: "aeron:ipc".to_owned() };
    assert_eq!(heard, [unavailable(fast), unavailable(slow)]);
    assert!(std::path::Path::new(&stream.path).exists(), "it lingers for one tick");
    harness.pass(SECOND_NS);
    assert!(!std::path::Path::new(&stream.path).exists());
    for counter in [&stream.counter, &fast_image.counter, &slow_image.counter] {
        assert!(!harness.is_allocated(counter.id()));
    }
}

#[test]
fn a_publication_that_nobody_reads_is_gone_after_two_ticks() {
    let mut harness = Harness::new();
    let mapped = harness.system(SystemCounter::BytesCurrentlyMapped);
    let stream = harness.publish(1, SMALL);
    assert_eq!(harness.system(SystemCounter::BytesCurrentlyMapped), mapped + 3 * 65_536 + 4096);
    append(&stream, 1, 100);
    harness.unpublish(1, stream.id, false);
    harness.pass(2 * SECOND_NS);
    assert!(!std::path::Path::new(&stream.path).exists());
    assert_eq!(harness.system(SystemCounter::BytesCurrentlyMapped), mapped);
}

#[test]
fn a_draining_publication_takes_subscriptions_until_it_is_drained() {
    let mut harness = Harness::new();
    let stream = harness.publish(1, SMALL);
    let (_, heard) = harness.subscribe(2, "aeron:ipc");
    let image = harness.image(&heard);
    append(&stream, 1, 100);
    harness.unpublish(1, stream.id, false);
    let (_, heard) = harness.subscribe(3, "aeron:ipc");
    assert_eq!(harness.image(&heard).position(), Position(0));
    image.counter.set(stream.producer().0);
    let new = harness.publish(1, SMALL);
    assert_ne!(new.id, stream.id, "a publication that ends is not shared");
}

#[test]
fn what_a_dead_publisher_claimed_does_not_stop_a_draining_publication() {
    let mut harness = Harness::new();
    let stream = harness.publish_exclusively(1, SMALL);
    let (_, heard) = harness.subscribe(2, "aeron:ipc");
    let image = harness.image(&heard);
    append(&stream, 2, 1000);
    let blocked = usize::try_from(stream.producer().0).unwrap();
    claim_and_die(&stream, 500);
    harness.unpublish(1, stream.id, false);
    // The subscriber is behind, and comes to the claim later.
    harness.pass(SECOND_NS);
    assert_eq!(image.position(), gannet_core::Position(0));
    assert_eq!(stream.region.load_i32(blocked, Ordering::Acquire), 532);
    assert_eq!(harness.system(SystemCounter::UnblockedPublications), 1);
}

#[test]
fn revoking_takes_the_stream_away_at_the_next_tick() {
    let mut harness = Harness::new();
    let stream = harness.publish_exclusively(1, SMALL);
    let (subscription, _) = harness.subscribe(2, "aeron:ipc");
    append(&stream, 2, 1000);
    let end = stream.producer();
    let heard = harness.unpublish(1, stream.id, true);
    assert!(matches!(heard[..], [Heard::Success { .. }]));
    assert!(stream.log.metadata().is_publication_revoked());
    let heard = harness.pass(SECOND_NS);
    let channel = "aeron:ipc".to_owned();
    assert_eq!(heard, [Heard::Unavailable { correlation_id: stream.id, subscription, channel }]);
    assert_eq!(stream.log.metadata().end_of_stream_position(), end);
    assert_eq!(stream.position(), end);
    assert!(!stream.log.metadata().is_connected());
    assert_eq!(harness.system(SystemCounter::PublicationsRevoked), 1);
    harness.pass(SECOND_NS);
    assert!(!std::path::Path::new(&stream.path).exists());
}

#[test]
fn revoking_a_shared_publication_takes_it_from_the_other_publishers_too() {
    let mut harness = Harness::new();
    let stream = harness.publish(1, SMALL);
    let correlation_id = harness.next_id();
    harness.ask(&Command::AddPublication { client_id: 2, correlation_id, stream_id: STREAM, channel: SMALL });
    harness.subscribe(3, "aeron:ipc");
    harness.unpublish(1, stream.id, true);
    assert!(matches!(harness.pass(SECOND_NS)[..], [Heard::Unavailable { .. }]));
    assert!(std::path::Path::new(&stream.path).exists(), "the other still holds it");
    assert_ne!(harness.publish(3, SMALL).id, stream.id);
    harness.unpublish(2, correlation_id, false);
    harness.pass(2 * SECOND_NS);
    assert!(!std::path::Path::new(&stream.path).exists());
}

#[test]
fn a_client_that_writes_into_a_logs_metadata_that_it_is_revoked_revokes_nothing() {
    let mut harness = Harness::new();
    let stream = harness.publish(1, SMALL);
    harness.subscribe(2, "aeron:ipc");
    stream.log.metadata().set_is_publication_revoked();
    assert!(harness.pass(2 * SECOND_NS).is_empty(), "nobody loses the image");
    assert_eq!(harness.system(SystemCounter::PublicationsRevoked), 0);
    harness.unpublish(1, stream.id, false);
    harness.pass(2 * SECOND_NS);
    assert!(!std::path::Path::new(&stream.path).exists(), "it ends as any other");
}

#[test]
fn the_heartbeat_is_written_each_tick_and_says_minus_one_at_the_end() {
    let mut harness = Harness::new();
    let stream = harness.publish(1, SMALL);
    harness.pass(SECOND_NS);
    assert_eq!(harness.ring.consumer_heartbeat_ms(), harness.now.epoch_ms);
    harness.pass(SECOND_NS);
    assert_eq!(harness.ring.consumer_heartbeat_ms(), harness.now.epoch_ms);
    harness.conductor.close();
    assert_eq!(harness.ring.consumer_heartbeat_ms(), -1);
    assert!(!std::path::Path::new(&stream.path).exists(), "logs go with the driver");
}

#[test]
fn a_client_may_end_the_driver_where_the_validator_allows_it() {
    for (validator, ends) in [(TerminationValidator::Deny, false), (TerminationValidator::Allow, true)] {
        let mut harness = Harness::with(|settings, _| settings.termination_validator = validator);
        let heard = harness.ask(&Command::TerminateDriver { client_id: 1, correlation_id: 2, token: b"please" });
        assert!(heard.is_empty(), "there is no answer");
        assert_eq!(harness.conductor.is_terminating(), ends);
    }
}

#[test]
fn the_longest_cycle_and_those_beyond_the_threshold_are_counted() {
    let mut harness = Harness::new();
    harness.settle();
    harness.now.ns += 2 * SECOND_NS;
    harness.settle();
    harness.now.ns += SECOND_NS / 2;
    harness.settle();
    assert_eq!(harness.system(SystemCounter::ConductorMaxCycleTime), 2 * SECOND_NS);
    assert_eq!(harness.system(SystemCounter::ConductorCycleTimeThresholdExceeded), 1);
}

#[test]
fn a_log_that_was_being_made_when_the_driver_ended_is_removed() {
    let mut harness = Harness::new();
    let correlation_id = harness.next_id();
    harness.send(&Command::AddPublication { client_id: 1, correlation_id, stream_id: STREAM, channel: SMALL });
    harness.conductor.do_work(harness.now);
    crate::agent::Agent::do_work(&mut harness.agent);
    let path = harness.directory().join(format!("publications/{correlation_id}.logbuffer"));
    assert!(path.exists());
    harness.conductor.close();
    assert!(!path.exists());
}
