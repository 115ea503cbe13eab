//! What the application asked of the driver and has not been answered yet, or not picked up. `[client]`
//!
//! Mirrors `aeron_client_registering_resource_t`. A request that nobody waits for any more is remembered for a
//! while, so that what the driver then makes of it is given back.

use std::collections::HashMap;
use std::sync::Arc;

use gannet_core::log::ExclusiveAppender;
use gannet_core::position::{SessionId, StreamId};
use gannet_transport_ipc::Region;

use crate::counter::CounterState;
use crate::driver_proxy::Removal;
use crate::error::RegistrationError;
use crate::publication_state::PublicationState;
use crate::subscription_state::{ImageHandlers, SubscriptionState};

/// What was asked.
pub(crate) enum Request {
    Publication { channel: String },
    ExclusivePublication { channel: String },
    Subscription { channel: String, stream_id: StreamId, handlers: ImageHandlers },
    Counter,
    StaticCounter { registration_id: i64 },
    Destination { added: Option<Added> },
    NextSessionId,
}

/// To what a destination is added.
pub(crate) enum Added {
    ToPublication { registration_id: i64 },
    ToSubscription { registration_id: i64, channel: String },
}

/// What came of it.
pub enum Outcome {
    Publication(Arc<PublicationState>),
    ExclusivePublication(Box<ExclusiveAppender<Region>>, Arc<PublicationState>),
    Subscription(Arc<SubscriptionState>),
    Counter(Arc<CounterState>),
    Done,
    NextSessionId(SessionId),
}

impl Request {
    /// How to give back what the driver makes of the request.
    pub(crate) fn removal(&self, registration_id: i64) -> Option<Removal> {
        match self {
            Request::Publication { .. } | Request::ExclusivePublication { .. } => {
                Some(Removal::Publication { registration_id, revoke: false })
            }
            Request::Subscription { .. } => Some(Removal::Subscription { registration_id }),
            Request::Counter => Some(Removal::Counter { registration_id }),
            Request::Destination {
                added: Some(Added::ToPublication { registration_id: resource_registration_id }),
            } => {
                let resource_registration_id = *resource_registration_id;
                Some(Removal::Destination { resource_registration_id, destination_registration_id: registration_id })
            }
            Request::Destination { added: Some(Added::ToSubscription { registration_id, channel }) } => {
                Some(Removal::ReceiveDestination { registration_id: *registration_id, channel: channel.clone() })
            }
            // No command takes a static counter back.
            Request::StaticCounter { .. } | Request::Destination { added: None } | Request::NextSessionId => None,
        }
    }
}

struct Registration {
    request: Request,
    deadline_ns: i64,
    outcome: Option<Result<Outcome, RegistrationError>>,
}

struct Abandoned {
    removal: Removal,
    until_ns: i64,
}

/// Every request by its correlation id.
#[derive(Default)]
pub(crate) struct Registrations {
    pending: HashMap<i64, Registration>,
    abandoned: HashMap<i64, Abandoned>,
}

/// What is left when a request is forgotten, to be dropped outside of the conductor's lock.
pub(crate) type Forgotten = Option<(Request, Option<Result<Outcome, RegistrationError>>)>;

/// What came of a request, and what is left of it.
pub(crate) type Taken = (Option<Request>, Result<Outcome, RegistrationError>);

impl Registrations {
    pub(crate) fn add(&mut self, correlation_id: i64, request: Request, deadline_ns: i64) {
        self.pending.insert(correlation_id, Registration { request, deadline_ns, outcome: None });
    }

    /// Forgets a request whose command could not be sent.
    pub(crate) fn withdraw(&mut self, correlation_id: i64) -> Option<Request> {
        self.pending.remove(&correlation_id).map(|registration| registration.request)
    }

    /// The request that an answer is for, if somebody still waits for it.
    pub(crate) fn awaiting(&self, correlation_id: i64) -> Option<&Request> {
        let registration = self.pending.get(&correlation_id)?;
        registration.outcome.is_none().then_some(&registration.request)
    }

    /// Takes the handlers of a subscription that is about to be made.
    pub(crate) fn take_handlers(&mut self, correlation_id: i64) -> Option<ImageHandlers> {
        match &mut self.pending.get_mut(&correlation_id)?.request {
            Request::Subscription { handlers, .. } => Some(std::mem::take(handlers)),
            _ => None,
        }
    }

    pub(crate) fn complete(&mut self, correlation_id: i64, outcome: Result<Outcome, RegistrationError>) {
        if let Some(registration) = self.pending.get_mut(&correlation_id) {
            registration.outcome.get_or_insert(outcome);
        }
    }

    /// What came of a request, once: none while the driver has not answered. The request comes along, to be dropped
    /// outside of the conductor's lock.
    pub(crate) fn take(&mut self, correlation_id: i64) -> Option<Taken> {
        let Some(registration) = self.pending.get(&correlation_id) else {
            return Some((None, Err(RegistrationError::AlreadyTaken)));
        };
        registration.outcome.as_ref()?;
        let Registration { request, outcome, .. } = self.pending.remove(&correlation_id)?;
        Some((Some(request), outcome?))
    }

