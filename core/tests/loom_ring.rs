//! Models of the command ring and the broadcast buffer: every order in which threads may see each other's words, within
//! a bound of involuntary switches.

#![allow(clippy::unwrap_used)] // a model fails by panicking

mod model;

use gannet_core::broadcast::{self, ReceiveError, Receiver, Transmitter};
use gannet_core::ring::{self, Consumer, ManyToOneRing, WriteError};
use gannet_core::sync::{Memory, Ordering};
use loom::thread;
use model::{Kind, ModelMemory, model};

type Message = (i32, [u8; 4]);
type Ring = ManyToOneRing<ModelMemory>;

/// An empty ring whose next record starts at `position`.
fn ring_at(capacity: usize, position: i64) -> Ring {
    let words = [ring::TAIL_OFFSET, ring::HEAD_CACHE_OFFSET, ring::HEAD_OFFSET];
    let memory = ModelMemory::new(capacity + ring::TRAILER_LENGTH, |offset| match offset.checked_sub(capacity) {
        None => Kind::Words,
        Some(trailer) if words.contains(&trailer) => Kind::Word,
        Some(_) => Kind::Absent,
    });
    words.into_iter().for_each(|offset| memory.store_i64(capacity + offset, position, Ordering::SeqCst));
    ManyToOneRing::new(memory).unwrap()
}

fn read(consumer: &mut Consumer<ModelMemory>, messages: &mut Vec<Message>) {
    consumer.read(usize::MAX, &mut [0; 8], |type_id, bytes| messages.push((type_id, bytes.try_into().unwrap())));
}

/// What is there when all threads are done.
fn drain(consumer: &mut Consumer<ModelMemory>, messages: &mut Vec<Message>) {
    let mut before = usize::MAX;
    while messages.len() != before {
        before = messages.len();
        read(consumer, messages);
    }
    assert_eq!(consumer.malformed_count(), 0);
}

fn is_zeroed(ring: &Ring) -> bool {
    (0..ring.capacity()).step_by(8).all(|at| ring.memory().load_i32(at, Ordering::SeqCst) == 0)
}

/// Two producers' messages each arrive once and whole, wherever the ring wraps.
fn two_producers(preemptions: usize, position: i64) {
    model(preemptions, move || {
        let ring = ring_at(64, position);
        let mut consumer = ring.consumer();
        let producers = [1, 2].map(|id: i32| {
            let ring = ring.clone();
            thread::spawn(move || ring.write(id, &[id as u8; 4]).unwrap())
        });
        let mut messages = vec![];
        for _ in 0..2 {
            read(&mut consumer, &mut messages);
        }
        producers.into_iter().for_each(|producer| producer.join().unwrap());
        drain(&mut consumer, &mut messages);
        assert_eq!(consumer.position(), ring.producer_position());
        messages.sort_unstable();
        assert_eq!(messages, [(1, [1; 4]), (2, [2; 4])]);
    });
}

#[test]
fn two_producers_messages_arrive_once_and_whole() {
    two_producers(3, 0);
}

#[test]
fn two_producers_messages_arrive_once_and_whole_with_padding_at_the_wrap() {
    two_producers(2, 56);
}

#[test]
fn a_full_ring_refuses_what_it_has_no_room_for_and_reuses_what_was_read() {
    model(2, || {
        let ring = ring_at(32, 0);
        let mut consumer = ring.consumer();
        let producers = [1, 3].map(|first: i32| {
            let ring = ring.clone();
            thread::spawn(move || {
                let send = |id: i32| match ring.write(id, &[id as u8; 4]) {
                    Ok(()) => Some((id, [id as u8; 4])),
                    Err(error) => {
                        assert_eq!(error, WriteError::Full);
                        None
                    }
                };
                [send(first), send(first + 1)]
            })
        });
        let mut messages = vec![];
        for _ in 0..2 {
            read(&mut consumer, &mut messages);
        }
        let mut sent: Vec<_> = producers.into_iter().flat_map(|it| it.join().unwrap()).flatten().collect();
        drain(&mut consumer, &mut messages);
        messages.sort_unstable();
        sent.sort_unstable();
        assert_eq!(messages, sent);
        assert!(sent.len() >= 2);
    });
}

