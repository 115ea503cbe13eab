//! The CnC ("command and control") file: a header, and the buffers through which clients and driver speak. `[any]`
//!
//! Mirrors `aeron_cnc_file_descriptor.h` and `CncFileDescriptor.java`; cnc.md §1. Creating and mapping the file is
//! `gannet-transport-ipc`'s.
//!
//! ```text
//!    0 cnc_version                i32   released last: 0 means not ready
//!    4 to_driver_buffer_length    i32
//!    8 to_clients_buffer_length   i32
//!   12 counters_metadata_length   i32
//!   16 counters_values_length     i32
//!   20 error_log_buffer_length    i32
//!   24 client_liveness_timeout    i64   ns
//!   32 start_timestamp            i64   ms since the epoch
//!   40 pid                        i64
//!   48 file_page_size             i32
//!   52 zero
//!  128 to-driver ring, to-clients broadcast, counters metadata, counters values, error log
//! ```

use core::fmt;

use crate::position::align;
use crate::sync::{Memory, Ordering};

/// Where the first buffer begins.
pub const HEADER_LENGTH: usize = 128;
/// The layout's version, `major << 16 | minor << 8 | patch`: 0.2.0.
pub const VERSION: i32 = semantic_version(0, 2, 0);
/// Trailer of the to-driver ring, after its power of two.
pub const TO_DRIVER_TRAILER_LENGTH: usize = 768;
/// Trailer of the to-clients broadcast buffer, after its power of two.
pub const TO_CLIENTS_TRAILER_LENGTH: usize = 128;
/// Metadata bytes for each byte of counter values: a record of 512 bytes for one of 128.
pub const METADATA_PER_VALUE: usize = 4;

const VERSION_OFFSET: usize = 0;
const TO_DRIVER_LENGTH_OFFSET: usize = 4;
const TO_CLIENTS_LENGTH_OFFSET: usize = 8;
const COUNTERS_METADATA_LENGTH_OFFSET: usize = 12;
const COUNTERS_VALUES_LENGTH_OFFSET: usize = 16;
const ERROR_LOG_LENGTH_OFFSET: usize = 20;
const CLIENT_LIVENESS_TIMEOUT_OFFSET: usize = 24;
const START_TIMESTAMP_OFFSET: usize = 32;
const PID_OFFSET: usize = 40;
const FILE_PAGE_SIZE_OFFSET: usize = 48;

const _: () = assert!(FILE_PAGE_SIZE_OFFSET + 4 <= HEADER_LENGTH && HEADER_LENGTH.is_multiple_of(64));
const _: () = assert!(CLIENT_LIVENESS_TIMEOUT_OFFSET.is_multiple_of(8) && PID_OFFSET.is_multiple_of(8));
const _: () = assert!(TO_DRIVER_TRAILER_LENGTH == crate::ring::TRAILER_LENGTH);
const _: () = assert!(TO_CLIENTS_TRAILER_LENGTH == crate::broadcast::TRAILER_LENGTH);

/// Packs a version as Aeron does.
#[must_use]
pub const fn semantic_version(major: u8, minor: u8, patch: u8) -> i32 {
    ((major as i32) << 16) | ((minor as i32) << 8) | patch as i32
}

/// The major part of a packed version.
#[must_use]
pub const fn major(version: i32) -> i32 {
    (version >> 16) & 0xFF
}

/// Lengths of the five buffers in bytes, trailers included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CncLengths {
    /// The ring in which clients command the driver: a power of two and [`TO_DRIVER_TRAILER_LENGTH`].
    pub to_driver: usize,
    /// The broadcast buffer in which the driver answers: a power of two and [`TO_CLIENTS_TRAILER_LENGTH`].
    pub to_clients: usize,
    /// Counter metadata: at least [`METADATA_PER_VALUE`] times the values.
    pub counters_metadata: usize,
    /// Counter values.
    pub counters_values: usize,
    /// The distinct error log.
    pub error_log: usize,
}

