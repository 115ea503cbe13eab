use super::*;
use crate::log::frame_descriptor::fragmented_length;
use crate::log::testing::{Log, TERM, properties};
use crate::log::unblocker::unblock;
use crate::log::{Cleaner, LogProperties, metadata::partition_of_count, reader};
use crate::position::{TermId, TermLength};
use crate::sync::{AtomicBuffer, Ordering};
use proptest::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::vec;
use std::vec::Vec;

mod dying;

const FAR: Position = Position(i64::MAX);

type Lent<'a> = LogBuffers<AtomicBuffer<'a>>;

/// Both appenders behind one face, to hold them to the same behaviour.
enum Either<'a> {
    Exclusive(ExclusiveAppender<AtomicBuffer<'a>>),
    Concurrent(ConcurrentAppender<AtomicBuffer<'a>>),
}

impl<'a> Either<'a> {
    fn both(memories: &'a mut [Log; 2], properties: &LogProperties) -> [(Either<'a>, Lent<'a>); 2] {
        let [one, two] = memories;
        let (one, two) = (one.initialised(properties), two.initialised(properties));
        [
            (Either::Exclusive(ExclusiveAppender::new(one.clone()).unwrap()), one),
            (Either::Concurrent(ConcurrentAppender::new(two.clone())), two),
        ]
    }

    fn at(memories: &'a mut [Log; 2], term_id: TermId, offset: i32) -> [(Either<'a>, Lent<'a>); 2] {
        let [one, two] = memories;
        let one = one.starting_at(&properties(), term_id, offset);
        let two = two.starting_at(&properties(), term_id, offset);
        [
            (Either::Exclusive(ExclusiveAppender::new(one.clone()).unwrap()), one),
            (Either::Concurrent(ConcurrentAppender::new(two.clone())), two),
        ]
    }

    fn offer(&mut self, limit: Position, message: &[u8]) -> Result<Position, AppendError> {
        match self {
            Either::Exclusive(appender) => appender.offer(limit, message),
            Either::Concurrent(appender) => appender.offer(limit, message),
        }
    }

    fn offer_vectored(&mut self, limit: Position, pieces: &[&[u8]]) -> Result<Position, AppendError> {
        match self {
            Either::Exclusive(appender) => appender.offer_vectored(limit, pieces),
            Either::Concurrent(appender) => appender.offer_vectored(limit, pieces),
        }
    }

    fn offer_with(
        &mut self,
        limit: Position,
        message: &[u8],
        value: impl FnMut(&[u8]) -> i64,
    ) -> Result<Position, AppendError> {
        match self {
            Either::Exclusive(appender) => appender.offer_with(limit, message, value),
            Either::Concurrent(appender) => appender.offer_with(limit, message, value),
        }
    }

    fn try_claim(&mut self, limit: Position, length: usize) -> Result<Claim<'_, AtomicBuffer<'a>>, AppendError> {
        match self {
            Either::Exclusive(appender) => appender.try_claim(limit, length),
            Either::Concurrent(appender) => appender.try_claim(limit, length),
        }
    }

    fn position(&self) -> Position {
        match self {
            Either::Exclusive(appender) => appender.position(),
            Either::Concurrent(appender) => appender.position(),
        }
    }
}

fn bytes<'a>(log: &Lent<'a>, partition: usize, offset: usize, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    log.term(partition).read_racing(offset, &mut bytes);
    bytes
}

#[test]
fn a_frame_lies_in_memory_as_aeron_writes_it() {
    let mut memories = [Log::new(), Log::new()];
    for (mut appender, log) in Either::both(&mut memories, &properties()) {
        appender.offer(FAR, &[]).unwrap();
        assert_eq!(appender.offer(FAR, b"hello"), Ok(Position(96)));
        let expected = [
            37, 0, 0, 0, 0, 0xc0, 1, 0, 32, 0, 0, 0, 0x11, 0x10, 0x55, 0x5e, //
            0xe9, 3, 0, 0, 0xfd, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, b'h', b'e', b'l', b'l', b'o', 0,
        ];
        assert_eq!(bytes(&log, 0, 32, 38), expected);
        assert_eq!(log.metadata().raw_tail_acquire(0), RawTail::new(log.initial_term_id(), 96));
        assert_eq!(log.producer_position(), Position(96));
    }
}

