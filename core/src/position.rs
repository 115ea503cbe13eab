//! Positions in a stream and the ids around them, as newtypes with Aeron's wrap arithmetic. `[any]`
//!
//! Mirrors `LogBufferDescriptor`'s position functions. A position counts bytes, headers and padding included, from
//! the start of the initial term; term ids wrap around `i32`.

use core::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name(pub i32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<i32> for $name {
            fn from(id: i32) -> Self {
                $name(id)
            }
        }
    };
}

id!(
    /// A publication's session, unique for its channel and stream.
    SessionId
);
id!(
    /// A stream within a channel, chosen by the application.
    StreamId
);

/// A term within a session; ids start at a random value and wrap around, so they have no order of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct TermId(pub i32);

impl TermId {
    /// How many terms after `initial` this one is (wrapping; negative for a term before it).
    #[must_use]
    #[inline]
    pub const fn count_since(self, initial: TermId) -> i32 {
        self.0.wrapping_sub(initial.0)
    }

    /// The term `count` terms after this one (wrapping).
    #[must_use]
    #[inline]
    pub const fn plus(self, count: i32) -> TermId {
        TermId(self.0.wrapping_add(count))
    }
}

impl fmt::Display for TermId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The length of a term in bytes: a power of two from 64 KiB to 1 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct TermLength(i32);

/// A term length outside the accepted range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TermLengthError(pub i64);

impl fmt::Display for TermLengthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "term length {} is not a power of two from {} to {}", self.0, TermLength::MIN.0, TermLength::MAX.0)
    }
}

impl core::error::Error for TermLengthError {}

impl TermLength {
    /// 64 KiB, Aeron's `TERM_MIN_LENGTH`.
    pub const MIN: TermLength = TermLength(64 * 1024);
    /// 1 GiB, Aeron's `TERM_MAX_LENGTH`.
    pub const MAX: TermLength = TermLength(1024 * 1024 * 1024);

    /// Validates a length in bytes.
    ///
    /// # Errors
    /// When it is not a power of two from 64 KiB to 1 GiB.
    pub const fn new(length: i64) -> Result<TermLength, TermLengthError> {
        if length < TermLength::MIN.0 as i64 || length > TermLength::MAX.0 as i64 || length & (length - 1) != 0 {
            return Err(TermLengthError(length));
        }
        #[allow(clippy::cast_possible_truncation)] // at most 1 GiB by the check above
        Ok(TermLength(length as i32))
    }

    /// A length for models of the algorithms, where a term may be 256 bytes: any power of two from 64.
    ///
    /// # Panics
    /// When it is not a power of two from 64 to 1 GiB.
    #[doc(hidden)]
    #[must_use]
    pub const fn model(length: i32) -> TermLength {
        assert!(length >= 64 && length & (length - 1) == 0);
        TermLength(length)
    }

    /// In bytes.
    #[must_use]
    #[inline]
    pub const fn bytes(self) -> i32 {
        self.0
    }

    /// In bytes, as a length of memory.
    #[must_use]
    #[inline]
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }

    /// How far a term count is shifted to make a position: the base-2 logarithm of the length.
    #[must_use]
    #[inline]
    pub const fn bits(self) -> u32 {
        self.0.trailing_zeros()
    }

    /// The longest message that fits: an eighth of the term, at most 16 MiB.
    #[must_use]
    #[inline]
    pub const fn max_message_length(self) -> usize {
        let eighth = self.as_usize() / 8;
        if eighth < MAX_MESSAGE_LENGTH { eighth } else { MAX_MESSAGE_LENGTH }
    }

    /// The position at which a session ends: 2^31 terms.
    #[must_use]
    #[inline]
    pub const fn max_possible_position(self) -> Position {
        Position((self.0 as i64) << 31)
    }
}

/// 16 MiB, Aeron's `MAX_MESSAGE_LENGTH`.
pub const MAX_MESSAGE_LENGTH: usize = 16 * 1024 * 1024;

