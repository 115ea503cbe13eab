//! Whether the driver has the slowest subscriber's core. `[conductor]`
//!
//! Pure: what was cleaned and where the subscriber stood before and after. One that had something to read, and read nothing
//! while a long range was cleaned, twice running, had no core (docs/adr/0009-a-subscribers-core.md). The peer has no such
//! thing.

use gannet_core::Position;

/// What takes some 0.2 ms to clean. A subscriber tells its position once for each of its polls; those take less.
const LONG_CLEANING: i64 = 2 * 1024 * 1024;
/// In how many long cleanings in a row. One alone may lie within a long poll.
const IN_A_ROW: u32 = 2;

/// Watches the slowest subscriber.
#[derive(Clone, Debug, Default)]
pub struct Stillness {
    in_a_row: u32,
}

impl Stillness {
    /// After a cleaning of `cleaned` bytes: the slowest subscriber's position before and after it, and the publishers'
    /// before it. Whether the driver is in the subscriber's way.
    pub fn observe(&mut self, cleaned: i64, before: Position, after: Position, producer: Position) -> bool {
        if cleaned < LONG_CLEANING {
            return false;
        }
        let stood_still = before < producer && after == before;
        self.in_a_row = if stood_still { self.in_a_row + 1 } else { 0 };
        let is_displaced = self.in_a_row >= IN_A_ROW;
        if is_displaced {
            self.in_a_row = 0;
        }
        is_displaced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRODUCER: Position = Position(10 * LONG_CLEANING);

    fn observe(stillness: &mut Stillness, cleaned: i64, before: i64, after: i64) -> bool {
        stillness.observe(cleaned, Position(before), Position(after), PRODUCER)
    }

    #[test]
    fn a_subscriber_that_reads_nothing_during_two_long_cleanings_is_displaced() {
        let mut stillness = Stillness::default();
        assert!(!observe(&mut stillness, LONG_CLEANING, 64, 64));
        assert!(observe(&mut stillness, LONG_CLEANING, 128, 128));
        assert!(!observe(&mut stillness, LONG_CLEANING, 192, 192), "it begins anew");
    }

    #[test]
    fn one_that_reads_between_or_has_nothing_to_read_is_not() {
        let mut stillness = Stillness::default();
        assert!(!observe(&mut stillness, LONG_CLEANING, 64, 64));
        assert!(!observe(&mut stillness, LONG_CLEANING, 64, 128));
        assert!(!observe(&mut stillness, LONG_CLEANING, 128, 128));
        assert!(!observe(&mut stillness, LONG_CLEANING, PRODUCER.0, PRODUCER.0));
        assert!(!observe(&mut stillness, LONG_CLEANING, 128, 128));
    }

    #[test]
    fn a_short_cleaning_says_nothing() {
        let mut stillness = Stillness::default();
        assert!(!observe(&mut stillness, LONG_CLEANING, 64, 64));
        assert!(!observe(&mut stillness, LONG_CLEANING - 32, 64, 128));
        assert!(!observe(&mut stillness, LONG_CLEANING - 32, 128, 128));
        assert!(observe(&mut stillness, LONG_CLEANING, 128, 128));
    }
}
