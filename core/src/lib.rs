//! Aeron's memory and frame layouts, without `std` and without an allocator.
//!
//! What two processes or two hosts must agree on, byte for byte, as Aeron 1.54 lays it out, and the
//! lock-free algorithms that work on it. Every structure is generic over [`sync::Memory`], the memory
//! that its caller lends: a mapped file, a static array, a `Vec` of words.
//!
//! Nothing here knows a clock, a thread, a socket or a file: time comes in as an argument.
#![no_std]

#[cfg(test)]
extern crate std;

pub mod broadcast;
pub mod cnc;
pub mod command;
pub mod counters;
pub mod error_log;
pub mod frame;
mod layout;
pub mod log;
pub mod loss_report;
pub mod position;
pub mod ring;
pub mod sync;
pub mod uri;

pub use position::{Position, SessionId, StreamId, TermId, TermLength};

#[cfg(target_endian = "big")]
compile_error!("Aeron's files and frames are little-endian; shared words are read in the machine's own order");