#[test]
fn a_claim_is_unseen_until_it_is_committed() {
    let mut memories = [Log::new(), Log::new()];
    for (mut appender, log) in Either::both(&mut memories, &properties()) {
        let mut claim = appender.try_claim(FAR, 40).unwrap();
        assert_eq!((claim.position(), claim.len(), claim.is_empty()), (Position(96), 40, false));
        assert_eq!(log.term(0).load_i32(0, Ordering::Acquire), -72);
        assert_eq!(reader::poll(&log, Position(0), 1, |_, _| ()).fragments, 0);
        claim.data_mut()[..2].copy_from_slice(b"ab");
        claim.write(2, b"c");
        assert_eq!(&claim.data()[..4], b"abc\0");
        assert_eq!((claim.flags(), claim.header_type(), claim.reserved_value()), (0xc0, TYPE_DATA, 0));
        claim.set_flags(0x80);
        claim.set_header_type(7);
        claim.set_reserved_value(-5);
        assert_eq!(claim.commit(), Ok(Position(96)));
        let polled = reader::poll(&log, Position(0), 1, |payload, header| {
            assert_eq!((payload.len(), &payload[..4]), (40, &b"abc\0"[..]));
            assert_eq!((header.flags(), header.frame_type(), header.reserved_value()), (0x80, 7, -5));
        });
        assert_eq!((polled.fragments, polled.position), (1, Position(96)));
    }
}

#[test]
fn a_claim_that_is_dropped_or_aborted_becomes_padding() {
    let mut memories = [Log::new(), Log::new()];
    for (mut appender, log) in Either::both(&mut memories, &properties()) {
        drop(appender.try_claim(FAR, 40).unwrap());
        appender.try_claim(FAR, 1).unwrap().abort();
        appender.offer(FAR, b"x").unwrap();
        let polled = reader::poll(&log, Position(0), 9, |payload, _| assert_eq!(payload, b"x"));
        assert_eq!((polled.fragments, polled.position), (1, Position(96 + 64 + 64)));
    }
}

#[test]
fn refusals_are_told_apart_as_aeron_does() {
    let mut memories = [Log::new(), Log::new()];
    for (mut appender, log) in Either::both(&mut memories, &properties()) {
        assert_eq!(appender.offer(Position(0), b"x"), Err(AppendError::NotConnected));
        log.metadata().set_is_connected(true);
        assert_eq!(appender.offer(Position(0), b"x"), Err(AppendError::BackPressured));
        assert_eq!(appender.try_claim(Position(-1), 1).map(|_| ()), Err(AppendError::BackPressured));
        // The limit is asked first, as in the C client; a claim's length comes before it.
        assert_eq!(appender.offer(Position(0), &[0; 8193]), Err(AppendError::BackPressured));
        let too_long = AppendError::MessageTooLong { length: 1377, max: 1376 };
        assert_eq!(appender.try_claim(Position(0), 1377).map(|_| ()), Err(too_long));
        let too_long = AppendError::MessageTooLong { length: 8193, max: 8192 };
        assert_eq!(appender.offer(FAR, &[0; 8193]), Err(too_long));
        assert_eq!(appender.offer_vectored(FAR, &[&[0; 8000], &[0; 193]]), Err(too_long));
        assert_eq!(appender.position(), Position(0));
        // A message may begin just before the limit and end behind it.
        assert_eq!(appender.offer(Position(1), &[0; 100]), Ok(Position(160)));
    }
}

