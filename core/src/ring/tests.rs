mod official_client;

use super::*;
use crate::sync::{AtomicBuffer, Memory, Ordering};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::vec;
use std::vec::Vec;

const CAPACITY: usize = 512;

type Ring<'a> = ManyToOneRing<AtomicBuffer<'a>>;

fn words(capacity: usize) -> Vec<u64> {
    vec![0; (capacity + TRAILER_LENGTH) / 8]
}

fn ring(words: &mut [u64]) -> Ring<'_> {
    ManyToOneRing::new(AtomicBuffer::from_mut(words)).unwrap()
}

/// An empty ring whose next record starts at `position`.
fn start_at(ring: &Ring<'_>, position: i64) {
    for offset in [TAIL_OFFSET, HEAD_CACHE_OFFSET, HEAD_OFFSET] {
        ring.memory.store_i64(ring.capacity + offset, position, Ordering::Release);
    }
}

fn set_tail(ring: &Ring<'_>, tail: i64) {
    ring.memory.store_i64(ring.capacity + TAIL_OFFSET, tail, Ordering::Release);
}

fn set_length(ring: &Ring<'_>, index: usize, length: i32) {
    ring.memory.store_i32(index, length, Ordering::Release);
}

/// A claim that its owner forgets at once: nothing is written.
fn claim_and_die(ring: &Ring<'_>, length: i64) {
    set_tail(ring, ring.producer_position() + length);
}

fn drain(consumer: &mut Consumer<AtomicBuffer<'_>>) -> Vec<(i32, Vec<u8>)> {
    let mut scratch = vec![0; consumer.ring().max_message_length().next_multiple_of(4)];
    let mut messages = vec![];
    while consumer.read(usize::MAX, &mut scratch, |type_id, bytes| messages.push((type_id, bytes.to_vec()))) > 0 {}
    messages
}

fn is_zeroed(ring: &Ring<'_>) -> bool {
    (0..ring.capacity).step_by(4).all(|at| ring.memory.load_i32(at, Ordering::Relaxed) == 0)
}

#[test]
fn a_memory_that_is_no_power_of_two_with_a_trailer_is_refused() {
    for length in [0, 8, 760, 768, 768 + 24, 1032] {
        let mut words = vec![0; length / 8];
        let error = ManyToOneRing::new(AtomicBuffer::from_mut(&mut words)).unwrap_err();
        assert_eq!(error, CapacityError { length, trailer_length: 768 });
    }
    assert_eq!(ring(&mut words(8)).max_message_length(), 0);
    assert_eq!(ring(&mut words(512)).max_message_length(), 64);
}

#[test]
fn a_record_lies_as_the_peer_lays_it_out() {
    let mut words = words(CAPACITY);
    let ring = ring(&mut words);
    ring.write(7, b"hello").unwrap();
    let mut bytes = [0; 16];
    ring.memory.read_racing(0, &mut bytes);
    assert_eq!(bytes, *b"\x0d\0\0\0\x07\0\0\0hello\0\0\0");
    assert_eq!((ring.producer_position(), ring.consumer_position(), ring.size()), (16, 0, 16));
}

#[test]
fn messages_that_cannot_be_sent_are_refused_by_reason() {
    let mut words = words(CAPACITY);
    let ring = ring(&mut words);
    assert_eq!(ring.write(1, &[0; 65]), Err(WriteError::TooLong { length: 65, max: 64 }));
    assert_eq!(ring.write(0, &[]), Err(WriteError::InvalidTypeId(0)));
    assert_eq!(ring.write(-1, &[]), Err(WriteError::InvalidTypeId(-1)));
    for _ in 0..CAPACITY / 64 {
        ring.write(1, &[0; 56]).unwrap();
    }
    assert_eq!(ring.write(1, &[]), Err(WriteError::Full));
    assert_eq!(ring.size(), CAPACITY);
}

#[test]
fn the_message_is_copied_and_its_space_given_back_before_the_handler_sees_it() {
    let mut words = words(CAPACITY);
    let ring = ring(&mut words);
    ring.write(7, b"hello").unwrap();
    let read = ring.consumer().read(10, &mut [0; 64], |type_id, bytes| {
        assert_eq!((type_id, bytes), (7, &b"hello"[..]));
        assert_eq!(ring.consumer_position(), 16);
        assert!(is_zeroed(&ring));
    });
    assert_eq!(read, 1);
}