impl CncLengths {
    /// Aeron's defaults: a ring of 1 MiB, a broadcast buffer of 1 MiB, 8 MiB of counters, 4 MiB of errors.
    pub const DEFAULT: CncLengths = CncLengths {
        to_driver: (1 << 20) + TO_DRIVER_TRAILER_LENGTH,
        to_clients: (1 << 20) + TO_CLIENTS_TRAILER_LENGTH,
        counters_metadata: (8 << 20) * METADATA_PER_VALUE,
        counters_values: 8 << 20,
        error_log: 4 << 20,
    };

    /// Header and buffers in bytes, before alignment to pages.
    #[must_use]
    pub const fn total(&self) -> usize {
        HEADER_LENGTH
            .saturating_add(self.to_driver)
            .saturating_add(self.to_clients)
            .saturating_add(self.counters_metadata)
            .saturating_add(self.counters_values)
            .saturating_add(self.error_log)
    }

    /// Length of the file in bytes for pages of `page_size` bytes, a power of two.
    #[must_use]
    pub const fn file_length(&self, page_size: usize) -> usize {
        align(self.total(), page_size)
    }

    fn fields(&self) -> [(&'static str, usize, usize); 5] {
        [
            ("to-driver buffer", TO_DRIVER_LENGTH_OFFSET, self.to_driver),
            ("to-clients buffer", TO_CLIENTS_LENGTH_OFFSET, self.to_clients),
            ("counters metadata", COUNTERS_METADATA_LENGTH_OFFSET, self.counters_metadata),
            ("counters values", COUNTERS_VALUES_LENGTH_OFFSET, self.counters_values),
            ("error log", ERROR_LOG_LENGTH_OFFSET, self.error_log),
        ]
    }

    fn validate(&self, memory_length: usize) -> Result<(), CncError> {
        for (field, _, length) in self.fields() {
            if i32::try_from(length).is_err() {
                return Err(CncError::Length { field, length: i64::try_from(length).unwrap_or(i64::MAX) });
            }
        }
        let ring = self.to_driver.checked_sub(TO_DRIVER_TRAILER_LENGTH);
        if !ring.is_some_and(usize::is_power_of_two) {
            return Err(CncError::NotPowerOfTwo {
                field: "to-driver buffer",
                length: self.to_driver,
                trailer: TO_DRIVER_TRAILER_LENGTH,
            });
        }
        let broadcast = self.to_clients.checked_sub(TO_CLIENTS_TRAILER_LENGTH);
        if !broadcast.is_some_and(usize::is_power_of_two) {
            return Err(CncError::NotPowerOfTwo {
                field: "to-clients buffer",
                length: self.to_clients,
                trailer: TO_CLIENTS_TRAILER_LENGTH,
            });
        }
        // Buffers follow one another, and their words are of eight bytes: all but the last.
        for (field, _, length) in &self.fields()[..4] {
            let (field, length) = (*field, *length);
            if !length.is_multiple_of(8) {
                return Err(CncError::Length { field, length: i64::try_from(length).unwrap_or(i64::MAX) });
            }
        }
        if self.total() > memory_length {
            return Err(CncError::TooShort { length: memory_length, needed: self.total() });
        }
        Ok(())
    }
}

/// What a driver writes into the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CncConfig {
    /// The buffers.
    pub lengths: CncLengths,
    /// How long a client may stay silent, in nanoseconds.
    pub client_liveness_timeout_ns: i64,
    /// When the driver started, in milliseconds since the epoch.
    pub start_timestamp_ms: i64,
    /// The driver's process.
    pub pid: i64,
    /// Page size of the files that the driver makes, in bytes.
    pub file_page_size: i32,
}

/// Why a memory is no usable CnC file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CncError {
    /// The version is 0: its driver has not finished it. Try again.
    NotReady,
    /// Another major version.
    IncompatibleVersion {
        /// As it stands in the file.
        version: i32,
    },
    /// Shorter than its header says, or than a header.
    TooShort {
        /// Of the memory, in bytes.
        length: usize,
        /// In bytes.
        needed: usize,
    },
    /// A buffer's length is negative, over `i32::MAX`, or no multiple of 8.
    Length {
        /// Which buffer.
        field: &'static str,
        /// In bytes.
        length: i64,
    },
    /// A buffer's length is not a power of two and its trailer.
    NotPowerOfTwo {
        /// Which buffer.
        field: &'static str,
        /// In bytes.
        length: usize,
        /// In bytes.
        trailer: usize,
    },
}

