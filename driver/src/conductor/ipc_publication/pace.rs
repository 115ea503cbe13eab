//! How soon a publication's limit needs the conductor again. `[conductor]`
//!
//! Pure: positions and times in, a wait out. Only the conductor moves limits, so a conductor that parks while a small
//! window empties stops the stream; and one that never parks takes a core from those who publish and consume. The
//! pace is how long the stream takes for an eighth of its window, the least by which a limit moves
//! (docs/adr/0004-parking.md). The peer has no such thing.

use gannet_core::Position;

use crate::agent::Pace;

/// A wait this long needs no pace of its own: back-off parks no longer than that by default.
const IDLE_FROM_NS: u64 = 1_000_000;
/// For how long after its last movement a stream keeps its pace.
const HOLD_NS: i64 = 1_000_000;
/// For how long after that it is still looked at often: publishers and consumers that lost their core come back within a
/// few time slices.
const LINGER_NS: i64 = 10_000_000;
/// How often that is.
const LINGER_WAIT_NS: u64 = 50_000;
/// Long enough for a speed, however slow the stream was before.
const MEASURE_OVER_NS: u64 = 20_000;
/// No wait is shorter.
const SHORTEST_NS: u64 = 500;

/// What is known of one stream's speed.
#[derive(Clone, Debug)]
pub struct StreamPace {
    eighth: i64,
    position: Position,
    measured_ns: i64,
    moved_ns: i64,
    wait_ns: u64,
}

impl StreamPace {
    /// Of a stream that stands still at `position`.
    #[must_use]
    pub fn new(window: i64, position: Position, now_ns: i64) -> Self {
        StreamPace {
            eighth: (window / 8).max(1),
            position,
            measured_ns: now_ns,
            moved_ns: now_ns.saturating_sub(LINGER_NS + 1),
            wait_ns: IDLE_FROM_NS,
        }
    }

    /// One look: how far the stream has come, and whether its publisher has used up its limit (then it could have
    /// come further).
    #[inline]
    pub fn observe(&mut self, position: Position, is_at_limit: bool, now_ns: i64) -> Pace {
        let moved = position.since(self.position);
        let elapsed = now_ns.saturating_sub(self.measured_ns).max(1).unsigned_abs();
        // Measured over less than that, one message more or less would decide.
        let is_measured = elapsed >= (self.wait_ns / 2).min(MEASURE_OVER_NS);
        if moved > 0 {
            self.moved_ns = now_ns;
            if is_measured {
                self.measure(moved, elapsed, is_at_limit);
            }
        }
        if is_measured || moved < 0 {
            self.position = position;
            self.measured_ns = now_ns;
        }
        self.pace(now_ns)
    }

    fn measure(&mut self, moved: i64, elapsed: u64, is_at_limit: bool) {
        let eighth = u128::from(self.eighth.unsigned_abs());
        let wait = u128::from(elapsed) * eighth / u128::from(moved.unsigned_abs());
        let wait = u64::try_from(wait).unwrap_or(u64::MAX);
        // It slows down by at most half at a time, so that one late look does not lose the pace.
        let wait = wait.min(self.wait_ns.saturating_mul(2));
        let wait = if is_at_limit { wait.min(self.wait_ns / 2) } else { wait };
        self.wait_ns = wait.clamp(SHORTEST_NS, IDLE_FROM_NS);
    }

    #[inline]
    fn pace(&mut self, now_ns: i64) -> Pace {
        let still_ns = now_ns.saturating_sub(self.moved_ns);
        if still_ns > LINGER_NS {
            self.wait_ns = IDLE_FROM_NS;
        }
        if self.wait_ns >= IDLE_FROM_NS {
            Pace::Idle
        } else if still_ns > HOLD_NS {
            Pace::Within(self.wait_ns.max(LINGER_WAIT_NS))
        } else {
            Pace::Within(self.wait_ns)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: i64 = 32 * 1024;

    /// Runs a stream of `bytes_per_us` without bounds, looked at as its pace asks, and tells the last pace.
    fn settle(window: i64, bytes_per_us: i64) -> Pace {
        let mut pace = StreamPace::new(window, Position(0), 0);
        let mut now = 0;
        let mut last = Pace::Idle;
        for _ in 0..200 {
            now += match last {
                Pace::Within(wait) => i64::try_from(wait).unwrap(),
                Pace::Idle => 1_000_000,
            };
            last = pace.observe(Position(now * bytes_per_us / 1_000), false, now);
        }
        last
    }

    #[test]
    fn a_stream_is_looked_at_once_for_each_eighth_of_its_window() {
        let Pace::Within(wait) = settle(WINDOW, 1_000) else { panic!("a fast stream must have a pace") };
        assert!((3_900..=4_300).contains(&wait), "4 KiB at 1 byte/ns take 4096 ns, not {wait}");
    }

    #[test]
    fn a_slow_stream_or_a_wide_window_leaves_the_conductor_to_its_idle_strategy() {
        assert_eq!(settle(WINDOW, 1), Pace::Idle, "4 KiB at 1 byte/us take 4 ms");
        assert_eq!(settle(32 << 20, 1_000), Pace::Idle, "4 MiB at 1 byte/ns take 4 ms");
    }

    #[test]
    fn a_blocked_publisher_is_looked_at_sooner_each_time() {
        let mut pace = StreamPace::new(WINDOW, Position(0), 0);
        let mut now = 0;
        let mut position = 0;
        let mut looks = 0;
        loop {
            now += 1_000_000; // the conductor was parked for a millisecond each time
            position += WINDOW;
            looks += 1;
            if pace.observe(Position(position), true, now) == Pace::Within(SHORTEST_NS) {
                break;
            }
            assert!(looks < 20, "the pace does not get faster");
        }
    }

    #[test]
    fn a_stream_that_stops_keeps_its_pace_for_a_while_then_a_slower_one_and_then_none() {
        let mut pace = StreamPace::new(WINDOW, Position(0), 0);
        let start = 100_000;
        let first = pace.observe(Position(WINDOW), false, start);
        assert!(matches!(first, Pace::Within(wait) if wait < LINGER_WAIT_NS), "{first:?}");
        let at = |pace: &mut StreamPace, after| pace.observe(Position(WINDOW), false, start + after);
        assert_eq!(at(&mut pace, HOLD_NS), first);
        assert_eq!(at(&mut pace, HOLD_NS + 1), Pace::Within(LINGER_WAIT_NS));
        assert_eq!(at(&mut pace, LINGER_NS), Pace::Within(LINGER_WAIT_NS));
        assert_eq!(at(&mut pace, LINGER_NS + 1), Pace::Idle);
    }

    #[test]
    fn a_stream_that_never_moved_has_no_pace() {
        let mut pace = StreamPace::new(WINDOW, Position(0), 0);
        assert_eq!(pace.observe(Position(0), false, 10), Pace::Idle);
        assert_eq!(pace.observe(Position(0), true, 20_000), Pace::Idle);
    }
}
