//! What a CnC file says at one moment, read with plain file reads. `[any]`
//!
//! Written from cnc.md on its own, so that it can disagree with `gannet-core`. It reads words that a driver may be
//! writing: a test that looks at a moving value looks again.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

const HEADER_LENGTH: usize = 128;
const VALUE_LENGTH: usize = 128;
const METADATA_LENGTH: usize = 512;
const RING_TRAILER_LENGTH: usize = 768;
const ALLOCATED: i32 = 1;
const UNUSED: i32 = 0;

/// A published CnC file.
#[derive(Clone, Debug)]
pub struct CncSnapshot {
    /// Semantic version of the layout.
    pub version: i32,
    /// Lengths of the five buffers, in file order: to-driver, to-clients, metadata, values, error log.
    pub lengths: [usize; 5],
    /// In nanoseconds.
    pub client_liveness_timeout_ns: i64,
    /// In epoch milliseconds.
    pub start_timestamp_ms: i64,
    /// Of the driver.
    pub pid: i64,
    /// In bytes.
    pub file_page_size: i32,
    /// The driver's heartbeat in epoch milliseconds; −1 once it closed.
    pub heartbeat_ms: i64,
    /// The next correlation id that a client would get.
    pub next_correlation_id: i64,
    /// Where the driver reads in the command ring.
    pub consumer_position: i64,
    /// Where clients write in the command ring.
    pub producer_position: i64,
    /// Counters that are allocated now.
    pub counters: Vec<CounterSnapshot>,
    /// The distinct error log.
    pub errors: Vec<ErrorSnapshot>,
    /// Length of the file in bytes.
    pub file_length: usize,
}

/// One allocated counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterSnapshot {
    /// Its index.
    pub id: i32,
    /// See cnc.md §4.
    pub type_id: i32,
    /// All 112 bytes.
    pub key: Vec<u8>,
    /// Its label.
    pub label: String,
    /// Its value.
    pub value: i64,
    /// Of the command that made it.
    pub registration_id: i64,
    /// The client that owns it.
    pub owner_id: i64,
    /// What it refers to.
    pub reference_id: i64,
}

impl CounterSnapshot {
    /// The stream id in a stream counter's key.
    #[must_use]
    pub fn stream_id(&self) -> i32 {
        i32_at(&self.key, 12)
    }

    /// The session id in a stream counter's key.
    #[must_use]
    pub fn session_id(&self) -> i32 {
        i32_at(&self.key, 8)
    }
}

/// One entry of the error log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorSnapshot {
    /// How often it was observed.
    pub observation_count: i32,
    /// First time, in epoch milliseconds.
    pub first_ms: i64,
    /// Last time, in epoch milliseconds.
    pub last_ms: i64,
    /// What it says.
    pub text: String,
}

impl CncSnapshot {
    /// Reads the CnC file of a directory; nothing when there is none or it is not published yet.
    #[must_use]
    pub fn read(directory: &Path) -> Option<Self> {
        let file = fs::File::open(directory.join("cnc.dat")).ok()?;
        let file_length = usize::try_from(file.metadata().ok()?.len()).ok()?;
        let mut header = [0; HEADER_LENGTH];
        file.read_exact_at(&mut header, 0).ok()?;
        let version = i32_at(&header, 0);
        if version == 0 {
            return None;
        }
        let mut lengths = [0; 5];
        for (index, length) in lengths.iter_mut().enumerate() {
            *length = usize::try_from(i32_at(&header, 4 + 4 * index)).ok()?;
        }
        let buffer = |index: usize, from: usize, length: usize| {
            let start = HEADER_LENGTH + lengths[..index].iter().sum::<usize>() + from;
            let mut bytes = vec![0; length];
            file.read_exact_at(&mut bytes, start as u64).ok().map(|()| bytes)
        };
        let trailer = buffer(0, lengths[0].checked_sub(RING_TRAILER_LENGTH)?, RING_TRAILER_LENGTH)?;
        let mut counters = Vec::new();
        for id in 0..lengths[3] / VALUE_LENGTH {
            let metadata = buffer(2, id * METADATA_LENGTH, METADATA_LENGTH)?;
            match i32_at(&metadata, 0) {
                ALLOCATED => counters.push(counter(id, &metadata, &buffer(3, id * VALUE_LENGTH, VALUE_LENGTH)?)),
                UNUSED => break,
                _ => {}
            }
        }
        Some(CncSnapshot {
            version,
            lengths,
            client_liveness_timeout_ns: i64_at(&header, 24),
            start_timestamp_ms: i64_at(&header, 32),
            pid: i64_at(&header, 40),
            file_page_size: i32_at(&header, 48),
            heartbeat_ms: i64_at(&trailer, 640),
            next_correlation_id: i64_at(&trailer, 512),
            producer_position: i64_at(&trailer, 128),
            consumer_position: i64_at(&trailer, 384),
            counters,
            errors: errors(&buffer(4, 0, lengths[4])?),
            file_length,
        })
    }

    /// The allocated counter of an id.
    #[must_use]
    pub fn counter(&self, id: i32) -> Option<&CounterSnapshot> {
        self.counters.iter().find(|counter| counter.id == id)
    }

    /// The allocated counters of a type.
    pub fn counters_of(&self, type_id: i32) -> impl Iterator<Item = &CounterSnapshot> {
        self.counters.iter().filter(move |counter| counter.type_id == type_id)
    }
}

fn counter(id: usize, metadata: &[u8], value: &[u8]) -> CounterSnapshot {
    let length = usize::try_from(i32_at(metadata, 128)).unwrap_or(0).min(380);
    CounterSnapshot {
        id: i32::try_from(id).expect("a counter id is an i32"),
        type_id: i32_at(metadata, 4),
        key: metadata[16..128].to_vec(),
        label: String::from_utf8_lossy(&metadata[132..132 + length]).into_owned(),
        value: i64_at(value, 0),
        registration_id: i64_at(value, 8),
        owner_id: i64_at(value, 16),
        reference_id: i64_at(value, 24),
    }
}

fn errors(log: &[u8]) -> Vec<ErrorSnapshot> {
    let mut entries = Vec::new();
    let mut offset = 0;
    while offset + 24 <= log.len() {
        let length = usize::try_from(i32_at(log, offset)).unwrap_or(0);
        if length < 24 || offset + length > log.len() {
            break;
        }
        entries.push(ErrorSnapshot {
            observation_count: i32_at(log, offset + 4),
            last_ms: i64_at(log, offset + 8),
            first_ms: i64_at(log, offset + 16),
            text: String::from_utf8_lossy(&log[offset + 24..offset + length]).into_owned(),
        });
        offset += length.next_multiple_of(8);
    }
    entries
}

/// The little-endian word at an offset.
///
/// # Panics
/// When it lies outside.
#[must_use]
pub fn i32_at(bytes: &[u8], offset: usize) -> i32 {
    i32::from_le_bytes(bytes[offset..offset + 4].try_into().expect("four bytes"))
}

/// The little-endian word at an offset.
///
/// # Panics
/// When it lies outside.
#[must_use]
pub fn i64_at(bytes: &[u8], offset: usize) -> i64 {
    i64::from_le_bytes(bytes[offset..offset + 8].try_into().expect("eight bytes"))
}