/// What a producer that died has left at the head.
#[derive(Clone, Copy)]
enum Dead {
    Nothing,
    NegativeLength,
}

/// A living producer's message arrives while the record before it is taken from a dead one.
fn dead_producer(position: i64, dead: Dead) {
    model(3, move || {
        let ring = ring_at(64, position);
        let mut consumer = ring.consumer();
        let claim = ring.try_claim(9, 4).unwrap();
        std::mem::forget(claim);
        let memory = ring.memory();
        if let Dead::Nothing = dead {
            (0..64).step_by(4).for_each(|at| memory.store_i32(at, 0, Ordering::SeqCst));
        }
        let claimed_before = ring.producer_position();

        let living = ring.clone();
        let producer = thread::spawn(move || living.write(1, &[1; 4]).unwrap());
        let mut messages = vec![];
        let mut unblocked = 0;
        for _ in 0..2 {
            unblocked += usize::from(consumer.unblock(claimed_before));
            read(&mut consumer, &mut messages);
        }
        producer.join().unwrap();
        for _ in 0..2 {
            unblocked += usize::from(consumer.unblock(claimed_before));
            drain(&mut consumer, &mut messages);
        }
        assert_eq!(messages, [(1, [1; 4])]);
        assert!((1..=2).contains(&unblocked));
        assert!(consumer.position() == ring.producer_position() && is_zeroed(&ring));
    });
}

#[test]
fn a_message_behind_a_claim_with_nothing_written_arrives() {
    dead_producer(0, Dead::Nothing);
}

#[test]
fn a_message_behind_a_claim_with_nothing_written_at_the_wrap_arrives() {
    dead_producer(56, Dead::Nothing);
}

#[test]
fn a_message_behind_a_claim_that_was_entered_arrives() {
    dead_producer(48, Dead::NegativeLength);
}

#[test]
fn a_slow_producer_either_sends_its_message_or_learns_that_its_record_is_gone() {
    model(3, || {
        let ring = ring_at(64, 48);
        let mut consumer = ring.consumer();
        // The claim borrows the ring, and the thread wants both.
        let slow = Box::leak(Box::new(ring.clone()));
        let slow_address = std::ptr::from_mut(slow);
        let mut claim = slow.try_claim(1, 4).unwrap();
        let claimed_before = ring.producer_position();
        let producer = thread::spawn(move || {
            claim.write(0, &[1; 4]);
            claim.commit()
        });
        let other = ring.clone();
        let next = thread::spawn(move || other.write(2, &[2; 4]).unwrap());

        let mut messages = vec![];
        let mut is_taken = consumer.unblock(claimed_before);
        read(&mut consumer, &mut messages);
        let result = producer.join().unwrap();
        next.join().unwrap();
        is_taken |= consumer.unblock(claimed_before);
        drain(&mut consumer, &mut messages);
        match result {
            Ok(()) => assert!(!is_taken && messages == [(1, [1; 4]), (2, [2; 4])]),
            Err(error) => {
                assert_eq!(error, WriteError::ClaimLost);
                assert!(is_taken && messages == [(2, [2; 4])]);
            }
        }
        // SAFETY: leaked above; the claim that borrowed it is gone.
        drop(unsafe { Box::from_raw(slow_address) });
    });
}

