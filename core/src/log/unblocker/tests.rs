use super::super::frame_descriptor::aligned;
use super::super::reader::poll;
use super::super::testing::{Log, TERM, properties};
use super::super::{AppendError, Claim, ClaimLost, Cleaner, ConcurrentAppender, RawTail};
use super::*;
use crate::sync::AtomicBuffer;
use proptest::prelude::*;
use std::mem;
use std::vec;
use std::vec::Vec;

const FAR: Position = Position(i64::MAX);

/// A publisher that dies after it moved the tail.
fn claim_and_die<M: Memory>(log: &LogBuffers<M>, length: usize) {
    log.metadata().fetch_add_raw_tail(0, aligned(length + 32));
}

#[test]
fn a_claim_with_its_length_becomes_padding_of_that_length() {
    let mut memory = Log::new();
    let log = memory.initialised(&properties());
    let appender = ConcurrentAppender::new(log.clone());
    mem::forget(appender.try_claim(FAR, 40).unwrap());
    appender.offer(FAR, b"after").unwrap();
    assert_eq!(unblock(&log, Position(0)), Unblock::Unblocked);
    assert_eq!(log.term(0).load_i32(0, Ordering::Relaxed), 72);
    let read = poll(&log, Position(0), 9, |payload, _| assert_eq!(payload, b"after"));
    assert_eq!((read.fragments, read.position), (1, Position(96 + 64)));
    assert_eq!(unblock(&log, Position(0)), Unblock::None);
}

#[test]
fn a_claim_without_its_length_becomes_padding_up_to_the_next_frame() {
    for next in ["committed", "claimed"] {
        let mut memory = Log::new();
        let log = memory.initialised(&properties());
        let appender = ConcurrentAppender::new(log.clone());
        claim_and_die(&log, 40);
        claim_and_die(&log, 40);
        match next {
            "committed" => drop(appender.offer(FAR, b"after")),
            _ => mem::forget(appender.try_claim(FAR, 5)),
        }
        assert_eq!(unblock(&log, Position(0)), Unblock::Unblocked);
        assert_eq!(log.term(0).load_i32(0, Ordering::Relaxed), 192);
    }
}

#[test]
fn a_claim_whose_end_cannot_be_told_is_left_alone() {
    let mut memory = Log::new();
    let log = memory.initialised(&properties());
    claim_and_die(&log, 40);
    assert_eq!(unblock(&log, Position(0)), Unblock::None);
    assert_eq!(log.term(0).load_i32(0, Ordering::Relaxed), 0);
}

#[test]
fn where_nothing_is_claimed_nothing_is_done() {
    let mut memory = Log::new();
    let log = memory.initialised(&properties());
    assert_eq!(unblock(&log, Position(0)), Unblock::None);
    log.metadata().set_raw_tail_release(0, RawTail::new(log.initial_term_id(), 65_504));
    assert_eq!(unblock(&log, Position(65_504)), Unblock::None);
    assert_eq!(log.metadata().active_term_count_acquire(), 0);
}

#[test]
fn a_claim_to_the_end_of_the_term_is_padded_and_the_log_goes_on() {
    let mut memory = Log::new();
    let log = memory.initialised(&properties());
    let appender = ConcurrentAppender::new(log.clone());
    while log.producer_position() < Position(65_536 - 2048) {
        appender.offer(FAR, &[1; 1000]).unwrap();
    }
    let blocked = log.producer_position();
    // Crosses the end, and dies before it pads.
    claim_and_die(&log, 4000);
    assert_eq!(unblock(&log, blocked), Unblock::UnblockedToEnd);
    assert_eq!(log.metadata().active_term_count_acquire(), 1);
    assert_eq!(appender.offer(FAR, b"next"), Ok(Position(65_536 + 64)));
    assert_eq!(poll(&log, blocked, 9, |_, _| ()).position, Position(65_536));
}

#[test]
fn a_claim_that_ends_the_term_exactly_is_padded_with_its_length() {
    let mut memory = Log::new();
    let log = memory.initialised(&properties());
    log.metadata().set_raw_tail_release(0, RawTail::new(log.initial_term_id(), 65_536 - 1056));
    mem::forget(ConcurrentAppender::new(log.clone()).try_claim(FAR, 1024).unwrap());
    assert_eq!(unblock(&log, Position(65_536 - 1056)), Unblock::Unblocked);
    assert_eq!(log.metadata().active_term_count_acquire(), 0);
}

#[test]
fn a_rotation_that_nobody_finished_is_finished() {
    let mut memory = Log::new();
    let log = memory.initialised(&properties());
    log.metadata().set_raw_tail_release(0, RawTail::new(log.initial_term_id(), 65_600));
    // The rest was padded, but the publisher died before it rotated; consumers wait at the next term.
    assert_eq!(unblock(&log, Position(65_536)), Unblock::Rotated);
    assert_eq!(log.metadata().active_term_count_acquire(), 1);
    assert_eq!(log.producer_position(), Position(65_536));
}

