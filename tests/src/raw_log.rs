//! A log buffer file under plain file access: what a publisher does to it, one step at a time. `[any]`
//!
//! Written from logbuffer.md on its own. It must be the only publisher at the time: the tail is moved without a
//! fetch-and-add.

use crate::cnc_snapshot::{i32_at, i64_at};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

const METADATA_LENGTH: u64 = 4096;
const ACTIVE_TERM_COUNT_OFFSET: u64 = 24;
const PARTITIONS: i32 = 3;

/// The header of a frame, in bytes.
pub const HEADER_LENGTH: usize = 32;

/// A log buffer file.
#[derive(Debug)]
pub struct RawLog {
    file: File,
    metadata_start: u64,
    initial_term_id: i32,
    session_id: i32,
    stream_id: i32,
    /// In bytes.
    pub term_length: i64,
}

/// The term that is written now.
#[derive(Clone, Copy, Debug)]
pub struct ActiveTerm {
    /// How many terms lie before it.
    pub count: i32,
    /// Its id.
    pub term_id: i32,
    /// Where its tail is; beyond the end once it is full.
    pub tail: i64,
}

impl RawLog {
    /// Opens a log.
    ///
    /// # Panics
    /// When it is not one.
    #[must_use]
    pub fn open(path: &Path) -> Self {
        let file = OpenOptions::new().read(true).write(true).open(path).expect("a log file");
        let metadata_start = file.metadata().expect("a log file").len() - METADATA_LENGTH;
        let mut metadata = vec![0; 512];
        file.read_exact_at(&mut metadata, metadata_start).expect("metadata");
        RawLog {
            file,
            metadata_start,
            initial_term_id: i32_at(&metadata, 264),
            session_id: i32_at(&metadata, 320 + 12),
            stream_id: i32_at(&metadata, 320 + 16),
            term_length: i64::from(i32_at(&metadata, 276)),
        }
    }

    fn read(&self, offset: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, offset).expect("the log can be read");
        bytes
    }

    fn write(&self, offset: u64, bytes: &[u8]) {
        self.file.write_all_at(bytes, offset).expect("the log can be written");
    }

    fn partition(count: i32) -> u64 {
        u64::try_from(count.rem_euclid(PARTITIONS)).expect("an index")
    }

    fn tail_offset(&self, count: i32) -> u64 {
        self.metadata_start + 8 * Self::partition(count)
    }

    /// The term that is written now.
    #[must_use]
    pub fn active_term(&self) -> ActiveTerm {
        let count = i32_at(&self.read(self.metadata_start + ACTIVE_TERM_COUNT_OFFSET, 4), 0);
        let raw_tail = i64_at(&self.read(self.tail_offset(count), 8), 0);
        ActiveTerm { count, term_id: i32::try_from(raw_tail >> 32).expect("a term id"), tail: raw_tail & 0xffff_ffff }
    }

    /// Moves the tail of the active term; returns where it was.
    #[must_use]
    pub fn claim(&self, length: i64) -> ActiveTerm {
        let term = self.active_term();
        let raw_tail = (i64::from(term.term_id) << 32) | (term.tail + length);
        self.write(self.tail_offset(term.count), &raw_tail.to_le_bytes());
        term
    }

    /// Writes bytes at an offset in a term.
    pub fn put(&self, term: ActiveTerm, offset: i64, bytes: &[u8]) {
        let start = Self::partition(term.count) * u64::try_from(self.term_length).expect("a length");
        self.write(start + u64::try_from(offset).expect("an offset"), bytes);
    }

    /// Writes a frame's length word: negative while the frame is being written.
    pub fn put_length(&self, term: ActiveTerm, offset: i64, length: i64) {
        self.put(term, offset, &i32::try_from(length).expect("a length").to_le_bytes());
    }

    /// Writes a frame's header behind its length: flags 0xC0 for a whole message, type 1 for data and 0 for padding.
    pub fn put_header(&self, term: ActiveTerm, offset: i64, flags: u8, frame_type: u16) {
        let mut header = vec![0, flags];
        header.extend_from_slice(&frame_type.to_le_bytes());
        header.extend_from_slice(&i32::try_from(offset).expect("an offset").to_le_bytes());
        for word in [self.session_id, self.stream_id, term.term_id] {
            header.extend_from_slice(&word.to_le_bytes());
        }
        self.put(term, offset + 4, &header);
    }

    /// First half of a rotation: sets the tail of the term after `term`.
    pub fn put_next_tail(&self, term: ActiveTerm) {
        let next = i64::from(term.term_id.wrapping_add(1)) << 32;
        self.write(self.tail_offset(term.count + 1), &next.to_le_bytes());
    }

    /// Second half of a rotation: the term after `term` is the active one.
    pub fn put_next_count(&self, term: ActiveTerm) {
        self.write(self.metadata_start + ACTIVE_TERM_COUNT_OFFSET, &(term.count + 1).to_le_bytes());
    }

    /// The id of the first term.
    #[must_use]
    pub fn initial_term_id(&self) -> i32 {
        self.initial_term_id
    }
}
