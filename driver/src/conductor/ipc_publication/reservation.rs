//! How much of a sparse log has space behind it, and what limit that allows. `[conductor]`
//!
//! Pure: positions in, ranges to reserve out; the native-resource agent does the reserving. A page of a sparse file
//! that the file system has no room for kills whoever touches it with SIGBUS, so the driver reserves ahead of the
//! limit it grants. Who touches what beyond a limit, and why the steps are as they are: docs/adr/0003-log-reservation.md.
//! The peer has no such thing.

use gannet_core::{Position, TermLength};

/// A file system's page; what a reader at the edge of the log faults in.
const PAGE: i64 = 4096;
/// A log of at most this many bytes is reserved whole when it is created.
pub const WHOLE_UP_TO: i64 = 1024 * 1024;

/// The longest block that Aeron itself offers to an exclusive publication: the archive's replay,
/// `Archive.Configuration.MAX_BLOCK_LENGTH`.
const LONGEST_BLOCK: i64 = 2 * 1024 * 1024;

/// How far publishers that passed the limit may go beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overshoot {
    /// Many publishers that passed the limit together: at most to the end of its term.
    ToEndOfTerm,
    /// One publisher: at most this many bytes, those of its longest message with all frame headers, or of a block.
    Bytes(i64),
}

impl Overshoot {
    /// Of an exclusive publication.
    #[must_use]
    pub fn of_one_message(term_length: TermLength, mtu: i32) -> Overshoot {
        let longest = i64::try_from(term_length.max_message_length()).unwrap_or(i64::MAX);
        let payload = i64::from(mtu - 32).max(1);
        // Whole fragments of an MTU, and a last one of no more than that.
        let message = (longest / payload + 1) * i64::from(mtu);
        Overshoot::Bytes(message.max(LONGEST_BLOCK.min(term_length.bytes().into())))
    }
}

/// A range of positions that shall get space behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first position.
    pub from: Position,
    /// The first position behind it.
    pub to: Position,
}

/// The reservation of one log: a watermark that rises from its first page, and three terms later everything.
#[derive(Clone, Debug)]
pub struct Reservation {
    term_length: TermLength,
    overshoot: Overshoot,
    start: Position,
    // Where the first use of the third partition ends; behind it lies what a late start left out of its first term.
    three_terms: Position,
    end: Position,
    step: i64,
    reserved: Position,
    requested: Position,
    retry_at_ns: i64,
}

impl Reservation {
    /// Of a publication that starts at `start`; nothing has space behind it yet. At least `step` bytes are reserved at a
    /// time, and ahead of the publisher.
    #[must_use]
    pub fn new(term_length: TermLength, overshoot: Overshoot, start: Position, step: i64) -> Self {
        let log = 3 * i64::from(term_length.bytes());
        let first_page = Position(start.0 & !(PAGE - 1));
        Reservation {
            term_length,
            overshoot,
            start,
            three_terms: Position(floor_to_term(start.0, term_length)).plus(log),
            end: first_page.plus(log),
            step: step.max(PAGE),
            reserved: first_page,
            requested: first_page,
            retry_at_ns: i64::MIN,
        }
    }

    /// What is to be reserved before a subscriber may look at the log: the page of the first position, or everything
    /// where that is little or not sparse.
    #[must_use]
    pub fn at_creation(&self, is_sparse: bool) -> Range {
        let whole = self.end.since(self.reserved);
        let to = if !is_sparse || whole <= WHOLE_UP_TO { self.end } else { self.reserved.plus(PAGE) };
        Range { from: self.reserved, to }
    }

    /// Everything up to here has space behind it now.
    pub fn on_reserved(&mut self, to: Position) {
        self.reserved = self.reserved.max(to.min(self.end));
        self.requested = self.requested.max(self.reserved);
    }

    /// The file system has no space: ask again at `retry_at_ns`.
    pub fn on_failed(&mut self, retry_at_ns: i64) {
        self.requested = self.reserved;
        self.retry_at_ns = retry_at_ns;
    }

    /// Whether the whole log has space behind it.
    #[must_use]
    #[inline]
    pub fn is_complete(&self) -> bool {
        self.reserved >= self.end
    }

    /// Behind what has space. Nothing honest lies beyond; what a peer writes into shared words may say so.
    #[must_use]
    #[inline]
    pub fn edge(&self) -> Position {
        if self.is_complete() { Position(i64::MAX) } else { self.reserved }
    }

    /// The highest limit that may be granted.
    #[must_use]
    #[inline]
    pub fn cap(&self) -> Position {
        if self.is_complete() { Position(i64::MAX) } else { self.cap_of(self.reserved) }
    }

    fn cap_of(&self, reserved: Position) -> Position {
        let edge = reserved.0 - PAGE;
        let cap = match self.overshoot {
            Overshoot::ToEndOfTerm => floor_to_term(edge.min(self.three_terms.0 - 1), self.term_length),
            Overshoot::Bytes(bytes) => (edge - bytes) & !31,
        };
        Position(cap.max(self.start.0))
    }