impl fmt::Display for CncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            CncError::NotReady => f.write_str("the CnC file is not ready: its driver has not finished it"),
            CncError::IncompatibleVersion { version } => write!(
                f,
                "the CnC file has version {}.{}.{}, and 0.x.x is understood",
                major(version),
                (version >> 8) & 0xFF,
                version & 0xFF
            ),
            CncError::TooShort { length, needed } => {
                write!(f, "the CnC file has {length} bytes where {needed} are needed")
            }
            CncError::Length { field, length } => {
                write!(f, "the length of the {field}, {length}, is not a multiple of 8 from 0 to {}", i32::MAX)
            }
            CncError::NotPowerOfTwo { field, length, trailer } => {
                write!(f, "the length of the {field}, {length}, is not a power of two and a trailer of {trailer} bytes")
            }
        }
    }
}

impl core::error::Error for CncError {}

/// A validated CnC file. The lengths are read once: what a peer writes into the header later has no effect.
#[derive(Clone, Debug)]
pub struct Cnc<M> {
    memory: M,
    config: CncConfig,
}

impl<M: Memory> Cnc<M> {
    /// Writes the header of a new file, all but the version, over zeroed memory. Its buffers may then be made ready, and
    /// [`publish`](Cnc::publish) shows them to clients.
    ///
    /// # Errors
    /// When a length is out of range or the memory is too short.
    pub fn initialise(memory: M, config: CncConfig) -> Result<Cnc<M>, CncError> {
        config.lengths.validate(memory.len())?;
        // Relaxed: nobody looks before the version is released.
        for (_, offset, length) in config.lengths.fields() {
            memory.store_i32(offset, i32::try_from(length).unwrap_or(i32::MAX), Ordering::Relaxed);
        }
        memory.store_i64(CLIENT_LIVENESS_TIMEOUT_OFFSET, config.client_liveness_timeout_ns, Ordering::Relaxed);
        memory.store_i64(START_TIMESTAMP_OFFSET, config.start_timestamp_ms, Ordering::Relaxed);
        memory.store_i64(PID_OFFSET, config.pid, Ordering::Relaxed);
        memory.store_i32(FILE_PAGE_SIZE_OFFSET, config.file_page_size, Ordering::Relaxed);
        Ok(Cnc { memory, config })
    }

    /// Says that the file is ready.
    pub fn publish(&self) {
        // SYNC: cnc_version. Whoever sees the version sees the header and the buffers as they were made ready.
        self.memory.store_i32(VERSION_OFFSET, VERSION, Ordering::Release);
    }

    /// Validates a file that a driver, perhaps a foreign one, has written.
    ///
    /// # Errors
    /// When it is not ready yet, of another major version, damaged, or longer than the memory.
    pub fn open(memory: M) -> Result<Cnc<M>, CncError> {
        if memory.len() < HEADER_LENGTH {
            return Err(CncError::TooShort { length: memory.len(), needed: HEADER_LENGTH });
        }
        // SYNC: cnc_version.
        let version = memory.load_i32(VERSION_OFFSET, Ordering::Acquire);
        if version == 0 {
            return Err(CncError::NotReady);
        }
        if major(version) != major(VERSION) || version < 0 {
            return Err(CncError::IncompatibleVersion { version });
        }
        // Relaxed below: the version's acquire has ordered them.
        let length = |field, offset| {
            let length = memory.load_i32(offset, Ordering::Relaxed);
            usize::try_from(length).map_err(|_| CncError::Length { field, length: length.into() })
        };
        let config = CncConfig {
            lengths: CncLengths {
                to_driver: length("to-driver buffer", TO_DRIVER_LENGTH_OFFSET)?,
                to_clients: length("to-clients buffer", TO_CLIENTS_LENGTH_OFFSET)?,
                counters_metadata: length("counters metadata", COUNTERS_METADATA_LENGTH_OFFSET)?,
                counters_values: length("counters values", COUNTERS_VALUES_LENGTH_OFFSET)?,
                error_log: length("error log", ERROR_LOG_LENGTH_OFFSET)?,
            },
            client_liveness_timeout_ns: memory.load_i64(CLIENT_LIVENESS_TIMEOUT_OFFSET, Ordering::Relaxed),
            start_timestamp_ms: memory.load_i64(START_TIMESTAMP_OFFSET, Ordering::Relaxed),
            pid: memory.load_i64(PID_OFFSET, Ordering::Relaxed),
            file_page_size: memory.load_i32(FILE_PAGE_SIZE_OFFSET, Ordering::Relaxed),
        };
        config.lengths.validate(memory.len())?;
        Ok(Cnc { memory, config })
    }

