//! A CnC file that somebody else has written, and goes on writing: header, command ring, broadcast buffer, counters,
//! error log; and a loss report. Neither a driver, nor a client, nor a tool that looks at it may panic or leave the memory.
#![no_main]

use arbitrary::Arbitrary;
use gannet_core::broadcast::{Receiver, Transmitter};
use gannet_core::cnc::{self, Cnc, CncConfig, CncLengths};
use gannet_core::command::{Command, Response};
use gannet_core::counters::{CounterId, CounterSlot, CountersManager, CountersReader};
use gannet_core::error_log::{self, DistinctErrorLog};
use gannet_core::loss_report::{self, LossReport};
use gannet_core::ring::ManyToOneRing;
use gannet_core::sync::{AtomicBuffer, Memory, Ordering};
use gannet_core::{SessionId, StreamId};
use libfuzzer_sys::fuzz_target;

const RING: usize = 1024;
const COUNTERS: usize = 8;
const LENGTHS: CncLengths = CncLengths {
    to_driver: RING + cnc::TO_DRIVER_TRAILER_LENGTH,
    to_clients: RING + cnc::TO_CLIENTS_TRAILER_LENGTH,
    counters_metadata: COUNTERS * 512,
    counters_values: COUNTERS * 128,
    error_log: 1024,
};
const LENGTH: usize = 12 * 1024;
const LOSS_REPORT: usize = 1024;

#[derive(Arbitrary, Debug)]
struct File {
    before: Vec<Damage>,
    steps: Vec<Step>,
}

/// What a stranger writes.
#[derive(Arbitrary, Debug)]
enum Damage {
    Header {
        word: u8,
        value: i32,
    },
    Word {
        word: u16,
        value: i32,
    },
    Long {
        word: u16,
        value: i64,
    },
    /// Head and tail of the ring, and the words behind them.
    RingTrailer {
        line: u8,
        value: i64,
    },
    /// Tails of the broadcast buffer.
    BroadcastTrailer {
        word: u8,
        value: i64,
    },
    RingRecord {
        at: u16,
        length: i32,
        type_id: i32,
    },
    BroadcastRecord {
        at: u16,
        length: i32,
        type_id: i32,
    },
    Counter {
        id: u8,
        state: i8,
        label_length: i32,
    },
    Error {
        at: u8,
        length: i32,
    },
    Loss {
        word: u8,
        value: i32,
    },
}

/// What driver, clients and tools do.
#[derive(Arbitrary, Debug)]
enum Step {
    WriteCommand { type_id: i32, length: u8 },
    ClaimCommand { length: u8, commit: bool },
    ReadCommands { limit: u8 },
    Unblock { claimed_before: i64 },
    Transmit { type_id: i32, length: u8 },
    Receive,
    AllocateCounter { type_id: i32, key: u8, label: u16 },
    FreeCounter { id: i32 },
    AppendToLabel { id: i32, length: u16 },
    LookAtCounters { type_id: i32, id: i64 },
    RecordError { length: u16, same: bool },
    LookAtErrors,
    RecordLoss { session_id: i32, length: u16 },
    LookAtLosses,
    Damage(Damage),
}

fn damage(memory: &AtomicBuffer<'_>, losses: &AtomicBuffer<'_>, damage: &Damage) {
    let ring = cnc::HEADER_LENGTH;
    let broadcast = ring + LENGTHS.to_driver;
    let metadata = broadcast + LENGTHS.to_clients;
    let errors = metadata + LENGTHS.counters_metadata + LENGTHS.counters_values;
    match *damage {
        Damage::Header { word, value } => memory.store_i32(usize::from(word % 32) * 4, value, Ordering::Relaxed),
        Damage::Word { word, value } => {
            memory.store_i32(usize::from(word) % (LENGTH / 4) * 4, value, Ordering::Relaxed);
        }
        Damage::Long { word, value } => {
            memory.store_i64(usize::from(word) % (LENGTH / 8) * 8, value, Ordering::Relaxed);
        }
        Damage::RingTrailer { line, value } => {
            memory.store_i64(ring + RING + usize::from(line % 6) * 128, value, Ordering::Relaxed);
        }
        Damage::BroadcastTrailer { word, value } => {
            memory.store_i64(broadcast + RING + usize::from(word % 3) * 8, value, Ordering::Relaxed);
        }
        Damage::RingRecord { at, length, type_id } => record(memory, ring, at, length, type_id),
        Damage::BroadcastRecord { at, length, type_id } => record(memory, broadcast, at, length, type_id),
        Damage::Counter { id, state, label_length } => {
            let record = metadata + usize::from(id) % COUNTERS * 512;
            memory.store_i32(record, i32::from(state), Ordering::Relaxed);
            memory.store_i32(record + 128, label_length, Ordering::Relaxed);
        }
        Damage::Error { at, length } => {
            memory.store_i32(errors + usize::from(at) % (1024 / 8) * 8, length, Ordering::Relaxed);
        }
        Damage::Loss { word, value } => {
            losses.store_i32(usize::from(word) % (LOSS_REPORT / 4) * 4, value, Ordering::Relaxed);
        }
    }
}

fn record(memory: &AtomicBuffer<'_>, buffer: usize, at: u16, length: i32, type_id: i32) {
    let at = buffer + usize::from(at) % (RING / 8) * 8;
    memory.store_i32(at + 4, type_id, Ordering::Relaxed);
    memory.store_i32(at, length, Ordering::Relaxed);
}