#[test]
fn a_message_that_does_not_fit_the_term_pads_it_and_may_be_offered_again() {
    let mut memories = [Log::new(), Log::new()];
    let initial = properties().initial_term_id;
    for (mut appender, log) in Either::at(&mut memories, initial, 65_536 - 64) {
        assert_eq!(appender.offer(FAR, &[7; 64]), Err(AppendError::AdminAction));
        assert_eq!(bytes(&log, 0, 65_536 - 64, 8), [64, 0, 0, 0, 0, 0xc0, 0, 0]);
        assert_eq!(log.metadata().raw_tail_acquire(0).unclamped_offset(), 65_536 + 32);
        assert_eq!(log.metadata().raw_tail_acquire(1), RawTail::new(initial.plus(1), 0));
        assert_eq!(log.metadata().active_term_count_acquire(), 1);
        assert_eq!(appender.position(), Position(65_536));
        assert_eq!(appender.offer(FAR, &[7; 64]), Ok(Position(65_536 + 96)));
    }
}

#[test]
fn a_message_that_fills_the_term_leaves_the_rotation_to_the_next() {
    let mut memories = [Log::new(), Log::new()];
    for (mut appender, log) in Either::at(&mut memories, properties().initial_term_id, 65_536 - 64) {
        assert_eq!(appender.offer(FAR, &[7; 32]), Ok(Position(65_536)));
        assert_eq!(log.metadata().active_term_count_acquire(), 0);
        assert_eq!(appender.offer(FAR, &[7; 32]), Err(AppendError::AdminAction));
        assert_eq!(appender.offer(FAR, &[7; 32]), Ok(Position(65_536 + 64)));
    }
}

#[test]
fn the_last_term_ends_the_session() {
    let mut memories = [Log::new(), Log::new()];
    let last = properties().initial_term_id.plus(i32::MAX);
    let end = TermLength::MIN.max_possible_position();
    for (mut appender, log) in Either::at(&mut memories, last, 65_536 - 128) {
        assert_eq!(appender.offer(FAR, &[7; 32]), Ok(end.plus(-64)));
        assert_eq!(appender.offer(end.plus(-64), &[7; 32]), Err(AppendError::MaxPositionExceeded));
        for _ in 0..3 {
            assert_eq!(appender.offer(FAR, &[7; 64]), Err(AppendError::MaxPositionExceeded));
            assert_eq!(appender.position(), end);
            assert_eq!(log.metadata().active_term_count_acquire(), i32::MAX);
            let partition = partition_of_count(i32::MAX);
            assert_eq!(log.term(partition).load_i32(65_536 - 64, Ordering::Acquire), 64);
        }
        assert_eq!(appender.offer(end, &[]), Err(AppendError::MaxPositionExceeded));
    }
}

#[test]
fn calls_beyond_the_last_term_do_not_move_the_tail() {
    let mut memory = Log::new();
    let last = properties().initial_term_id.plus(i32::MAX);
    let log = memory.starting_at(&properties(), last, 65_536 - 64);
    let appender = ConcurrentAppender::new(log.clone());
    let message = [7; 8192];
    assert_eq!(appender.offer(FAR, &message), Err(AppendError::MaxPositionExceeded));
    let tail = log.metadata().raw_tail_acquire(partition_of_count(i32::MAX));
    for _ in 0..250_000 {
        let refused = Err(AppendError::MaxPositionExceeded);
        assert_eq!(appender.offer(FAR, &message), refused);
        assert_eq!(appender.offer(FAR, b"x"), refused);
        assert_eq!(appender.offer_vectored(FAR, &[&message, b""]), refused);
        assert_eq!(appender.try_claim(FAR, 1376).map(|claim| claim.position()), refused);
    }
    assert_eq!(log.metadata().raw_tail_acquire(partition_of_count(i32::MAX)), tail);
}

#[test]
fn long_messages_go_in_fragments() {
    let mut memories = [Log::new(), Log::new()];
    for (mut appender, log) in Either::both(&mut memories, &properties()) {
        let message: Vec<u8> = (0..1376 * 2 + 5).map(|byte| (byte % 251) as u8).collect();
        assert_eq!(appender.offer(FAR, &message), Ok(Position(1408 * 2 + 64)));
        let (mut read, mut flags) = (Vec::new(), Vec::new());
        let polled = reader::poll(&log, Position(0), 9, |payload, header| {
            read.extend_from_slice(payload);
            flags.push(header.flags());
        });
        assert_eq!((polled.fragments, read, flags), (3, message, vec![0x80, 0, 0x40]));
    }
}