#[test]
fn a_claim_is_written_in_parts_and_sent_by_commit() {
    let mut words = words(CAPACITY);
    let ring = ring(&mut words);
    let mut claim = ring.try_claim(3, 11).unwrap();
    claim.write(9, b"yz");
    claim.write(0, b"abc");
    claim.write(2, b"CDE");
    let mut consumer = ring.consumer();
    assert_eq!(drain(&mut consumer), []);
    claim.commit().unwrap();
    assert_eq!(drain(&mut consumer), [(3, b"abCDE\0\0\0\0yz".to_vec())]);
}

#[test]
#[should_panic(expected = "bytes 3 to 5 lie outside a claim of 4 bytes")]
fn writing_beyond_a_claim_panics() {
    ring(&mut words(CAPACITY)).try_claim(1, 4).unwrap().write(3, &[0; 2]);
}

#[test]
fn a_claim_that_is_dropped_or_aborted_is_skipped() {
    let mut words = words(CAPACITY);
    let ring = ring(&mut words);
    drop(ring.try_claim(1, 8).unwrap());
    ring.try_claim(1, 8).unwrap().abort();
    ring.write(2, b"x").unwrap();
    assert_eq!(drain(&mut ring.consumer()), [(2, b"x".to_vec())]);
    assert!(is_zeroed(&ring));
}

#[test]
fn correlation_ids_count_up_and_the_heartbeat_is_what_was_set() {
    let mut words = words(CAPACITY);
    let ring = ring(&mut words);
    assert_eq!([ring.next_correlation_id(), ring.next_correlation_id()], [0, 1]);
    ring.set_consumer_heartbeat_ms(-1);
    assert_eq!(ring.clone().consumer_heartbeat_ms(), -1);
}

/// How far a producer got before it died.
#[derive(Clone, Copy, Debug)]
enum Death {
    AfterClaim,
    AfterNegativeLength,
    AfterNegativeLengthOfPadding,
    AfterPadding,
    BeforeCommit,
}

/// Claims as a producer does, and dies.
fn die(ring: &Ring<'_>, length: usize, death: Death) {
    let index = ring.index(ring.producer_position());
    let record_length = length + RECORD_HEADER_LENGTH;
    let required = record_length.next_multiple_of(8);
    let padding = if required > CAPACITY - index { CAPACITY - index } else { 0 };
    claim_and_die(ring, (required + padding) as i64);
    let record = if padding > 0 { 0 } else { index };
    if padding > 0 && !matches!(death, Death::AfterClaim) {
        set_length(ring, index, -(padding as i32));
        if matches!(death, Death::AfterNegativeLengthOfPadding) {
            return;
        }
        ring.set_type(index, PADDING_TYPE_ID);
        set_length(ring, index, padding as i32);
    }
    if matches!(death, Death::AfterNegativeLength | Death::BeforeCommit) {
        set_length(ring, record, -(record_length as i32));
        if matches!(death, Death::BeforeCommit) {
            ring.memory.write_racing(record + 8, &vec![0xff; length]);
            ring.set_type(record, 9);
        }
    }
}

#[test]
fn a_dead_producer_is_unblocked_at_every_index_whatever_it_left() {
    use Death::*;
    for start in (0..CAPACITY as i64).step_by(8) {
        for length in [0, 8, 24, 64] {
            for death in [AfterClaim, AfterNegativeLength, AfterNegativeLengthOfPadding, AfterPadding, BeforeCommit] {
                for (dead, successors) in [(1, 0), (1, 1), (2, 1), (1, 3)] {
                    let mut words = words(CAPACITY);
                    let ring = ring(&mut words);
                    start_at(&ring, start);
                    let mut consumer = ring.consumer();
                    (0..dead).for_each(|_| die(&ring, length, death));
                    let dead_until = ring.producer_position();
                    (0..successors).for_each(|at| ring.write(5, &[at; 20]).unwrap());

                    let mut messages = vec![];
                    for _ in 0..8 {
                        consumer.unblock(dead_until);
                        messages.append(&mut drain(&mut consumer));
                    }
                    let case = (start, length, death, dead, successors);
                    let expected: Vec<_> = (0..successors).map(|at| (5, vec![at; 20])).collect();
                    assert_eq!(messages, expected, "{case:?}");
                    assert_eq!(consumer.position(), ring.producer_position(), "{case:?}");
                    assert!(is_zeroed(&ring) && consumer.malformed_count() == 0, "{case:?}");
                }
            }
        }
    }
}

