use super::*;
use crate::ring::CapacityError;
use crate::sync::{AtomicBuffer, Memory, Ordering};
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

const CAPACITY: usize = 512;

fn words() -> Vec<u64> {
    vec![0; (CAPACITY + TRAILER_LENGTH) / 8]
}

fn ends<'a>(memory: AtomicBuffer<'a>) -> (Transmitter<AtomicBuffer<'a>>, Receiver<AtomicBuffer<'a>>) {
    (Transmitter::new(memory).unwrap(), Receiver::new(memory).unwrap())
}

fn receive(receiver: &mut Receiver<AtomicBuffer<'_>>) -> Result<Option<(i32, Vec<u8>)>, ReceiveError> {
    let mut received = None;
    let mut scratch = vec![0; receiver.max_message_length().next_multiple_of(4)];
    let count = receiver.receive(&mut scratch, |type_id, bytes| received = Some((type_id, bytes.to_vec())))?;
    assert_eq!(count, usize::from(received.is_some()));
    Ok(received)
}

#[test]
fn a_memory_that_is_no_power_of_two_with_a_trailer_is_refused() {
    let mut words = vec![0; 25];
    let memory = AtomicBuffer::from_mut(&mut words);
    let expected = CapacityError { length: 200, trailer_length: 128 };
    assert_eq!(Transmitter::new(memory).unwrap_err(), expected);
    assert_eq!(Receiver::new(memory).unwrap_err(), expected);
}

#[test]
fn records_and_trailer_lie_as_the_peer_lays_them_out() {
    let mut words = words();
    let memory = AtomicBuffer::from_mut(&mut words);
    let (mut transmitter, _) = ends(memory);
    transmitter.transmit(7, b"hello").unwrap();
    transmitter.transmit(8, b"").unwrap();
    let mut bytes = [0; 24];
    memory.read_racing(0, &mut bytes);
    assert_eq!(bytes, *b"\x0d\0\0\0\x07\0\0\0hello\0\0\0\x08\0\0\0\x08\0\0\0");
    assert_eq!([0, 8, 16].map(|at| memory.load_i64(CAPACITY + at, Ordering::Relaxed)), [24, 24, 16]);
}

#[test]
fn messages_that_cannot_be_sent_are_refused_by_reason() {
    let mut words = words();
    let (mut transmitter, _) = ends(AtomicBuffer::from_mut(&mut words));
    assert_eq!(transmitter.transmit(1, &[0; 65]), Err(TransmitError::TooLong { length: 65, max: 64 }));
    assert_eq!(transmitter.transmit(0, &[]), Err(TransmitError::InvalidTypeId(0)));
}

#[test]
fn a_receiver_that_keeps_up_gets_every_message_over_every_wrap() {
    for length in [0, 1, 7, 8, 20, 63, 64] {
        let mut words = words();
        let (mut transmitter, mut receiver) = ends(AtomicBuffer::from_mut(&mut words));
        for serial in 0..200_u8 {
            let message = vec![serial; length];
            transmitter.transmit(3, &message).unwrap();
            assert_eq!(receive(&mut receiver), Ok(Some((3, message))));
            assert_eq!(receive(&mut receiver), Ok(None));
        }
        assert_eq!(receiver.lapped_count(), 0);
    }
}

#[test]
fn a_new_receiver_starts_with_the_latest_message() {
    let mut words = words();
    let memory = AtomicBuffer::from_mut(&mut words);
    let (mut transmitter, _) = ends(memory);
    for serial in 0..100 {
        transmitter.transmit(1, &[serial; 20]).unwrap();
    }
    let mut late = Receiver::new(memory).unwrap();
    assert_eq!(receive(&mut late), Ok(Some((1, vec![99; 20]))));
    assert_eq!(receive(&mut late), Ok(None));
}

#[test]
fn a_receiver_that_is_overtaken_says_so_and_goes_on_with_the_latest() {
    let mut words = words();
    let (mut transmitter, mut receiver) = ends(AtomicBuffer::from_mut(&mut words));
    // A whole capacity is just not too much: the intent must pass the record by one.
    for serial in 0..CAPACITY / 32 + 1 {
        transmitter.transmit(1, &[serial as u8; 24]).unwrap();
    }
    assert_eq!(receive(&mut receiver), Err(ReceiveError::Lapped));
    assert_eq!(receiver.lapped_count(), 1);
    assert_eq!(receive(&mut receiver), Ok(Some((1, vec![16; 24]))));
}

