//! The client behind every handle: the conductor under its lock, the ring to the driver, the calls to be made. `[any]`
//!
//! Whoever drives the conductor does so through [`Client::drive`], which releases the lock before it queues calls and
//! drops what left the conductor. A [`ClientHandle`] keeps the client open; handles of resources hold one, so the
//! client closes with the last of them, or when it is told to.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use gannet_core::command::Command;

use crate::callbacks::{Callbacks, Event, caught, lock};
use crate::clock::Clock;
use crate::conductor::registration::{Outcome, Request};
use crate::conductor::{ClientConductor, Outbox};
use crate::counters_reader::CountersReader;
use crate::departures::Departures;
use crate::driver_proxy::{DriverProxy, Removal};
use crate::error::RegistrationError;
use crate::removals::Removals;
use crate::sync::Flag;

/// How long dropping the last handle waits for a conductor thread that is busy in a handler.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

pub(crate) struct Client {
    pub(crate) proxy: Arc<DriverProxy>,
    pub(crate) counters: CountersReader,
    pub(crate) callbacks: Callbacks,
    pub(crate) departures: Arc<Departures>,
    removals: Arc<Removals>,
    pub(crate) clock: Clock,
    pub(crate) idle_sleep: Duration,
    pub(crate) uses_invoker: bool,
    conductor: Mutex<ClientConductor>,
    /// None inside once it has panicked.
    driver_agent: Option<Mutex<Option<DriverAgent>>>,
    thread: OnceLock<Thread>,
    /// Somebody has begun to close it.
    closing: Flag,
    /// Every handle is closed, by the application or because the driver is gone.
    is_closed: Arc<Flag>,
    /// The application has closed it, and the last calls are queued.
    finished: Flag,
}

type DriverAgent = Box<dyn FnMut() -> usize + Send>;

impl Client {
    pub(crate) fn new(
        conductor: ClientConductor,
        proxy: Arc<DriverProxy>,
        counters: CountersReader,
        callbacks: Callbacks,
        clock: Clock,
        settings: ClientSettings,
    ) -> Client {
        Client {
            proxy,
            counters,
            callbacks,
            departures: settings.departures,
            removals: settings.removals,
            clock,
            idle_sleep: settings.idle_sleep,
            uses_invoker: settings.uses_invoker,
            conductor: Mutex::new(conductor),
            driver_agent: settings.driver_agent.map(|agent| Mutex::new(Some(agent))),
            thread: OnceLock::new(),
            closing: Flag::default(),
            is_closed: settings.is_closed,
            finished: Flag::default(),
        }
    }

    /// One duty cycle of the conductor; calls to the application are left for whoever makes them.
    pub(crate) fn drive(&self) -> usize {
        self.drive_with(lock(&self.conductor))
    }

    /// As [`drive`](Self::drive), unless somebody else is at it.
    pub(crate) fn try_drive(&self) -> usize {
        match self.conductor.try_lock() {
            Ok(conductor) => self.drive_with(conductor),
            Err(TryLockError::Poisoned(poisoned)) => self.drive_with(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => 0,
        }
    }

    fn drive_with(&self, mut conductor: MutexGuard<'_, ClientConductor>) -> usize {
        let work = conductor.do_work(self.clock.now());
        let outbox = conductor.take_outbox();
        drop(conductor);
        self.deliver(outbox);
        work
    }

    /// Queues the calls, wakes whoever makes them, and drops what may own handles of this client.
    fn deliver(&self, outbox: Outbox) {
        if self.callbacks.queue(outbox.events) {
            self.wake();
        }
        for value in outbox.released {
            // Handlers that go with their subscription: their destructors are the application's.
            if let Err(error) = caught(move || drop(value)) {
                self.tell([Event::Error(error)]);
            }
        }
    }

    /// A duty cycle and the calls that it left to make.
    pub(crate) fn serve(&self) -> usize {
        self.drive() + self.drive_driver() + self.callbacks.run(&self.counters)
    }

    /// Leaves calls to be made by the conductor thread, or the next invocation.
    pub(crate) fn tell(&self, events: impl IntoIterator<Item = Event>) {
        if self.callbacks.queue(events) {
            self.wake();
        }
    }

    fn drive_driver(&self) -> usize {
        let Some(agent) = &self.driver_agent else { return 0 };
        let mut agent = match agent.try_lock() {
            Ok(agent) => agent,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Another thread drives it, or the driver itself came back here: either will do.
            Err(TryLockError::WouldBlock) => return 0,
        };
        let Some(call) = agent.as_mut() else { return 0 };
        caught(call).unwrap_or_else(|error| {
            // It is not called again in whatever state that left it: its heartbeat stops, and closes its clients.
            let dropped = agent.take();
            drop(agent);
            self.tell([Event::Error(error)]);
            if let Err(error) = caught(move || drop(dropped)) {
                self.tell([Event::Error(error)]);
            }
            0
        })
    }

    pub(crate) fn wake(&self) {
        if let Some(thread) = self.thread.get().filter(|thread| thread.id() != thread::current().id()) {
            thread.unpark();
        }
    }

    /// Sends a command whose answer nobody waits for; its correlation id.
    pub(crate) fn send<'a>(&self, command: impl FnOnce(i64, i64) -> Command<'a>) -> Result<i64, RegistrationError> {
        if self.is_closed() {
            return Err(self.closed().unwrap_or(RegistrationError::ClientClosed { cause: None }));
        }
        let correlation_id = self.proxy.next_correlation_id();
        self.proxy.send(&command(self.proxy.client_id(), correlation_id))?;
        Ok(correlation_id)
    }

