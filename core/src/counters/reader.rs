//! Finding and reading counters, one's own driver's or another's. `[any]`
//!
//! Mirrors `aeron_counters_reader_*` of `aeron_counters_manager.c` and Agrona's `CountersReader`. Never writes, but by
//! [`CountersReader::append_to_label`], and survives any contents.

use core::fmt;

use super::{
    Counter, CounterId, FREE_FOR_REUSE_DEADLINE_OFFSET, KEY_OFFSET, LABEL_OFFSET, MAX_KEY_LENGTH, MAX_LABEL_LENGTH,
    METADATA_LENGTH, REGISTRATION_ID_OFFSET, STATE_OFFSET, TYPE_ID_OFFSET, VALUE_LENGTH, append_to_label, label_length,
    record_count,
};
use crate::sync::{Memory, Ordering};

/// A view of the counters in two memories.
#[derive(Clone, Debug)]
pub struct CountersReader<M> {
    metadata: M,
    values: M,
    count: usize,
}

/// Whether a record is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordState {
    /// Never used, nor any record after it.
    Unused,
    /// In use.
    Allocated,
    /// Freed; it will be reused after its deadline.
    Reclaimed,
    /// Something no manager writes; a hole, to readers.
    Unknown(i32),
}

/// A counter as it was when it was looked at.
#[derive(Clone, Debug)]
pub struct CounterRecord {
    /// Its id.
    pub id: CounterId,
    /// Its type: [`layout`](super::layout) has the known ones.
    pub type_id: i32,
    /// Its value.
    pub value: i64,
    /// The command or resource that it belongs to.
    pub registration_id: i64,
    /// The client that it belongs to.
    pub owner_id: i64,
    /// What it refers to.
    pub reference_id: i64,
    /// Its key.
    pub key: [u8; MAX_KEY_LENGTH],
    label: [u8; MAX_LABEL_LENGTH],
    label_length: usize,
}

impl CounterRecord {
    /// Its label, which peers keep to ASCII or UTF-8.
    #[must_use]
    pub fn label(&self) -> &[u8] {
        &self.label[..self.label_length]
    }

    /// Its label as text, up to the first byte that is not UTF-8.
    #[must_use]
    pub fn label_text(&self) -> &str {
        match core::str::from_utf8(self.label()) {
            Ok(text) => text,
            Err(error) => core::str::from_utf8(&self.label()[..error.valid_up_to()]).unwrap_or(""),
        }
    }
}

impl fmt::Display for CounterRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:3}: {:>20} - {}", self.id.0, self.value, self.label_text())
    }
}

impl<M: Memory> CountersReader<M> {
    /// A view of as many counters as both memories have records.
    #[must_use]
    pub fn new(metadata: M, values: M) -> Self {
        let count = record_count(metadata.len(), values.len());
        CountersReader { metadata, values, count }
    }

    /// The highest id that there may be; -1 when the memories hold no counter.
    #[must_use]
    pub fn max_counter_id(&self) -> CounterId {
        CounterId(self.count as i32 - 1) // at most i32::MAX
    }