/// Unblocks, as if the time-out were no time at all, a producer that is behind `dead` bytes of a dead one's claim.
fn unblocked_at_any_moment(position: i64, dead: i64, record_index: usize) {
    model(3, move || {
        let ring = ring_at(64, position);
        let mut consumer = ring.consumer();
        ring.memory().store_i64(64 + ring::TAIL_OFFSET, position + dead, Ordering::SeqCst);
        let slow = ring.clone();
        let producer = thread::spawn(move || slow.write(1, &[1; 4]));
        let mut messages = vec![];
        for _ in 0..2 {
            consumer.unblock(ring.producer_position());
        }
        read(&mut consumer, &mut messages);
        let result = producer.join().unwrap();
        for _ in 0..2 {
            consumer.unblock(ring.producer_position());
            drain(&mut consumer, &mut messages);
        }
        assert_eq!(consumer.position(), ring.producer_position());
        // What is left open: a producer that enters between the consumer's zeroing its record and publishing the head
        // writes where nobody reads; the next one that claims there overwrites it.
        let memory = ring.memory();
        let is_ghost = |index: usize, length| memory.load_i32(index, Ordering::SeqCst).abs() == length;
        if position == 56 && is_ghost(56, 8) {
            memory.store_i32(56, 0, Ordering::SeqCst);
        }
        match (&messages[..], result) {
            ([(1, [1, 1, 1, 1])], Ok(())) => assert!(is_zeroed(&ring)),
            // Its payload may have come late, into memory that was free again.
            ([], Err(WriteError::ClaimLost)) => {
                memory.store_i32(record_index + ring::RECORD_HEADER_LENGTH, 0, Ordering::SeqCst);
                assert!(is_zeroed(&ring));
            }
            ([], Ok(())) => assert!(is_ghost(record_index, 12)),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_producer_that_is_unblocked_at_any_moment_never_sends_half_a_message() {
    unblocked_at_any_moment(48, 0, 48);
}

#[test]
fn a_producer_that_is_unblocked_at_any_moment_at_the_wrap_never_sends_half_a_message() {
    unblocked_at_any_moment(56, 0, 0);
}

#[test]
fn a_payload_behind_a_dead_claim_is_never_taken_for_a_record() {
    unblocked_at_any_moment(0, 16, 16);
}

fn broadcast_at(capacity: usize, position: i64) -> ModelMemory {
    let words = [broadcast::TAIL_INTENT_OFFSET, broadcast::TAIL_OFFSET, broadcast::LATEST_OFFSET];
    let memory = ModelMemory::new(capacity + broadcast::TRAILER_LENGTH, |offset| match offset.checked_sub(capacity) {
        None => Kind::Words,
        Some(trailer) if words.contains(&trailer) => Kind::Word,
        Some(_) => Kind::Absent,
    });
    words.into_iter().for_each(|offset| memory.store_i64(capacity + offset, position, Ordering::SeqCst));
    memory
}

/// What a receiver gets is whole and in order, and what it does not get it is told about.
fn broadcast(preemptions: usize, position: i64, lengths: &'static [usize]) {
    model(preemptions, move || {
        let memory = broadcast_at(64, position);
        let mut receiver = Receiver::new(memory.clone()).unwrap();
        let transmitter = thread::spawn(move || {
            let mut transmitter = Transmitter::new(memory).unwrap();
            for (serial, length) in (1..).zip(lengths) {
                transmitter.transmit(serial, &[serial as u8; 8][..*length]).unwrap();
            }
        });
        let mut last = 0;
        let mut receive = |last: &mut i32| {
            let mut serial = None;
            let result = receiver.receive(&mut [0; 8], |type_id, bytes| {
                assert_eq!(bytes, &[type_id as u8; 8][..lengths[type_id as usize - 1]]);
                serial = Some(type_id);
            });
            match (result, serial) {
                (Ok(1), Some(serial)) => {
                    // Without an error before it, none is left out.
                    assert!(serial == *last + 1 || *last < 0 && serial >= -*last, "{serial} after {last}");
                    *last = serial;
                }
                (Ok(0), None) => {}
                (Err(ReceiveError::Lapped), None) => *last = -last.abs().max(1),
                other => panic!("{other:?}"),
            }
            result
        };
        for _ in 0..2 {
            let _ = receive(&mut last);
        }
        transmitter.join().unwrap();
        while receive(&mut last) != Ok(0) {}
        assert_eq!(last, lengths.len() as i32);
    });
}

#[test]
fn a_receiver_gets_whole_messages_in_order() {
    broadcast(3, 0, &[8, 8]);
}

#[test]
fn a_receiver_gets_whole_messages_in_order_with_padding_at_the_wrap() {
    broadcast(3, 56, &[8, 4]);
}

#[test]
fn a_receiver_that_is_overtaken_never_takes_half_a_message_for_a_whole_one() {
    broadcast(2, 0, &[8, 8, 8, 8, 8, 4]);
}

#[test]
fn a_receiver_that_is_overtaken_at_a_padding_never_takes_half_a_message_for_a_whole_one() {
    broadcast(2, 40, &[8, 8, 8, 0, 8, 8]);
}
