//! Counters: 64-bit values with a type, a key and a label, which anybody may watch. `[any]`
//!
//! Mirrors `aeron_counters_manager.h`, Agrona's `CountersManager` and `CountersReader`; cnc.md §4. The driver's
//! conductor allocates ([`CountersManager`]); clients and tools find and read ([`CountersReader`]); a value's owner
//! writes it ([`Counter`]). What the driver's own counters are called, and what stands in their keys, is [`layout`]'s
//! and [`system`]'s.
//!
//! ```text
//!    metadata record, 512 bytes                          value record, 128 bytes
//!    0       4       8               16                  0              8                 16          24
//!    +-------+-------+---------------+----------+        +--------------+-----------------+-----------+--------------+
//!    | state | type  | reuse deadline| key, 112 |        | value        | registration id | owner id  | reference id |
//!    +-------+-------+---------------+----------+        +--------------+-----------------+-----------+--------------+
//!    128     132                            512          32                                                      128
//!    +-------+-------------------------------+           +---------------------------------------------------------+
//!    | length| label, 380                    |           | unused                                                  |
//!    +-------+-------------------------------+           +---------------------------------------------------------+
//! ```
//!
//! A counter's id is the index of its two records. Keys and labels are copied by words: a record may be reused while a
//! reader looks at it, which then finds another state, or another counter's text.
//!
//! Relaxed accesses in these files: of fields that the state orders, and of counters' numbers, which stand for
//! themselves.

mod counter;
pub mod layout;
mod manager;
mod reader;
pub mod system;

pub use counter::Counter;
pub use layout::NewCounter;
pub use manager::{AllocateError, CounterSlot, CountersManager, FreeError, LengthError};
pub use reader::{CounterRecord, CountersReader, RecordState};

use core::fmt;

use crate::sync::{Memory, Ordering};

/// Length of a value record, `AERON_COUNTERS_MANAGER_VALUE_LENGTH`.
pub const VALUE_LENGTH: usize = 128;
/// Length of a metadata record, `AERON_COUNTERS_MANAGER_METADATA_LENGTH`.
pub const METADATA_LENGTH: usize = 512;
/// Length of a key, `AERON_COUNTER_MAX_KEY_LENGTH`.
pub const MAX_KEY_LENGTH: usize = 112;
/// Length of the longest label, `AERON_COUNTER_MAX_LABEL_LENGTH`.
pub const MAX_LABEL_LENGTH: usize = 380;

/// The deadline of a counter that is in use.
pub const NOT_FREE_TO_REUSE: i64 = i64::MAX;

/// Offset of the registration id (i64) in a value record.
pub const REGISTRATION_ID_OFFSET: usize = 8;
/// Offset of the owner id (i64) in a value record.
pub const OWNER_ID_OFFSET: usize = 16;
/// Offset of the reference id (i64) in a value record.
pub const REFERENCE_ID_OFFSET: usize = 24;

/// Offset of the state (i32) in a metadata record.
pub const STATE_OFFSET: usize = 0;
/// Offset of the type id (i32) in a metadata record.
pub const TYPE_ID_OFFSET: usize = 4;
/// Offset of the deadline from which the record may be reused (i64, epoch milliseconds) in a metadata record.
pub const FREE_FOR_REUSE_DEADLINE_OFFSET: usize = 8;
/// Offset of the key in a metadata record.
pub const KEY_OFFSET: usize = 16;
/// Offset of the label's length (i32) in a metadata record.
pub const LABEL_LENGTH_OFFSET: usize = 128;
/// Offset of the label in a metadata record.
pub const LABEL_OFFSET: usize = 132;

const _: () = assert!(VALUE_LENGTH * crate::cnc::METADATA_PER_VALUE == METADATA_LENGTH);
const _: () = assert!(KEY_OFFSET + MAX_KEY_LENGTH == LABEL_LENGTH_OFFSET);
const _: () = assert!(LABEL_OFFSET + MAX_LABEL_LENGTH == METADATA_LENGTH);

/// A counter's id: the index of its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct CounterId(pub i32);

impl CounterId {
    /// No counter, `AERON_NULL_COUNTER_ID`.
    pub const NONE: CounterId = CounterId(-1);

    /// The index of its records among `count`.
    fn index(self, count: usize) -> Option<usize> {
        usize::try_from(self.0).ok().filter(|index| *index < count)
    }
}

impl fmt::Display for CounterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many counters fit: a metadata and a value record each.
fn record_count(metadata_length: usize, values_length: usize) -> usize {
    (metadata_length / METADATA_LENGTH).min(values_length / VALUE_LENGTH).min(i32::MAX as usize)
}

/// A label's length, whatever stands there.
fn label_length<M: Memory>(metadata: &M, record: usize) -> usize {
    // SYNC: label-length (here and in aeron_counters_manager.c): the label is visible up to its length.
    let length = metadata.load_i32(record + LABEL_LENGTH_OFFSET, Ordering::Acquire);
    usize::try_from(length).unwrap_or(0).min(MAX_LABEL_LENGTH)
}

/// Puts text at the end of a label, as far as there is room.
fn append_to_label<M: Memory>(metadata: &M, record: usize, text: &[u8]) {
    let length = label_length(metadata, record);
    let text = &text[..text.len().min(MAX_LABEL_LENGTH - length)];
    let end = length + text.len();
    // The first word keeps what the label has in it.
    let first = length / 4 * 4;
    let mut word = [0; 4];
    if first < end {
        metadata.read_racing(record + LABEL_OFFSET + first, &mut word);
    }
    let kept = length - first;
    let (head, rest) = text.split_at(text.len().min(4 - kept));
    word[kept..kept + head.len()].copy_from_slice(head);
    if first < end {
        metadata.write_racing(record + LABEL_OFFSET + first, &word);
        metadata.write_racing(record + LABEL_OFFSET + first + 4, rest);
    }
    set_label_length(metadata, record, end);
}

fn set_label_length<M: Memory>(metadata: &M, record: usize, length: usize) {
    // SYNC: label-length
    metadata.store_i32(record + LABEL_LENGTH_OFFSET, length as i32, Ordering::Release); // at most 380
}

#[cfg(test)]
mod tests;
