//! Models of the log buffers, on the code that ships: loom tries the orders in which threads may see each other's
//! words, and reports plain bytes that two of them touch without an order between.
//!
//! Terms are 64 to 256 bytes, so that a few messages cross several of them. Run times: see each model's bound on
//! preemptions.

#![allow(clippy::unwrap_used)] // all of this file is tests

mod model;

use gannet_core::log::{
    AppendError, ClaimLost, Cleaner, ConcurrentAppender, ExclusiveAppender, LogBuffers, LogProperties, METADATA_LENGTH,
    RawTail, Unblock, reader, unblocker::DeadClaim, unblocker::unblock,
};
use gannet_core::sync::{Memory, Ordering};
use gannet_core::{Position, SessionId, StreamId, TermId, TermLength};
use loom::thread;
use model::{Kind, ModelMemory, model};
use std::sync::atomic::AtomicUsize;

const INITIAL: TermId = TermId(7);
const FAR: Position = Position(i64::MAX);

type Log = LogBuffers<ModelMemory>;

/// A log with terms of `term` bytes that begins at `offset` of its first term; frames are at most 64 bytes.
fn log(term: i32, offset: i32) -> Log {
    log_in_memory(term, offset).0
}

/// A log, and the memory that begins with its first term.
fn log_in_memory(term: i32, offset: i32) -> (Log, ModelMemory) {
    let properties = LogProperties {
        mtu_length: 64,
        ..LogProperties::ipc(1, SessionId(2), StreamId(3), INITIAL, TermLength::model(term))
    };
    let metadata = 3 * properties.term_length.as_usize();
    let memory = ModelMemory::new(metadata + METADATA_LENGTH, |at| match at.checked_sub(metadata) {
        None | Some(24 | 136 | 264..352) => Kind::Words,
        Some(0..24 | 128 | 256 | 448..488) => Kind::Word,
        Some(488..512) => Kind::Bytes,
        Some(_) => Kind::Absent,
    });
    // SAFETY: what the models show: loom reports whoever does not keep the contract.
    let log = unsafe { LogBuffers::initialise(&memory, &properties, Some((INITIAL, offset))) }.unwrap();
    (log, memory)
}

/// A message of 32 bytes, of one value.
fn message(value: u8) -> [u8; 32] {
    [value; 32]
}

/// Reads what there is, at most `limit` messages, and adds the value of each.
fn read(log: &Log, position: &mut Position, limit: usize, values: &mut Vec<u8>) {
    let polled = reader::poll_memory(log, *position, limit, |term, offset, length| {
        let mut payload = [0; 32];
        assert_eq!(length, payload.len());
        // SAFETY: committed; loom reports whoever writes it all the same.
        unsafe { term.read_bytes(offset, &mut payload) };
        assert_eq!(payload, message(payload[0]), "a torn message");
        values.push(payload[0]);
    });
    assert!(!polled.damaged);
    *position = polled.position;
}

/// Reads to the end, when nobody appends any more.
fn read_rest(log: &Log, position: &mut Position, values: &mut Vec<u8>) {
    while *position < log.producer_position() {
        let before = *position;
        read(log, position, 1, values);
        assert!(*position > before, "stuck at {before}");
    }
    assert_eq!(*position, log.producer_position());
}

