//! Fragments as a log would have them, put together again.

use gannet_core::log::frame_descriptor::{BEGIN_FLAG, END_FLAG, FLAGS, FRAME_LENGTH, SESSION_ID, TERM_OFFSET, aligned};
use gannet_core::log::{HEADER_LENGTH, Header};
use gannet_core::position::{Position, TermId, TermLength};
use proptest::prelude::*;

use super::*;

const MAX_PAYLOAD: usize = 64;

/// One frame as it would lie in a log.
#[derive(Clone)]
struct Fragment {
    header: [u8; HEADER_LENGTH],
    payload: Vec<u8>,
}

impl Fragment {
    fn new(session: i32, term_offset: usize, flags: u8, payload: &[u8]) -> Fragment {
        let mut header = [0; HEADER_LENGTH];
        let length = u32::try_from(HEADER_LENGTH + payload.len()).unwrap();
        header[FRAME_LENGTH..FRAME_LENGTH + 4].copy_from_slice(&length.to_le_bytes());
        header[FLAGS] = flags;
        let offset = i32::try_from(term_offset).unwrap();
        header[TERM_OFFSET..TERM_OFFSET + 4].copy_from_slice(&offset.to_le_bytes());
        header[SESSION_ID..SESSION_ID + 4].copy_from_slice(&session.to_le_bytes());
        Fragment { header, payload: payload.to_vec() }
    }

    fn header(&self) -> Header<'_> {
        Header::new(&self.header, TermId(0), TermLength::MIN)
    }
}

/// The frames of a message, and the offset behind them.
fn fragments(session: i32, term_offset: usize, message: &[u8]) -> (Vec<Fragment>, usize) {
    if message.len() <= MAX_PAYLOAD {
        let fragment = Fragment::new(session, term_offset, BEGIN_FLAG | END_FLAG, message);
        return (vec![fragment], term_offset + aligned(HEADER_LENGTH + message.len()));
    }
    let chunks: Vec<&[u8]> = message.chunks(MAX_PAYLOAD).collect();
    let mut offset = term_offset;
    let mut frames = Vec::new();
    for (index, chunk) in chunks.iter().enumerate() {
        let begin = if index == 0 { BEGIN_FLAG } else { 0 };
        let end = if index + 1 == chunks.len() { END_FLAG } else { 0 };
        frames.push(Fragment::new(session, offset, begin | end, chunk));
        offset += aligned(HEADER_LENGTH + chunk.len());
    }
    (frames, offset)
}

fn assembled(frames: &[Fragment]) -> Vec<Vec<u8>> {
    let mut assembler = FragmentAssembler::new();
    let mut messages = Vec::new();
    let mut handler = assembler.assemble(|message, _| messages.push(message.to_vec()));
    for frame in frames {
        handler(&frame.payload, frame.header());
    }
    drop(handler);
    messages
}

#[test]
fn an_assembled_message_has_the_header_of_a_whole_one() {
    let message = [7; 3 * MAX_PAYLOAD + 1];
    let (frames, end) = fragments(5, 96, &message);
    let mut assembler = FragmentAssembler::new();
    let mut calls = 0;
    let mut handler = assembler.assemble(|payload, header| {
        calls += 1;
        assert_eq!(payload, message);
        assert_eq!(header.flags(), BEGIN_FLAG | END_FLAG);
        assert_eq!(header.frame_length(), i32::try_from(HEADER_LENGTH + message.len()).unwrap());
        assert_eq!(header.term_offset(), 96);
        assert_eq!(header.position(), Position(i64::try_from(end).unwrap()));
    });
    for frame in &frames {
        handler(&frame.payload, frame.header());
    }
    drop(handler);
    assert_eq!(calls, 1);
}

#[test]
fn a_message_whose_beginning_was_missed_is_left_out() {
    let (frames, end) = fragments(5, 0, &[1; 200]);
    let (next, _) = fragments(5, end, &[2; 100]);
    assert_eq!(assembled(&[&frames[1..], &next].concat()), [vec![2; 100]]);
}

#[test]
fn a_message_with_a_part_missing_is_left_out() {
    let (mut frames, end) = fragments(5, 0, &[1; 200]);
    frames.remove(1);
    let (next, _) = fragments(5, end, &[2; 100]);
    assert_eq!(assembled(&[frames, next].concat()), [vec![2; 100]]);
}

#[test]
fn sessions_do_not_get_in_each_others_way() {
    let (one, _) = fragments(1, 0, &[1; 130]);
    let (two, _) = fragments(2, 0, &[2; 130]);
    let mixed: Vec<Fragment> = one.into_iter().zip(two).flat_map(|(one, two)| [one, two]).collect();
    assert_eq!(assembled(&mixed), [vec![1; 130], vec![2; 130]]);
}

