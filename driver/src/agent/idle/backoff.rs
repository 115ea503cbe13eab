//! Back-off: spins, then yields, then parks for longer and longer, unless streams move. `[any]`
//!
//! The ladder mirrors `aeron_idle_strategy_backoff_idle`. What is ours (docs/adr/0004-parking.md): an agent whose
//! streams move names the time within which it is needed; back-off then waits that long, awake or parked, and leaves
//! the ladder alone. And where a yield turns out to give the core away for a whole time slice, because more threads
//! are busy than there are cores, it takes a short sleep instead: a thread that wakes is served before one that
//! yielded.

use std::time::{Duration, Instant};

use gannet_core::uri::value::parse_duration_ns;

use crate::agent::Pace;

/// Aeron's `AERON_IDLE_STRATEGY_BACKOFF_MAX_SPINS`.
const MAX_SPINS: u64 = 10;
/// Aeron's `AERON_IDLE_STRATEGY_BACKOFF_MAX_YIELDS`.
const MAX_YIELDS: u64 = 20;
/// Aeron's `AERON_IDLE_STRATEGY_BACKOFF_MIN_PARK_PERIOD_NS`.
const MIN_PARK_NS: u64 = 1_000;
/// Aeron's `AERON_IDLE_STRATEGY_BACKOFF_MAX_PARK_PERIOD_NS`.
const MAX_PARK_NS: u64 = 1_000_000;

/// A wait at least this long is slept, a shorter one is yielded away.
const PARK_FROM_NS: u64 = 60_000;
/// What a sleep takes beyond what was asked for, with the timer slack at its least, on a virtual machine.
const SLEEP_OVERHEAD_NS: u64 = 15_000;
/// The shortest sleep that gives the core to somebody else: of a shorter one the timer has run out before the thread is
/// put to sleep, and all that it takes is the time of setting the timer, 17 to 24 µs.
const SHORTEST_SLEEP_NS: u64 = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    NotIdle,
    Spinning,
    Yielding,
    Parking,
}

/// The state of one agent's back-off.
#[derive(Clone, Debug)]
pub struct Backoff {
    max_spins: u64,
    max_yields: u64,
    min_park_ns: u64,
    max_park_ns: u64,
    state: State,
    spins: u64,
    yields: u64,
    park_ns: u64,
    yielding: Yielding,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff::new(MAX_SPINS, MAX_YIELDS, MIN_PARK_NS, MAX_PARK_NS)
    }
}

impl Backoff {
    /// From how many spins and yields, and how short and long parks in nanoseconds.
    #[must_use]
    pub fn new(max_spins: u64, max_yields: u64, min_park_ns: u64, max_park_ns: u64) -> Self {
        Backoff {
            max_spins,
            max_yields,
            min_park_ns,
            max_park_ns,
            state: State::NotIdle,
            spins: 0,
            yields: 0,
            park_ns: min_park_ns,
            yielding: Yielding::default(),
        }
    }

    /// From init args `spins-yields-min_park-max_park`, taken apart as the C driver takes them: each value ends at the
    /// first character that cannot belong to it.
    pub(super) fn parse(args: &str) -> Option<Self> {
        let (spins, rest) = field(args, false)?;
        let (yields, rest) = field(rest.strip_prefix('-')?, false)?;
        let (min_park, rest) = field(rest.strip_prefix('-')?, true)?;
        let (max_park, _) = field(rest.strip_prefix('-')?, true)?;
        Some(Backoff::new(
            leading_number(spins)?,
            leading_number(yields)?,
            parse_duration_ns(min_park).ok()?,
            parse_duration_ns(max_park).ok()?,
        ))
    }

    /// Waits as fits the last duty cycle.
    #[inline]
    pub fn idle(&mut self, work_count: usize, pace: Pace) {
        if work_count > 0 {
            self.reset();
        } else if let Pace::Within(wait_ns) = pace {
            self.reset();
            self.keep_pace(wait_ns.min(self.max_park_ns));
        } else {
            self.back_off();
        }
    }

    #[inline]
    fn reset(&mut self) {
        self.state = State::NotIdle;
        self.spins = 0;
        self.yields = 0;
        self.park_ns = self.min_park_ns;
    }

    fn back_off(&mut self) {
        match self.state {
            State::NotIdle => {
                self.state = State::Spinning;
                self.spins += 1;
            }
            State::Spinning => {
                std::hint::spin_loop();
                self.spins += 1;
                if self.spins > self.max_spins {
                    self.state = State::Yielding;
                    self.yields = 0;
                }
            }
            State::Yielding => {
                self.yields += 1;
                if self.yields > self.max_yields {
                    self.state = State::Parking;
                    self.park_ns = self.min_park_ns;
                } else {
                    self.yielding.give_way(Duration::ZERO);
                }
            }
            State::Parking => {
                std::thread::sleep(Duration::from_nanos(self.park_ns));
                self.park_ns = self.park_ns.saturating_mul(2).min(self.max_park_ns);
            }
        }
    }

    fn keep_pace(&mut self, wait_ns: u64) {
        if wait_ns >= PARK_FROM_NS {
            std::thread::sleep(Duration::from_nanos(wait_ns - SLEEP_OVERHEAD_NS));
            return;
        }
        let start = Instant::now();
        let wait = Duration::from_nanos(wait_ns);
        loop {
            let left = wait.saturating_sub(start.elapsed());
            let now = self.yielding.give_way(left);
            if now.duration_since(start) >= wait {
                return;
            }
        }
    }
}

