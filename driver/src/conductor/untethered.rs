//! The four states of a subscription that may be left behind. `[conductor]`
//!
//! Pure: time and positions in, a transition out. Mirrors `aeron_ipc_publication_check_untethered_subscriptions` and
//! `UntetheredSubscription`; driver.md §10. A tethered subscription stays ACTIVE and holds its publisher back.

use gannet_core::Position;

/// Where an untethered subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TetherState {
    /// It reads, and holds the publisher back.
    Active,
    /// It was told that it lost the image, and still holds the publisher back.
    Linger,
    /// It waits to rejoin.
    Resting,
    /// It never comes back.
    Closed,
}

/// What a look at an untethered subscription did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// Nothing.
    None,
    /// It fell behind: tell it that the image is gone.
    BecameUnavailable,
    /// It no longer holds the publisher back, and rests before it rejoins.
    Rests,
    /// It is out for good: free its counter.
    Closes,
    /// It rejoins: set its position, and tell it of the image.
    Rejoins,
}

/// The time-outs of a publication's or an image's untethered subscriptions, nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UntetheredTimeouts {
    /// Behind the window for this long: it loses the image.
    pub window_limit_ns: i64,
    /// From there to resting.
    pub linger_ns: i64,
    /// From there to rejoining.
    pub resting_ns: i64,
}

/// How one subscription is tied to a stream.
#[derive(Clone, Debug)]
pub struct Tether {
    is_tethered: bool,
    is_rejoin: bool,
    state: TetherState,
    last_update_ns: i64,
}

impl Tether {
    /// An active one.
    #[must_use]
    pub fn new(is_tethered: bool, is_rejoin: bool, now_ns: i64) -> Self {
        Tether { is_tethered, is_rejoin, state: TetherState::Active, last_update_ns: now_ns }
    }

    /// Its state.
    #[must_use]
    pub fn state(&self) -> TetherState {
        self.state
    }

    /// Whether its position holds the publisher back.
    #[must_use]
    #[inline]
    pub fn is_working(&self) -> bool {
        matches!(self.state, TetherState::Active | TetherState::Linger)
    }

    /// One look. `window_limit` is the position that it must be beyond; `may_rejoin` is false for a stream that ends.
    pub fn on_time(
        &mut self,
        now_ns: i64,
        position: Position,
        window_limit: Position,
        timeouts: &UntetheredTimeouts,
        may_rejoin: bool,
    ) -> Transition {
        if self.is_tethered {
            self.last_update_ns = now_ns;
            return Transition::None;
        }
        match self.state {
            TetherState::Active if position > window_limit => {
                self.last_update_ns = now_ns;
                Transition::None
            }
            TetherState::Active if self.is_over(now_ns, timeouts.window_limit_ns) => {
                self.enter(TetherState::Linger, now_ns, Transition::BecameUnavailable)
            }
            TetherState::Linger if self.is_over(now_ns, timeouts.linger_ns) => {
                if may_rejoin && self.is_rejoin {
                    self.enter(TetherState::Resting, now_ns, Transition::Rests)
                } else {
                    self.enter(TetherState::Closed, now_ns, Transition::Closes)
                }
            }
            TetherState::Resting if !may_rejoin => self.enter(TetherState::Closed, now_ns, Transition::Closes),
            TetherState::Resting if self.is_over(now_ns, timeouts.resting_ns) => {
                self.enter(TetherState::Active, now_ns, Transition::Rejoins)
            }
            TetherState::Active | TetherState::Linger | TetherState::Resting | TetherState::Closed => Transition::None,
        }
    }

    fn is_over(&self, now_ns: i64, timeout_ns: i64) -> bool {
        now_ns > self.last_update_ns.saturating_add(timeout_ns)
    }

    fn enter(&mut self, state: TetherState, now_ns: i64, transition: Transition) -> Transition {
        self.state = state;
        self.last_update_ns = now_ns;
        transition
    }
}

