//! How far a publisher may go, and how far its log may be cleaned behind the subscribers. `[conductor]`
//!
//! Pure: positions in, a decision out. Mirrors `aeron_ipc_publication_update_pub_pos_and_lmt`; driver.md §3,
//! logbuffer.md §10. The one addition is the cap: the limit never passes the space that is reserved
//! (docs/adr/0003-log-reservation.md).

use gannet_core::Position;

/// What one look at the positions decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// Clean the log up to here, before the limit is stored.
    pub clean_to: Option<Position>,
    /// Store this as the publisher's limit.
    pub limit: Option<Position>,
}

/// Positions of the subscribers that hold a publication back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consumers {
    /// The slowest.
    pub min: Position,
    /// The fastest.
    pub max: Position,
}

impl Consumers {
    /// Takes one more subscriber into account.
    #[must_use]
    #[inline]
    pub fn with(consumers: Option<Consumers>, position: Position) -> Consumers {
        match consumers {
            None => Consumers { min: position, max: position },
            Some(Consumers { min, max }) => Consumers { min: min.min(position), max: max.max(position) },
        }
    }
}

/// The state behind one publication's limit.
#[derive(Clone, Debug)]
pub struct PublicationLimit {
    window: i64,
    trip_gain: i64,
    // The limit moves when it would pass this: by an eighth of a window at least.
    trip: Position,
    granted: Position,
    consumer: Position,
}

impl PublicationLimit {
    /// Starts where the publication starts, with nothing granted.
    #[must_use]
    pub fn new(window: i64, start: Position) -> Self {
        PublicationLimit { window, trip_gain: window / 8, trip: start, granted: start, consumer: start }
    }

    /// The fastest subscriber's position so far; where a publication without subscribers stands.
    #[must_use]
    #[inline]
    pub fn consumer(&self) -> Position {
        self.consumer
    }

    /// What the publisher's limit was last set to.
    #[must_use]
    #[inline]
    pub fn granted(&self) -> Position {
        self.granted
    }

    /// The window in bytes.
    #[must_use]
    #[inline]
    pub fn window(&self) -> i64 {
        self.window
    }

    /// The limit that the subscribers would allow, were there space without end.
    #[must_use]
    #[inline]
    pub fn wanted(&self, consumers: Consumers) -> Position {
        Position(consumers.min.0.saturating_add(self.window))
    }

    /// Whether a publisher at `producer` waits for a limit that it could have had for some time: twice the least by which a
    /// limit moves. One that waits for a slow subscriber does not.
    #[must_use]
    #[inline]
    pub fn is_late(&self, producer: Position, consumers: Consumers) -> bool {
        producer >= self.granted && self.wanted(consumers).since(self.granted) >= 2 * self.trip_gain
    }

    /// One look: `consumers` are the subscribers that hold the publication back, `None` for a publication that is
    /// not connected, `cap` the most that the reserved space allows.
    #[inline]
    pub fn update(&mut self, consumers: Option<Consumers>, cap: Position) -> Update {
        let Some(consumers) = consumers else { return self.disconnect() };
        self.consumer = self.consumer.max(consumers.max);

        let wanted = self.wanted(consumers);
        let limit = wanted.min(cap);
        // A limit that the space holds back goes on with the space, not in trips.
        let trips = if limit < wanted { limit > self.granted } else { limit > self.trip };
        if !trips {
            return Update::default();
        }
        self.trip = Position(limit.0.saturating_add(self.trip_gain));
        self.granted = limit;
        Update { clean_to: Some(consumers.min), limit: Some(limit) }
    }

    fn disconnect(&mut self) -> Update {
        if self.granted <= self.consumer {
            return Update::default();
        }
        self.granted = self.consumer;
        self.trip = self.consumer;
        Update { clean_to: Some(self.consumer), limit: Some(self.consumer) }
    }

