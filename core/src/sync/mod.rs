//! Memory that several processes write at once, and the only atomics of this crate. `[any]`
//!
//! [`Memory`] is the small trait over which every algorithm of this crate is written: numbered words
//! with an ordering, and copies of plain bytes. [`AtomicBuffer`] is the memory in earnest; the models in
//! `core/tests` put loom's cells behind the same trait, so the code that ships is the code that is
//! checked.

mod atomic_buffer;
mod memory;
pub(crate) mod prefetch;
mod read_only_buffer;
pub(crate) mod unchecked;

pub use atomic_buffer::AtomicBuffer;
pub use core::sync::atomic::Ordering;
pub use memory::{Bytes, Memory};
pub use read_only_buffer::ReadOnlyBuffer;