    /// Asks the driver for something; what came of it is to be [taken](Self::take) or [forgotten](Self::forget).
    pub(crate) fn register<'a>(
        &self,
        request: Request,
        command: impl FnOnce(i64, i64) -> Command<'a>,
    ) -> Result<i64, RegistrationError> {
        let mut conductor = lock(&self.conductor);
        let result = conductor.register(request, self.clock.ns(), |proxy, correlation_id| {
            proxy.send(&command(proxy.client_id(), correlation_id))
        });
        let outbox = conductor.take_outbox();
        drop(conductor);
        self.deliver(outbox);
        result
    }

    /// What came of a request, if it is known by now.
    pub(crate) fn take(&self, correlation_id: i64) -> Option<Result<Outcome, RegistrationError>> {
        let (_request, outcome) = lock(&self.conductor).take(correlation_id)?;
        Some(outcome)
    }

    /// What came of a request, waiting for it: the calling thread drives the conductor meanwhile.
    pub(crate) fn wait(&self, correlation_id: i64) -> Result<Outcome, RegistrationError> {
        let mut idle = Waiting::default();
        loop {
            let work = self.drive() + self.drive_driver();
            if let Some(outcome) = self.take(correlation_id) {
                return outcome;
            }
            idle.idle(work);
        }
    }

    pub(crate) fn forget(&self, correlation_id: i64) {
        let mut conductor = lock(&self.conductor);
        let forgotten = conductor.forget(correlation_id, self.clock.ns());
        let outbox = conductor.take_outbox();
        drop(conductor);
        self.deliver(outbox);
        drop(forgotten);
    }

    /// Gives a resource back to the driver: at once when its ring has room, else when it has, in the same order.
    pub(crate) fn remove(&self, removal: Removal) {
        self.removals.give_back(removal);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.is_set()
    }

    /// Why the client is closed, if it is.
    pub(crate) fn closed(&self) -> Option<RegistrationError> {
        lock(&self.conductor).closed()
    }

    /// Closes everything and tells the driver. The calls that this leaves to make are made by the conductor thread, or
    /// here when there is none.
    pub(crate) fn close(&self) {
        if !self.closing.set() {
            return;
        }
        let mut conductor = lock(&self.conductor);
        conductor.do_work(self.clock.now());
        conductor.close();
        let outbox = conductor.take_outbox();
        drop(conductor);
        self.deliver(outbox);
        self.finished.set();
        if self.thread.get().is_none() {
            self.make_last_calls();
        }
    }

    fn make_last_calls(&self) {
        self.callbacks.finish(&self.counters);
    }

    /// The life of the conductor thread.
    pub(crate) fn run(&self) {
        while !self.finished.is_set() {
            // The last resort: a panic that nothing else has caught must not end the client without a word.
            let work = caught(|| self.serve()).unwrap_or_else(|error| {
                self.tell([Event::Error(error)]);
                0
            });
            if work == 0 {
                // Woken early for calls to make and for the close. A wake-up before the sleep ends it at once.
                thread::park_timeout(self.idle_sleep);
            }
        }
        self.make_last_calls();
    }
}

