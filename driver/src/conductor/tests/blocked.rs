//! Publishers that claim and die: how soon their readers go on, and what is not given up.

use gannet_core::Position;
use gannet_core::counters::system::SystemCounter;
use gannet_core::log::ConcurrentAppender;
use gannet_core::sync::{Memory, Ordering};
use gannet_transport_ipc::{MappedFile, Region};

use super::Harness;
use super::harness::{SECOND_NS, SMALL, Stream, TERM};
use super::limits::{append, claim_and_die, connected};

/// The harness's unblock time-out.
const TIMEOUT: i64 = 15 * SECOND_NS;

/// Moves the tail and dies before the length is written.
fn move_the_tail(stream: &Stream, length: usize) {
    let count = stream.log.metadata().active_term_count_acquire();
    stream.log.metadata().fetch_add_raw_tail(usize::try_from(count % 3).unwrap(), length);
}

/// The length of the frame at a position.
fn length_at(stream: &Stream, position: Position) -> i32 {
    length_in(&MappedFile::open(stream.path.as_ref()).unwrap(), stream, position)
}

fn length_in(file: &Region, stream: &Stream, position: Position) -> i32 {
    let term_length = stream.log.term_length();
    let offset = usize::try_from(position.term_offset(term_length)).unwrap();
    file.load_i32(position.partition(term_length) * term_length.as_usize() + offset, Ordering::Acquire)
}

/// How far a reader at a position comes.
fn readable(stream: &Stream, from: Position) -> Position {
    let file = MappedFile::open(stream.path.as_ref()).unwrap();
    let mut position = from;
    while position < stream.producer() {
        let length = i64::from(length_in(&file, stream, position));
        if length <= 0 {
            break;
        }
        position = position.plus((length + 31) / 32 * 32);
    }
    position
}

fn unblocked(harness: &Harness) -> i64 {
    harness.system(SystemCounter::UnblockedPublications)
}

#[test]
fn all_claims_of_the_dead_are_given_up_within_the_time_out_and_a_second() {
    let (mut harness, stream, image) = connected(SMALL);
    append(&stream, 1, 100);
    image.counter.set(stream.producer().0);
    let blocked = image.position();
    for _ in 0..5 {
        claim_and_die(&stream, 200);
        append(&stream, 1, 100);
        move_the_tail(&stream, 256);
        append(&stream, 1, 100);
    }
    harness.pass(SECOND_NS);
    harness.pass(TIMEOUT - SECOND_NS);
    assert_eq!((readable(&stream, blocked), unblocked(&harness)), (blocked, 0), "its publisher may still live");
    harness.pass(SECOND_NS);
    assert_eq!((readable(&stream, blocked), unblocked(&harness)), (stream.producer(), 10));
}

#[test]
fn the_last_claim_is_given_up_though_nothing_comes_behind_it() {
    let (mut harness, stream, image) = connected(SMALL);
    let blocked = image.position();
    move_the_tail(&stream, 4096);
    harness.pass(TIMEOUT + SECOND_NS);
    assert_eq!(readable(&stream, blocked), stream.producer());
    assert_eq!(length_at(&stream, blocked), 4096);
}

#[test]
fn a_claim_that_is_younger_than_the_time_out_is_left_alone() {
    let (mut harness, stream, image) = connected(SMALL);
    let dead = image.position();
    move_the_tail(&stream, 256);
    harness.pass(10 * SECOND_NS);
    // Nothing is written between the dead claim and what comes behind this one.
    let young = stream.producer();
    move_the_tail(&stream, 512);
    append(&stream, 1, 100);
    harness.pass(6 * SECOND_NS);
    assert_eq!(length_at(&stream, dead), 256, "exactly the dead claim");
    assert_eq!((length_at(&stream, young), unblocked(&harness)), (0, 1));

    image.counter.set(young.0);
    harness.pass(TIMEOUT);
    assert_eq!(length_at(&stream, young), 0, "its own time-out began when the reader came to it");
    harness.pass(SECOND_NS);
    assert_eq!((length_at(&stream, young), unblocked(&harness)), (512, 2));
}

#[test]
fn neither_a_reader_that_is_ahead_of_the_publishers_nor_one_that_is_paused_keeps_the_others_waiting() {
    let (mut harness, stream, image) = connected(SMALL);
    let (_, heard) = harness.subscribe(3, "aeron:ipc");
    let hostile = harness.image(&heard);
    let (_, heard) = harness.subscribe(4, "aeron:ipc");
    let paused = harness.image(&heard);
    append(&stream, 3, 100);
    image.counter.set(stream.producer().0);
    claim_and_die(&stream, 200);
    hostile.counter.set(i64::MAX);
    let blocked = image.position();
    for _ in 0..17 {
        hostile.counter.add(1);
        harness.pass(SECOND_NS);
    }
    assert_eq!(paused.position(), Position(0));
    assert_eq!((readable(&stream, blocked), unblocked(&harness)), (stream.producer(), 1));
}