#[test]
fn reserved_values_are_asked_for_each_frame_of_that_frame() {
    let mut memories = [Log::new(), Log::new()];
    for (mut appender, log) in Either::both(&mut memories, &properties()) {
        let message = [[1_u8; 1376], [2; 1376]].concat();
        let value = |frame: &[u8]| {
            assert_eq!(frame.len(), 1408);
            i64::from(frame[32]) << 32 | i64::from(frame[8]) | i64::from(frame[9]) << 8
        };
        appender.offer_with(FAR, &message, value).unwrap();
        appender.offer_with(FAR, &[3; 7], |frame| i64::try_from(frame.len()).unwrap()).unwrap();
        let mut values = Vec::new();
        let _ = reader::poll(&log, Position(0), 9, |_, header| values.push(header.reserved_value()));
        assert_eq!(values, [1 << 32, 2 << 32 | 1408, 39]);
    }
}

#[test]
fn a_panic_in_the_reserved_value_makes_padding_of_the_rest() {
    // Of messages of 1 to 4 frames, the closure panics at each.
    for (length, at) in [(7, 0), (1377, 0), (1377, 1), (1376 * 2, 1), (1376 * 3 + 1, 1), (1376 * 3 + 1, 3)] {
        let mut memories = [Log::new(), Log::new()];
        for (mut appender, log) in Either::both(&mut memories, &properties()) {
            let mut asked = 0;
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                appender.offer_with(FAR, &vec![1; length], |_| {
                    asked += 1;
                    assert!(asked <= at, "as the test wants it");
                    0
                })
            }));
            assert!(panicked.is_err());
            appender.offer(FAR, b"next").unwrap();
            let mut lengths = Vec::new();
            let polled = reader::poll(&log, Position(0), 9, |payload, _| lengths.push(payload.len()));
            let expected: Vec<usize> = std::iter::repeat_n(1376, at).chain([4]).collect();
            assert_eq!((lengths, polled.position), (expected, appender.position()));
        }
    }
}