    /// What the header says.
    #[must_use]
    pub fn config(&self) -> &CncConfig {
        &self.config
    }

    /// The whole file.
    #[must_use]
    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// Memory of the ring in which clients command the driver.
    #[must_use]
    pub fn to_driver(&self) -> M {
        self.memory.slice(HEADER_LENGTH, self.config.lengths.to_driver)
    }

    /// Memory of the broadcast buffer in which the driver answers.
    #[must_use]
    pub fn to_clients(&self) -> M {
        let CncLengths { to_driver, to_clients, .. } = self.config.lengths;
        self.memory.slice(HEADER_LENGTH + to_driver, to_clients)
    }

    /// Memory of the counters' types, keys and labels.
    #[must_use]
    pub fn counters_metadata(&self) -> M {
        let CncLengths { to_driver, to_clients, counters_metadata, .. } = self.config.lengths;
        self.memory.slice(HEADER_LENGTH + to_driver + to_clients, counters_metadata)
    }

    /// Memory of the counters' values.
    #[must_use]
    pub fn counters_values(&self) -> M {
        let CncLengths { to_driver, to_clients, counters_metadata, counters_values, .. } = self.config.lengths;
        self.memory.slice(HEADER_LENGTH + to_driver + to_clients + counters_metadata, counters_values)
    }