#[test]
fn a_session_that_is_freed_leaves_the_others_as_they_are() {
    let sent: Vec<(Vec<Fragment>, Vec<u8>)> = [4, -7, 9, 1]
        .into_iter()
        .map(|session| {
            let message = vec![u8::try_from(session & 0xFF).unwrap(); 130];
            (fragments(session, 0, &message).0, message)
        })
        .collect();
    let mut assembler = FragmentAssembler::new();
    let mut messages = Vec::new();
    for (frames, _) in &sent {
        assembler.assemble(|message, _| messages.push(message.to_vec()))(&frames[0].payload, frames[0].header());
    }
    // The one that the last fragment was of stands behind the freed one.
    assert!(assembler.free_session(SessionId(-7)));
    assert!(!assembler.free_session(SessionId(-7)));
    for (frames, _) in sent.iter().rev() {
        for frame in &frames[1..] {
            assembler.assemble(|message, _| messages.push(message.to_vec()))(&frame.payload, frame.header());
        }
    }
    let expected: Vec<&Vec<u8>> = [3, 2, 0].map(|index| &sent[index].1).into();
    assert_eq!(messages.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_message_begun_anew_replaces_the_one_begun_before() {
    let (broken_off, end) = fragments(5, 0, &[1; 200]);
    let (next, _) = fragments(5, end, &[2; 100]);
    assert_eq!(assembled(&[&broken_off[..2], &next].concat()), [vec![2; 100]]);
}

#[test]
fn a_message_is_as_long_as_a_publisher_may_make_it_and_not_longer() {
    let max = TermLength::MIN.max_message_length();
    let (longest, end) = fragments(5, 0, &vec![1; max]);
    let (too_long, _) = fragments(5, end, &vec![2; max + 1]);
    assert_eq!(assembled(&[longest, too_long].concat()), [vec![1; max]]);
}

#[test]
fn an_aborted_message_comes_again_whole() {
    let (frames, _) = fragments(5, 0, &[3; 200]);
    let mut assembler = ControlledFragmentAssembler::new();
    let mut seen = Vec::new();
    let mut abort = true;
    let mut handler = assembler.assemble(|message, _| {
        seen.push(message.to_vec());
        if std::mem::take(&mut abort) { Action::Abort } else { Action::Commit }
    });
    let (last, before) = frames.split_last().unwrap();
    for frame in before {
        assert_eq!(handler(&frame.payload, frame.header()), Action::Continue);
    }
    assert_eq!(handler(&last.payload, last.header()), Action::Abort);
    assert_eq!(handler(&last.payload, last.header()), Action::Commit);
    drop(handler);
    assert_eq!(seen, [vec![3; 200], vec![3; 200]]);
}

#[test]
fn fragments_without_end_take_no_more_memory_than_a_message_may() {
    let max = TermLength::MIN.max_message_length();
    let payload = vec![0; 1024];
    let mut assembler = ImageFragmentAssembler::new();
    let mut offset = 0;
    for index in 0..2 * max / payload.len() {
        let flags = if index == 0 { BEGIN_FLAG } else { 0 };
        let frame = Fragment::new(1, offset, flags, &payload);
        offset += aligned(HEADER_LENGTH + payload.len());
        assembler.assemble(|_, _| panic!("no end was seen"))(&frame.payload, frame.header());
    }
    assert!(assembler.builder.capacity() <= max, "{}", assembler.builder.capacity());
}

proptest! {
    #[test]
    fn messages_come_out_as_they_were_cut_up(
        messages in prop::collection::vec((0_i32..3, prop::collection::vec(any::<u8>(), 0..400)), 1..20),
    ) {
        let mut offsets = [0; 3];
        let mut frames = Vec::new();
        for (session, message) in &messages {
            let slot = &mut offsets[usize::try_from(*session).unwrap()];
            let (more, end) = fragments(*session, *slot, message);
            *slot = end;
            frames.extend(more);
        }
        let expected: Vec<Vec<u8>> = messages.into_iter().map(|(_, message)| message).collect();
        prop_assert_eq!(assembled(&frames), expected);
    }

    #[test]
    fn a_lost_fragment_never_makes_a_message_that_was_not_sent(
        lengths in prop::collection::vec(0_usize..400, 1..12), lost in any::<prop::sample::Index>(),
    ) {
        let mut offset = 0;
        let mut frames = Vec::new();
        let mut sent = Vec::new();
        for (index, length) in lengths.into_iter().enumerate() {
            let message = vec![u8::try_from(index).unwrap(); length];
            let (more, end) = fragments(1, offset, &message);
            offset = end;
            frames.extend(more);
            sent.push(message);
        }
        frames.remove(lost.index(frames.len()));
        let received = assembled(&frames);
        prop_assert!(received.len() + 1 >= sent.len());
        prop_assert!(received.iter().all(|message| sent.contains(message)));
    }
}

#[test]
fn a_message_comes_again_after_a_panic_in_its_handler() {
    let message: Vec<u8> = (0..250).collect();
    let (frames, _) = fragments(5, 32, &message);
    // The poll that panicked began at any of its fragments.
    for again in 0..frames.len() {
        let mut assembler = FragmentAssembler::new();
        let mut messages = Vec::new();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut handler = assembler.assemble(|_, _| panic!("as the test wants it"));
            frames.iter().for_each(|frame| handler(&frame.payload, frame.header()));
        }));
        assert!(panicked.is_err());
        let mut handler = assembler.assemble(|message, _| messages.push(message.to_vec()));
        frames[again..].iter().for_each(|frame| handler(&frame.payload, frame.header()));
        drop(handler);
        assert_eq!(messages, std::slice::from_ref(&message));
    }
}

#[test]
fn a_fragment_at_the_same_place_of_another_term_does_not_come_again() {
    let (frames, _) = fragments(5, 32, &[1; 200]);
    let mut assembler = FragmentAssembler::new();
    let mut handler = assembler.assemble(|message, _| panic!("{} bytes of two messages", message.len()));
    handler(&frames[0].payload, frames[0].header());
    handler(&frames[1].payload, frames[1].header());
    for frame in &mut frames[1..].to_vec() {
        frame.header[20..24].copy_from_slice(&1_i32.to_le_bytes());
        handler(&frame.payload, frame.header());
    }
}