    /// The publisher left: no limit beyond what it published.
    pub fn close_at(&mut self, producer: Position) -> Option<Position> {
        if self.granted <= producer {
            return None;
        }
        self.granted = producer;
        Some(producer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WINDOW: i64 = 32 * 1024;
    const GAIN: i64 = WINDOW / 8;
    const NO_CAP: Position = Position(i64::MAX);

    fn at(min: i64, max: i64) -> Option<Consumers> {
        Some(Consumers { min: Position(min), max: Position(max) })
    }

    fn limit_of(update: Update) -> Option<i64> {
        update.limit.map(|limit| limit.0)
    }

    #[test]
    fn only_a_publisher_at_its_limit_whose_subscribers_have_read_two_trips_waits_for_the_driver() {
        let mut limit = PublicationLimit::new(WINDOW, Position(0));
        limit.update(at(0, 0), NO_CAP);
        let consumers = |min| at(min, WINDOW).unwrap();
        assert!(!limit.is_late(Position(WINDOW), consumers(0)), "the subscriber is slow");
        assert!(!limit.is_late(Position(WINDOW), consumers(2 * GAIN - 32)));
        assert!(limit.is_late(Position(WINDOW), consumers(2 * GAIN)));
        assert!(!limit.is_late(Position(WINDOW - 32), consumers(WINDOW / 2)), "the publisher has room");
    }

    #[test]
    fn the_first_subscriber_opens_a_window() {
        let mut limit = PublicationLimit::new(WINDOW, Position(0));
        assert_eq!(limit.update(None, NO_CAP), Update::default());
        let update = limit.update(at(0, 0), NO_CAP);
        assert_eq!(update, Update { clean_to: Some(Position(0)), limit: Some(Position(WINDOW)) });
    }

    #[test]
    fn the_limit_moves_once_the_slowest_subscriber_moved_by_more_than_an_eighth_of_the_window() {
        let mut limit = PublicationLimit::new(WINDOW, Position(0));
        let _ = limit.update(at(0, 0), NO_CAP);
        assert_eq!(limit.update(at(GAIN, 2 * GAIN), NO_CAP), Update::default());
        let update = limit.update(at(GAIN + 32, 2 * GAIN), NO_CAP);
        assert_eq!(update, Update { clean_to: Some(Position(GAIN + 32)), limit: Some(Position(WINDOW + GAIN + 32)) });
    }

    #[test]
    fn without_subscribers_the_limit_falls_back_to_the_fastest_one_there_was() {
        let mut limit = PublicationLimit::new(WINDOW, Position(0));
        let _ = limit.update(at(0, 0), NO_CAP);
        let _ = limit.update(at(64, 640), NO_CAP);
        let update = limit.update(None, NO_CAP);
        assert_eq!(update, Update { clean_to: Some(Position(640)), limit: Some(Position(640)) });
        assert_eq!(limit.update(None, NO_CAP), Update::default());
        assert_eq!(limit_of(limit.update(at(640, 640), NO_CAP)), Some(640 + WINDOW), "a new subscriber opens it again");
    }

    #[test]
    fn the_limit_stops_at_the_reserved_space_and_follows_it_in_any_step() {
        let mut limit = PublicationLimit::new(WINDOW, Position(0));
        assert_eq!(limit_of(limit.update(at(0, 0), Position(0))), None);
        assert_eq!(limit_of(limit.update(at(0, 0), Position(64))), Some(64));
        assert_eq!(limit_of(limit.update(at(32, 64), Position(64))), None);
        assert_eq!(limit_of(limit.update(at(32, 64), Position(96))), Some(96));
        assert_eq!(limit_of(limit.update(at(64, 64), NO_CAP)), Some(64 + WINDOW));
    }

    #[test]
    fn a_publication_that_starts_late_keeps_to_its_start() {
        let start = Position(3 << 20);
        let mut limit = PublicationLimit::new(WINDOW, start);
        assert_eq!(limit.update(None, NO_CAP), Update::default());
        assert_eq!(limit_of(limit.update(at(start.0, start.0), NO_CAP)), Some(start.0 + WINDOW));
    }

    #[test]
    fn a_publisher_that_left_keeps_no_room() {
        let mut limit = PublicationLimit::new(WINDOW, Position(0));
        let _ = limit.update(at(0, 0), NO_CAP);
        assert_eq!(limit.close_at(Position(96)), Some(Position(96)));
        assert_eq!(limit.close_at(Position(96)), None);
    }

    proptest! {
        #[test]
        fn a_connected_limit_never_falls_nor_passes_window_or_space(
            steps in proptest::collection::vec((0_i64..2 * WINDOW, 0_i64..WINDOW, 0_i64..WINDOW), 1..100),
        ) {
            let mut limit = PublicationLimit::new(WINDOW, Position(0));
            let (mut min, mut cap) = (0, 0);
            for (moved, ahead, more) in steps {
                min += moved.min(limit.granted().0 - min);
                cap = (cap + more).max(limit.granted().0);
                let before = limit.granted();
                let update = limit.update(at(min, min + ahead), Position(cap));
                prop_assert!(limit.granted() >= before);
                prop_assert!(limit.granted().0 <= min + WINDOW);
                prop_assert!(limit.granted().0 <= cap);
                prop_assert_eq!(update.limit.is_some(), limit.granted() > before);
                prop_assert_eq!(update.clean_to, update.limit.map(|_| Position(min)));
            }
        }

        #[test]
        fn positions_of_a_hostile_subscriber_do_not_overflow(positions in proptest::collection::vec(any::<i64>(), 1..20)) {
            let mut limit = PublicationLimit::new(WINDOW, Position(0));
            for position in positions {
                let _ = limit.update(at(position, position), NO_CAP);
                let _ = limit.update(None, NO_CAP);
            }
        }
    }
}
