//! Allocating and freeing counters. `[conductor]`
//!
//! Mirrors `aeron_counters_manager.c` and Agrona's `CountersManager`. What is free the manager keeps in storage of its
//! own, never in the shared records, which any client can write.

use core::fmt;

use super::{
    Counter, CounterId, CountersReader, FREE_FOR_REUSE_DEADLINE_OFFSET, KEY_OFFSET, LABEL_OFFSET, MAX_KEY_LENGTH,
    MAX_LABEL_LENGTH, METADATA_LENGTH, NOT_FREE_TO_REUSE, NewCounter, OWNER_ID_OFFSET, REFERENCE_ID_OFFSET,
    REGISTRATION_ID_OFFSET, STATE_OFFSET, TYPE_ID_OFFSET, VALUE_LENGTH, append_to_label, set_label_length,
};
use crate::sync::{Memory, Ordering};

/// What a manager remembers of one counter. Storage for a manager is a slice of these, made by `Default`.
#[derive(Clone, Copy, Debug, Default)]
pub struct CounterSlot {
    state: SlotState,
    reuse_deadline_ms: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum SlotState {
    #[default]
    Unused,
    Allocated,
    /// Freed; the next one that was freed after it.
    Free {
        next: Option<u32>,
    },
}

/// The counters' one owner.
///
/// `S` is storage for as many [`CounterSlot`]s as there shall be counters: a boxed slice, a static array.
///
/// Freed ids are reused in the order in which they were freed, each after the timeout, so an allocation looks at one.
#[derive(Debug)]
pub struct CountersManager<M, S> {
    reader: CountersReader<M>,
    slots: S,
    count: usize,
    /// Ids from here on were never used.
    unused_from: usize,
    oldest_free: Option<u32>,
    newest_free: Option<u32>,
    free_to_reuse_timeout_ms: i64,
}

/// Metadata that is shorter than four times the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthError {
    /// Length of the metadata in bytes.
    pub metadata: usize,
    /// Length of the values in bytes.
    pub values: usize,
}

impl fmt::Display for LengthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LengthError { metadata, values } = self;
        write!(f, "counters' metadata of {metadata} bytes is shorter than four times the values' {values}")
    }
}

impl core::error::Error for LengthError {}

/// Why no counter was allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllocateError {
    /// All are in use, or freed too short a time ago.
    Full {
        /// How many there are.
        count: usize,
    },
}

impl fmt::Display for AllocateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AllocateError::Full { count } = self;
        write!(f, "all {count} counters are in use: the counters' values buffer is too short")
    }
}

impl core::error::Error for AllocateError {}

/// A counter that is not in use was to be freed or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreeError(pub CounterId);

impl fmt::Display for FreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "counter {} is not in use", self.0)
    }
}

impl core::error::Error for FreeError {}

impl<M: Memory, S: AsRef<[CounterSlot]> + AsMut<[CounterSlot]>> CountersManager<M, S> {
    /// Manages counters in zeroed memories: as many as there are value records and slots.
    ///
    /// `free_to_reuse_timeout_ms` is how long a freed id stays out of use, so that nobody who still watches it takes
    /// another counter's value for its own.
    ///
    /// # Errors
    /// When the metadata has fewer records than the values.
    pub fn new(metadata: M, values: M, mut slots: S, free_to_reuse_timeout_ms: i64) -> Result<Self, LengthError> {
        if metadata.len() / (METADATA_LENGTH / VALUE_LENGTH) < values.len() {
            return Err(LengthError { metadata: metadata.len(), values: values.len() });
        }
        slots.as_mut().fill(CounterSlot::default());
        let reader = CountersReader::new(metadata, values);
        let count = slots.as_ref().len().min((reader.max_counter_id().0 + 1) as usize);
        Ok(CountersManager {
            reader,
            slots,
            count,
            unused_from: 0,
            oldest_free: None,
            newest_free: None,
            free_to_reuse_timeout_ms,
        })
    }

    /// A view of these counters.
    #[must_use]
    pub fn reader(&self) -> &CountersReader<M> {
        &self.reader
    }

