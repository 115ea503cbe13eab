//! (counters)

/// A counter's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct CounterId(pub i32);

impl CounterId {
    /// No counter.
    pub const NONE: CounterId = CounterId(-1);
}
