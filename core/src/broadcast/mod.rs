//! The broadcast buffer: the driver's answers to all its clients. `[any]`
//!
//! Mirrors `aeron_broadcast_descriptor.h`; cnc.md §3. One [`Transmitter`], any number of [`Receiver`]s of which it knows
//! nothing: it overwrites the oldest record, and a receiver that is too slow finds that out.
//!
//! ```text
//!    0                                         capacity (a power of two)
//!    +------------------------------------------+-----------------------------------------------+
//!    | record | record | … | padding to the end | +0 tail intent | +8 tail | +16 latest |       | 128 bytes
//!    +------------------------------------------+-----------------------------------------------+
//!
//!    record, aligned to 8:  0 length i32 (header and message) | 4 type i32 (-1: padding) | 8 message
//! ```
//!
//! Records are written and read by words at the same time. A receiver copies a record, and then looks at the tail
//! intent, which the transmitter moves before it overwrites anything: only if that has not passed the record is the copy
//! used.

mod receiver;
mod transmitter;

pub use receiver::{ReceiveError, Receiver};
pub use transmitter::{TransmitError, Transmitter};

/// Length of what follows the records, `AERON_BROADCAST_BUFFER_TRAILER_LENGTH`.
pub const TRAILER_LENGTH: usize = 128;
/// Length of a record's header, `AERON_BROADCAST_RECORD_HEADER_LENGTH`.
pub const RECORD_HEADER_LENGTH: usize = 8;
/// Records start at multiples of this, `AERON_BROADCAST_RECORD_ALIGNMENT`.
pub const RECORD_ALIGNMENT: usize = 8;
/// Type id of a record that is only padding, `AERON_BROADCAST_PADDING_MSG_TYPE_ID`.
pub const PADDING_TYPE_ID: i32 = -1;

/// Offset of the tail intent (i64) in the trailer: up to where records are being overwritten.
pub const TAIL_INTENT_OFFSET: usize = 0;
/// Offset of the tail (i64) in the trailer: up to where records are complete.
pub const TAIL_OFFSET: usize = 8;
/// Offset of the latest record's position (i64) in the trailer.
pub const LATEST_OFFSET: usize = 16;

/// Offset of the type id in a record.
const TYPE_OFFSET: usize = 4;

const fn max_message_length(capacity: usize) -> usize {
    capacity / 8
}

#[cfg(test)]
mod tests;