    /// The highest id that there may be; -1 when there is no room for any.
    #[must_use]
    pub fn max_counter_id(&self) -> CounterId {
        CounterId(self.count as i32 - 1) // at most i32::MAX
    }

    /// Allocates a counter of a type, with a key and a label; what does not fit into 112 and 380 bytes is cut off.
    ///
    /// # Errors
    /// When all are in use.
    pub fn allocate(
        &mut self,
        type_id: i32,
        key: &[u8],
        label: &[u8],
        now_ms: i64,
    ) -> Result<CounterId, AllocateError> {
        let id = self.next_id(now_ms)?;
        self.publish(id, type_id, key, label, &Ids::default());
        Ok(id)
    }

    /// Allocates a counter that is seen with its ids and its value from the first moment on.
    ///
    /// # Errors
    /// When all are in use.
    pub fn allocate_counter(&mut self, new: &NewCounter, now_ms: i64) -> Result<Counter<M>, AllocateError> {
        let id = self.next_id(now_ms)?;
        let ids = Ids {
            value: new.value,
            registration_id: new.registration_id,
            owner_id: new.owner_id,
            reference_id: new.reference_id,
        };
        self.publish(id, new.type_id, &new.key, new.label.as_bytes(), &ids);
        Ok(self.cell(id))
    }

    /// Frees a counter; its id may be used again after the timeout.
    ///
    /// # Errors
    /// When it is not in use.
    pub fn free(&mut self, id: CounterId, now_ms: i64) -> Result<(), FreeError> {
        let record = self.record_of(id)?;
        let metadata = self.reader.metadata();
        metadata.store_i32(record + STATE_OFFSET, -1, Ordering::Release);
        // SYNC: counter-state: whoever sees a zeroed key, or a word of the next use, sees that the counter is gone.
        metadata.fence(Ordering::Release);
        metadata.write_racing(record + KEY_OFFSET, &[0; MAX_KEY_LENGTH]);
        let reuse_deadline_ms = now_ms.saturating_add(self.free_to_reuse_timeout_ms);
        metadata.store_i64(record + FREE_FOR_REUSE_DEADLINE_OFFSET, reuse_deadline_ms, Ordering::Release);

        let index = id.0 as u32; // in use, so not negative
        self.slots.as_mut()[index as usize] = CounterSlot { state: SlotState::Free { next: None }, reuse_deadline_ms };
        match self.newest_free.replace(index) {
            Some(newest) => {
                self.slots.as_mut()[newest as usize].state = SlotState::Free { next: Some(index) };
            }
            None => self.oldest_free = Some(index),
        }
        Ok(())
    }

    /// The value cell of a counter in use.
    #[must_use]
    pub fn counter(&self, id: CounterId) -> Option<Counter<M>> {
        self.record_of(id).is_ok().then(|| self.cell(id))
    }

    /// Says which command or resource a counter belongs to.
    ///
    /// # Errors
    /// When it is not in use.
    pub fn set_registration_id(&mut self, id: CounterId, registration_id: i64) -> Result<(), FreeError> {
        // SYNC: registration-id
        self.set_id(id, REGISTRATION_ID_OFFSET, registration_id, Ordering::Release)
    }

    /// Says which client a counter belongs to.
    ///
    /// # Errors
    /// When it is not in use.
    pub fn set_owner_id(&mut self, id: CounterId, owner_id: i64) -> Result<(), FreeError> {
        self.set_id(id, OWNER_ID_OFFSET, owner_id, Ordering::Relaxed)
    }

    /// Says what a counter refers to.
    ///
    /// # Errors
    /// When it is not in use.
    pub fn set_reference_id(&mut self, id: CounterId, reference_id: i64) -> Result<(), FreeError> {
        self.set_id(id, REFERENCE_ID_OFFSET, reference_id, Ordering::Relaxed)
    }

    /// Replaces a label; what does not fit is cut off.
    ///
    /// # Errors
    /// When the counter is not in use.
    pub fn update_label(&mut self, id: CounterId, label: &[u8]) -> Result<(), FreeError> {
        let record = self.record_of(id)?;
        write_label(self.reader.metadata(), record, label);
        Ok(())
    }