#[test]
fn claims_over_the_end_of_a_term_are_given_up_and_the_next_term_begins() {
    for last in [64, 96] {
        let (mut harness, stream, image) = connected(SMALL);
        while stream.producer().0 < TERM - 64 {
            append(&stream, 1, 32);
            image.counter.set(stream.producer().0);
            harness.settle();
        }
        assert_eq!(stream.producer().0, TERM - 64);
        // Up to the end, and beyond it.
        move_the_tail(&stream, last);
        harness.pass(TIMEOUT + SECOND_NS);
        assert_eq!(stream.log.metadata().active_term_count_acquire(), 1);
        append(&stream, 1, 100);
        assert_eq!(readable(&stream, image.position()), stream.producer());
        assert!(stream.producer() > Position(TERM));
    }
}

#[test]
fn giving_up_goes_on_over_more_frames_than_a_duty_cycle_looks_at() {
    let (mut harness, stream, image) = connected("aeron:ipc?term-length=1m");
    claim_and_die(&stream, 200);
    append(&stream, 5000, 32);
    claim_and_die(&stream, 200);
    harness.pass(TIMEOUT + SECOND_NS);
    assert_eq!((readable(&stream, image.position()), unblocked(&harness)), (stream.producer(), 2));
}

/// Payloads of 160 bytes of nothing, in frames of 192.
fn append_zeros(stream: &Stream, count: usize) {
    let appender: ConcurrentAppender<Region> = ConcurrentAppender::new(stream.log.clone());
    for _ in 0..count {
        appender.offer(Position(i64::MAX), &[0; 160]).unwrap();
    }
}

fn words(stream: &Stream) -> Vec<i32> {
    let file = MappedFile::open(stream.path.as_ref()).unwrap();
    let end = usize::try_from(stream.producer().0).unwrap();
    (0..end).step_by(4).map(|word| file.load_i32(word, Ordering::Relaxed)).collect()
}

#[test]
fn a_position_inside_a_committed_frame_changes_nothing_of_it() {
    let (mut harness, stream, honest) = connected(SMALL);
    let (_, heard) = harness.subscribe(3, "aeron:ipc");
    let other = harness.image(&heard);
    append_zeros(&stream, 5);
    claim_and_die(&stream, 160);
    append_zeros(&stream, 2);
    // Before the honest one, and behind it.
    for (read, made_up) in [(0, 512), (192, 64), (384, 64)] {
        honest.counter.set(read);
        other.counter.set(made_up);
        let from = usize::try_from(read).unwrap() / 4;
        let before = words(&stream)[from..240].to_vec();
        for _ in 0..2 {
            harness.pass(TIMEOUT + SECOND_NS);
        }
        assert_eq!(words(&stream)[from..240], before, "{read} {made_up}");
        assert_eq!(readable(&stream, honest.position()), stream.producer(), "{read} {made_up}");
    }
    assert!(unblocked(&harness) >= 1);
}

#[test]
fn what_is_claimed_since_the_duty_cycle_began_does_not_pass_for_older() {
    let (mut harness, stream, image) = connected(SMALL);
    move_the_tail(&stream, 64);
    harness.settle();
    // The driver loses its core after it has read the clock, and this is claimed meanwhile.
    harness.now.ns += SECOND_NS;
    let young = stream.producer();
    move_the_tail(&stream, 128);
    harness.conductor.do_work(harness.now);
    harness.pass(TIMEOUT);
    assert_eq!((length_at(&stream, image.position()), length_at(&stream, young)), (64, 0));
}

#[test]
fn a_claim_without_an_end_is_given_up_over_many_duty_cycles() {
    let (mut harness, stream, image) = connected("aeron:ipc?term-length=16m|sparse=false");
    move_the_tail(&stream, 4 << 20);
    harness.settle();
    harness.pass(TIMEOUT / 2);
    harness.now.ns += TIMEOUT;
    harness.beat();
    for _ in 0..20 {
        harness.conductor.do_work(harness.now);
        assert_eq!(length_at(&stream, image.position()), 0, "some thousands of words in each");
    }
    harness.settle();
    assert_eq!(length_at(&stream, image.position()), 4 << 20);
}

#[test]
fn what_dead_publishers_left_is_given_up_at_once_when_the_stream_ends() {
    let (mut harness, stream, image) = connected(SMALL);
    for _ in 0..3 {
        claim_and_die(&stream, 200);
    }
    move_the_tail(&stream, 96);
    harness.unpublish(1, stream.id, false);
    harness.pass(SECOND_NS);
    assert_eq!((readable(&stream, image.position()), unblocked(&harness)), (stream.producer(), 4));
}