impl fmt::Display for TermLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A position in a session's stream, in bytes from the start of its initial term.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Position(pub i64);

impl Position {
    /// The position of `offset` in the term `term_id`.
    #[must_use]
    #[inline]
    pub const fn new(term_id: TermId, offset: i32, term_length: TermLength, initial: TermId) -> Position {
        Position(((term_id.count_since(initial) as i64) << term_length.bits()) + offset as i64)
    }

    /// How many whole terms lie before it (wrapping around at the end of the range, as the peer does).
    #[must_use]
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // the peer truncates: 2^31 terms are the end of a session
    pub const fn term_count(self, term_length: TermLength) -> i32 {
        (self.0 >> term_length.bits()) as i32
    }

    /// The term that it lies in.
    #[must_use]
    #[inline]
    pub const fn term_id(self, term_length: TermLength, initial: TermId) -> TermId {
        initial.plus(self.term_count(term_length))
    }

    /// Its offset in that term, in bytes.
    #[must_use]
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // masked to less than a term
    pub const fn term_offset(self, term_length: TermLength) -> i32 {
        (self.0 & (term_length.0 as i64 - 1)) as i32
    }

    /// Which of the three partitions holds that term.
    #[must_use]
    #[inline]
    pub const fn partition(self, term_length: TermLength) -> usize {
        ((self.0 >> term_length.bits()) % 3).unsigned_abs() as usize
    }

    /// The position `length` bytes on.
    #[must_use]
    #[inline]
    pub const fn plus(self, length: i64) -> Position {
        Position(self.0.wrapping_add(length))
    }

    /// How many bytes it lies beyond `earlier` (negative when it lies before).
    #[must_use]
    #[inline]
    pub const fn since(self, earlier: Position) -> i64 {
        self.0.wrapping_sub(earlier.0)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Rounds a length up to a multiple of `alignment`, a power of two.
#[must_use]
#[inline]
pub const fn align(length: usize, alignment: usize) -> usize {
    (length + (alignment - 1)) & !(alignment - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn term_lengths_outside_the_range_are_refused_by_value() {
        for length in [0, -1, 1, 65_535, 65_537, 32 * 1024, 3 * 65_536, 1 << 31] {
            assert_eq!(TermLength::new(length), Err(TermLengthError(length)));
        }
        assert_eq!(TermLength::new(1 << 30), Ok(TermLength::MAX));
    }

    #[test]
    fn term_ids_wrap() {
        let initial = TermId(i32::MAX);
        assert_eq!(initial.plus(1), TermId(i32::MIN));
        assert_eq!(TermId(i32::MIN).count_since(initial), 1);
        assert_eq!(Position::new(TermId(i32::MIN), 64, TermLength::MIN, initial), Position(65_536 + 64));
    }

    proptest! {
        #[test]
        fn a_position_is_its_term_and_offset(
            initial: i32, count in 0..i32::MAX, bits in 16_u32..=30, offset in 0_i32..(1 << 16),
        ) {
            let length = TermLength::new(1 << bits).unwrap();
            let initial = TermId(initial);
            let position = Position::new(initial.plus(count), offset, length, initial);
            prop_assert_eq!(position.term_id(length, initial), initial.plus(count));
            prop_assert_eq!(position.term_offset(length), offset);
            prop_assert_eq!(position.term_count(length), count);
            prop_assert_eq!(position.partition(length), (count % 3).unsigned_abs() as usize);
            prop_assert!(position < length.max_possible_position());
        }

        #[test]
        fn alignment_rounds_up_and_by_less_than_one_unit(length in 0_usize..1 << 40, bits in 0_u32..20) {
            let unit = 1_usize << bits;
            let aligned = align(length, unit);
            prop_assert!(aligned >= length && aligned - length < unit && aligned.is_multiple_of(unit));
        }
    }
}