    /// What must be reserved for `limit` to be granted.
    fn needed_for(&self, limit: Position) -> Position {
        let needed = match self.overshoot {
            Overshoot::ToEndOfTerm => {
                // A limit at the end of a term lets nobody into the next.
                let next_term = floor_to_term(limit.0.saturating_sub(1), self.term_length)
                    .saturating_add(i64::from(self.term_length.bytes()));
                // A publisher that slept through three terms between its check and its claim can claim in the term
                // after the limit's, so before the first partition is used again all of it must be there.
                if next_term >= self.three_terms.0 { self.end.0 } else { next_term.saturating_add(PAGE) }
            }
            Overshoot::Bytes(bytes) => limit.0.saturating_add(31).saturating_add(bytes).saturating_add(PAGE),
        };
        Position(needed).min(self.end)
    }

    /// What to reserve next, for a publisher at `producer` whose subscribers would allow `wanted`; `None` while there
    /// is enough, a request is under way, or the file system was full a moment ago.
    pub fn request(&mut self, producer: Position, wanted: Position, now_ns: i64) -> Option<Range> {
        if self.is_complete() || self.requested > self.reserved || now_ns < self.retry_at_ns {
            return None;
        }
        // As far ahead as the publisher has come: little for one that publishes little, and for a fast one twice as
        // much each time.
        let ahead = producer.since(self.start).max(self.step);
        let goal = wanted.min(producer.plus(ahead));
        let room = self.cap().since(producer);
        if self.cap() >= wanted || room > ahead / 2 {
            return None;
        }
        let to = self.needed_for(goal).max(self.reserved.plus(self.step)).min(self.end);
        self.requested = to;
        Some(Range { from: self.reserved, to })
    }
}

