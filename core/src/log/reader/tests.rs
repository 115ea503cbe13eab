use super::super::frame_descriptor::{FRAME_LENGTH, HEADER_LENGTH};
use super::super::rebuilder;
use super::super::testing::{Log, TERM, frame, padding, properties};
use super::*;
use proptest::prelude::*;
use std::vec::Vec;

type Lent<'a> = LogBuffers<AtomicBuffer<'a>>;

/// Three frames of 0, 1 and 32 bytes at offsets 0, 32 and 96, the next at 160.
fn three(memory: &mut Log) -> Lent<'_> {
    let log = memory.initialised(&properties());
    assert!(rebuilder::insert(&log, 0, 0, &frame(0, 0, b'a')));
    assert!(rebuilder::insert(&log, 0, 32, &frame(32, 1, b'b')));
    assert!(rebuilder::insert(&log, 0, 96, &frame(96, 32, b'c')));
    log
}

fn polled(fragments: usize, position: i64) -> Polled {
    Polled { fragments, position: Position(position), damaged: false }
}

#[test]
fn fragments_come_in_order_with_their_headers() {
    let mut memory = Log::new();
    let log = three(&mut memory);
    let mut seen = Vec::new();
    let result = poll(&log, Position(0), 10, |payload, header| seen.push((payload.to_vec(), header.position())));
    assert_eq!(result, polled(3, 160));
    let lengths: Vec<_> = seen.iter().map(|(payload, position)| (payload.len(), position.0)).collect();
    assert_eq!(lengths, [(0, 32), (1, 96), (32, 160)]);
    assert_eq!(seen[2].0, [b'c'; 32]);
}

#[test]
fn a_header_tells_what_the_frame_says() {
    let mut memory = Log::new();
    let log = three(&mut memory);
    let _ = poll(&log, Position(32), 1, |_, header| {
        assert_eq!((header.frame_length(), header.version(), header.flags(), header.frame_type()), (33, 0, 0xc0, 1));
        assert_eq!((header.term_offset(), header.next_term_offset()), (32, 96));
        assert_eq!((header.session_id(), header.stream_id()), (properties().session_id, properties().stream_id));
        assert_eq!((header.term_id(), header.initial_term_id()), (log.initial_term_id(), log.initial_term_id()));
        assert_eq!((header.reserved_value(), header.as_bytes()[0]), (0, 33));
    });
}

#[test]
fn the_fragment_limit_is_kept() {
    let mut memory = Log::new();
    let log = three(&mut memory);
    assert_eq!(poll(&log, Position(0), 2, |_, _| ()), polled(2, 96));
    assert_eq!(poll(&log, Position(96), 0, |_, _| ()), polled(0, 96));
}

#[test]
fn whole_frames_lead_from_a_position_to_another() {
    let mut memory = Log::new();
    let log = three(&mut memory);
    let reached = |from: i64| -> Vec<i64> {
        (0..20).map(|unit| unit * 32).filter(|to| leads_to(&log, Position(from), Position(*to))).collect()
    };
    assert_eq!(reached(0), [0, 32, 96, 160]);
    assert_eq!(reached(96), [96, 160]);
    assert!(rebuilder::insert(&log, 0, 160, &padding(160, TERM - 160)));
    assert!(leads_to(&log, Position(32), Position(65_536)));
    assert!(!leads_to(&log, Position(32), Position(65_536 + 32)) && !leads_to(&log, Position(32), Position(i64::MAX)));
    assert!(!leads_to(&log, Position(32), Position(0)) && !leads_to(&log, Position(32), Position(i64::MIN)));
}

#[test]
fn padding_is_skipped_without_counting() {
    let mut memory = Log::new();
    let log = three(&mut memory);
    assert!(rebuilder::insert(&log, 0, 160, &padding(160, TERM - 160)));
    assert!(rebuilder::insert(&log, 1, 0, &frame(0, 5, 1)));
    assert_eq!(poll(&log, Position(96), 10, |_, _| ()), polled(1, 65_536));
    assert_eq!(poll(&log, Position(65_536), 10, |_, _| ()), polled(1, 65_600));
}

#[test]
fn frames_that_are_claimed_only_are_not_read() {
    let mut memory = Log::new();
    let log = three(&mut memory);
    log.term(0).store_i32(32, -33, Ordering::Release);
    assert_eq!(poll(&log, Position(0), 10, |_, _| ()), polled(1, 32));
}

#[test]
fn a_bounded_poll_hands_over_what_begins_before_the_limit() {
    let mut memory = Log::new();
    let log = three(&mut memory);
    for (limit, expected) in [(0, polled(0, 0)), (-5, polled(0, 0)), (32, polled(1, 32)), (33, polled(2, 96))] {
        assert_eq!(bounded_poll(&log, Position(0), Position(limit), 10, |_, _| ()), expected);
    }
    assert_eq!(bounded_poll(&log, Position(96), Position(96), 10, |_, _| ()), polled(0, 96));
    assert_eq!(bounded_poll(&log, Position(96), Position(i64::MAX), 10, |_, _| ()), polled(1, 160));
}

