//! A log buffer that somebody else has written, and goes on writing: metadata, tails, frames. Opening it, reading it,
//! publishing into it and what the driver does to it must neither panic nor leave the memory.
#![no_main]

use arbitrary::Arbitrary;
use gannet_core::log::appender::{ConcurrentAppender, ExclusiveAppender};
use gannet_core::log::{Action, Cleaner, LogBuffers, LogProperties, METADATA_LENGTH};
use gannet_core::log::{gap_filler, gap_scanner, reader, rebuilder, scanner, unblocker};
use gannet_core::sync::{AtomicBuffer, Memory, Ordering};
use gannet_core::{Position, SessionId, StreamId, TermId, TermLength};
use libfuzzer_sys::fuzz_target;

const TERM: usize = TermLength::MIN.as_usize();
const LENGTH: usize = 3 * TERM + METADATA_LENGTH;

#[derive(Arbitrary, Debug)]
struct Log {
    initial_term_id: i32,
    start_term: u8,
    start_offset: u16,
    before: Vec<Damage>,
    after: Vec<Damage>,
    steps: Vec<Step>,
}

/// What a stranger writes.
#[derive(Arbitrary, Debug)]
enum Damage {
    Metadata { word: u16, value: i32 },
    Tail { partition: u8, term: i8, offset: i32 },
    TermCount(i32),
    Frame { partition: u8, frame: u16, length: i32, is_padding: bool },
    Chain { partition: u8, frame: u16, lengths: Vec<u16> },
}

/// What we do.
#[derive(Arbitrary, Debug)]
enum Step {
    Poll { position: Place, limit: u8 },
    ControlledPoll { position: Place, actions: [u8; 4] },
    BoundedPoll { position: Place, bound: Place },
    BlockPoll { position: Place, limit: u32 },
    Offer { limit: Place, length: u16 },
    OfferInPieces { limit: Place, lengths: [u8; 3] },
    Claim { limit: Place, length: u16, commit: bool },
    OfferExclusively { limit: Place, lengths: [u16; 3] },
    PadExclusively { limit: Place, length: u16 },
    Unblock(Place),
    Clean { from: Place, to: Place },
    Scan { partition: u8, offset: u32, max_length: u32 },
    FillGap { partition: u8, offset: u32, limit: u32 },
    Insert { partition: u8, offset: u32, frames: Vec<u8> },
    Damage(Damage),
}

/// A position: near the log's beginning, or anywhere.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Place {
    Near { terms: u8, offset: u16 },
    Far(i64),
}

impl Place {
    fn position(self) -> Position {
        match self {
            Place::Near { terms, offset } => Position(i64::from(terms % 8) * TERM as i64 + i64::from(offset)),
            Place::Far(position) => Position(position),
        }
    }
}

type Words<'a> = AtomicBuffer<'a>;

fn damage(memory: &Words<'_>, initial: i32, damage: &Damage) {
    let metadata = LENGTH - METADATA_LENGTH;
    match damage {
        Damage::Metadata { word, value } => {
            memory.store_i32(metadata + usize::from(*word) % (METADATA_LENGTH / 4) * 4, *value, Ordering::Relaxed);
        }
        Damage::Tail { partition, term, offset } => {
            let tail = i64::from(initial.wrapping_add(i32::from(*term))) << 32 | i64::from(offset.cast_unsigned());
            memory.store_i64(metadata + usize::from(partition % 3) * 8, tail, Ordering::Relaxed);
        }
        Damage::TermCount(count) => memory.store_i32(metadata + 24, *count, Ordering::Relaxed),
        Damage::Frame { partition, frame, length, is_padding } => {
            let at = usize::from(partition % 3) * TERM + usize::from(*frame) % (TERM / 32) * 32;
            memory.store_i32(at + 4, i32::from(!is_padding) << 16, Ordering::Relaxed);
            memory.store_i32(at, *length, Ordering::Relaxed);
        }
        Damage::Chain { partition, frame, lengths } => {
            let mut at = usize::from(*frame) % (TERM / 32) * 32;
            for length in lengths {
                if at >= TERM {
                    break;
                }
                let begin = usize::from(partition % 3) * TERM + at;
                memory.store_i32(begin + 4, 1 << 16, Ordering::Relaxed);
                memory.store_i32(begin, i32::from(*length), Ordering::Relaxed);
                at += (usize::from(*length).max(1) + 31) & !31;
            }
        }
    }
}

/// A poll goes on within one term, in whole frames, and never back.
fn check(before: Position, polled: reader::Polled) {
    let begin = before.0 & !31;
    assert!(polled.position.0 & 31 == 0 && polled.position.0.wrapping_sub(begin) >= 0);
    let end_of_term = (begin & !(TERM as i64 - 1)).wrapping_add(TERM as i64);
    assert!(end_of_term.wrapping_sub(polled.position.0) >= 0);
}