    /// Puts text at the end of a label; what does not fit is cut off.
    ///
    /// # Errors
    /// When the counter is not in use.
    pub fn append_to_label(&mut self, id: CounterId, text: &[u8]) -> Result<(), FreeError> {
        let record = self.record_of(id)?;
        append_to_label(self.reader.metadata(), record, text);
        Ok(())
    }

    /// The id that was freed longest ago, if that is long enough, or the first that was never used.
    fn next_id(&mut self, now_ms: i64) -> Result<CounterId, AllocateError> {
        let slots = self.slots.as_mut();
        if let Some(oldest) = self.oldest_free {
            let slot = &mut slots[oldest as usize];
            // No deadline lies further ahead, unless the clock was set back.
            slot.reuse_deadline_ms = slot.reuse_deadline_ms.min(now_ms.saturating_add(self.free_to_reuse_timeout_ms));
            if now_ms >= slot.reuse_deadline_ms {
                if let SlotState::Free { next } = slot.state {
                    self.oldest_free = next;
                }
                if self.oldest_free.is_none() {
                    self.newest_free = None;
                }
                slot.state = SlotState::Allocated;
                return Ok(CounterId(oldest as i32)); // an index of a counter
            }
        }
        if self.unused_from == self.count {
            return Err(AllocateError::Full { count: self.count });
        }
        let index = self.unused_from;
        self.unused_from += 1;
        slots[index].state = SlotState::Allocated;
        Ok(CounterId(index as i32)) // less than the count, which fits
    }

    fn publish(&self, id: CounterId, type_id: i32, key: &[u8], label: &[u8], ids: &Ids) {
        let (metadata, values) = (self.reader.metadata(), self.reader.values());
        let (record, value) = (id.0 as usize * METADATA_LENGTH, id.0 as usize * VALUE_LENGTH);
        // SYNC: registration-id, and counter-state by the store at the end.
        values.store_i64(value + REGISTRATION_ID_OFFSET, ids.registration_id, Ordering::Release);
        values.store_i64(value + OWNER_ID_OFFSET, ids.owner_id, Ordering::Relaxed);
        values.store_i64(value + REFERENCE_ID_OFFSET, ids.reference_id, Ordering::Relaxed);
        values.store_i64(value, ids.value, Ordering::Release);

        metadata.store_i32(record + TYPE_ID_OFFSET, type_id, Ordering::Relaxed);
        metadata.store_i64(record + FREE_FOR_REUSE_DEADLINE_OFFSET, NOT_FREE_TO_REUSE, Ordering::Relaxed);
        let mut whole_key = [0; MAX_KEY_LENGTH];
        let key = &key[..key.len().min(MAX_KEY_LENGTH)];
        whole_key[..key.len()].copy_from_slice(key);
        metadata.write_racing(record + KEY_OFFSET, &whole_key);
        write_label(metadata, record, label);
        // SYNC: counter-state
        metadata.store_i32(record + STATE_OFFSET, 1, Ordering::Release);
    }

    fn set_id(&mut self, id: CounterId, offset: usize, value: i64, order: Ordering) -> Result<(), FreeError> {
        self.record_of(id)?;
        self.reader.values().store_i64(id.0 as usize * VALUE_LENGTH + offset, value, order);
        Ok(())
    }

    /// Where the metadata of a counter in use lies.
    fn record_of(&self, id: CounterId) -> Result<usize, FreeError> {
        match id.index(self.count) {
            Some(index) if self.slots.as_ref()[index].state == SlotState::Allocated => Ok(index * METADATA_LENGTH),
            _ => Err(FreeError(id)),
        }
    }

    fn cell(&self, id: CounterId) -> Counter<M> {
        Counter::new(self.reader.values().slice(id.0 as usize * VALUE_LENGTH, VALUE_LENGTH), id)
    }
}

/// What stands in a value record.
#[derive(Default)]
struct Ids {
    value: i64,
    registration_id: i64,
    owner_id: i64,
    reference_id: i64,
}

fn write_label<M: Memory>(metadata: &M, record: usize, label: &[u8]) {
    let label = &label[..label.len().min(MAX_LABEL_LENGTH)];
    metadata.write_racing(record + LABEL_OFFSET, label);
    set_label_length(metadata, record, label.len());
}
