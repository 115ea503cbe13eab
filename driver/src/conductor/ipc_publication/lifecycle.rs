//! How an IPC publication begins to end: publishers, revocation, rejection, and the ticks in between. `[conductor]`
//!
//! Mirrors `aeron_ipc_publication_on_time_event`, its managed-resource events and `aeron_ipc_publication_reject`.

use gannet_core::Position;
use gannet_core::counters::CounterId;

use super::{IpcPublication, State};
use crate::conductor::subscriber::Subscriber;
use crate::conductor::untethered::{Transition, window_limit};

/// What a tick has to be told to clients, or done for the publication, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::conductor) enum Notice {
    /// This subscription loses the image.
    Unavailable {
        /// Which.
        subscription_registration_id: i64,
    },
    /// This subscription gains the image again.
    Available {
        /// Which.
        subscription_registration_id: i64,
        /// The counter of its position.
        counter_id: CounterId,
    },
    /// This counter is of no use any more.
    FreeCounter(CounterId),
    /// The publication was revoked.
    Revoked,
    /// The time after a rejection is over: link the subscriptions again.
    CooledDown,
}

impl IpcPublication {
    /// One more publisher.
    pub(in crate::conductor) fn incref(&mut self) {
        self.ref_count += 1;
    }

    /// One publisher less; with the last one the stream ends where it is.
    pub(in crate::conductor) fn decref(&mut self) {
        self.ref_count = self.ref_count.saturating_sub(1);
        if self.ref_count > 0 {
            return;
        }
        let producer = self.producer_position();
        if let Some(limit) = self.limit.close_at(producer) {
            self.limit_counter.set(limit.0);
        }
        self.log().metadata().set_end_of_stream_position(producer);
        if !self.is_revoked {
            self.state = State::Draining;
        }
    }

    /// The publisher takes the stream away from its subscribers; the next tick tells them.
    pub(in crate::conductor) fn revoke(&mut self) {
        self.is_revoked = true;
        self.log().metadata().set_is_publication_revoked();
    }

    /// A subscriber refuses the stream: nobody gets it for a while. Returns who had it, to be told and freed; empty when
    /// the while is going on already, which then starts again.
    pub(in crate::conductor) fn reject(&mut self, now_ns: i64) -> Vec<Subscriber> {
        let had_it = if self.cool_down_until_ns.is_none() {
            self.log().metadata().set_is_connected(false);
            std::mem::take(&mut self.subscribers)
        } else {
            Vec::new()
        };
        self.cool_down_until_ns = Some(now_ns.saturating_add(self.cool_down_ns));
        had_it
    }

    /// One tick of the conductor's timer. Untethered subscribers stay as they are unless `may_change_tethers`.
    pub(in crate::conductor) fn on_time_event(
        &mut self,
        now_ns: i64,
        may_change_tethers: bool,
        notices: &mut Vec<Notice>,
    ) {
        match self.state {
            State::Active if self.is_revoked => self.end_revoked(notices),
            State::Active => {
                if may_change_tethers {
                    self.check_untethered(now_ns, true, notices);
                }
                let is_connected = self.has_working_subscribers();
                self.log().metadata().set_is_connected(is_connected);
                if self.cool_down_until_ns.is_some_and(|until| until < now_ns) {
                    self.cool_down_until_ns = None;
                    notices.push(Notice::CooledDown);
                }
            }
            State::Draining => self.drain(now_ns, may_change_tethers, notices),
            State::Linger => self.has_ended = self.ref_count == 0,
        }
    }

    fn end_revoked(&mut self, notices: &mut Vec<Notice>) {
        let producer = self.producer_position();
        self.limit_counter.set(producer.0);
        self.log().metadata().set_end_of_stream_position(producer);
        self.log().metadata().set_is_connected(false);
        self.tell_all_unavailable(notices);
        self.state = State::Linger;
        notices.push(Notice::Revoked);
    }

    fn drain(&mut self, now_ns: i64, may_change_tethers: bool, notices: &mut Vec<Notice>) {
        if may_change_tethers {
            self.check_untethered(now_ns, false, notices);
        }
        let producer = self.producer_position();
        self.position.set(producer.0);
        if self.is_drained() {
            self.state = State::Linger;
            self.tell_all_unavailable(notices);
        }
    }

    fn tell_all_unavailable(&self, notices: &mut Vec<Notice>) {
        notices.extend(self.subscribers.iter().map(|subscriber| Notice::Unavailable {
            subscription_registration_id: subscriber.subscription_registration_id,
        }));
    }

    fn check_untethered(&mut self, now_ns: i64, may_rejoin: bool, notices: &mut Vec<Notice>) {
        let limit = window_limit(self.limit.consumer(), self.limit.window());
        for index in 0..self.subscribers.len() {
            let subscriber = &mut self.subscribers[index];
            let Some(position) = subscriber.position() else { continue };
            let transition = subscriber.tether.on_time(now_ns, position, limit, &self.untethered, may_rejoin);
            let subscription_registration_id = subscriber.subscription_registration_id;
            match transition {
                Transition::None | Transition::Rests => {}
                Transition::BecameUnavailable => {
                    notices.push(Notice::Unavailable { subscription_registration_id });
                }
                Transition::Closes => {
                    if let Some(counter) = subscriber.counter.take() {
                        notices.push(Notice::FreeCounter(counter.id()));
                    }
                }
                Transition::Rejoins => self.rejoin(index, notices),
            }
        }
    }

    fn rejoin(&mut self, index: usize, notices: &mut Vec<Notice>) {
        // It counts as working again already, and its old position must not hold its new one back.
        let others = self.subscribers.iter().enumerate().filter(|(other, _)| *other != index);
        let join = others.filter_map(|(_, other)| other.working_position()).fold(self.limit.consumer(), Position::min);
        let join = self.sound_join(join);
        let subscriber = &self.subscribers[index];
        if let Some(position) = &subscriber.counter {
            position.set(join.0);
            notices.push(Notice::Available {
                subscription_registration_id: subscriber.subscription_registration_id,
                counter_id: position.id(),
            });
        }
    }
}
