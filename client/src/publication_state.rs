//! What every handle of one publication shares, and the conductor watches. `[any]`
//!
//! Mirrors the common fields of `aeron_publication_t` and `aeron_exclusive_publication_t`.

use std::sync::Mutex;

use gannet_core::command::PublicationReady;
use gannet_core::counters::CounterId;
use gannet_core::position::{Position, SessionId, StreamId};

use crate::callbacks::lock;
use crate::clock::{Clock, elapsed};
use crate::conductor::logs::Log;
use crate::counter::{NO_CHANNEL_STATUS, PositionCounter, channel_status};
use crate::counters_reader::Counters;
use crate::sync::{Flag, Note};
use crate::why::{Holder, Sighting, Why};

/// No position: nothing has been refused yet.
const NEVER: i64 = -1;

pub struct PublicationState {
    /// Of this client's own command; what REMOVE_PUBLICATION names.
    pub(crate) registration_id: i64,
    /// Of the command that first made the publication, which others may share.
    pub(crate) original_registration_id: i64,
    pub(crate) session_id: SessionId,
    pub(crate) stream_id: StreamId,
    pub(crate) channel: String,
    pub(crate) position_limit_id: CounterId,
    pub(crate) channel_status_id: CounterId,
    pub(crate) log: Log,
    pub(crate) limit: PositionCounter,
    pub(crate) counters: Counters,
    pub(crate) closed: Flag,
    clock: Clock,
    /// The position at which offers are refused, and since when. Off the way of a message: written when an offer is
    /// refused for the first time at a position.
    refused_at: Note,
    refused_since_ns: Note,
    sighting: Mutex<Option<Sighting>>,
}

impl PublicationState {
    pub(crate) fn new(
        ready: &PublicationReady<'_>,
        channel: String,
        log: Log,
        limit: PositionCounter,
        counters: Counters,
        clock: Clock,
    ) -> PublicationState {
        PublicationState {
            registration_id: ready.correlation_id,
            original_registration_id: ready.registration_id,
            session_id: ready.session_id,
            stream_id: ready.stream_id,
            channel,
            position_limit_id: ready.position_limit_counter_id,
            channel_status_id: ready.channel_status_indicator_id,
            log,
            limit,
            counters,
            closed: Flag::default(),
            clock,
            refused_at: Note::new(NEVER),
            refused_since_ns: Note::new(0),
            sighting: Mutex::new(None),
        }
    }

    pub(crate) fn close(&self) {
        self.closed.set();
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_set()
    }

    #[inline]
    pub(crate) fn is_connected(&self) -> bool {
        !self.is_closed() && self.log.metadata().is_connected()
    }

    /// How far the driver lets the publication go; 0 once it is closed, for the counter may then be another's.
    #[inline]
    pub(crate) fn position_limit(&self) -> Position {
        if self.is_closed() { Position(0) } else { Position(self.limit.get()) }
    }

    pub(crate) fn channel_status(&self) -> i64 {
        if self.is_closed() { NO_CHANNEL_STATUS } else { channel_status(&self.counters, self.channel_status_id) }
    }

    /// Notes that an offer was refused at a position. Cold: refusals are the slow path.
    #[cold]
    pub(crate) fn refused(&self, position: Position) {
        if self.refused_at.get() != position.0 {
            self.refused_since_ns.set(self.clock.ns());
            self.refused_at.set(position.0);
        }
    }

    /// Looks, while offers are refused, at whoever holds the publication up.
    pub(crate) fn watch(&self, now_ns: i64) {
        if self.refused_at.get() == NEVER {
            return;
        }
        let position = self.log.producer_position();
        if self.refused_at.get() == position.0 && position >= self.position_limit() {
            self.look(now_ns);
        } else {
            lock(&self.sighting).take();
        }
    }

    /// Who holds the publication up, and since when that one has been seen not to move.
    fn look(&self, now_ns: i64) -> Option<Sighting> {
        let mut sighting = lock(&self.sighting);
        let holder = Holder::find(&self.counters, self.original_registration_id, self.counts_from());
        *sighting = holder.map(|holder| match sighting.take() {
            Some(before) if before.holder == holder => before,
            _ => Sighting { holder, since_ns: now_ns },
        });
        *sighting
    }

    /// The position from which on subscribers bound the limit, as far as the log tells.
    fn counts_from(&self) -> i64 {
        match self.log.properties() {
            Some(properties) if properties.publication_window_length > 0 => {
                self.position_limit().0.saturating_sub(i64::from(properties.publication_window_length))
            }
            _ => i64::MIN,
        }
    }

    pub(crate) fn why(&self, position: Position) -> Why {
        if self.is_closed() {
            return Why::Closed;
        }
        let limit = self.position_limit();
        if position >= self.log.term_length().max_possible_position() {
            return Why::MaxPositionExceeded { position };
        }
        if !self.is_connected() {
            return Why::NotConnected;
        }
        if position < limit {
            return Why::Free { room: limit.since(position) };
        }
        let now_ns = self.clock.ns();
        let was_refused = self.refused_at.get() == position.0;
        let refused_for = was_refused.then(|| elapsed(now_ns - self.refused_since_ns.get()));
        match self.look(now_ns) {
            Some(Sighting { holder, since_ns }) => {
                Why::held_up(&self.counters, holder, position, limit, refused_for, elapsed(now_ns - since_ns))
            }
            None => Why::Limit { position, limit, refused_for },
        }
    }
}