    /// The counters in use, by rising id.
    pub fn iter(&self) -> impl Iterator<Item = CounterRecord> + '_ {
        self.allocated().filter_map(|id| self.record(id))
    }

    /// Ids of the counters in use, rising.
    fn allocated(&self) -> impl Iterator<Item = CounterId> + '_ {
        let ids = (0..self.count as i32).map(CounterId);
        ids.map(|id| (id, self.state(id)))
            .take_while(|(_, state)| !matches!(state, Some(RecordState::Unused) | None))
            .filter_map(|(id, state)| (state == Some(RecordState::Allocated)).then_some(id))
    }

    /// The state of a record; none for an id that cannot be.
    #[must_use]
    pub fn state(&self, id: CounterId) -> Option<RecordState> {
        let record = self.metadata_offset(id)?;
        // SYNC: counter-state (here and in aeron_counters_manager.c): type, key and label are visible with it.
        Some(match self.metadata.load_i32(record + STATE_OFFSET, Ordering::Acquire) {
            0 => RecordState::Unused,
            1 => RecordState::Allocated,
            -1 => RecordState::Reclaimed,
            other => RecordState::Unknown(other),
        })
    }

    /// Everything about a counter; none when it is not in use, or was freed at this moment.
    #[must_use]
    pub fn record(&self, id: CounterId) -> Option<CounterRecord> {
        let counter = self.counter(id)?;
        let offset = self.metadata_offset(id)?;
        let mut record = CounterRecord {
            id,
            type_id: self.metadata.load_i32(offset + TYPE_ID_OFFSET, Ordering::Relaxed),
            value: counter.get(),
            registration_id: counter.registration_id(),
            owner_id: counter.owner_id(),
            reference_id: counter.reference_id(),
            key: [0; MAX_KEY_LENGTH],
            label: [0; MAX_LABEL_LENGTH],
            label_length: label_length(&self.metadata, offset),
        };
        self.metadata.read_racing(offset + KEY_OFFSET, &mut record.key);
        let words = record.label_length.next_multiple_of(4);
        self.metadata.read_racing(offset + LABEL_OFFSET, &mut record.label[..words]);
        // SYNC: counter-state: had any word above been of a later use, the state or the registration id would show it.
        self.metadata.fence(Ordering::Acquire);
        let is_same = counter.registration_id() == record.registration_id;
        (is_same && self.state(id) == Some(RecordState::Allocated)).then_some(record)
    }

    /// The value cell of a counter in use.
    #[must_use]
    pub fn counter(&self, id: CounterId) -> Option<Counter<M>> {
        (self.state(id)? == RecordState::Allocated).then(|| self.cell(id))?
    }

    /// A counter's type; none for an id that cannot be.
    #[must_use]
    pub fn type_id(&self, id: CounterId) -> Option<i32> {
        Some(self.metadata.load_i32(self.metadata_offset(id)? + TYPE_ID_OFFSET, Ordering::Relaxed))
    }

    /// A counter's key; none for an id that cannot be.
    #[must_use]
    pub fn key(&self, id: CounterId) -> Option<[u8; MAX_KEY_LENGTH]> {
        let mut key = [0; MAX_KEY_LENGTH];
        self.metadata.read_racing(self.metadata_offset(id)? + KEY_OFFSET, &mut key);
        Some(key)
    }

    /// From when a freed record may be used again, in epoch milliseconds; [`i64::MAX`] while it is in use; none for an
    /// id that cannot be.
    #[must_use]
    pub fn free_for_reuse_deadline_ms(&self, id: CounterId) -> Option<i64> {
        let record = self.metadata_offset(id)?;
        Some(self.metadata.load_i64(record + FREE_FOR_REUSE_DEADLINE_OFFSET, Ordering::Relaxed))
    }

    /// The counter in use of this type and registration id.
    #[must_use]
    pub fn find_by_type_and_registration(&self, type_id: i32, registration_id: i64) -> Option<CounterId> {
        self.allocated().find(|id| {
            let value = id.0 as usize * VALUE_LENGTH; // in range: it was iterated
            // SYNC: registration-id
            self.type_id(*id) == Some(type_id)
                && self.values.load_i64(value + REGISTRATION_ID_OFFSET, Ordering::Acquire) == registration_id
        })
    }

    /// The counter in use of this type whose key starts with this id: a client's heartbeat.
    #[must_use]
    pub fn find_by_type_and_key(&self, type_id: i32, key_id: i64) -> Option<CounterId> {
        self.allocated().find(|id| self.is_of(*id, type_id, key_id))
    }

    /// Whether a counter is in use, of this type, and has a key that starts with this id.
    #[must_use]
    pub fn is_active(&self, id: CounterId, type_id: i32, key_id: i64) -> bool {
        self.state(id) == Some(RecordState::Allocated) && self.is_of(id, type_id, key_id)
    }

    /// Puts text at the end of a counter's label, as far as there is room; whether there is such a counter.
    ///
    /// A client may do this once, to its own heartbeat. It is the one thing here that writes.
    pub fn append_to_label(&self, id: CounterId, text: &[u8]) -> bool {
        match self.metadata_offset(id) {
            Some(record) if self.state(id) == Some(RecordState::Allocated) => {
                append_to_label(&self.metadata, record, text);
                true
            }
            _ => false,
        }
    }

    /// Whether type and start of key are these.
    fn is_of(&self, id: CounterId, type_id: i32, key_id: i64) -> bool {
        let Some(record) = self.metadata_offset(id) else { return false };
        let mut start = [0; 8];
        self.metadata.read_racing(record + KEY_OFFSET, &mut start);
        self.type_id(id) == Some(type_id) && i64::from_le_bytes(start) == key_id
    }

    pub(super) fn cell(&self, id: CounterId) -> Option<Counter<M>> {
        let value = id.index(self.count)? * VALUE_LENGTH;
        Some(Counter::new(self.values.slice(value, VALUE_LENGTH), id))
    }

    pub(super) fn metadata_offset(&self, id: CounterId) -> Option<usize> {
        Some(id.index(self.count)? * METADATA_LENGTH)
    }

    pub(super) fn metadata(&self) -> &M {
        &self.metadata
    }

    pub(super) fn values(&self) -> &M {
        &self.values
    }
}
