//! How far publishers may go.

use gannet_core::Position;
use gannet_core::counters::system::SystemCounter;
use gannet_core::log::ConcurrentAppender;
use gannet_core::sync::{Memory, Ordering};
use gannet_transport_ipc::Region;

use super::Harness;
use super::harness::{SECOND_NS, SMALL, Stream, TERM, WINDOW};
use crate::agent::Pace;

/// Publishes `count` messages of `length` bytes, whatever the limit.
pub(super) fn append(stream: &Stream, count: usize, length: usize) {
    let appender = ConcurrentAppender::new(stream.log.clone());
    let message = vec![7; length];
    let mut done = 0;
    while done < count {
        // Every other result is a rotation, after which it goes on.
        if appender.offer(Position(i64::MAX), &message).is_ok() {
            done += 1;
        }
    }
}

/// Reads everything: the subscriber is where the publisher is.
fn catch_up(harness: &mut Harness, stream: &Stream, image: &Stream) {
    image.counter.set(stream.producer().0);
    harness.settle();
}

pub(super) fn connected(channel: &str) -> (Harness, Stream, Stream) {
    let mut harness = Harness::new();
    let stream = harness.publish(1, channel);
    let (_, heard) = harness.subscribe(2, "aeron:ipc");
    let image = harness.image(&heard);
    harness.settle();
    (harness, stream, image)
}

#[test]
fn a_publication_without_subscribers_is_not_connected_and_has_no_room() {
    let mut harness = Harness::new();
    let stream = harness.publish(1, SMALL);
    harness.settle();
    assert!(!stream.log.metadata().is_connected());
    assert_eq!(stream.position(), Position(0));
}

#[test]
fn a_subscriber_opens_half_a_term_or_the_window_of_the_channel() {
    let (_, stream, _) = connected(SMALL);
    assert!(stream.log.metadata().is_connected());
    assert_eq!(stream.position(), Position(WINDOW));
    let (_, stream, _) = connected("aeron:ipc?term-length=64k|pub-wnd=4096");
    assert_eq!(stream.position(), Position(4096));
}

#[test]
fn the_limit_follows_the_slowest_subscriber_in_trips() {
    let (mut harness, stream, fast) = connected(SMALL);
    let (_, heard) = harness.subscribe(3, "aeron:ipc");
    let slow = harness.image(&heard);
    append(&stream, 8, 1000);
    fast.counter.set(stream.producer().0);
    harness.settle();
    assert_eq!(stream.position(), Position(WINDOW), "the slow one has not moved");
    slow.counter.set(WINDOW / 8);
    harness.settle();
    assert_eq!(stream.position(), Position(WINDOW), "an eighth of the window is not more than an eighth");
    slow.counter.set(WINDOW / 8 + 128);
    harness.settle();
    assert_eq!(stream.position(), Position(WINDOW + WINDOW / 8 + 128));
}

#[test]
fn the_position_counter_follows_the_publishers() {
    let (mut harness, stream, _) = connected(SMALL);
    append(&stream, 3, 1000);
    harness.settle();
    let position = gannet_core::counters::CounterId(stream.counter.id().0 - 1);
    assert_eq!(harness.counter(position).get(), stream.producer().0);
}

#[test]
fn what_all_subscribers_have_read_is_cleaned_before_it_is_used_again() {
    let (mut harness, stream, image) = connected(SMALL);
    while stream.producer() <= Position(TERM) {
        append(&stream, 8, 1000);
        catch_up(&mut harness, &stream, &image);
    }
    append(&stream, 8, 1000);
    catch_up(&mut harness, &stream, &image);
    assert!(stream.producer() < Position(2 * TERM), "it is in the second term");
    let term = stream.log.term_length().as_usize();
    let word = |partition: usize, offset| stream.region.load_i32(partition * term + offset, Ordering::Relaxed);
    assert!((0..term).step_by(4).all(|offset| word(0, offset) == 0), "the first term is clean");
    let read = usize::try_from(stream.position().0 - WINDOW - TERM).unwrap();
    assert!(read > 0 && (0..read).step_by(4).all(|offset| word(1, offset) == 0), "the second up to the last trip");
}

#[test]
fn a_stream_goes_round_its_terms_many_times() {
    let (mut harness, stream, image) = connected(SMALL);
    let mut rounds = 0;
    while stream.producer().0 < 20 * TERM {
        append(&stream, 8, 1000);
        assert!(stream.producer() <= stream.position(), "the limit keeps ahead of a publisher that is read");
        catch_up(&mut harness, &stream, &image);
        rounds += 1;
    }
    assert!(rounds > 100);
}

#[test]
fn a_stream_that_moves_sets_the_conductors_pace_and_one_that_stands_does_not() {
    let (mut harness, stream, image) = connected(SMALL);
    assert_eq!(harness.conductor.pace(), Pace::Idle);
    for _ in 0..10 {
        append(&stream, 4, 1000);
        image.counter.set(stream.producer().0);
        harness.now.ns += 30_000;
        harness.settle();
    }
    assert!(matches!(harness.conductor.pace(), Pace::Within(ns) if ns < 200_000), "{:?}", harness.conductor.pace());
    harness.now.ns += 20_000_000;
    harness.settle();
    assert_eq!(harness.conductor.pace(), Pace::Idle);
}

#[test]
fn a_claim_that_is_never_committed_is_given_up_after_the_time_out() {
    let (mut harness, stream, image) = connected(SMALL);
    append(&stream, 1, 100);
    catch_up(&mut harness, &stream, &image);
    claim_and_die(&stream, 200);
    append(&stream, 1, 100);
    let blocked = image.position();
    harness.pass(14 * SECOND_NS);
    let length_at = |position: Position| {
        let offset = position.term_offset(stream.log.term_length()).unsigned_abs() as usize;
        stream.region.load_i32(offset, Ordering::Acquire)
    };
    assert!(length_at(blocked) <= 0, "its publisher may still live");
    assert_eq!(harness.system(SystemCounter::UnblockedPublications), 0);
    harness.pass(3 * SECOND_NS);
    assert!(length_at(blocked) > 0);
    assert_eq!(harness.system(SystemCounter::UnblockedPublications), 1);
}

#[test]
fn a_publisher_that_is_merely_not_read_is_not_unblocked() {
    let (mut harness, stream, _) = connected(SMALL);
    append(&stream, 3, 100);
    harness.pass(60 * SECOND_NS);
    assert_eq!(harness.system(SystemCounter::UnblockedPublications), 0);
}

/// Claims space and forgets it, as a publisher that was killed.
pub(super) fn claim_and_die(stream: &Stream, length: usize) {
    let appender: ConcurrentAppender<Region> = ConcurrentAppender::new(stream.log.clone());
    let claim = appender.try_claim(Position(i64::MAX), length).unwrap();
    std::mem::forget(claim);
}