#[test]
fn a_rotation_that_stopped_between_its_two_steps_is_finished() {
    let mut memory = Log::new();
    let log = memory.initialised(&properties());
    let next = log.initial_term_id().plus(1);
    log.metadata().set_raw_tail_release(1, RawTail::new(next, 0));
    assert_eq!(unblock(&log, Position(65_536)), Unblock::Rotated);
    assert_eq!(log.producer_position(), Position(65_536));
}

#[test]
fn a_claimed_length_that_cannot_be_is_taken_for_none() {
    for length in [i32::MIN, -1, -31, -65_537, -i32::MAX] {
        let mut memory = Log::new();
        let log = memory.initialised(&properties());
        claim_and_die(&log, 40);
        log.term(0).store_i32(0, length, Ordering::Release);
        assert_eq!(unblock(&log, Position(0)), Unblock::None);
        ConcurrentAppender::new(log.clone()).offer(FAR, b"after").unwrap();
        assert_eq!(unblock(&log, Position(0)), Unblock::Unblocked);
        assert_eq!(log.term(0).load_i32(0, Ordering::Relaxed), 96);
    }
}

/// Gives up the claim at 0 with so many looks in a step; what was done, and in how many steps.
fn give_up_in_steps<M: Memory>(log: &LogBuffers<M>, to: i64, words: usize) -> (Unblock, usize) {
    let mut claim = DeadClaim::new(log, Position(0), Position(to));
    (1..1_000_000).find_map(|steps| Some((claim.give_up(log, &mut words.clone())?, steps))).unwrap()
}

#[test]
fn what_is_given_up_never_goes_beyond_the_bound_whatever_the_tail_says() {
    for (length, tail) in [(0, i64::MAX), (-5, i64::MAX), (-128, 65_536), (0, 65_536 - 32), (0, 0)] {
        let mut memory = Log::new();
        let log = memory.initialised(&properties());
        log.metadata().set_raw_tail_release(0, RawTail(tail));
        log.term(0).store_i32(0, length, Ordering::Release);
        log.term(0).store_i32(128, 96, Ordering::Release);
        assert_eq!(give_up_in_steps(&log, 96, 1000).0, Unblock::Unblocked);
        assert_eq!(log.term(0).load_i32(0, Ordering::Relaxed), 96);
        assert_eq!(log.metadata().active_term_count_acquire(), 0);
    }
}

#[test]
fn a_claim_without_an_end_is_looked_through_in_steps() {
    for (next, to) in [(None, 64_000), (Some(48_000), 64_000), (None, 65_536)] {
        let mut memory = Log::new();
        let log = memory.initialised(&properties());
        if let Some(next) = next {
            log.term(0).store_i32(next, 64, Ordering::Release);
        }
        let (unblocked, steps) = give_up_in_steps(&log, to, 100);
        assert_eq!(unblocked, if to == 65_536 { Unblock::UnblockedToEnd } else { Unblock::Unblocked });
        assert!(steps > 15, "{steps}");
        let length = next.map_or(i32::try_from(to).unwrap(), |next| i32::try_from(next).unwrap());
        assert_eq!(log.term(0).load_i32(0, Ordering::Relaxed), length);
    }
}

#[test]
fn a_claim_that_is_written_between_two_steps_is_seen() {
    let mut memory = Log::new();
    let log = memory.initialised(&properties());
    let mut claim = DeadClaim::new(&log, Position(0), Position(4096));
    assert_eq!(claim.give_up(&log, &mut 20), None);
    // A slow publisher's length, behind what was looked at, and its payload, before it.
    log.term(0).store_i32(320, -2048, Ordering::Release);
    log.term(0).store_i32(1024, 7, Ordering::Release);
    assert_eq!(claim.give_up(&log, &mut 1000), Some(Unblock::None));
    assert_eq!(log.term(0).load_i32(0, Ordering::Relaxed), 0);
}

/// What a holder may do with its claim in the end.
const ENDS: [fn(Claim<'_, AtomicBuffer<'_>>) -> bool; 3] = [
    |claim| claim.commit() == Err(ClaimLost { position: Position(96) }),
    |claim| {
        claim.abort();
        true
    },
    |claim| {
        drop(claim);
        true
    },
];

#[test]
fn a_slow_publisher_finds_its_claim_lost() {
    for end in ENDS {
        let mut memory = Log::new();
        let log = memory.initialised(&properties());
        let appender = ConcurrentAppender::new(log.clone());
        let mut claim = appender.try_claim(FAR, 40).unwrap();
        assert_eq!(unblock(&log, Position(0)), Unblock::Unblocked);
        claim.data_mut().fill(1);
        assert!(end(claim));
        let read = poll(&log, Position(0), 9, |_, _| panic!("padding was handed over"));
        assert_eq!((read.fragments, read.position), (0, Position(96)));
    }
}