#[test]
fn a_controlled_poll_does_as_it_is_told() {
    let mut memory = Log::new();
    let log = three(&mut memory);
    for (action, expected, committed) in [
        (Action::Abort, polled(1, 32), &[][..]),
        (Action::Break, polled(2, 96), &[]),
        (Action::Commit, polled(3, 160), &[96]),
        (Action::Continue, polled(3, 160), &[]),
    ] {
        let mut commits = Vec::new();
        let handler = |_: &[u8], header: Header<'_>| match header.term_offset() {
            32 => action,
            _ => Action::Continue,
        };
        assert_eq!(controlled_poll(&log, Position(0), 10, handler, |position| commits.push(position.0)), expected);
        assert_eq!(commits, committed, "{action:?}");
    }
}

#[test]
fn a_bounded_controlled_poll_is_both() {
    let mut memory = Log::new();
    let log = three(&mut memory);
    let mut commits = 0;
    let result = bounded_controlled_poll(&log, Position(0), Position(96), 10, |_, _| Action::Commit, |_| commits += 1);
    assert_eq!((result, commits), (polled(2, 96), 2));
}

#[test]
fn a_block_is_whole_frames_within_the_limit() {
    let mut memory = Log::new();
    let log = three(&mut memory);
    for (limit, expected) in
        [(31, polled(0, 0)), (32, polled(1, 32)), (159, polled(2, 96)), (usize::MAX, polled(3, 160))]
    {
        let mut length = 0;
        let result = block_poll(&log, Position(0), limit, |block, term_id| {
            assert_eq!(term_id, log.initial_term_id());
            length = block.len();
        });
        assert_eq!((result, length), (expected, usize::try_from(expected.position.0).unwrap()));
    }
}

#[test]
fn a_block_of_padding_is_its_header_by_itself() {
    let mut memory = Log::new();
    let log = three(&mut memory);
    assert!(rebuilder::insert(&log, 0, 160, &padding(160, TERM - 160)));
    assert_eq!(block_poll(&log, Position(96), TERM, |block, _| assert_eq!(block.len(), 64)), polled(1, 160));
    let padding = |block: &[u8], _| {
        assert_eq!(block.len(), HEADER_LENGTH);
        assert_eq!(header::i32_at(block, FRAME_LENGTH), (TERM - 160) as i32);
    };
    assert_eq!(block_poll(&log, Position(160), 100, padding), polled(0, 65_536));
}

#[test]
fn a_length_that_cannot_be_stops_every_poll_in_front_of_it() {
    for length in [1, 31, 65_505, i32::MAX, 65_536 - 32 + 1] {
        let mut memory = Log::new();
        let log = three(&mut memory);
        log.term(0).store_i32(32, length, Ordering::Release);
        let stopped = Polled { damaged: true, ..polled(1, 32) };
        assert_eq!(poll(&log, Position(0), 10, |_, _| ()), stopped);
        assert_eq!(bounded_poll(&log, Position(0), Position(999), 10, |_, _| ()), stopped);
        assert_eq!(controlled_poll(&log, Position(0), 10, |_, _| Action::Commit, |_| ()), stopped);
        assert_eq!(block_poll(&log, Position(0), TERM, |block, _| assert_eq!(block.len(), 32)), stopped);
    }
}

#[test]
fn positions_are_rounded_down_to_frames() {
    let mut memory = Log::new();
    let log = three(&mut memory);
    assert_eq!(poll(&log, Position(63), 10, |_, _| ()), polled(2, 160));
    for position in [-1, i64::MIN, i64::MAX, -65_536] {
        let _ = poll(&log, Position(position), 10, |_, _| ());
        let _ = block_poll(&log, Position(position), 10, |_, _| ());
        let _ = bounded_poll(&log, Position(position), Position(-position.max(-1)), 10, |_, _| ());
    }
}

proptest! {
    #[test]
    fn no_frames_lead_outside_the_term(
        lengths in proptest::collection::vec(any::<i32>(), 2048), start in 0_i64..65_536, seed: u64,
    ) {
        let mut memory = Log::new();
        let log = memory.initialised(&properties());
        for (index, length) in lengths.iter().enumerate() {
            let length = if seed.rotate_left(u32::try_from(index).unwrap()) % 8 == 0 { *length } else { length % 300 };
            log.term(0).store_i32(index * 32, length.wrapping_abs(), Ordering::Relaxed);
            log.term(0).store_i32(index * 32 + 4, i32::from(length % 5 != 0) << 16, Ordering::Relaxed);
        }
        let mut bytes = 0;
        let result = poll(&log, Position(start), usize::MAX, |payload, header| {
            bytes += payload.len() + header.as_bytes().len();
        });
        prop_assert!(result.position.0 >= start / 32 * 32 && result.position.0 <= 65_536);
        prop_assert!(i64::try_from(bytes).unwrap() <= result.position.0 - start / 32 * 32);
        let block = block_poll(&log, Position(start), usize::MAX, |block, _| bytes = block.len());
        prop_assert!(block.position <= result.position);
    }
}