#[test]
fn claims_that_fill_the_ring_are_unblocked() {
    for start in (0..CAPACITY as i64).step_by(8) {
        let mut words = words(CAPACITY);
        let ring = ring(&mut words);
        start_at(&ring, start);
        let mut consumer = ring.consumer();
        claim_and_die(&ring, CAPACITY as i64);
        assert_eq!(ring.write(1, &[]), Err(WriteError::Full));
        while consumer.unblock(ring.producer_position()) {}
        assert_eq!(consumer.position(), start + CAPACITY as i64);
        ring.write(1, b"after").unwrap();
        assert_eq!(drain(&mut consumer), [(1, b"after".to_vec())]);
    }
}

#[test]
fn nothing_is_unblocked_in_an_empty_ring_nor_where_a_message_is_ready() {
    let mut words = words(CAPACITY);
    let ring = ring(&mut words);
    let mut consumer = ring.consumer();
    assert!(!consumer.unblock(ring.producer_position()));
    ring.write(1, b"x").unwrap();
    assert!(!consumer.unblock(ring.producer_position()));
    assert_eq!(drain(&mut consumer).len(), 1);
}

#[test]
fn a_claim_younger_than_the_time_out_is_left_alone() {
    let mut words = words(CAPACITY);
    let ring = ring(&mut words);
    let mut consumer = ring.consumer();
    claim_and_die(&ring, 64);
    let claimed_before = ring.producer_position();
    let mut claim = ring.try_claim(1, 4).unwrap();
    claim_and_die(&ring, 64);

    assert!(consumer.unblock(claimed_before));
    assert!(!consumer.unblock(claimed_before));
    claim.write(0, b"safe");
    claim.commit().unwrap();
    assert_eq!(drain(&mut consumer), [(1, b"safe".to_vec())]);
    assert!(!consumer.unblock(claimed_before));
    assert!(consumer.unblock(ring.producer_position()));
}

#[test]
fn a_producer_that_wakes_up_learns_that_its_record_is_gone() {
    let mut words = words(CAPACITY);
    let ring = ring(&mut words);
    let mut consumer = ring.consumer();
    let claim = ring.try_claim(1, 4).unwrap();
    assert!(consumer.unblock(ring.producer_position()));
    ring.write(2, b"next").unwrap();
    assert_eq!(claim.commit(), Err(WriteError::ClaimLost));

    // Another one sleeps before it writes its length, and wakes up when its place is free again.
    let position = ring.claim_space(16).unwrap();
    assert_eq!(drain(&mut consumer), [(2, b"next".to_vec())]);
    assert!(consumer.unblock(ring.producer_position()));
    assert!(!ring.enter(position, 16));
    assert!(is_zeroed(&ring));

    // And one while the consumer takes its record away.
    let position = ring.claim_space(16).unwrap();
    set_length(&ring, ring.index(position), TAKEN_AWAY);
    assert!(!ring.enter(position, 16));
}

#[test]
fn a_producer_overwrites_what_a_late_one_left_in_its_place() {
    for rubbish in [-1, 1, 16, -16, i32::MAX] {
        let mut words = words(CAPACITY);
        let ring = ring(&mut words);
        set_length(&ring, 0, rubbish);
        ring.write(1, b"hello").unwrap();
        assert_eq!(drain(&mut ring.consumer()), [(1, b"hello".to_vec())]);
    }
}

#[test]
fn the_watch_waits_a_whole_time_out_from_when_the_claim_was_seen() {
    let mut words = words(CAPACITY);
    let ring = ring(&mut words);
    let (mut consumer, mut watch) = (ring.consumer(), StallWatch::new());
    assert!(!watch.check(&mut consumer, 0, 10));
    claim_and_die(&ring, 16);
    // The ring was idle for long, the claim is new.
    assert!(!watch.check(&mut consumer, 1_000, 10));
    assert!(!watch.check(&mut consumer, 1_010, 10));
    ring.write(1, b"x").unwrap();
    claim_and_die(&ring, 16);
    assert!(watch.check(&mut consumer, 1_011, 10));
    assert_eq!(drain(&mut consumer).len(), 1);
    // The second one was claimed after the time-out began.
    assert!(!watch.check(&mut consumer, 1_012, 10));
    assert!(!watch.check(&mut consumer, 1_022, 10));
    assert!(watch.check(&mut consumer, 1_023, 10));
    assert_eq!(consumer.position(), ring.producer_position());
}