fn offer(appender: &ConcurrentAppender<ModelMemory>, value: u8) -> Position {
    loop {
        match appender.offer(FAR, &message(value)) {
            Ok(position) => return position,
            Err(AppendError::AdminAction) => thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Two publishers and a reader, from `offset` of a term on, to the term of `count`; frames take 64 bytes.
fn publishers_rotate_under_a_reader(term: i32, offset: i32, count: i32, preemptions: usize) {
    model(preemptions, move || {
        let log = log(term, offset);
        let first = ConcurrentAppender::new(log.clone());
        let second = first.clone();
        let one = thread::spawn(move || [offer(&first, 1), offer(&first, 2)]);
        let two = thread::spawn(move || offer(&second, 11));

        let (mut position, mut values) = (Position(i64::from(offset)), Vec::new());
        for _ in 0..2 {
            read(&log, &mut position, 1, &mut values);
        }
        let positions = one.join().unwrap();
        let other = two.join().unwrap();
        read_rest(&log, &mut position, &mut values);

        assert!(positions[0] < positions[1] && !positions.contains(&other));
        let expected: &[u8] = match (other > positions[0], other > positions[1]) {
            (false, _) => &[11, 1, 2],
            (true, false) => &[1, 11, 2],
            (true, true) => &[1, 2, 11],
        };
        assert_eq!(values, expected);
        assert_eq!(log.metadata().active_term_count_acquire(), count);
        assert_eq!(log.producer_position(), positions[1].max(other));
    });
}

#[test]
fn publishers_that_fill_a_term_exactly_rotate_once_and_lose_nothing() {
    publishers_rotate_under_a_reader(256, 192, 1, 2);
}

#[test]
fn publishers_that_pad_a_term_rotate_once_and_lose_nothing() {
    publishers_rotate_under_a_reader(256, 160, 1, 2);
}

#[test]
fn publishers_that_cross_three_terms_lose_nothing() {
    publishers_rotate_under_a_reader(64, 64, 3, 2);
}

#[test]
fn an_exclusive_publisher_is_read_across_two_rotations() {
    model(2, || {
        let log = log(128, 32);
        let mut appender = ExclusiveAppender::new(log.clone()).unwrap();
        let publisher = thread::spawn(move || {
            for value in 1..=3 {
                loop {
                    match appender.try_claim(FAR, 32) {
                        Ok(mut claim) => {
                            claim.write(0, &message(value));
                            claim.commit().unwrap();
                            break;
                        }
                        Err(AppendError::AdminAction) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            appender.position()
        });
        let (mut position, mut values) = (Position(32), Vec::new());
        for _ in 0..2 {
            read(&log, &mut position, 1, &mut values);
            assert!(position <= log.producer_position());
        }
        let end = publisher.join().unwrap();
        read_rest(&log, &mut position, &mut values);
        assert_eq!((values, position), (vec![1, 2, 3], end));
    });
}

/// A driver that cleans behind the reader and then moves the limit two terms ahead, a publisher that looks at the limit.
/// Each term holds one frame, so that the fourth message goes where the first was, and the reader looks there as soon as
/// it has the third.
#[test]
fn a_term_is_clean_before_it_is_used_again() {
    model(2, || {
        let log = log(64, 0);
        let limit = ModelMemory::new(8, |_| Kind::Word);
        limit.store_i64(0, 128, Ordering::Release);
        let appender = ConcurrentAppender::new(log.clone());
        let limits = limit.clone();
        let publish = move |value| loop {
            match appender.offer(Position(limits.load_i64(0, Ordering::Acquire)), &message(value)) {
                Ok(_) => return true,
                Err(AppendError::AdminAction) => {}
                Err(AppendError::NotConnected) => return false,
                Err(error) => panic!("{error}"),
            }
        };
        let (mut position, mut values) = (Position(0), Vec::new());
        assert!(publish(1) && publish(2));
        read_rest(&log, &mut position, &mut values);

        let cleaned = log.clone();
        let driver = thread::spawn(move || {
            let mut cleaner = Cleaner::new(Position(0));
            while cleaner.clean_to(&cleaned, position) {
                limit.store_i64(0, cleaner.position().0 + 128, Ordering::Release);
            }
        });
        let publisher = thread::spawn(move || {
            let published = (0..3).fold(2, |last, _| if last < 4 && publish(last + 1) { last + 1 } else { last });
            (publish, published)
        });
        read(&log, &mut position, 1, &mut values);
        read(&log, &mut position, 1, &mut values);
        driver.join().unwrap();
        let (publish, published) = publisher.join().unwrap();
        assert!((published..4).all(|value| publish(value + 1)));
        read_rest(&log, &mut position, &mut values);
        assert_eq!(values, [1, 2, 3, 4]);
    });
}

/// A publisher that moved the tail by a frame and died.
fn claim_and_die(log: &Log) {
    log.metadata().fetch_add_raw_tail(0, 64);
}

/// A publisher whose payload looks like a frame, and which writes it while the unblocker may be looking there: words of
/// its claim that are atomic for this model, since the unblocker reads them on purpose.
fn publish_what_looks_like_a_frame(log: &Log, memory: &ModelMemory) -> Position {
    let appender = ConcurrentAppender::new(log.clone());
    let claim = appender.try_claim(FAR, 32).unwrap();
    let payload = usize::try_from(claim.position().0).unwrap() - 32;
    memory.store_i32(payload, 32, Ordering::Relaxed);
    claim.commit().unwrap()
}

#[test]
fn the_unblocker_does_not_take_the_payload_of_a_slow_publisher_for_a_frame() {
    model(3, || {
        let (log, memory) = log_in_memory(256, 0);
        claim_and_die(&log);
        let slow = log.clone();
        let publisher = thread::spawn(move || publish_what_looks_like_a_frame(&slow, &memory));
        let early = unblock(&log, Position(0));
        assert!(matches!(early, Unblock::None | Unblock::Unblocked));
        assert_eq!(publisher.join().unwrap(), Position(128));
        if early == Unblock::None {
            assert_eq!(unblock(&log, Position(0)), Unblock::Unblocked);
        }
        let mut payloads = Vec::new();
        let polled = reader::poll_memory(&log, Position(0), 9, |term, offset, length| {
            payloads.push((term.load_i32(offset, Ordering::Relaxed), offset, length));
        });
        assert_eq!((payloads, polled.position, polled.damaged), (vec![(32, 96, 32)], Position(128), false));
    });
}

#[test]
fn a_dead_claim_that_ends_with_what_is_known_is_given_up_beside_a_slow_publisher() {
    static PADDED_ALL: AtomicUsize = AtomicUsize::new(0);
    static PADDED_ONE: AtomicUsize = AtomicUsize::new(0);
    model(3, || {
        let (log, memory) = log_in_memory(256, 0);
        claim_and_die(&log);
        let slow = log.clone();
        let publisher = thread::spawn(move || publish_what_looks_like_a_frame(&slow, &memory));
        // Both claims count as dead, though one's publisher goes on at this moment.
        let give_up = || DeadClaim::new(&log, Position(0), Position(128)).give_up(&log, &mut 100).unwrap();
        let early = give_up();
        assert!(matches!(early, Unblock::None | Unblock::Unblocked));
        assert_eq!(publisher.join().unwrap(), Position(128));
        if early == Unblock::None {
            assert_eq!(give_up(), Unblock::Unblocked);
        }
        let mut payloads = Vec::new();
        let polled = reader::poll_memory(&log, Position(0), 9, |term, offset, length| {
            payloads.push((term.load_i32(offset, Ordering::Relaxed), offset, length));
        });
        assert_eq!((polled.position, polled.damaged), (Position(128), false));
        if payloads.is_empty() {
            PADDED_ALL.fetch_add(1, Ordering::Relaxed);
        } else {
            assert_eq!(payloads, vec![(32, 96, 32)]);
            PADDED_ONE.fetch_add(1, Ordering::Relaxed);
        }
    });
    assert!(PADDED_ALL.load(Ordering::Relaxed) > 0 && PADDED_ONE.load(Ordering::Relaxed) > 0);
}

#[test]
fn a_publisher_that_comes_back_after_its_claim_was_padded_disturbs_nobody() {
    const CLAIMED: usize = 0;
    const PADDED: usize = 4;
    let wait = |words: &ModelMemory, flag| {
        while words.load_i32(flag, Ordering::Acquire) == 0 {
            thread::yield_now();
        }
    };
    model(3, move || {
        let log = log(256, 0);
        let words = ModelMemory::new(8, |_| Kind::Words);
        let appender = ConcurrentAppender::new(log.clone());
        let flags = words.clone();
        let slow = thread::spawn(move || {
            let mut claim = appender.try_claim(FAR, 32).unwrap();
            // It stands still here: what it did before is known to the driver, as after a timeout.
            flags.store_i32(CLAIMED, 1, Ordering::Release);
            wait(&flags, PADDED);
            claim.write(0, &message(1));
            assert_eq!(claim.commit(), Err(ClaimLost { position: Position(64) }));
        });
        wait(&words, CLAIMED);
        let live = ConcurrentAppender::new(log.clone());
        let live = thread::spawn(move || offer(&live, 2));

        let (mut position, mut values) = (Position(0), Vec::new());
        assert_eq!(unblock(&log, position), Unblock::Unblocked);
        words.store_i32(PADDED, 1, Ordering::Release);
        read(&log, &mut position, 9, &mut values);
        assert!(values.is_empty() && position == Position(64) || values == [2] && position == Position(128));
        slow.join().unwrap();
        live.join().unwrap();
        read_rest(&log, &mut position, &mut values);
        assert_eq!(values, [2]);
    });
}

/// Tells the driver of a model that a claim is made, as a timeout would.
fn claimed(words: &ModelMemory) {
    words.store_i32(0, 1, Ordering::Release);
}

fn wait_for_claim(words: &ModelMemory) {
    while words.load_i32(0, Ordering::Acquire) == 0 {
        thread::yield_now();
    }
}

#[test]
fn of_a_commit_and_an_unblock_exactly_one_wins() {
    static COMMITTED: AtomicUsize = AtomicUsize::new(0);
    static UNBLOCKED: AtomicUsize = AtomicUsize::new(0);
    model(3, || {
        let (log, memory) = log_in_memory(256, 0);
        let words = ModelMemory::new(8, |_| Kind::Words);
        let (slow, flag) = (log.clone(), words.clone());
        // A publisher that commits in one step: what a claim's commit (a look, then a store) is but for the time between.
        let publisher = thread::spawn(move || {
            let appender = ConcurrentAppender::new(slow);
            let mut claim = appender.try_claim(FAR, 32).unwrap();
            claim.write(0, &message(1));
            std::mem::forget(claim);
            claimed(&flag);
            memory.compare_exchange_i32(0, -64, 64)
        });
        wait_for_claim(&words);
        let unblocked = unblock(&log, Position(0));
        let committed = publisher.join().unwrap();
        assert_eq!(unblocked, if committed { Unblock::None } else { Unblock::Unblocked });
        let (mut position, mut values) = (Position(0), Vec::new());
        read_rest(&log, &mut position, &mut values);
        assert_eq!(values, if committed { vec![1] } else { vec![] });
        if committed { &COMMITTED } else { &UNBLOCKED }.fetch_add(1, Ordering::Relaxed);
    });
    assert!(COMMITTED.load(Ordering::Relaxed) > 0 && UNBLOCKED.load(Ordering::Relaxed) > 0);
}

/// The whole of a claim's life beside the unblocker. In the window between look and store of the commit both go on;
/// the frame is padding then, and the log whole.
#[test]
fn a_claim_committed_while_it_is_unblocked_leaves_a_whole_log() {
    static LOST: AtomicUsize = AtomicUsize::new(0);
    static COMMITTED: AtomicUsize = AtomicUsize::new(0);
    model(3, || {
        let log = log(256, 0);
        let words = ModelMemory::new(8, |_| Kind::Words);
        let (slow, flag) = (log.clone(), words.clone());
        let publisher = thread::spawn(move || {
            let appender = ConcurrentAppender::new(slow);
            let mut claim = appender.try_claim(FAR, 32).unwrap();
            claim.write(0, &message(1));
            claimed(&flag);
            claim.commit()
        });
        wait_for_claim(&words);
        let unblocked = unblock(&log, Position(0));
        let committed = publisher.join().unwrap();
        offer(&ConcurrentAppender::new(log.clone()), 2);
        let (mut position, mut values) = (Position(0), Vec::new());
        read_rest(&log, &mut position, &mut values);
        match (committed, unblocked) {
            (Ok(_), Unblock::None) => assert_eq!(values, [1, 2]),
            (_, Unblock::Unblocked) => assert_eq!(values, [2]),
            other => panic!("{other:?}"),
        }
        if committed.is_ok() { &COMMITTED } else { &LOST }.fetch_add(1, Ordering::Relaxed);
    });
    assert!(LOST.load(Ordering::Relaxed) > 0 && COMMITTED.load(Ordering::Relaxed) > 0);
}

#[test]
fn a_rotation_that_the_unblocker_finishes_meets_the_publishers_own() {
    model(3, || {
        let log = log(128, 64);
        // Somebody filled the term and died between its padding and the rotation; another's claim crossed the end.
        let appender = ConcurrentAppender::new(log.clone());
        offer(&appender, 1);
        claim_and_die(&log);
        let publisher = thread::spawn(move || offer(&appender, 2));
        // What the unblocker does, having seen that the count is behind the consumers.
        log.metadata().rotate_log(0, INITIAL);
        assert_eq!(publisher.join().unwrap(), Position(128 + 64));
        let (mut position, mut values) = (Position(64), Vec::new());
        read_rest(&log, &mut position, &mut values);
        assert_eq!(values, [1, 2]);
        assert_eq!(log.metadata().active_term_count_acquire(), 1);
        assert_eq!(log.metadata().raw_tail_acquire(1), RawTail::new(INITIAL.plus(1), 64));
    });
}

#[test]
fn a_dead_claim_to_the_end_is_padded_while_publishers_trip_over_it() {
    model(2, || {
        let log = log(128, 64);
        let appender = ConcurrentAppender::new(log.clone());
        // Claims the last frame of the term and dies.
        claim_and_die(&log);
        let publisher = thread::spawn(move || offer(&appender, 2));
        assert_eq!(unblock(&log, Position(64)), Unblock::UnblockedToEnd);
        assert_eq!(publisher.join().unwrap(), Position(128 + 64));
        let (mut position, mut values) = (Position(64), Vec::new());
        read_rest(&log, &mut position, &mut values);
        assert_eq!((values, position), (vec![2], Position(192)));
    });
}
