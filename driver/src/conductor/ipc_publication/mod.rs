//! A publication over shared memory, as the conductor keeps it. `[conductor]`
//!
//! ACTIVE while it has publishers; DRAINING until its subscribers have read what they left; LINGER for one tick more.
//! What the states mean to clients is told by the conductor, who asks for the notices of each tick. Mirrors
//! `aeron_ipc_publication.c`; driver.md §3.

mod blocked;
mod lifecycle;
pub mod limit;
pub mod pace;
pub mod reservation;

use std::collections::HashSet;

use gannet_core::counters::{Counter, CounterId};
use gannet_core::log::{Cleaner, LogBuffers};
use gannet_core::{Position, SessionId, StreamId, TermId, TermLength};
use gannet_transport_ipc::Region;

use super::subscriber::Subscriber;
use super::subscriptions::LinkId;
use super::untethered::UntetheredTimeouts;
use crate::agent::Pace;
pub(super) use blocked::BlockedWatch;
use blocked::Sweep;
pub(super) use lifecycle::Notice;
use limit::{Consumers, PublicationLimit};
use pace::StreamPace;
use reservation::{Range, Reservation};

/// Where a publication stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It has publishers, or was revoked a moment ago.
    Active,
    /// Its publishers left; subscribers read on.
    Draining,
    /// Nobody reads it any more.
    Linger,
}

/// What a publication is made from.
pub(super) struct NewPublication {
    pub(super) registration_id: i64,
    pub(super) is_exclusive: bool,
    pub(super) log_path: Vec<u8>,
    pub(super) log: LogBuffers<Region>,
    pub(super) region: Region,
    pub(super) position: Counter<Region>,
    pub(super) limit: Counter<Region>,
    pub(super) start: Position,
    pub(super) first: (TermId, i32),
    pub(super) window: i64,
    pub(super) reservation: Reservation,
    pub(super) response_correlation_id: i64,
    pub(super) untethered: UntetheredTimeouts,
    pub(super) unblock_timeout_ns: i64,
    pub(super) cool_down_ns: i64,
    pub(super) now_ns: i64,
}

/// One publication over shared memory.
#[derive(Debug)]
pub(super) struct IpcPublication {
    pub(super) registration_id: i64,
    pub(super) is_exclusive: bool,
    pub(super) log_path: Vec<u8>,
    pub(super) response_correlation_id: i64,
    pub(super) state: State,
    pub(super) subscribers: Vec<Subscriber>,
    first: (TermId, i32),
    log: LogBuffers<Region>,
    region: Region,
    position: Counter<Region>,
    limit_counter: Counter<Region>,
    published: Position,
    limit: PublicationLimit,
    reservation: Reservation,
    pace: StreamPace,
    cleaner: Cleaner,
    untethered: UntetheredTimeouts,
    unblock_timeout_ns: i64,
    cool_down_ns: i64,
    cool_down_until_ns: Option<i64>,
    ref_count: usize,
    /// What a client says in the log's metadata is for its readers, not for the driver.
    is_revoked: bool,
    unread: BlockedWatch,
    /// When what the publishers left uncommitted is given up (again), once they are all gone.
    drain_sweep_ns: i64,
    dead_claims: Option<Sweep>,
    lacks_space: bool,
    has_ended: bool,
}

/// What moving a publication's limit found.
#[derive(Clone, Copy, Debug)]
pub(super) struct LimitUpdate {
    /// Whether the limit moved.
    pub(super) has_moved: bool,
    /// How soon to look again.
    pub(super) pace: Pace,
    /// What to reserve next.
    pub(super) reserve: Option<Range>,
}

impl IpcPublication {
    pub(super) fn new(new: NewPublication) -> Self {
        let cleaner = Cleaner::new(new.start);
        IpcPublication {
            registration_id: new.registration_id,
            is_exclusive: new.is_exclusive,
            log_path: new.log_path,
            response_correlation_id: new.response_correlation_id,
            state: State::Active,
            subscribers: Vec::new(),
            first: new.first,
            log: new.log,
            region: new.region,
            position: new.position,
            limit_counter: new.limit,
            published: new.start,
            limit: PublicationLimit::new(new.window, new.start),
            reservation: new.reservation,
            pace: StreamPace::new(new.window, new.start, new.now_ns),
            cleaner,
            untethered: new.untethered,
            unblock_timeout_ns: new.unblock_timeout_ns,
            cool_down_ns: new.cool_down_ns,
            cool_down_until_ns: None,
            ref_count: 0,
            is_revoked: false,
            unread: BlockedWatch::default(),
            drain_sweep_ns: i64::MIN,
            dead_claims: None,
            lacks_space: false,
            has_ended: false,
        }
    }

    pub(super) fn session_id(&self) -> SessionId {
        self.log.session_id()
    }

    pub(super) fn stream_id(&self) -> StreamId {
        self.log.stream_id()
    }

    pub(super) fn term_length(&self) -> TermLength {
        self.log.term_length()
    }

    pub(super) fn log(&self) -> &LogBuffers<Region> {
        &self.log
    }

    pub(super) fn region(&self) -> &Region {
        &self.region
    }

    /// Its log, to be freed.
    pub(super) fn into_log(self) -> (LogBuffers<Region>, Region) {
        (self.log, self.region)
    }