#[test]
fn the_watch_takes_all_claims_that_had_the_time_out() {
    let mut words = words(CAPACITY);
    let ring = ring(&mut words);
    let (mut consumer, mut watch) = (ring.consumer(), StallWatch::new());
    let claims: Vec<_> = (0..3).map(|_| ring.try_claim(1, 8).unwrap()).collect();
    assert!(!watch.check(&mut consumer, 0, 10));
    ring.write(2, b"x").unwrap();
    for _ in 0..3 {
        assert!(watch.check(&mut consumer, 11, 10));
    }
    assert!(!watch.check(&mut consumer, 11, 10));
    assert_eq!(drain(&mut consumer), [(2, b"x".to_vec())]);
    for claim in claims {
        assert_eq!(claim.commit(), Err(WriteError::ClaimLost));
    }
}

#[test]
fn a_slow_consumer_is_no_stall() {
    let mut words = words(CAPACITY);
    let ring = ring(&mut words);
    let (mut consumer, mut watch) = (ring.consumer(), StallWatch::new());
    ring.write(1, b"x").unwrap();
    for now in [0, 11, 22, 33] {
        assert!(!watch.check(&mut consumer, now, 10));
    }
    assert_eq!(drain(&mut consumer).len(), 1);
}

#[test]
fn malformed_records_are_skipped_up_to_the_next_whole_one() {
    // What a hostile client leaves in its claim of 64 bytes, and how: length, type.
    let hostile = [
        (-1, 1),
        (-7, 1),
        (1, 1),
        (7, 1),
        (7, -1),
        (i32::MIN, 1),
        (i32::MIN + 1, 1),
        (i32::MAX, 1),
        (i32::MAX, -1),
        (CAPACITY as i32, 1),
        (CAPACITY as i32 * 2, -1),
        (-(CAPACITY as i32), 1),
        (96, 1), // longer than a message may be
        (-96, 1),
    ];
    for start in (0..CAPACITY as i64).step_by(8) {
        for (length, type_id) in hostile {
            for payload in [0_u8, 0xff, 0x01] {
                let mut words = words(CAPACITY);
                let ring = ring(&mut words);
                start_at(&ring, start);
                let mut consumer = ring.consumer();
                let mut claim = ring.try_claim(1, 56).unwrap();
                let index = ring.index(ring.producer_position() - 64);
                claim.write(0, &[payload; 56]);
                core::mem::forget(claim);
                ring.set_type(index, type_id);
                set_length(&ring, index, length);
                ring.write(2, b"innocent").unwrap();
                ring.write(3, &[9; 40]).unwrap();

                let case = (start, length, type_id, payload);
                assert_eq!(drain(&mut consumer), [(2, b"innocent".to_vec()), (3, vec![9; 40])], "{case:?}");
                assert_eq!(consumer.malformed_count(), 1, "{case:?}");
                assert!(is_zeroed(&ring) && ring.size() == 0, "{case:?}");
            }
        }
    }
}

#[test]
fn the_search_for_a_whole_record_is_bounded() {
    // From each word a long way of records leads nearly to the tail: following them all would take hours.
    let capacity = 1 << 20;
    let mut words = words(capacity);
    let ring = ring(&mut words);
    let mut consumer = ring.consumer();
    for index in (0..capacity).step_by(8) {
        set_length(&ring, index, 8);
        ring.set_type(index, 1);
    }
    set_length(&ring, 0, -1);
    set_length(&ring, capacity - 8, -1);
    set_tail(&ring, capacity as i64);
    assert_eq!(drain(&mut consumer), []);
    assert_eq!((consumer.position(), consumer.malformed_count()), (capacity as i64, 1));
}

#[test]
fn a_record_beyond_the_tail_is_not_read() {
    let mut words = words(CAPACITY);
    let ring = ring(&mut words);
    let mut consumer = ring.consumer();
    ring.set_type(0, 1);
    set_length(&ring, 0, 16);
    assert_eq!(drain(&mut consumer), []);
    // The producer that claims there writes its own record over it.
    claim_and_die(&ring, 8);
    assert_eq!(drain(&mut consumer), []);
    assert_eq!((consumer.malformed_count(), consumer.position()), (1, 8));
}

#[test]
fn type_ids_below_one_are_left_to_the_handler() {
    let mut words = words(CAPACITY);
    let ring = ring(&mut words);
    ring.write(1, b"x").unwrap();
    ring.set_type(0, -2);
    assert_eq!(drain(&mut ring.consumer()), [(-2, b"x".to_vec())]);
}