#[test]
fn malformed_records_are_an_error() {
    for (length, type_id) in [(0, 1), (7, 1), (-1, 1), (i32::MIN, 1), (i32::MAX, 1), (40, 1), (80, 1), (16, -1)] {
        let mut words = words();
        let memory = AtomicBuffer::from_mut(&mut words);
        let (mut transmitter, mut receiver) = ends(memory);
        transmitter.transmit(1, &[1; 24]).unwrap();
        memory.store_i32(0, length, Ordering::Relaxed);
        memory.store_i32(4, type_id, Ordering::Relaxed);
        assert_eq!(receive(&mut receiver), Err(ReceiveError::Malformed { position: 0 }), "{length} {type_id}");
        transmitter.transmit(2, b"next").unwrap();
        assert_eq!(receive(&mut receiver), Ok(Some((2, b"next".to_vec()))));
    }
}

#[test]
fn a_transmitter_keeps_its_own_tail() {
    let mut words = words();
    let memory = AtomicBuffer::from_mut(&mut words);
    let (mut transmitter, mut receiver) = ends(memory);
    transmitter.transmit(1, b"a").unwrap();
    assert!(receive(&mut receiver).is_ok());
    for offset in [TAIL_INTENT_OFFSET, TAIL_OFFSET, LATEST_OFFSET] {
        memory.store_i64(CAPACITY + offset, i64::MAX, Ordering::Relaxed);
    }
    transmitter.transmit(2, b"b").unwrap();
    assert_eq!(receive(&mut receiver), Ok(Some((2, b"b".to_vec()))));
}

proptest! {
    #[test]
    fn what_is_received_was_sent_in_order(
        steps in proptest::collection::vec((0..=64_usize, 0..3_usize), 1..300), lap in 0_i64..1 << 40, at in 0_i64..64,
    ) {
        let mut words = words();
        let memory = AtomicBuffer::from_mut(&mut words);
        for offset in [TAIL_INTENT_OFFSET, TAIL_OFFSET, LATEST_OFFSET] {
            memory.store_i64(CAPACITY + offset, lap * CAPACITY as i64 + at * 8, Ordering::Relaxed);
        }
        let (mut transmitter, mut receiver) = ends(memory);
        let (mut sent, mut next) = (vec![], 0);
        for (length, receives) in steps {
            let message = vec![sent.len() as u8; length];
            transmitter.transmit(1, &message).unwrap();
            sent.push(message);
            for _ in 0..receives {
                match receive(&mut receiver) {
                    Ok(Some((_, message))) => {
                        prop_assert_eq!(&message, &sent[next]);
                        next += 1;
                    }
                    Ok(None) => prop_assert_eq!(next, sent.len()),
                    Err(error) => {
                        prop_assert_eq!(error, ReceiveError::Lapped);
                        // Not before it was due.
                        let unread: usize = sent[next..].iter().map(|it| it.len().next_multiple_of(8) + 8).sum();
                        prop_assert!(unread + 72 > CAPACITY);
                        next = sent.len() - 1;
                    }
                }
            }
        }
    }

    #[test]
    fn arbitrary_contents_are_survived(
        mut words in proptest::collection::vec(prop_oneof![any::<u64>(), 0..600_u64], (256 + TRAILER_LENGTH) / 8),
    ) {
        let memory = AtomicBuffer::from_mut(&mut words);
        let (mut transmitter, mut receiver) = ends(memory);
        for _ in 0..100 {
            let _ = receive(&mut receiver);
        }
        let mut fresh = Receiver::new(memory).unwrap();
        transmitter.transmit(1, b"works").unwrap();
        let _ = receive(&mut fresh);
        let mut next = Receiver::new(memory).unwrap();
        prop_assert_eq!(receive(&mut next), Ok(Some((1, b"works".to_vec()))));
    }
}