#[test]
fn a_panic_in_the_reserved_value_leaves_a_frame_alone_that_was_taken_away() {
    let mut memories = [Log::new(), Log::new()];
    for (mut appender, log) in Either::both(&mut memories, &properties()) {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            appender.offer_with(FAR, b"slow", |_| {
                assert!(unblock(&log, Position(0)).is_unblocked());
                // What another may have made of it since.
                log.term(0).store_i32(0, -96, Ordering::Relaxed);
                panic!("as the test wants it")
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(log.term(0).load_i32(0, Ordering::Relaxed), -96);
    }
}

#[test]
fn a_tail_that_is_no_multiple_of_32_is_damage() {
    let mut memory = Log::new();
    let log = memory.initialised(&properties());
    let tail = RawTail::new(log.initial_term_id(), 8);
    log.metadata().set_raw_tail_release(0, tail);
    let error = ExclusiveAppender::new(log.clone()).map(|_| ());
    assert_eq!(error, Err(LogError::Start { term_id: log.initial_term_id(), offset: 8 }));
    assert_eq!(ConcurrentAppender::new(log).offer(FAR, b"x"), Err(AppendError::DamagedTail(tail)));
}

#[test]
fn a_tail_of_another_term_is_an_admin_action() {
    let mut memory = Log::new();
    let log = memory.initialised(&properties());
    let tail = RawTail::new(log.initial_term_id().plus(3), 0);
    log.metadata().set_raw_tail_release(0, tail);
    let appender = ConcurrentAppender::new(log.clone());
    assert_eq!(appender.offer(FAR, b"x"), Err(AppendError::AdminAction));
    assert_eq!(appender.offer(FAR, &[1; 2000]), Err(AppendError::AdminAction));
    assert_eq!(appender.try_claim(FAR, 1).map(|_| ()), Err(AppendError::AdminAction));
    assert_eq!(log.metadata().raw_tail_acquire(0), tail, "nothing was claimed");
}

#[test]
fn an_mtu_without_room_for_a_payload_takes_empty_messages_only() {
    let mut memories = [Log::new(), Log::new()];
    for (mut appender, _) in Either::both(&mut memories, &LogProperties { mtu_length: 32, ..properties() }) {
        assert_eq!(appender.offer(FAR, &[]), Ok(Position(32)));
        assert_eq!(appender.offer(FAR, &[1]), Err(AppendError::MessageTooLong { length: 1, max: 0 }));
    }
}

#[test]
fn padding_moves_an_exclusive_publication_on() {
    let mut memory = Log::new();
    let log = memory.initialised(&properties());
    let mut appender = ExclusiveAppender::new(log.clone()).unwrap();
    assert_eq!(appender.append_padding(FAR, 8192), Ok(Position(8224)));
    assert_eq!(appender.append_padding(FAR, 0), Ok(Position(8256)));
    let too_long = AppendError::MessageTooLong { length: 8193, max: 8192 };
    assert_eq!(appender.append_padding(FAR, 8193), Err(too_long));
    assert_eq!(appender.append_padding(Position(8256), 1), Err(AppendError::NotConnected));
    let polled = reader::poll(&log, Position(0), 9, |_, _| panic!("padding was handed over"));
    assert_eq!(polled.position, Position(8256));
}

#[test]
fn a_block_is_appended_as_it_is() {
    use crate::log::testing::frame;
    let mut memory = Log::new();
    let log = memory.initialised(&properties());
    let mut appender = ExclusiveAppender::new(log.clone()).unwrap();
    let block = [frame(0, 40, 1), frame(96, 3, 2)].concat();
    assert_eq!(appender.offer_block(FAR, &block), Ok(Position(160)));
    assert_eq!(bytes(&log, 0, 0, 160), block);
    assert_eq!(log.producer_position(), Position(160));
    assert_eq!(appender.offer_block(FAR, &block), Err(OfferBlockError::FirstFrame));
    let refused = OfferBlockError::Append(AppendError::NotConnected);
    assert_eq!(appender.offer_block(Position(160), &block), Err(refused));
    for length in [0, 31, 33, 65_536] {
        let error = OfferBlockError::Length { length, remaining: 65_376 };
        assert_eq!(appender.offer_block(FAR, &vec![0; length]), Err(error));
    }
}

#[test]
fn a_block_whose_frames_do_not_end_with_it_is_refused() {
    use crate::log::testing::frame;
    let mut memory = Log::new();
    let log = memory.initialised(&properties());
    let mut appender = ExclusiveAppender::new(log.clone()).unwrap();
    for length in [0, -64, 31, 65, 10_000, i32::MAX, i32::MIN] {
        let mut block = [frame(0, 40, 1), frame(96, 3, 2), frame(160, 32, 3)].concat();
        block[96..100].copy_from_slice(&length.to_le_bytes());
        let expected = match length {
            // Leads into the last frame's payload, and from there beyond the block.
            65 => OfferBlockError::Frame { offset: 192, length: 0x0303_0303 },
            _ => OfferBlockError::Frame { offset: 96, length },
        };
        assert_eq!(appender.offer_block(FAR, &block), Err(expected));
    }
    assert_eq!((appender.position(), log.producer_position()), (Position(0), Position(0)));
}

#[test]
fn a_block_for_the_next_term_rotates_a_full_one() {
    use crate::log::testing::frame;
    let mut memory = Log::new();
    let before = properties().initial_term_id.plus(-1);
    let stated = LogProperties { initial_term_id: before, ..properties() };
    let log = memory.starting_at(&stated, before, 65_536);
    let mut appender = ExclusiveAppender::new(log).unwrap();
    assert_eq!(appender.position(), Position(65_536));
    assert_eq!(appender.offer_block(FAR, &frame(0, 40, 1)), Ok(Position(65_536 + 96)));
    assert_eq!((appender.term_id(), appender.term_offset()), (before.plus(1), 96));
}

#[test]
fn two_publishers_take_turns_in_one_log() {
    let mut memory = Log::new();
    let log = memory.initialised(&properties());
    let (one, two) = (ConcurrentAppender::new(log.clone()), ConcurrentAppender::new(log.clone()));
    let held = one.try_claim(FAR, 3).unwrap();
    two.offer(FAR, b"two").unwrap();
    assert_eq!(reader::poll(&log, Position(0), 9, |_, _| ()).fragments, 0);
    held.commit().unwrap();
    assert_eq!(reader::poll(&log, Position(0), 9, |_, _| ()).fragments, 2);
}

/// The lengths at which something changes, and any others.
fn lengths() -> impl Strategy<Value = usize> {
    prop_oneof![
        3 => prop::sample::select(&[0_usize, 1, 31, 32, 33, 1375, 1376, 1377, 2752, 2753, 8191, 8192][..]),
        2 => 0_usize..=8192,
    ]
}

#[derive(Clone, Copy, Debug)]
enum How {
    Offer,
    Vectored,
    Claim,
    Abort,
}

fn steps() -> impl Strategy<Value = Vec<(How, usize)>> {
    let how = prop::sample::select(&[How::Offer, How::Vectored, How::Claim, How::Abort][..]);
    proptest::collection::vec((how, lengths()), 1..150)
}

fn assemble(messages: &mut Vec<Vec<u8>>, payload: &[u8], header: reader::Header<'_>) {
    if header.flags() & 0x80 != 0 {
        messages.push(Vec::new());
    }
    messages.last_mut().unwrap().extend_from_slice(payload);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_is_appended_is_read_back_through_many_terms(steps in steps(), initial: i32, window in 1_i64..32_769) {
        let mut memories = [Log::new(), Log::new()];
        for (mut appender, log) in
            Either::both(&mut memories, &LogProperties { initial_term_id: TermId(initial), ..properties() })
        {
            log.metadata().set_is_connected(true);
            let mut cleaner = Cleaner::new(Position(0));
            let (mut sent, mut received) = (Vec::new(), Vec::new());
            let (mut published, mut consumed) = (Position(0), Position(0));
            for (index, (how, length)) in steps.iter().copied().enumerate() {
                let length = if matches!(how, How::Claim | How::Abort) { length.min(1376) } else { length };
                let message: Vec<u8> = (0..length).map(|byte| (byte + index * 7) as u8).collect();
                loop {
                    let limit = consumed.plus(window);
                    let result = match how {
                        How::Offer => appender.offer(limit, &message),
                        How::Vectored => {
                            let (one, rest) = message.split_at(length / 3);
                            let (two, three) = rest.split_at(rest.len() / 2);
                            appender.offer_vectored(limit, &[one, &[], two, three])
                        }
                        How::Claim => appender.try_claim(limit, length).map(|mut claim| {
                            claim.data_mut().copy_from_slice(&message);
                            claim.commit().unwrap()
                        }),
                        How::Abort => appender.try_claim(limit, length).map(|claim| claim.position()),
                    };
                    match result {
                        Ok(position) => {
                            let space = if length <= 1376 {
                                super::aligned(length + 32)
                            } else {
                                fragmented_length(length, 1376)
                            };
                            prop_assert_eq!(position, published.plus(i64::try_from(space).unwrap()));
                            prop_assert_eq!(appender.position(), position);
                            prop_assert_eq!(log.producer_position(), position);
                            published = position;
                            if !matches!(how, How::Abort) {
                                sent.push(message);
                            }
                            break;
                        }
                        Err(AppendError::AdminAction) => {
                            let terms = published.0 / i64::try_from(TERM).unwrap() + i64::from(published.0 % 65_536 != 0);
                            published = Position(terms * 65_536);
                            prop_assert_eq!(appender.position(), published);
                        }
                        Err(AppendError::BackPressured) => {
                            let polled =
                                reader::poll(&log, consumed, 7, |payload, header| assemble(&mut received, payload, header));
                            prop_assert!(polled.position > consumed && !polled.damaged);
                            consumed = polled.position;
                            while cleaner.clean_to(&log, consumed) {}
                        }
                        Err(error) => prop_assert!(false, "{error}"),
                    }
                }
            }
            while consumed < published {
                let polled =
                    reader::poll(&log, consumed, 7, |payload, header| assemble(&mut received, payload, header));
                prop_assert!(polled.position > consumed && !polled.damaged);
                consumed = polled.position;
            }
            prop_assert_eq!(consumed, published);
            prop_assert_eq!(received, sent);
        }
    }
}

proptest! {
    #[test]
    fn no_tails_make_an_appender_write_outside_its_log(
        tails: [i64; 3], count: i32, near: bool, lengths in proptest::collection::vec(0_usize..9000, 1..6), limit: i64,
    ) {
        let mut memory = Log::new();
        let log = memory.initialised(&properties());
        let initial = i64::from(properties().initial_term_id.0);
        for (partition, tail) in tails.into_iter().enumerate() {
            // Near what is right, where damage is hardest to tell: a term or two off, just past the end, misaligned.
            let close = (initial + tail.rem_euclid(5) - 1) << 32 | (65_000 + tail.rotate_left(20).rem_euclid(1000));
            log.metadata().set_raw_tail_release(partition, RawTail(if near { close } else { tail }));
        }
        log.metadata().set_active_term_count_release(if near { count.rem_euclid(4) } else { count });
        let concurrent = ConcurrentAppender::new(log.clone());
        let exclusive = ExclusiveAppender::new(log.clone());
        let limit = Position(limit);
        for length in &lengths {
            let _ = concurrent.offer(limit, &vec![1; *length]);
            let _ = concurrent.try_claim(FAR, length % 1400).map(Claim::commit);
        }
        let Ok(mut exclusive) = exclusive else { return Ok(()) };
        for length in &lengths {
            let _ = exclusive.offer(limit, &vec![1; *length]);
            let _ = exclusive.try_claim(FAR, length % 1400).map(Claim::commit);
            let _ = exclusive.append_padding(FAR, *length);
        }
    }
}

#[test]
fn the_header_of_a_lost_claim_is_left_alone() {
    let mut memories = [Log::new(), Log::new()];
    for (mut appender, log) in Either::both(&mut memories, &properties()) {
        let mut claim = appender.try_claim(FAR, 64).unwrap();
        assert!(unblock(&log, Position(0)).is_unblocked());
        let padded = bytes(&log, 0, 0, 32);
        claim.set_flags(1);
        claim.set_header_type(TYPE_DATA);
        claim.set_reserved_value(7);
        assert_eq!(bytes(&log, 0, 0, 32), padded, "readers may look at it");
        assert!(claim.commit().is_err());
    }
}

#[test]
fn an_offer_whose_closure_outlived_the_claim_leaves_the_log_alone() {
    // Of messages of one frame and of three, the claim is lost at each frame.
    for (length, at) in [(4, 0), (1376 * 3, 0), (1376 * 3, 1), (1376 * 3, 2)] {
        let mut memories = [Log::new(), Log::new()];
        for (mut appender, log) in Either::both(&mut memories, &properties()) {
            let frame_at = at * 1408;
            let mut asked = 0;
            let offered = appender.offer_with(FAR, &vec![1; length], |_| {
                if asked == at {
                    assert!(unblock(&log, Position(i64::try_from(frame_at).unwrap())).is_unblocked());
                    // What another may have made of it since.
                    log.term(0).store_i32(frame_at, -96, Ordering::Relaxed);
                }
                asked += 1;
                7
            });
            assert_eq!((offered, asked), (Err(AppendError::ClaimLost), at + 1));
            assert_eq!(log.term(0).load_i32(frame_at, Ordering::Relaxed), -96);
            assert_eq!(bytes(&log, 0, frame_at + 24, 8), [0; 8], "nor is its reserved value written");
        }
    }
}
