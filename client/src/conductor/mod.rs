//! The client's conductor: everything that is not a message. `[client]`
//!
//! Mirrors `aeron_client_conductor.c`; section 7 of `cnc.md` and section 2 of `commands.md`. It reads the driver's
//! responses, keeps the client alive, and closes everything when the driver is gone. It is driven by its own thread,
//! by an invoker, or by any thread that waits for the driver, always under the client's lock and never on the way of
//! a message. It calls no handler and drops nothing of the application's: both leave through its [`Outbox`].

mod liveness;
// The one place that opens logs and vouches for them.
#[allow(unsafe_code)]
pub(crate) mod logs;
pub(crate) mod registration;
mod responses;

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use gannet_core::broadcast::{ReceiveError, Receiver};
use gannet_transport_ipc::Region;

use crate::callbacks::{Announced, Event};
use crate::client::Client;
use crate::clock::{Clock, Now, saturating_ns};
use crate::counter::CounterState;
use crate::counters_reader::Counters;
use crate::departures::{Departures, Leaving};
use crate::driver_directory::DriverDirectory;
use crate::driver_proxy::DriverProxy;
use crate::error::{ClientError, RegistrationError};
use crate::publication_state::PublicationState;
use crate::removals::Removals;
use crate::subscription_state::{ImageHandlers, SubscriptionState};
use crate::sync::Flag;

pub(crate) use liveness::LivenessSettings;
use liveness::{Liveness, Service};
use logs::Logs;
use registration::{Forgotten, Outcome, Registrations, Request, Taken};

/// How many responses are read in one duty cycle: a client that is told of thousands of images still serves its timers.
const RESPONSE_LIMIT: usize = 64;

/// What leaves the conductor when its lock is released.
#[derive(Default)]
pub(crate) struct Outbox {
    /// Calls to the application.
    pub(crate) events: Vec<Event>,
    /// What may own handles of this very client, and so must not be dropped under its lock.
    pub(crate) released: Vec<Box<dyn Any + Send>>,
}

impl Outbox {
    fn release(&mut self, value: impl Any + Send) {
        self.released.push(Box::new(value));
    }
}

/// The parts that a conductor is made of.
pub(crate) struct Parts<'a> {
    pub(crate) proxy: Arc<DriverProxy>,
    pub(crate) responses: Receiver<Region>,
    pub(crate) counters: Counters,
    pub(crate) directory: DriverDirectory,
    pub(crate) clock: Clock,
    pub(crate) liveness: LivenessSettings<'a>,
    pub(crate) pre_touch: bool,
    pub(crate) image_handlers: ImageHandlers,
    pub(crate) announced: Announced,
    pub(crate) client: Weak<Client>,
    pub(crate) departures: Arc<Departures>,
    pub(crate) removals: Arc<Removals>,
    /// Set when the client is closed, for those who do not take its lock to find out.
    pub(crate) is_closed: Arc<Flag>,
}

pub(crate) struct ClientConductor {
    responses: Receiver<Region>,
    /// A response, copied before it is looked at.
    scratch: Box<[u8]>,
    state: State,
}

/// All but the receiver, whose handler works on this.
struct State {
    proxy: Arc<DriverProxy>,
    counters: Counters,
    directory: DriverDirectory,
    clock: Clock,
    client: Weak<Client>,
    departures: Arc<Departures>,
    driver_timeout: Duration,
    liveness: Liveness,
    logs: Logs,
    image_handlers: ImageHandlers,
    announced: Announced,
    registrations: Registrations,
    publications: HashMap<i64, ListedPublication>,
    subscriptions: HashMap<i64, Weak<SubscriptionState>>,
    counter_handles: HashMap<i64, Weak<CounterState>>,
    removals: Arc<Removals>,
    outbox: Outbox,
    closed: Option<Closed>,
    is_closed: Arc<Flag>,
}

