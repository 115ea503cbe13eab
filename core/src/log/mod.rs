//! Log buffers: the three terms of a publication or an image, and the algorithms on them. `[any]`
//!
//! A log is one piece of memory (a file, for Aeron): three terms that are used in turn and a page of metadata. A
//! publisher claims space by moving the tail of the active term, writes a frame there and releases the frame's
//! length last; a reader takes a frame once its length is positive; the driver cleans a term behind the slowest
//! reader before its space is used again.
//!
//! | module | does | runs in |
//! |---|---|---|
//! | [`descriptor`] | the layout of the file, raw tails | |
//! | [`frame_descriptor`] | the layout of a frame in a term | |
//! | [`properties`] | what a driver writes into the metadata | conductor |
//! | [`metadata`] | the words of the metadata, rotation | any |
//! | [`buffers`] | a whole log, made or validated | any |
//! | [`appender`] | offer and claim | client |
//! | [`reader`] | poll | client |
//! | [`scanner`] | finds what may be sent | sender |
//! | [`rebuilder`] | places what was received | receiver |
//! | [`gap_scanner`], [`gap_filler`] | find and fill what is missing | receiver |
//! | [`unblocker`], [`cleaner`] | pad dead claims, zero what was consumed | conductor |
//!
//! What a frame's length says: 0, nothing there yet; negative, claimed but not committed; positive, committed. The
//! length is the only atomic word of a frame; every other byte is plain, written by the claim's owner before it
//! releases the length and by nobody after. (Claims that outlive the unblock timeout are the exception: there
//! [`unblocker`] and claimer touch words only, and docs/adr/0005-late-publishers.md says what remains.)
//!
//! That everybody keeps this is what whoever opens a log vouches for: see [`LogBuffers::initialise`].
//!
//! Other processes may write a log at any time, so nothing read from it is trusted: the numbers that arithmetic
//! needs are validated and cached when a log is opened, and a frame's length is checked against its term each time.
//!
//! Nothing here knows a clock, a counter or a session table: limits and positions come in as arguments.
//!
//! Mirrors `aeron_logbuffer_descriptor.h`, `aeron_publication.c`, `aeron_exclusive_publication.c`, `aeron_image.c`
//! and `aeron_term_*.h`; spec: logbuffer.md.

pub mod appender;
pub mod buffers;
pub mod cleaner;
pub mod descriptor;
mod frame;
pub mod frame_descriptor;
pub mod gap_filler;
pub mod gap_scanner;
pub mod metadata;
pub mod properties;
pub mod reader;
pub mod rebuilder;
pub mod scanner;
pub mod unblocker;

#[cfg(test)]
mod testing;

pub use appender::{AppendError, Claim, ClaimLost, ConcurrentAppender, ExclusiveAppender};
pub use buffers::{LogBuffers, LogError};
pub use cleaner::Cleaner;
pub use descriptor::{METADATA_LENGTH, PAGE_MAX, PAGE_MIN, PARTITION_COUNT, RawTail, file_length};
pub use frame_descriptor::{FRAME_ALIGNMENT, HEADER_LENGTH};
pub use metadata::Metadata;
pub use properties::{LogProperties, LogType};
pub use reader::{Action, Header, Polled};
pub use unblocker::Unblock;