fuzz_target!(|input: File| {
    let (mut words, mut loss_words) = (vec![0_u64; LENGTH / 8], vec![0_u64; LOSS_REPORT / 8]);
    let memory = AtomicBuffer::from_mut(&mut words);
    let losses = AtomicBuffer::from_mut(&mut loss_words);
    let config = CncConfig {
        lengths: LENGTHS,
        client_liveness_timeout_ns: 10_000_000_000,
        start_timestamp_ms: 1,
        pid: 2,
        file_page_size: 4096,
    };
    Cnc::initialise(memory, config).expect("sound lengths make a CnC file").publish();
    for stranger in &input.before {
        damage(&memory, &losses, stranger);
    }
    // The header may be anything by now: what it is taken for lies within the file.
    let Ok(opened) = Cnc::open(memory) else { return };
    let (metadata, values) = (opened.counters_metadata(), opened.counters_values());
    let reader = CountersReader::new(metadata, values);
    let ring = ManyToOneRing::new(opened.to_driver()).ok();
    let mut consumer = ring.as_ref().map(ManyToOneRing::consumer);
    let mut transmitter = Transmitter::new(opened.to_clients()).ok();
    let mut receiver = Receiver::new(opened.to_clients()).ok();
    let mut manager = CountersManager::new(metadata, values, vec![CounterSlot::default(); COUNTERS], 10).ok();
    let mut errors = DistinctErrorLog::new(opened.error_log());
    let mut report = LossReport::new(losses);
    let bytes = [b'e'; 0x1_0000];
    let mut scratch = vec![0; LENGTH];

    for (now_ms, step) in (1000..).zip(input.steps.iter().take(40)) {
        match step {
            Step::WriteCommand { type_id, length } => {
                let Some(ring) = &ring else { continue };
                let _ = (ring.next_correlation_id(), ring.consumer_heartbeat_ms(), ring.size());
                let _ = ring.write(*type_id, &bytes[..usize::from(*length)]);
            }
            Step::ClaimCommand { length, commit } => {
                let Some(ring) = &ring else { continue };
                if let Ok(mut claim) = ring.try_claim(1, usize::from(*length)) {
                    claim.write(0, &bytes[..usize::from(*length)]);
                    if *commit {
                        let _ = claim.commit();
                    } else {
                        // A client that is killed at this moment.
                        std::mem::forget(claim);
                    }
                }
            }
            Step::ReadCommands { limit } => {
                let Some(consumer) = &mut consumer else { continue };
                let max = consumer.ring().max_message_length();
                let read = consumer.read(usize::from(*limit), &mut scratch, |type_id, message| {
                    assert!(message.len() <= max);
                    let _ = Command::parse(type_id, message);
                });
                assert!(read <= usize::from(*limit));
            }
            Step::Unblock { claimed_before } => {
                let Some(consumer) = &mut consumer else { continue };
                consumer.unblock(*claimed_before);
            }
            Step::Transmit { type_id, length } => {
                let Some(transmitter) = &mut transmitter else { continue };
                let _ = transmitter.transmit(*type_id, &bytes[..usize::from(*length)]);
            }
            Step::Receive => {
                let Some(receiver) = &mut receiver else { continue };
                let max = receiver.max_message_length();
                let _ = receiver.receive(&mut scratch, |type_id, message| {
                    assert!(message.len() <= max);
                    let _ = Response::parse(type_id, message);
                });
            }
            Step::AllocateCounter { type_id, key, label } => {
                let Some(manager) = &mut manager else { continue };
                let (key, label) = (&bytes[..usize::from(*key)], &bytes[..usize::from(*label)]);
                if let Ok(id) = manager.allocate(*type_id, key, label, now_ms) {
                    manager.counter(id).expect("an allocated counter has a value").set(now_ms);
                }
            }
            Step::FreeCounter { id } => {
                let Some(manager) = &mut manager else { continue };
                let _ = manager.free(CounterId(*id), now_ms);
            }
            Step::AppendToLabel { id, length } => {
                reader.append_to_label(CounterId(*id), &bytes[..usize::from(*length)]);
            }
            Step::LookAtCounters { type_id, id } => {
                for record in reader.iter() {
                    assert!(record.id <= reader.max_counter_id() && record.label().len() <= 380);
                    let _ = record.to_string();
                }
                let _ =
                    (reader.find_by_type_and_registration(*type_id, *id), reader.find_by_type_and_key(*type_id, *id));
                let _ = (reader.record(CounterId(*type_id)), reader.key(CounterId(*type_id)));
            }
            Step::RecordError { length, same } => {
                let text = "e".repeat(usize::from(*length)) + if *same { "" } else { "x" };
                let _ = errors.record(&text, now_ms);
            }
            Step::LookAtErrors => {
                for entry in error_log::entries(&opened.error_log()) {
                    assert!(entry.text(&mut scratch).len() <= opened.config().lengths.error_log);
                    let _ = (entry.observation_count(), entry.first_observation_ms(), entry.last_observation_ms());
                }
            }
            Step::RecordLoss { session_id, length } => {
                let channel = &bytes[..usize::from(*length)];
                let (session_id, stream_id) = (SessionId(*session_id), StreamId(1));
                if let Some(entry) = report.create(1, now_ms, session_id, stream_id, channel, b"source") {
                    report.record(entry, 32, now_ms);
                }
            }
            Step::LookAtLosses => {
                for loss in loss_report::losses(&losses) {
                    let _ = (loss.channel(&mut scratch).len(), loss.source(&mut scratch).len());
                    let _ = (loss.observation_count(), loss.total_bytes_lost(), loss.session_id(), loss.stream_id());
                }
            }
            Step::Damage(stranger) => damage(&memory, &losses, stranger),
        }
    }
});