    /// Drops a request; what is left of it, and what is to be given back now. What the driver makes of it later will
    /// be given back then.
    pub(crate) fn forget(&mut self, correlation_id: i64, abandon_until_ns: i64) -> (Forgotten, Option<Removal>) {
        let Some(registration) = self.pending.remove(&correlation_id) else { return (None, None) };
        let removal = match &registration.outcome {
            Some(Ok(_)) => registration.request.removal(correlation_id),
            // Nothing was made, or it is abandoned already.
            Some(Err(_)) => None,
            None => {
                abandon(&mut self.abandoned, correlation_id, &registration.request, abandon_until_ns);
                None
            }
        };
        (Some((registration.request, registration.outcome)), removal)
    }

    /// The way to give back what was made for a request that nobody waits for any more.
    pub(crate) fn take_abandoned(&mut self, correlation_id: i64) -> Option<Removal> {
        self.abandoned.remove(&correlation_id).map(|abandoned| abandoned.removal)
    }

    /// Times out what the driver has not answered; how many. What it still makes of that is given back, whether or not
    /// somebody looks at the request again.
    pub(crate) fn check(&mut self, now_ns: i64, abandon_until_ns: i64, error: &RegistrationError) -> usize {
        let mut timed_out = 0;
        for (correlation_id, registration) in &mut self.pending {
            if registration.outcome.is_none() && now_ns > registration.deadline_ns {
                registration.outcome = Some(Err(error.clone()));
                abandon(&mut self.abandoned, *correlation_id, &registration.request, abandon_until_ns);
                timed_out += 1;
            }
        }
        self.abandoned.retain(|_, abandoned| now_ns <= abandoned.until_ns);
        timed_out
    }

    /// Fails everything that is still open, because the client closes.
    pub(crate) fn close(&mut self, error: &RegistrationError) {
        for registration in self.pending.values_mut() {
            registration.outcome.get_or_insert_with(|| Err(error.clone()));
        }
        self.abandoned.clear();
    }
}

fn abandon(abandoned: &mut HashMap<i64, Abandoned>, correlation_id: i64, request: &Request, until_ns: i64) {
    if let Some(removal) = request.removal(correlation_id) {
        abandoned.insert(correlation_id, Abandoned { removal, until_ns });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const TIMED_OUT: RegistrationError = RegistrationError::TimedOut { after: Duration::from_secs(1) };

    #[test]
    fn an_outcome_is_taken_once() {
        let mut registrations = Registrations::default();
        registrations.add(7, Request::Destination { added: None }, 100);
        assert!(registrations.take(7).is_none());
        registrations.complete(7, Ok(Outcome::Done));
        assert!(registrations.awaiting(7).is_none());
        assert!(matches!(registrations.take(7), Some((_, Ok(Outcome::Done)))));
        assert!(matches!(registrations.take(7), Some((_, Err(RegistrationError::AlreadyTaken)))));
    }

    #[test]
    fn what_the_driver_makes_after_the_timeout_is_given_back() {
        let mut registrations = Registrations::default();
        registrations.add(7, Request::Counter, 100);
        assert_eq!(registrations.check(100, 200, &TIMED_OUT), 0);
        assert_eq!(registrations.check(101, 200, &TIMED_OUT), 1);
        assert!(matches!(registrations.take(7), Some((_, Err(RegistrationError::TimedOut { .. })))));
        assert_eq!(registrations.take_abandoned(7), Some(Removal::Counter { registration_id: 7 }));
        assert_eq!(registrations.take_abandoned(7), None);
    }

    #[test]
    fn what_the_driver_makes_before_the_timeout_is_looked_at_is_given_back() {
        for looks in [true, false] {
            let mut registrations = Registrations::default();
            registrations.add(7, Request::Counter, 100);
            assert_eq!(registrations.check(101, 200, &TIMED_OUT), 1);
            assert!(registrations.awaiting(7).is_none());
            assert_eq!(registrations.take_abandoned(7), Some(Removal::Counter { registration_id: 7 }));
            if looks {
                assert!(matches!(registrations.take(7), Some((_, Err(RegistrationError::TimedOut { .. })))));
            } else {
                assert_eq!(registrations.forget(7, 200).1, None);
            }
            assert_eq!(registrations.take_abandoned(7), None, "it is given back once");
        }
    }

    #[test]
    fn what_was_made_for_a_forgotten_request_is_given_back_at_once() {
        let mut registrations = Registrations::default();
        registrations.add(7, Request::Counter, 100);
        registrations.complete(7, Ok(Outcome::Done));
        assert_eq!(registrations.forget(7, 200).1, Some(Removal::Counter { registration_id: 7 }));
    }

    #[test]
    fn a_forgotten_request_is_remembered_only_for_a_while() {
        let mut registrations = Registrations::default();
        registrations.add(7, Request::Counter, 100);
        assert!(registrations.forget(7, 200).1.is_none());
        registrations.check(201, 300, &TIMED_OUT);
        assert_eq!(registrations.take_abandoned(7), None);
    }
}