/// A publication that somebody may still hold.
struct ListedPublication {
    original_registration_id: i64,
    state: Weak<PublicationState>,
}

/// That, and why, the client is closed.
#[derive(Clone)]
struct Closed {
    cause: Option<ClientError>,
}

impl Closed {
    fn error(&self) -> RegistrationError {
        RegistrationError::ClientClosed { cause: self.cause.clone().map(Box::new) }
    }
}

impl ClientConductor {
    pub(crate) fn new(parts: Parts<'_>) -> ClientConductor {
        ClientConductor {
            scratch: vec![0; parts.responses.max_message_length().next_multiple_of(4)].into_boxed_slice(),
            responses: parts.responses,
            state: State {
                liveness: Liveness::new(&parts.liveness, parts.clock.now()),
                driver_timeout: parts.liveness.driver_timeout,
                proxy: parts.proxy,
                counters: parts.counters,
                directory: parts.directory,
                clock: parts.clock,
                client: parts.client,
                departures: parts.departures,
                logs: Logs::new(parts.pre_touch),
                image_handlers: parts.image_handlers,
                announced: parts.announced,
                registrations: Registrations::default(),
                publications: HashMap::new(),
                subscriptions: HashMap::new(),
                counter_handles: HashMap::new(),
                removals: parts.removals,
                outbox: Outbox::default(),
                closed: None,
                is_closed: parts.is_closed,
            },
        }
    }

    /// One duty cycle; the work done.
    pub(crate) fn do_work(&mut self, now: Now) -> usize {
        if self.state.closed.is_some() {
            return 0;
        }
        self.state.removals.send() + self.read_responses() + self.state.service(now)
    }

    fn read_responses(&mut self) -> usize {
        let mut work = 0;
        while work < RESPONSE_LIMIT && self.state.closed.is_none() {
            let state = &mut self.state;
            let received =
                self.responses.receive(&mut self.scratch, |type_id, message| state.on_response(type_id, message));
            match received {
                Ok(0) => break,
                Ok(received) => work += received,
                Err(ReceiveError::Lapped) => self.state.fail(ClientError::BroadcastLapped),
                Err(ReceiveError::Malformed { position }) => {
                    self.state.fail(ClientError::BroadcastDamaged { position });
                }
            }
        }
        work
    }

    /// Takes what is to be done outside of the lock.
    pub(crate) fn take_outbox(&mut self) -> Outbox {
        std::mem::take(&mut self.state.outbox)
    }

    /// Asks the driver for something; what came of it is to be [taken](Self::take).
    pub(crate) fn register(
        &mut self,
        request: Request,
        now_ns: i64,
        send: impl FnOnce(&DriverProxy, i64) -> Result<(), RegistrationError>,
    ) -> Result<i64, RegistrationError> {
        if let Some(closed) = &self.state.closed {
            let error = closed.error();
            self.state.outbox.release(request);
            return Err(error);
        }
        let state = &mut self.state;
        // What was given back before goes before, or the driver may find in the way what the application took away.
        state.removals.send();
        if !state.removals.is_empty() {
            state.outbox.release(request);
            return Err(RegistrationError::DriverBufferFull);
        }
        let correlation_id = state.proxy.next_correlation_id();
        let deadline_ns = now_ns.saturating_add(saturating_ns(state.driver_timeout));
        state.registrations.add(correlation_id, request, deadline_ns);
        if let Err(error) = send(&state.proxy, correlation_id) {
            if let Some(request) = state.registrations.withdraw(correlation_id) {
                state.outbox.release(request);
            }
            return Err(error);
        }
        Ok(correlation_id)
    }

    /// What came of a request, once it is known.
    pub(crate) fn take(&mut self, correlation_id: i64) -> Option<Taken> {
        self.state.registrations.take(correlation_id)
    }