/// A yield that takes this long gave the core to a thread that kept it for a time slice, some milliseconds.
const LONG_YIELD: Duration = Duration::from_micros(200);
/// For how long yields are avoided after the first long one; twice as long after each further one, up to the most.
const AVOID_AT_FIRST: Duration = Duration::from_millis(50);
const AVOID_AT_MOST: Duration = Duration::from_secs(1);

/// Yields, as long as that costs no time slice.
#[derive(Clone, Debug, Default)]
struct Yielding {
    avoid_until: Option<Instant>,
    avoid_for: Duration,
}

impl Yielding {
    /// Lets others run, for about `wait` if it sleeps, and tells the time after that.
    fn give_way(&mut self, wait: Duration) -> Instant {
        let before = Instant::now();
        if let Some(until) = self.avoid_until {
            if before < until {
                let sleep = wait.saturating_sub(Duration::from_nanos(SLEEP_OVERHEAD_NS));
                std::thread::sleep(sleep.max(Duration::from_nanos(SHORTEST_SLEEP_NS)));
                return Instant::now();
            }
            self.avoid_until = None;
        }
        std::thread::yield_now();
        let after = Instant::now();
        self.learn(before, after);
        after
    }

    fn learn(&mut self, before: Instant, after: Instant) {
        if after.duration_since(before) < LONG_YIELD {
            return;
        }
        self.avoid_for = (self.avoid_for * 2).clamp(AVOID_AT_FIRST, AVOID_AT_MOST);
        self.avoid_until = Some(after + self.avoid_for);
    }
}

/// The characters up to the first that the C driver's `sscanf` would not take, at least 1 and at most 16 of them.
fn field(text: &str, is_duration: bool) -> Option<(&str, &str)> {
    let belongs = |c: char| c.is_ascii_digit() || c == ',' || c == '.' || (is_duration && matches!(c, 'm' | 'u' | 's'));
    let length = text.chars().take(16).take_while(|c| belongs(*c)).count();
    if length == 0 { None } else { Some(text.split_at(length)) }
}

/// The digits at the start, as `strtoull` reads them.
fn leading_number(text: &str) -> Option<u64> {
    let digits = text.split(|c: char| !c.is_ascii_digit()).next()?;
    if digits.is_empty() { None } else { Some(digits.parse().unwrap_or(u64::MAX)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &str) -> Option<(u64, u64, u64, u64)> {
        Backoff::parse(args).map(|b| (b.max_spins, b.max_yields, b.min_park_ns, b.max_park_ns))
    }

    #[test]
    fn init_args_are_taken_apart_as_the_c_driver_does() {
        assert_eq!(parsed("10-20-1us-1ms"), Some((10, 20, 1_000, 1_000_000)));
        assert_eq!(parsed("0-0-1-5000"), Some((0, 0, 1, 5_000)));
        assert_eq!(parsed("1,000-2.5-1us-1ms"), Some((1, 2, 1_000, 1_000_000)), "a number ends at a comma or a point");
        assert_eq!(parsed("1-2-3us-4us and more"), Some((1, 2, 3_000, 4_000)), "what follows is ignored");
        assert_eq!(parsed("1-2-3us-400ns"), Some((1, 2, 3_000, 400)), "an n ends the last value");
        for malformed in ["", "1", "1-2", "1-2-3us", "1-2-3us-", "a-b-c-d", ",-1-1us-1us", "1-2-300ns-1us", "-1-2-3-4"]
        {
            assert_eq!(parsed(malformed), None, "{malformed:?}");
        }
    }

    #[test]
    fn without_work_it_climbs_from_spinning_over_yielding_to_parks_that_double() {
        let mut backoff = Backoff::new(2, 2, 1, 4);
        let mut states = vec![];
        for _ in 0..9 {
            backoff.idle(0, Pace::Idle);
            states.push((backoff.state, backoff.park_ns));
        }
        use State::{Parking, Spinning, Yielding};
        assert_eq!(
            states,
            [
                (Spinning, 1),
                (Spinning, 1),
                (Yielding, 1),
                (Yielding, 1),
                (Yielding, 1),
                (Parking, 1),
                (Parking, 2),
                (Parking, 4),
                (Parking, 4)
            ]
        );
        backoff.idle(1, Pace::Idle);
        assert_eq!((backoff.state, backoff.park_ns), (State::NotIdle, 1));
    }

    #[test]
    fn moving_streams_keep_it_off_the_ladder() {
        let mut backoff = Backoff::new(0, 0, 1, 1_000);
        for _ in 0..10 {
            backoff.idle(0, Pace::Within(100));
            assert_eq!(backoff.state, State::NotIdle);
        }
    }

    #[test]
    fn a_paced_wait_is_no_longer_than_the_longest_park() {
        let mut backoff = Backoff::new(0, 0, 1, 1_000);
        let start = Instant::now();
        backoff.idle(0, Pace::Within(3_600_000_000_000));
        assert!(start.elapsed() < Duration::from_secs(600));
    }

    #[test]
    fn a_yield_that_costs_a_time_slice_is_avoided_for_a_while_and_longer_each_time() {
        let mut yielding = Yielding::default();
        let start = Instant::now();
        yielding.learn(start, start + Duration::from_micros(1));
        assert_eq!(yielding.avoid_until, None);
        let mut after = start;
        for wanted in [50, 100, 200, 400, 800, 1_000, 1_000] {
            let before = after;
            after = before + Duration::from_millis(4);
            yielding.learn(before, after);
            assert_eq!(yielding.avoid_until, Some(after + Duration::from_millis(wanted)));
        }
    }
}