fn floor_to_term(position: i64, term_length: TermLength) -> i64 {
    position & !(i64::from(term_length.bytes()) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TERM: i64 = 64 * 1024 * 1024;
    const WINDOW: i64 = TERM / 2;
    const STEP: i64 = 256 * 1024;

    fn term() -> TermLength {
        TermLength::new(TERM).unwrap()
    }

    fn shared() -> Reservation {
        Reservation::new(term(), Overshoot::ToEndOfTerm, Position(0), STEP)
    }

    fn exclusive() -> Reservation {
        Reservation::new(term(), Overshoot::of_one_message(term(), 1408), Position(0), STEP)
    }

    #[test]
    fn nothing_may_be_published_before_anything_is_reserved() {
        for mut reservation in [shared(), exclusive()] {
            assert_eq!(reservation.cap(), Position(0));
            let first = reservation.at_creation(true);
            assert_eq!(first, Range { from: Position(0), to: Position(PAGE) }, "the page that a subscriber looks at");
            reservation.on_reserved(first.to);
            assert_eq!(reservation.cap(), Position(0));
        }
    }

    #[test]
    fn a_shared_publication_has_its_whole_term_and_a_page_of_the_next_reserved() {
        let mut reservation = shared();
        let range = reservation.request(Position(0), Position(WINDOW), 0).unwrap();
        assert_eq!(range, Range { from: Position(0), to: Position(TERM + PAGE) });
        reservation.on_reserved(Position(TERM));
        assert_eq!(reservation.cap(), Position(0), "the page of the next term is missing");
        reservation.on_reserved(range.to);
        assert_eq!(reservation.cap(), Position(TERM));
    }

    #[test]
    fn an_exclusive_publication_starts_with_a_message_and_a_little_and_gets_more_as_it_publishes() {
        let mut reservation = exclusive();
        let Overshoot::Bytes(message) = reservation.overshoot else { panic!() };
        assert!((8 << 20..9 << 20).contains(&message), "{message}");
        let range = reservation.request(Position(0), Position(WINDOW), 0).unwrap();
        assert!(range.to.0 < message + (1 << 20), "{range:?}");
        reservation.on_reserved(range.to);
        let first = reservation.cap();
        assert!(first >= Position(STEP) && first < Position(STEP * 2), "{first:?}");
        assert_eq!(reservation.request(Position(1024), Position(WINDOW), 0), None, "there is enough");
        let second = reservation.request(Position(STEP), Position(WINDOW), 0).unwrap();
        reservation.on_reserved(second.to);
        assert!(reservation.cap() >= Position(2 * STEP));
    }

    #[test]
    fn only_one_request_is_under_way() {
        let mut reservation = exclusive();
        assert!(reservation.request(Position(0), Position(WINDOW), 0).is_some());
        assert_eq!(reservation.request(Position(0), Position(WINDOW), 0), None);
    }

    #[test]
    fn a_full_file_system_is_asked_again_after_a_while() {
        let mut reservation = shared();
        let range = reservation.request(Position(0), Position(WINDOW), 0).unwrap();
        reservation.on_failed(100);
        assert_eq!(reservation.request(Position(0), Position(WINDOW), 99), None);
        assert_eq!(reservation.request(Position(0), Position(WINDOW), 100), Some(range));
    }

    #[test]
    fn small_logs_and_those_that_are_not_sparse_are_reserved_whole() {
        let small = TermLength::MIN;
        let mut reservation = Reservation::new(small, Overshoot::ToEndOfTerm, Position(96), STEP);
        let range = reservation.at_creation(true);
        assert_eq!(range, Range { from: Position(0), to: Position(3 * 65_536) }, "the page of the start and the rest");
        reservation.on_reserved(range.to);
        assert!(reservation.is_complete());
        assert_eq!(reservation.cap(), Position(i64::MAX));
        assert_eq!(shared().at_creation(false).to, Position(3 * TERM));
    }

    #[test]
    fn a_late_start_leaves_the_part_of_its_first_term_before_it_to_the_end() {
        let start = Position(5 * TERM + 3 * PAGE + 32);
        let mut reservation = Reservation::new(term(), Overshoot::ToEndOfTerm, start, STEP);
        let first = reservation.at_creation(true);
        assert_eq!(first, Range { from: Position(5 * TERM + 3 * PAGE), to: Position(5 * TERM + 4 * PAGE) });
        reservation.on_reserved(Position(8 * TERM + 2 * PAGE));
        assert_eq!(reservation.cap(), Position(7 * TERM), "the third term opens with the whole log");
        reservation.on_reserved(Position(8 * TERM + 3 * PAGE));
        assert_eq!(reservation.cap(), Position(i64::MAX));
    }

    #[test]
    fn a_publication_that_starts_at_the_end_of_a_term_starts_in_the_next() {
        let reservation = Reservation::new(TermLength::MIN, Overshoot::ToEndOfTerm, Position(65_536), STEP);
        assert_eq!(reservation.at_creation(true), Range { from: Position(65_536), to: Position(4 * 65_536) });
    }

    #[test]
    fn the_longest_message_counts_with_the_headers_of_its_fragments() {
        // 8 MiB in fragments of 32 bytes of payload: frames of 64 bytes, and one to be safe.
        assert_eq!(Overshoot::of_one_message(term(), 64), Overshoot::Bytes((8 * 1024 * 32 + 1) * 64));
        let mebibyte = TermLength::new(1 << 20).unwrap();
        assert_eq!(Overshoot::of_one_message(mebibyte, 1408), Overshoot::Bytes(1 << 20), "a block may fill its term");
    }

    proptest! {
        #[test]
        fn space_stands_behind_all_that_a_granted_limit_lets_anyone_touch(
            is_exclusive: bool, bits in 19_u32..=24, offset in 0_i64..1 << 19, terms in 0_i64..5,
            steps in proptest::collection::vec((0_i64..1 << 23, any::<bool>()), 1..60),
        ) {
            let term_length = TermLength::new(1 << bits).unwrap();
            let term = i64::from(term_length.bytes());
            let overshoot = if is_exclusive { Overshoot::of_one_message(term_length, 1408) } else { Overshoot::ToEndOfTerm };
            let start = Position(terms * term + offset / 32 * 32);
            let mut reservation = Reservation::new(term_length, overshoot, start, STEP);
            reservation.on_reserved(reservation.at_creation(true).to);
            let mut producer = start;
            let mut now = 0;
            for (length, succeeds) in steps {
                now += 1;
                let wanted = producer.plus(term / 2);
                if let Some(range) = reservation.request(producer, wanted, now) {
                    prop_assert!(range.from < range.to);
                    if succeeds { reservation.on_reserved(range.to) } else { reservation.on_failed(now + 1) }
                }
                let limit = reservation.cap().min(wanted);
                if producer < limit && !reservation.is_complete() {
                    let last = match overshoot {
                        Overshoot::Bytes(bytes) => limit.0 - 32 + bytes,
                        Overshoot::ToEndOfTerm => (limit.0 - 32) / term * term + term,
                    };
                    // The page of the position behind the last byte is where readers look.
                    prop_assert!(last / PAGE * PAGE + PAGE <= reservation.reserved.0 || reservation.is_complete());
                    producer = producer.plus(length / 32 * 32).min(Position(last));
                }
            }
        }

        #[test]
        fn a_publisher_that_waits_for_space_gets_it_in_the_end(is_exclusive: bool, bits in 19_u32..=26) {
            let term_length = TermLength::new(1 << bits).unwrap();
            let term = i64::from(term_length.bytes());
            let overshoot = if is_exclusive { Overshoot::of_one_message(term_length, 1408) } else { Overshoot::ToEndOfTerm };
            let mut reservation = Reservation::new(term_length, overshoot, Position(0), STEP);
            reservation.on_reserved(reservation.at_creation(true).to);
            let mut producer = Position(0);
            for _ in 0..10_000 {
                let wanted = producer.plus(term / 2);
                if let Some(range) = reservation.request(producer, wanted, 0) {
                    reservation.on_reserved(range.to);
                }
                let limit = reservation.cap().min(wanted);
                prop_assert!(limit > producer, "a publisher that has used up its limit must get more");
                producer = limit;
                if reservation.is_complete() {
                    return Ok(());
                }
            }
            prop_assert!(false, "never complete");
        }
    }
}