fn step(memory: &Words<'_>, log: &LogBuffers<Words<'_>>, initial: i32, step: &Step) {
    let message = [0xA5; 0x1_0000];
    let max_payload = log.mtu_length();
    match step {
        Step::Poll { position, limit } => {
            let position = position.position();
            let read = |payload: &[u8], header: reader::Header<'_>| {
                assert_eq!(payload.len() + 32, header.frame_length() as usize);
                let _ = (header.position(), header.session_id(), header.flags(), header.reserved_value());
            };
            check(position, reader::poll(log, position, usize::from(*limit), read));
        }
        Step::ControlledPoll { position, actions } => {
            let position = position.position();
            let mut actions = actions.iter().cycle();
            let act = |_: &[u8], _: reader::Header<'_>| match actions.next().map_or(0, |action| action % 4) {
                0 => Action::Continue,
                1 => Action::Commit,
                2 => Action::Break,
                _ => Action::Abort,
            };
            let mut last = Position(i64::MIN);
            let polled = reader::controlled_poll(log, position, 10, act, |committed| {
                assert!(committed > last || last.0 == i64::MIN);
                last = committed;
            });
            check(position, polled);
        }
        Step::BoundedPoll { position, bound } => {
            let position = position.position();
            check(position, reader::bounded_poll(log, position, bound.position(), 10, |_, _| ()));
        }
        Step::BlockPoll { position, limit } => {
            let position = position.position();
            let limit = *limit as usize;
            check(position, reader::block_poll(log, position, limit, |block, _| assert!(block.len() <= TERM)));
        }
        Step::Offer { limit, length } => {
            let publication = ConcurrentAppender::new(log.clone());
            let _ = publication.offer(limit.position(), &message[..usize::from(*length)]);
        }
        Step::OfferInPieces { limit, lengths } => {
            let pieces = lengths.map(|length| &message[..usize::from(length) * 64]);
            let _ = ConcurrentAppender::new(log.clone()).offer_vectored(limit.position(), &pieces);
        }
        Step::Claim { limit, length, commit } => {
            let publication = ConcurrentAppender::new(log.clone());
            if let Ok(mut claim) = publication.try_claim(limit.position(), usize::from(*length)) {
                assert!(claim.len() <= max_payload);
                claim.data_mut().fill(7);
                if *commit {
                    claim.commit().expect("nobody took the claim");
                }
            }
        }
        Step::OfferExclusively { limit, lengths } => {
            if let Ok(mut publication) = ExclusiveAppender::new(log.clone()) {
                for length in lengths {
                    let _ = publication.offer(limit.position(), &message[..usize::from(*length)]);
                }
                if let Ok(claim) = publication.try_claim(limit.position(), usize::from(lengths[0])) {
                    claim.abort();
                }
            }
        }
        Step::PadExclusively { limit, length } => {
            if let Ok(mut publication) = ExclusiveAppender::new(log.clone()) {
                let _ = publication.append_padding(limit.position(), usize::from(*length));
            }
        }
        Step::Unblock(position) => {
            let _ = unblocker::unblock(log, position.position());
        }
        Step::Clean { from, to } => {
            // The driver's own positions: never negative.
            let from = Position(from.position().0 & (i64::MAX >> 1));
            let mut cleaner = Cleaner::new(from);
            cleaner.clean_to(log, to.position());
        }
        Step::Scan { partition, offset, max_length } => {
            let partition = usize::from(partition % 3);
            let _ = scanner::scan_for_availability(log, partition, *offset as usize, *max_length as usize);
        }
        Step::FillGap { partition, offset, limit } => {
            let partition = usize::from(partition % 3);
            let scan = gap_scanner::scan_for_gap(log, partition, *offset as usize, *limit as usize);
            if let Some(gap) = scan.gap {
                assert!(gap.length > 0 && gap.offset + gap.length <= TERM);
                gap_filler::try_fill_gap(log, partition, TermId(initial), gap);
            }
        }
        Step::Insert { partition, offset, frames } => {
            rebuilder::insert(log, usize::from(partition % 3), *offset as usize, frames);
        }
        Step::Damage(stranger) => damage(memory, initial, stranger),
    }
}

fuzz_target!(|input: Log| {
    let mut words = vec![0_u64; LENGTH / 8];
    let memory = AtomicBuffer::from_mut(&mut words);
    let initial = input.initial_term_id;
    let properties = LogProperties::ipc(1, SessionId(2), StreamId(3), TermId(initial), TermLength::MIN);
    let start = (TermId(initial.wrapping_add(i32::from(input.start_term))), i32::from(input.start_offset) & !31);
    // SAFETY: one thread has the words, and keeps nothing that it was lent over a step.
    unsafe { LogBuffers::initialise(&memory, &properties, Some(start)) }.expect("sound properties make a log");
    for stranger in &input.before {
        damage(&memory, initial, stranger);
    }
    // SAFETY: as above.
    let Ok(log) = (unsafe { LogBuffers::open(&memory) }) else { return };
    for stranger in &input.after {
        damage(&memory, initial, stranger);
    }
    let _ = (log.properties(), log.producer_position(), log.max_message_length());
    let metadata = log.metadata();
    let _ = (metadata.end_of_stream_position(), metadata.is_connected(), metadata.is_publication_revoked());
    for one in input.steps.iter().take(32) {
        step(&memory, &log, initial, one);
    }
});