    /// Memory of the distinct error log.
    #[must_use]
    pub fn error_log(&self) -> M {
        let CncLengths { error_log, .. } = self.config.lengths;
        self.memory.slice(self.config.lengths.total() - error_log, error_log)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::AtomicBuffer;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    const SMALL: CncLengths = CncLengths {
        to_driver: 1024 + TO_DRIVER_TRAILER_LENGTH,
        to_clients: 1024 + TO_CLIENTS_TRAILER_LENGTH,
        counters_metadata: 4096,
        counters_values: 1024,
        error_log: 512,
    };

    fn config(lengths: CncLengths) -> CncConfig {
        CncConfig {
            lengths,
            client_liveness_timeout_ns: 10_000_000_000,
            start_timestamp_ms: 7,
            pid: 42,
            file_page_size: 4096,
        }
    }

    fn words(length: usize) -> Vec<u64> {
        vec![0; length.div_ceil(8)]
    }

    #[test]
    fn the_default_file_is_as_long_as_aerons() {
        assert_eq!(CncLengths::DEFAULT.file_length(4096), 48_238_592);
        assert_eq!(VERSION, 512);
    }

    #[test]
    fn a_file_is_not_ready_before_it_is_published() {
        let mut words = words(SMALL.total());
        let memory = AtomicBuffer::from_mut(&mut words);
        let cnc = Cnc::initialise(memory, config(SMALL)).unwrap();
        assert_eq!(Cnc::open(memory).unwrap_err(), CncError::NotReady);
        cnc.publish();
        let opened = Cnc::open(memory).unwrap();
        assert_eq!(opened.config(), &config(SMALL));
        assert_eq!(opened.to_driver().len(), SMALL.to_driver);
        assert_eq!(opened.error_log().len(), SMALL.error_log);
    }

    #[test]
    fn the_buffers_follow_one_another() {
        let mut words = words(SMALL.total());
        let memory = AtomicBuffer::from_mut(&mut words);
        let cnc = Cnc::initialise(memory, config(SMALL)).unwrap();
        for (index, buffer) in
            [cnc.to_driver(), cnc.to_clients(), cnc.counters_metadata(), cnc.counters_values(), cnc.error_log()]
                .iter()
                .enumerate()
        {
            buffer.store_i64(0, index as i64 + 1, Ordering::Relaxed);
        }
        let mut at = HEADER_LENGTH;
        for (index, length) in
            [SMALL.to_driver, SMALL.to_clients, SMALL.counters_metadata, SMALL.counters_values].iter().enumerate()
        {
            assert_eq!(memory.load_i64(at, Ordering::Relaxed), index as i64 + 1);
            at += length;
        }
        assert_eq!(memory.load_i64(at, Ordering::Relaxed), 5);
    }

    #[test]
    fn other_versions_and_short_files_are_refused_by_value() {
        let mut words = words(SMALL.total());
        let memory = AtomicBuffer::from_mut(&mut words);
        Cnc::initialise(memory, config(SMALL)).unwrap().publish();
        memory.store_i32(0, semantic_version(1, 2, 3), Ordering::Relaxed);
        let error = Cnc::open(memory).unwrap_err();
        assert_eq!(error, CncError::IncompatibleVersion { version: 0x0001_0203 });
        assert!(std::format!("{error}").contains("1.2.3"));
        memory.store_i32(0, VERSION, Ordering::Relaxed);
        let short = memory.slice(0, SMALL.total() - 8);
        assert_eq!(
            Cnc::open(short).unwrap_err(),
            CncError::TooShort { length: SMALL.total() - 8, needed: SMALL.total() }
        );
        assert!(matches!(Cnc::open(memory.slice(0, 64)), Err(CncError::TooShort { needed: 128, .. })));
    }

    #[test]
    fn a_ring_that_is_no_power_of_two_is_refused() {
        let mut words = words(8192 * 2);
        let memory = AtomicBuffer::from_mut(&mut words);
        let lengths = CncLengths { to_driver: 1000 + TO_DRIVER_TRAILER_LENGTH, ..SMALL };
        assert!(matches!(Cnc::initialise(memory, config(lengths)), Err(CncError::NotPowerOfTwo { length: 1768, .. })));
    }

    #[test]
    fn a_ring_or_a_broadcast_buffer_of_less_than_a_word_is_refused() {
        let mut words = words(SMALL.total());
        let memory = AtomicBuffer::from_mut(&mut words);
        Cnc::initialise(memory, config(SMALL)).unwrap().publish();
        for capacity in [1, 2, 4] {
            // The buffers behind it would begin within a word.
            memory.store_i32(TO_CLIENTS_LENGTH_OFFSET, 128 + capacity, Ordering::Relaxed);
            let error = Cnc::open(memory).unwrap_err();
            assert_eq!(error, CncError::Length { field: "to-clients buffer", length: i64::from(128 + capacity) });
        }
    }

    proptest! {
        #[test]
        fn any_header_is_refused_or_fits_the_memory(header in proptest::collection::vec(any::<i32>(), 13), small: bool) {
            let mut words = words(SMALL.total());
            let memory = AtomicBuffer::from_mut(&mut words);
            Cnc::initialise(memory, config(SMALL)).unwrap().publish();
            for (index, word) in header.iter().enumerate().skip(1) {
                let word = if small { word & 0xFFF } else { *word };
                if word & 1 == 0 {
                    memory.store_i32(index * 4, word, Ordering::Relaxed);
                }
            }
            if let Ok(cnc) = Cnc::open(memory) {
                prop_assert!(cnc.config().lengths.total() <= memory.len());
                prop_assert_eq!(cnc.error_log().len(), cnc.config().lengths.error_log);
            }
        }
    }
}