#[test]
fn a_claim_that_was_lost_leaves_whoever_has_its_space_alone() {
    for (length, committed) in [(40, true), (40, false), (8, false)] {
        for end in ENDS {
            let mut memory = Log::new();
            let log = memory.initialised(&properties());
            let (slow, live) = (ConcurrentAppender::new(log.clone()), ConcurrentAppender::new(log.clone()));
            let late = slow.try_claim(FAR, 40).unwrap();
            assert!(unblock(&log, Position(0)).is_unblocked());
            // The log goes round once.
            let mut cleaner = Cleaner::new(Position(0));
            while log.producer_position() < Position(3 * 65_536) {
                let _ = live.offer(FAR, &[3; 1000]);
            }
            while cleaner.clean_to(&log, log.producer_position()) {}
            let mut claim = live.try_claim(FAR, length).unwrap();
            assert_eq!(claim.position().term_offset(log.term_length()) as usize, aligned(length + 32));
            claim.data_mut().fill(4);
            let mut written = [0; 72];
            if committed {
                claim.commit().unwrap();
                log.term(0).read_racing(0, &mut written);
                assert!(end(late));
            } else {
                log.term(0).read_racing(0, &mut written);
                assert!(end(late));
                assert_eq!(log.term(0).load_i32(0, Ordering::Relaxed), -i32::try_from(length + 32).unwrap());
                mem::forget(claim);
            }
            let mut after = [0; 72];
            log.term(0).read_racing(0, &mut after);
            assert_eq!(after, written);
        }
    }
}

/// What a publisher of the property test does.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Commit,
    DieAfterClaim,
    DieAfterLength,
}

fn fates() -> impl Strategy<Value = Vec<(Fate, usize)>> {
    let fate = prop_oneof![3 => Just(Fate::Commit), 1 => Just(Fate::DieAfterClaim), 1 => Just(Fate::DieAfterLength)];
    proptest::collection::vec((fate, 0_usize..1377), 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_committed_message_gets_past_the_dead(fates in fates()) {
        let mut memory = Log::new();
        let log = memory.initialised(&properties());
        let appender = ConcurrentAppender::new(log.clone());
        let (mut sent, mut received) = (Vec::new(), Vec::new());
        for (index, (fate, length)) in fates.into_iter().enumerate() {
            let fill = u8::try_from(index).unwrap().max(1);
            let result = match fate {
                Fate::Commit => appender.offer(FAR, &vec![fill; length]).map(|_| sent.push((fill, length))),
                Fate::DieAfterLength => appender.try_claim(FAR, length).map(|mut claim| {
                    claim.data_mut().fill(0xff);
                    mem::forget(claim);
                }),
                Fate::DieAfterClaim => {
                    let tail = log.metadata().fetch_add_raw_tail(0, aligned(length + 32));
                    if tail.unclamped_offset() + 1500 < 65_536 { Ok(()) } else { Err(AppendError::AdminAction) }
                }
            };
            if result.is_err() {
                break;
            }
        }
        // The last word of a live publisher: without it the end of a last dead claim could not be told.
        if appender.offer(FAR, b"last").is_ok() {
            sent.push((b'l', 4));
        }
        let mut position = Position(0);
        for _ in 0..500 {
            let read = poll(&log, position, 1, |payload, _| {
                received.push((payload.first().copied().unwrap_or(0), payload.len()));
            });
            if read.position == position && !unblock(&log, position).is_unblocked() {
                break;
            }
            position = read.position;
        }
        let sent: Vec<_> = sent.into_iter().map(|(fill, length)| (if length > 0 { fill } else { 0 }, length)).collect();
        prop_assert_eq!(received, sent);
        prop_assert_eq!(position, log.producer_position());
    }

    #[test]
    fn no_words_make_it_panic(
        lengths in proptest::collection::vec(any::<i32>(), 64), tails: [i64; 3], count: i32, blocked: i64, near: bool,
    ) {
        let mut memory = Log::new();
        let log = memory.initialised(&properties());
        let blocked = if near { blocked.rem_euclid(3 * 65_536) } else { blocked };
        for (index, length) in lengths.iter().enumerate() {
            let zero = index % 3 == 0;
            log.term(index % 3).store_i32(index / 3 * 3072 % TERM, if zero { 0 } else { *length }, Ordering::Relaxed);
        }
        for (partition, tail) in tails.into_iter().enumerate() {
            log.metadata().set_raw_tail_release(partition, RawTail(tail));
        }
        log.metadata().set_active_term_count_release(if near { count.rem_euclid(4) } else { count });
        for position in [blocked, blocked & !31, 0, 65_536 - 32] {
            let to = Position(position.wrapping_add(count.into()));
            let _ = DeadClaim::new(&log, Position(position), to).give_up(&log, &mut 1000);
            unblock(&log, Position(position));
        }
    }
}

#[test]
fn the_term_is_padded_within_its_bounds_whatever_the_tail_says() {
    let mut memory = Log::new();
    let log: LogBuffers<AtomicBuffer<'_>> = memory.initialised(&properties());
    log.metadata().set_raw_tail_release(0, RawTail(i64::MAX));
    assert_eq!(unblock(&log, Position(64)), Unblock::UnblockedToEnd);
    assert_eq!(log.term(0).load_i32(64, Ordering::Relaxed), 65_536 - 64);
}