/// The position that an untethered subscription must be beyond: a quarter of the window before it would block a
/// publisher that is a whole window ahead of `reference`.
#[must_use]
pub fn window_limit(reference: Position, window: i64) -> Position {
    Position(reference.0.saturating_sub(window).saturating_add(window / 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUTS: UntetheredTimeouts = UntetheredTimeouts { window_limit_ns: 5, linger_ns: 3, resting_ns: 10 };
    const LIMIT: Position = Position(1000);
    const BEHIND: Position = Position(1000);
    const AHEAD: Position = Position(1032);

    fn untethered() -> Tether {
        Tether::new(false, true, 0)
    }

    #[test]
    fn a_tethered_subscription_stays_active_however_far_it_is_behind() {
        let mut tether = Tether::new(true, true, 0);
        for now in [0, 100, 10_000] {
            assert_eq!(tether.on_time(now, Position(0), LIMIT, &TIMEOUTS, true), Transition::None);
        }
        assert!(tether.is_working());
    }

    #[test]
    fn being_beyond_the_limit_refreshes_the_time_out() {
        let mut tether = untethered();
        assert_eq!(tether.on_time(5, BEHIND, LIMIT, &TIMEOUTS, true), Transition::None, "must be over, not at it");
        assert_eq!(tether.on_time(100, AHEAD, LIMIT, &TIMEOUTS, true), Transition::None);
        assert_eq!(tether.on_time(105, BEHIND, LIMIT, &TIMEOUTS, true), Transition::None);
        assert_eq!(tether.on_time(106, BEHIND, LIMIT, &TIMEOUTS, true), Transition::BecameUnavailable);
    }

    #[test]
    fn it_goes_through_all_states_and_rejoins() {
        let mut tether = untethered();
        assert_eq!(tether.on_time(6, BEHIND, LIMIT, &TIMEOUTS, true), Transition::BecameUnavailable);
        assert_eq!((tether.state(), tether.is_working()), (TetherState::Linger, true));
        assert_eq!(tether.on_time(9, BEHIND, LIMIT, &TIMEOUTS, true), Transition::None);
        assert_eq!(tether.on_time(10, AHEAD, LIMIT, &TIMEOUTS, true), Transition::Rests);
        assert_eq!((tether.state(), tether.is_working()), (TetherState::Resting, false));
        assert_eq!(tether.on_time(20, AHEAD, LIMIT, &TIMEOUTS, true), Transition::None);
        assert_eq!(tether.on_time(21, BEHIND, LIMIT, &TIMEOUTS, true), Transition::Rejoins);
        assert_eq!((tether.state(), tether.is_working()), (TetherState::Active, true));
        assert_eq!(tether.on_time(26, BEHIND, LIMIT, &TIMEOUTS, true), Transition::None);
        assert_eq!(tether.on_time(27, BEHIND, LIMIT, &TIMEOUTS, true), Transition::BecameUnavailable);
    }

    #[test]
    fn without_rejoin_it_closes_after_lingering() {
        for (is_rejoin, may_rejoin) in [(false, true), (true, false)] {
            let mut tether = Tether::new(false, is_rejoin, 0);
            assert_eq!(tether.on_time(6, BEHIND, LIMIT, &TIMEOUTS, may_rejoin), Transition::BecameUnavailable);
            assert_eq!(tether.on_time(10, BEHIND, LIMIT, &TIMEOUTS, may_rejoin), Transition::Closes);
            assert_eq!((tether.state(), tether.is_working()), (TetherState::Closed, false));
            assert_eq!(tether.on_time(1000, AHEAD, LIMIT, &TIMEOUTS, may_rejoin), Transition::None);
        }
    }

    #[test]
    fn a_resting_one_closes_when_the_stream_ends() {
        let mut tether = untethered();
        let _ = tether.on_time(6, BEHIND, LIMIT, &TIMEOUTS, true);
        assert_eq!(tether.on_time(10, BEHIND, LIMIT, &TIMEOUTS, true), Transition::Rests);
        assert_eq!(tether.on_time(11, BEHIND, LIMIT, &TIMEOUTS, false), Transition::Closes);
    }

    #[test]
    fn the_limit_lies_a_quarter_of_the_window_before_the_end_of_it() {
        assert_eq!(window_limit(Position(10_000), 4_000), Position(7_000));
        assert_eq!(window_limit(Position(0), 4_000), Position(-3_000));
        assert_eq!(window_limit(Position(i64::MIN), 4_000), Position(i64::MIN + 1_000));
    }
}