    /// The term and offset at which it started.
    pub(super) fn first(&self) -> (TermId, i32) {
        self.first
    }

    /// Whether no client ever held it.
    pub(super) fn is_unused(&self) -> bool {
        self.state == State::Active && self.ref_count == 0 && !self.is_revoked
    }

    pub(super) fn limit_counter_id(&self) -> CounterId {
        self.limit_counter.id()
    }

    /// Counters of its own, to be freed with it.
    pub(super) fn counter_ids(&self) -> [CounterId; 2] {
        [self.position.id(), self.limit_counter.id()]
    }

    /// How far the publishers have come.
    pub(super) fn producer_position(&self) -> Position {
        self.log.producer_position()
    }

    /// Where a new subscriber starts: no later than the slowest.
    pub(super) fn join_position(&self) -> Position {
        let working = self.subscribers.iter().filter_map(Subscriber::working_position);
        self.sound_join(working.fold(self.limit.consumer(), Position::min))
    }

    /// A position that a subscriber may start from: a frame may begin there, and it is neither cleaned nor beyond the
    /// publishers, whatever a hostile subscriber says of its own.
    fn sound_join(&self, position: Position) -> Position {
        self.sound_below(position, self.producer_position())
    }

    fn sound_below(&self, position: Position, producer: Position) -> Position {
        Position(position.min(producer).max(self.cleaner.position()).0 & !31)
    }

    /// Whether all subscribers that hold it back have read everything.
    pub(super) fn is_drained(&self) -> bool {
        let producer = self.producer_position();
        self.subscribers.iter().filter_map(Subscriber::working_position).all(|position| position >= producer)
    }

    /// Whether new subscriptions may join.
    pub(super) fn is_accepting_subscriptions(&self) -> bool {
        let is_open = match self.state {
            State::Active => true,
            State::Draining => !self.is_drained(),
            State::Linger => false,
        };
        is_open && self.cool_down_until_ns.is_none()
    }

    pub(super) fn is_linked(&self, link: LinkId) -> bool {
        self.subscribers.iter().any(|subscriber| subscriber.link == link)
    }

    /// A subscriber joins; it is connected from now on.
    pub(super) fn add_subscriber(&mut self, subscriber: Subscriber) {
        self.subscribers.push(subscriber);
        self.log.metadata().set_is_connected(true);
    }

    /// The subscribers of links that go leave; their counters are for the caller to free.
    pub(super) fn remove_subscribers(&mut self, gone: &HashSet<LinkId>) -> Vec<Subscriber> {
        let removed: Vec<_> = self.subscribers.extract_if(.., |subscriber| gone.contains(&subscriber.link)).collect();
        if !removed.is_empty() && !self.has_working_subscribers() {
            self.log.metadata().set_is_connected(false);
        }
        removed
    }

    fn has_working_subscribers(&self) -> bool {
        self.subscribers.iter().any(|subscriber| subscriber.tether.is_working())
    }

    fn consumers(&self) -> Option<Consumers> {
        let mut consumers = None;
        for position in self.subscribers.iter().filter_map(Subscriber::working_position) {
            consumers = Some(Consumers::with(consumers, position));
        }
        let Consumers { min, max } = consumers?;
        // The tail comes after the positions: an honest subscriber is not beyond it. Another must neither have the
        // log cleaned before its publishers nor stop the arithmetic.
        // Nor may both together have pages cleaned that have no space behind them.
        let producer = self.producer_position().min(self.reservation.edge());
        Some(Consumers { min: min.min(producer), max: max.min(producer) })
    }

    /// Tells how far the publishers are, moves their limit behind the subscribers, and cleans what is read.
    #[inline]
    pub(super) fn update_limit(&mut self, now_ns: i64) -> LimitUpdate {
        let mut result = LimitUpdate { has_moved: false, pace: Pace::Idle, reserve: None };
        if self.state != State::Active {
            return result;
        }
        let consumers = self.consumers();
        let producer = self.producer_position();
        if producer != self.published {
            self.published = producer;
            self.position.set(producer.0);
        }
        if let Some(consumers) = consumers {
            result.reserve = self.reservation.request(producer, self.limit.wanted(consumers), now_ns);
            result.pace = self.pace.observe(consumers.min, self.limit.is_late(producer, consumers), now_ns);
        }
        let update = self.limit.update(consumers, self.reservation.cap());
        if let Some(clean_to) = update.clean_to {
            self.cleaner.clean_to(&self.log, clean_to);
        }
        if let Some(limit) = update.limit {
            self.limit_counter.set(limit.0);
            result.has_moved = true;
        }
        result
    }

    /// Space stands behind everything up to here.
    pub(super) fn on_reserved(&mut self, to: Position) {
        self.lacks_space = false;
        self.reservation.on_reserved(to);
    }

    /// There is no space; ask again at that time. Whether there was some the last time.
    pub(super) fn on_reserve_failed(&mut self, retry_at_ns: i64) -> bool {
        self.reservation.on_failed(retry_at_ns);
        !std::mem::replace(&mut self.lacks_space, true)
    }

    /// Nobody could be asked for space; ask again in the next cycle.
    pub(super) fn on_reserve_deferred(&mut self, now_ns: i64) {
        self.reservation.on_failed(now_ns);
    }

    /// Whether it is over, and can be freed.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }
}
