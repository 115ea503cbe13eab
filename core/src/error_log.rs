//! The distinct error log: each error once, with how often and when it was seen. `[any]`
//!
//! Mirrors `aeron_distinct_error_log.h` and Agrona's `DistinctErrorLog`; cnc.md §5. One writer, any number of readers.
//!
//! Nothing keeps two writers, or a stranger, off one memory. So texts are copied by words, atomically, on both sides: a
//! text may be torn, and nothing worse. Errors are rare, so this costs nobody anything.
//!
//! ```text
//!  +----------------+----------------+----------------+---------------+----------
//!  | length i32     | count i32      | last i64, ms   | first i64, ms | text …      entries at multiples of 8
//!  +----------------+----------------+----------------+---------------+----------
//! ```

use core::fmt;

use crate::position::align;
use crate::sync::{Memory, Ordering};

const LENGTH_OFFSET: usize = 0;
const COUNT_OFFSET: usize = 4;
const LAST_OFFSET: usize = 8;
const FIRST_OFFSET: usize = 16;
/// Where an entry's text begins, and the shortest entry.
pub const HEADER_LENGTH: usize = 24;
/// Entries begin at multiples of this.
pub const ALIGNMENT: usize = 8;

/// The log has no room for another entry: the caller shows the error elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the error log is full")
    }
}

impl core::error::Error for Full {}

/// An entry that a writer added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryId(usize);

/// The writer of an error log.
#[derive(Debug)]
pub struct DistinctErrorLog<M> {
    memory: M,
    next: usize,
}

impl<M: Memory> DistinctErrorLog<M> {
    /// Goes on behind the entries that the memory already has.
    #[must_use]
    pub fn new(memory: M) -> Self {
        let mut known = entries(&memory);
        while known.next().is_some() {}
        let next = known.offset;
        DistinctErrorLog { memory, next }
    }

    /// Counts an observation of the error `text` (UTF-8, its code included) at `now_ms`; whether it is a new one.
    ///
    /// # Errors
    /// When a new one finds no room; nothing is written then.
    pub fn record(&mut self, text: &str, now_ms: i64) -> Result<bool, Full> {
        let known = entries(&self.memory).find(|entry| entry.text_is(text.as_bytes())).map(|entry| entry.offset);
        let offset = match known {
            Some(offset) => offset,
            None => self.create(text.as_bytes(), now_ms)?,
        };
        self.observe(EntryId(offset), now_ms);
        Ok(known.is_none())
    }

    /// Adds an error that the caller knows to be new, observed once at `now_ms`. With [`observe`](Self::observe) and an
    /// index of its own a caller spares itself the search of [`record`](Self::record).
    ///
    /// # Errors
    /// When it finds no room; nothing is written then.
    pub fn append(&mut self, text: &str, now_ms: i64) -> Result<EntryId, Full> {
        let entry = EntryId(self.create(text.as_bytes(), now_ms)?);
        self.observe(entry, now_ms);
        Ok(entry)
    }

    /// Counts one more observation of an error that was added before, to this log.
    pub fn observe(&mut self, EntryId(offset): EntryId, now_ms: i64) {
        self.memory.fetch_add_i32(offset + COUNT_OFFSET, 1);
        // SYNC: error_observation. Readers that ask for what is new since a time look at this word only.
        self.memory.store_i64(offset + LAST_OFFSET, now_ms, Ordering::Release);
    }

    fn create(&mut self, text: &[u8], now_ms: i64) -> Result<usize, Full> {
        let offset = self.next;
        let length = HEADER_LENGTH + text.len();
        if length > whole_entries(&self.memory).saturating_sub(offset) {
            return Err(Full);
        }
        let word = i32::try_from(length).map_err(|_| Full)?;
        // Relaxed: the length's release shows them.
        self.memory.write_racing(offset + HEADER_LENGTH, text);
        self.memory.store_i64(offset + FIRST_OFFSET, now_ms, Ordering::Relaxed);
        self.memory.store_i32(offset + COUNT_OFFSET, 0, Ordering::Relaxed);
        // SYNC: error_entry. Whoever sees the length sees the entry's text and first time.
        self.memory.store_i32(offset + LENGTH_OFFSET, word, Ordering::Release);
        self.next = align(offset + length, ALIGNMENT);
        Ok(offset)
    }
}

/// One distinct error.
#[derive(Debug)]
pub struct Entry<'a, M> {
    memory: &'a M,
    offset: usize,
    text_length: usize,
}

// By hand: a derive would ask the memory to be Copy.
impl<M> Clone for Entry<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Entry<'_, M> {}