#[test]
fn positions_that_cannot_be_are_reset() {
    for (tail, head) in [(-8, 0), (4, 0), (i64::MAX, 0), (i64::MIN, 0), (1024, 0), (0, 8), (0, i64::MIN), (520, 512)] {
        let mut words = words(CAPACITY);
        let ring = ring(&mut words);
        let mut consumer = ring.consumer();
        ring.memory.store_i64(CAPACITY + TAIL_OFFSET, tail, Ordering::Release);
        for offset in [HEAD_OFFSET, HEAD_CACHE_OFFSET] {
            ring.memory.store_i64(CAPACITY + offset, head, Ordering::Release);
        }
        let _ = ring.write(1, b"lost");
        drain(&mut consumer);
        while consumer.unblock(ring.producer_position()) {}
        ring.write(1, b"works").unwrap();
        assert_eq!(drain(&mut consumer), [(1, b"works".to_vec())], "tail {tail}, head {head}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Write(usize),
    Abort(usize),
    Die(usize),
    Read(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..=64_usize).prop_map(Step::Write),
        1 => (0..=64_usize).prop_map(Step::Abort),
        1 => (0..=64_usize).prop_map(Step::Die),
        2 => (1..5_usize).prop_map(Step::Read),
    ];
    proptest::collection::vec(step, 1..200)
}

proptest! {
    #[test]
    fn what_was_written_is_read_in_order_whatever_wraps_aborts_or_dies(steps in steps(), laps in 0_i64..1 << 40, at in 0_i64..64) {
        let mut words = words(CAPACITY);
        let ring = ring(&mut words);
        start_at(&ring, laps * CAPACITY as i64 + at * 8);
        let (mut consumer, mut scratch) = (ring.consumer(), [0; 64]);
        let (mut expected, mut sent) = (VecDeque::new(), 0_u8);
        let mut read = |consumer: &mut Consumer<_>, limit, expected: &mut VecDeque<Vec<u8>>| {
            consumer.read(limit, &mut scratch, |type_id, bytes| {
                assert_eq!(type_id, 1);
                assert_eq!(Some(bytes), expected.pop_front().as_deref());
            })
        };
        for step in steps {
            match step {
                Step::Write(length) => match ring.write(1, &vec![sent; length]) {
                    Ok(()) => {
                        expected.push_back(vec![sent; length]);
                        sent = sent.wrapping_add(1);
                    }
                    Err(error) => prop_assert_eq!(error, WriteError::Full),
                },
                Step::Abort(length) => drop(ring.try_claim(1, length)),
                Step::Die(length) => ring.try_claim(1, length).map_or((), core::mem::forget),
                Step::Read(limit) => {
                    prop_assert!(read(&mut consumer, limit, &mut expected) <= limit);
                    consumer.unblock(ring.producer_position());
                }
            }
        }
        while read(&mut consumer, usize::MAX, &mut expected) > 0 || consumer.unblock(ring.producer_position()) {}
        prop_assert!(expected.is_empty() && is_zeroed(&ring));
        prop_assert_eq!(ring.size(), 0);
        prop_assert_eq!(consumer.malformed_count(), 0);
    }

    #[test]
    fn arbitrary_contents_are_survived_and_the_ring_works_again(
        contents in proptest::collection::vec(prop_oneof![any::<u64>(), 0_u64..200, Just(0)], (256 + TRAILER_LENGTH) / 8),
        is_trailer_intact: bool,
    ) {
        let mut words = contents;
        if is_trailer_intact {
            let trailer = words.len() - TRAILER_LENGTH / 8;
            words[trailer..].fill(0);
            words[trailer + TAIL_OFFSET / 8] = 256;
        }
        let ring = ring(&mut words);
        let mut consumer = ring.consumer();
        let _ = ring.write(1, b"into chaos");
        let _ = (ring.size(), ring.next_correlation_id(), ring.consumer_heartbeat_ms());
        for _ in 0..256 {
            drain(&mut consumer);
            if !consumer.unblock(ring.producer_position()) && ring.size() == 0 {
                break;
            }
        }
        prop_assert_eq!(ring.size(), 0);
        for _ in 0..20 {
            ring.write(1, b"works").unwrap();
            prop_assert_eq!(drain(&mut consumer), [(1, b"works".to_vec())]);
        }
    }
}
