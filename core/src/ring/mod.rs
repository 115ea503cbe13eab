//! The many-to-one ring: commands from any number of clients to the driver. `[any]`
//!
//! Mirrors `aeron_mpsc_rb` and Agrona's `ManyToOneRingBuffer`; cnc.md §2. It knows nothing of what the messages mean
//! (`command`) and no clock: who decides that a producer is dead calls [`Consumer::unblock`].
//!
//! ```text
//!    0                                                   capacity (a power of two)
//!    +----------------------------------------------------+-----------------------------------------------+
//!    | record | record | … | padding to the end           | trailer, 768 bytes                            |
//!    +----------------------------------------------------+-----------------------------------------------+
//!                                                           +128 tail              +512 correlation counter
//!                                                           +256 head cache        +640 consumer heartbeat
//!                                                           +384 head
//!
//!    record, aligned to 8
//!    0       4       8
//!    +-------+-------+-----------------------+
//!    | length| type  | message               |   length: header and message, not aligned; negative while claimed,
//!    +-------+-------+-----------------------+           0 where nothing is written; type -1 is padding
//! ```
//!
//! # Who writes what
//! A producer moves the tail with a compare-and-exchange; from then on the record is its own, and its index holds
//! zeroes, because the consumer zeroes what it has read before it moves the head. The producer says so by a negative
//! length, and commits by the positive one. A record never crosses the end: a producer that needs more than is left
//! claims the rest too, and writes it as padding.
//!
//! # Where this is stricter than the peer
//! - A producer enters and leaves a record by compare-and-exchange of its length, and looks at the head after entering:
//!   one that slept until the driver took its record away learns it ([`WriteError::ClaimLost`]) instead of committing
//!   into memory that belongs to somebody else.
//! - Unblocking ends at what was claimed before the time-out began, never at a claim made since, and needs no later
//!   record: it works at index 0, at the wrap, and for the last record in the ring ([`Consumer::unblock`]).
//! - The consumer reads no record beyond the tail, keeps its own head, and finds its way again after a malformed record
//!   ([`Consumer::read`]).
//! - A payload is copied by words on both sides, because the unblocker may look at them meanwhile.

mod claim;
mod consumer;
mod many_to_one;
mod unblock;

pub use claim::Claim;
pub use consumer::Consumer;
pub use many_to_one::{ManyToOneRing, WriteError};
pub use unblock::StallWatch;

use core::fmt;

/// Length of what follows the records, `AERON_RB_TRAILER_LENGTH`.
pub const TRAILER_LENGTH: usize = 768;
/// Length of a record's header, `AERON_RB_RECORD_HEADER_LENGTH`.
pub const RECORD_HEADER_LENGTH: usize = 8;
/// Records start at multiples of this, `AERON_RB_ALIGNMENT`.
pub const RECORD_ALIGNMENT: usize = 8;
/// Type id of a record that is only padding, `AERON_RB_PADDING_MSG_TYPE_ID`.
pub const PADDING_TYPE_ID: i32 = -1;

/// Offset of the tail (i64) in the trailer.
pub const TAIL_OFFSET: usize = 128;
/// Offset of the producers' cached head (i64) in the trailer.
pub const HEAD_CACHE_OFFSET: usize = 256;
/// Offset of the head (i64) in the trailer.
pub const HEAD_OFFSET: usize = 384;
/// Offset of the correlation counter (i64) in the trailer.
pub const CORRELATION_COUNTER_OFFSET: usize = 512;
/// Offset of the consumer's heartbeat (i64, epoch milliseconds) in the trailer.
pub const CONSUMER_HEARTBEAT_OFFSET: usize = 640;

const _: () = assert!(CONSUMER_HEARTBEAT_OFFSET + 128 == TRAILER_LENGTH);

/// Offset of the type id in a record.
const TYPE_OFFSET: usize = 4;
/// The length of a record while the consumer takes it from a producer that has not entered it. No producer writes it.
const TAKEN_AWAY: i32 = i32::MIN;

/// A memory whose length is not a power of two (from 8 bytes to 1 GiB) plus the trailer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapacityError {
    /// Length of the memory in bytes.
    pub length: usize,
    /// Length of the trailer that it should end with.
    pub trailer_length: usize,
}

impl CapacityError {
    /// The capacity before a trailer, when it is a power of two that fits an `i32`.
    pub(crate) fn check(length: usize, trailer_length: usize) -> Result<usize, CapacityError> {
        let capacity = length.saturating_sub(trailer_length);
        if capacity.is_power_of_two() && (RECORD_ALIGNMENT..=1 << 30).contains(&capacity) {
            Ok(capacity)
        } else {
            Err(CapacityError { length, trailer_length })
        }
    }
}

impl fmt::Display for CapacityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CapacityError { length, trailer_length } = self;
        write!(f, "buffer length {length} is not a power of two from 8 bytes to 1 GiB plus {trailer_length}")
    }
}

impl core::error::Error for CapacityError {}

#[cfg(test)]
mod tests;