impl<M: Memory> Entry<'_, M> {
    /// How often it was seen.
    #[must_use]
    pub fn observation_count(&self) -> i32 {
        // Relaxed: a number for people.
        self.memory.load_i32(self.offset + COUNT_OFFSET, Ordering::Relaxed)
    }

    /// When it was last seen, in milliseconds since the epoch.
    #[must_use]
    pub fn last_observation_ms(&self) -> i64 {
        // SYNC: error_observation.
        self.memory.load_i64(self.offset + LAST_OFFSET, Ordering::Acquire)
    }

    /// When it was first seen, in milliseconds since the epoch.
    #[must_use]
    pub fn first_observation_ms(&self) -> i64 {
        // Relaxed: the length's acquire has ordered it.
        self.memory.load_i64(self.offset + FIRST_OFFSET, Ordering::Relaxed)
    }

    /// Length of its text in bytes.
    #[must_use]
    pub fn text_length(&self) -> usize {
        self.text_length
    }

    /// Copies as much of its text as `target` holds, and returns that part. UTF-8 if its writer kept to it.
    pub fn text<'t>(&self, target: &'t mut [u8]) -> &'t [u8] {
        let length = self.text_length.min(target.len());
        let target = &mut target[..length];
        self.memory.read_racing(self.offset + HEADER_LENGTH, target);
        target
    }

    fn text_is(&self, text: &[u8]) -> bool {
        let mut chunk = [0; 256];
        self.text_length == text.len()
            && text.chunks(chunk.len()).enumerate().all(|(index, expected)| {
                let found = &mut chunk[..expected.len()];
                self.memory.read_racing(self.offset + HEADER_LENGTH + index * 256, found);
                found == expected
            })
    }
}

/// The entries of an error log, its driver's or another's; damaged entries end the list.
pub fn entries<M: Memory>(memory: &M) -> Entries<'_, M> {
    Entries { memory, offset: 0 }
}

/// Iterator of [`entries`].
#[derive(Debug)]
pub struct Entries<'a, M> {
    memory: &'a M,
    offset: usize,
}

impl<'a, M: Memory> Iterator for Entries<'a, M> {
    type Item = Entry<'a, M>;

    fn next(&mut self) -> Option<Entry<'a, M>> {
        let offset = self.offset;
        let left = whole_entries(self.memory).saturating_sub(offset);
        if left < HEADER_LENGTH {
            return None;
        }
        // SYNC: error_entry.
        let length = usize::try_from(self.memory.load_i32(offset + LENGTH_OFFSET, Ordering::Acquire)).ok()?;
        if !(HEADER_LENGTH..=left).contains(&length) {
            return None;
        }
        self.offset = align(offset + length, ALIGNMENT);
        Some(Entry { memory: self.memory, offset, text_length: length - HEADER_LENGTH })
    }
}

/// The length of the part of a memory that entries may take, in bytes.
fn whole_entries<M: Memory>(memory: &M) -> usize {
    memory.len() & !(ALIGNMENT - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::AtomicBuffer;
    use proptest::prelude::*;
    use std::string::{String, ToString};
    use std::vec;
    use std::vec::Vec;

    fn texts(memory: &AtomicBuffer<'_>) -> Vec<(String, i32, i64, i64)> {
        entries(memory)
            .map(|entry| {
                let mut text = vec![0; entry.text_length()];
                let text = String::from_utf8_lossy(entry.text(&mut text)).to_string();
                (text, entry.observation_count(), entry.first_observation_ms(), entry.last_observation_ms())
            })
            .collect()
    }

    #[test]
    fn the_same_error_is_counted_and_another_is_added() {
        let mut words = vec![0; 64];
        let memory = AtomicBuffer::from_mut(&mut words);
        let mut log = DistinctErrorLog::new(memory);
        let long = "x".repeat(300);
        assert_eq!(log.record("(11) generic", 5), Ok(true));
        assert_eq!(log.record("(11) generic", 9), Ok(false));
        assert_eq!(log.record(&long, 7), Ok(true));
        assert_eq!(texts(&memory), [("(11) generic".to_string(), 2, 5, 9), (long.clone(), 1, 7, 7)],);
        let mut again = DistinctErrorLog::new(memory);
        assert_eq!(again.record(&long, 8), Ok(false));
        assert_eq!(again.record("third", 8), Ok(true));
        assert_eq!(texts(&memory).len(), 3);
    }

    #[test]
    fn an_entry_that_is_known_is_observed_without_a_search() {
        let mut words = vec![0; 64];
        let memory = AtomicBuffer::from_mut(&mut words);
        let mut log = DistinctErrorLog::new(memory);
        let first = log.append("first", 1).unwrap();
        let second = log.append("second", 2).unwrap();
        log.observe(first, 3);
        assert_eq!(texts(&memory), [("first".to_string(), 2, 1, 3), ("second".to_string(), 1, 2, 2)]);
        assert_ne!(first, second);
    }

    #[test]
    fn a_full_log_says_so_and_stays_as_it_is() {
        let mut words = vec![0; 8];
        let memory = AtomicBuffer::from_mut(&mut words);
        let mut log = DistinctErrorLog::new(memory);
        assert_eq!(log.record("12345678", 1), Ok(true));
        assert_eq!(log.record("123456789", 1), Err(Full));
        assert_eq!(log.record("abcdefgh", 1), Ok(true));
        assert_eq!(log.record("", 1), Err(Full));
        assert_eq!(log.record("12345678", 2), Ok(false));
        assert_eq!(texts(&memory).len(), 2);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end_within_the_memory(mut words in proptest::collection::vec(prop_oneof![0_u64..64, any::<u64>()], 0..64)) {
            let memory = AtomicBuffer::from_mut(&mut words);
            let mut covered = 0;
            for entry in entries(&memory) {
                let mut text = vec![0; entry.text_length()];
                prop_assert_eq!(entry.text(&mut text).len(), entry.text_length());
                covered += HEADER_LENGTH + entry.text_length();
            }
            prop_assert!(covered <= memory.len());
        }
    }
}