/// Settings that outlive the context.
pub(crate) struct ClientSettings {
    pub(crate) idle_sleep: Duration,
    pub(crate) uses_invoker: bool,
    pub(crate) driver_agent: Option<DriverAgent>,
    pub(crate) departures: Arc<Departures>,
    pub(crate) removals: Arc<Removals>,
    pub(crate) is_closed: Arc<Flag>,
}

/// Waits for another thread or process: a few spins, a few yields, then short sleeps, so that an answer of a driver
/// that spins costs microseconds and one of a driver that sleeps costs no processor.
#[derive(Default)]
struct Waiting {
    rounds: u32,
}

impl Waiting {
    const SPINS: u32 = 20;
    const YIELDS: u32 = 50;
    const MIN_SLEEP: Duration = Duration::from_micros(10);
    const MAX_SLEEP: Duration = Duration::from_millis(1);

    fn idle(&mut self, work: usize) {
        self.rounds = if work > 0 { 0 } else { self.rounds.saturating_add(1) };
        match self.rounds {
            0..=Self::SPINS => std::hint::spin_loop(),
            rounds if rounds <= Self::SPINS + Self::YIELDS => thread::yield_now(),
            rounds => {
                let doublings = (rounds - Self::SPINS - Self::YIELDS).min(16) / 2;
                thread::sleep((Self::MIN_SLEEP * (1 << doublings)).min(Self::MAX_SLEEP));
            }
        }
    }
}

/// Keeps a client open. The last one closes it.
pub struct ClientHandle {
    pub(crate) client: Arc<Client>,
    thread: Mutex<Option<JoinHandle<()>>>,
    finished: Arc<Finished>,
}

#[derive(Default)]
struct Finished {
    flag: Mutex<bool>,
    changed: Condvar,
}

impl Finished {
    fn set(&self) {
        *lock(&self.flag) = true;
        self.changed.notify_all();
    }

    /// Waits for it; whether it came, for those who do not wait for ever.
    fn wait(&self, patience: Option<Duration>) -> bool {
        let deadline = patience.map(|patience| Instant::now() + patience);
        let mut finished = lock(&self.flag);
        while !*finished {
            finished = match deadline {
                None => self.changed.wait(finished).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let Some(left) = deadline.checked_duration_since(Instant::now()) else { return false };
                    self.changed.wait_timeout(finished, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        true
    }
}

/// Says that the conductor thread has ended, in whatever way it does.
struct FinishedGuard(Arc<Finished>);

impl Drop for FinishedGuard {
    fn drop(&mut self) {
        self.0.set();
    }
}

impl ClientHandle {
    /// Starts the conductor thread, unless an invoker is to drive it.
    pub(crate) fn start(client: Arc<Client>) -> std::io::Result<ClientHandle> {
        let finished = Arc::new(Finished::default());
        let mut handle = ClientHandle { client, thread: Mutex::new(None), finished };
        if !handle.client.uses_invoker {
            let (client, finished) = (Arc::clone(&handle.client), FinishedGuard(Arc::clone(&handle.finished)));
            let (ready, started) = std::sync::mpsc::channel::<()>();
            let thread = thread::Builder::new().name("aeron-client".to_owned()).spawn(move || {
                let _ = started.recv(); // until `thread` is known, so that nobody is woken in vain
                let _finished = finished;
                client.run();
                drop(client);
            })?;
            let _ = handle.client.thread.set(thread.thread().clone());
            drop(ready);
            *handle.thread.get_mut().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        }
        Ok(handle)
    }

    /// Closes the client and waits until its thread has made its last call, or for as long as `patience` allows.
    pub(crate) fn close(&self, patience: Option<Duration>) {
        self.client.close();
        self.client.wake();
        let Some(conductor) = self.client.thread.get() else { return };
        // Whoever closes, the first or a later one, waits for the last call; a handler would wait for itself.
        if conductor.id() == thread::current().id() || !self.finished.wait(patience) {
            return;
        }
        if let Some(thread) = lock(&self.thread).take() {
            // A panic of the thread has closed nothing less than this does.
            let _ = thread.join();
        }
    }
}

impl Drop for ClientHandle {
    fn drop(&mut self) {
        self.close(Some(CLOSE_PATIENCE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_gives_up_when_its_patience_ends() {
        let finished = Finished::default();
        assert!(!finished.wait(Some(Duration::ZERO)));
        finished.set();
        assert!(finished.wait(Some(Duration::ZERO)));
    }
}