    /// Drops a request, and gives back what was or will be made of it.
    pub(crate) fn forget(&mut self, correlation_id: i64, now_ns: i64) -> Forgotten {
        let until_ns = now_ns.saturating_add(saturating_ns(self.state.driver_timeout));
        let (forgotten, removal) = self.state.registrations.forget(correlation_id, until_ns);
        if let Some(removal) = removal {
            self.state.removals.give_back(removal);
        }
        if let Some((_, Some(Ok(Outcome::Subscription(subscription))))) = &forgotten {
            // Its handlers may have heard of images: those go with it.
            self.state.subscriptions.remove(&correlation_id);
            let closing = subscription.close();
            self.state.outbox.events.extend(closing.events);
            self.state.outbox.release(closing.slots);
        }
        forgotten
    }

    /// Closes the client: everything of it is closed, and the driver is told.
    pub(crate) fn close(&mut self) {
        if self.state.closed.is_none() {
            self.state.removals.send();
            self.state.force_close(None);
        }
    }

    /// Why the client is closed, if it is.
    pub(crate) fn closed(&self) -> Option<RegistrationError> {
        self.state.closed.as_ref().map(Closed::error)
    }
}

impl State {
    fn service(&mut self, now: Now) -> usize {
        if self.closed.is_some() {
            return 0;
        }
        let directory = &self.directory;
        match self.liveness.service(now, &self.proxy, &self.counters, || directory.is_replaced()) {
            Service::NotDue => 0,
            Service::Failed(error) => {
                self.fail(error);
                1
            }
            Service::Done => {
                self.publications.retain(|_, publication| publication.state.strong_count() > 0);
                self.subscriptions.retain(|_, subscription| subscription.strong_count() > 0);
                self.counter_handles.retain(|_, counter| counter.strong_count() > 0);
                self.watch_publications(now);
                self.departures.settle();
                let timed_out = RegistrationError::TimedOut { after: self.driver_timeout };
                let abandon_until_ns = now.ns.saturating_add(saturating_ns(self.driver_timeout));
                self.registrations.check(now.ns, abandon_until_ns, &timed_out) + self.logs.unmap_unused()
            }
        }
    }

    /// Keeps an eye on what holds publications back, for those who will ask why.
    fn watch_publications(&mut self, now: Now) {
        for publication in self.publications.values().filter_map(|publication| publication.state.upgrade()) {
            publication.watch(now.ns);
            self.outbox.release(publication);
        }
    }

    fn fail(&mut self, error: ClientError) {
        if self.closed.is_none() {
            self.outbox.events.push(Event::Error(error.clone()));
            self.force_close(Some(error));
        }
    }

    /// Closes every handle, fails every request, and tells a driver that still listens.
    fn force_close(&mut self, cause: Option<ClientError>) {
        let closed = Closed { cause };
        self.registrations.close(&closed.error());
        for publication in self.publications.drain().filter_map(|(_, publication)| publication.state.upgrade()) {
            publication.close();
            self.outbox.release(publication);
        }
        let mut images = Vec::new();
        for subscription in self.subscriptions.drain().filter_map(|(_, subscription)| subscription.upgrade()) {
            let closing = subscription.close();
            images.extend(closing.images);
            self.outbox.events.extend(closing.events);
            self.outbox.release(closing.slots);
            self.outbox.release(subscription);
        }
        for counter in self.counter_handles.drain().filter_map(|(_, counter)| counter.upgrade()) {
            counter.close();
            self.outbox.release(counter);
        }
        let driver_lives = matches!(
            closed.cause,
            None | Some(
                ClientError::ServiceTimeout { .. }
                    | ClientError::BroadcastLapped
                    | ClientError::BroadcastDamaged { .. }
            )
        );
        // Nothing of a client may reach the driver behind the word that it is gone.
        self.removals.close();
        self.is_closed.set();
        if driver_lives {
            self.departures.leave(Leaving::Client, images);
        }
        self.logs.let_go();
        self.closed = Some(closed);
        self.outbox.events.push(Event::Closed);
    }
}
