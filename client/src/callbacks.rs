//! The application's handlers, and the queue of calls to them. `[client]`
//!
//! Whoever drives the conductor (its thread, an invoker, a thread that waits in `add_*`) only queues what is to be
//! told. The calls are made by the conductor thread or the invoker, one at a time and outside of every lock, so a
//! handler may use the client as it likes.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gannet_core::counters::CounterId;
use gannet_core::position::{SessionId, StreamId};

use crate::counters_reader::CountersReader;
use crate::error::ClientError;
use crate::image_view::ImageView;
use crate::publication_error::PublicationErrorFrame;
use crate::sync::{Flag, Turn};

pub(crate) type ErrorHandler = Box<dyn FnMut(&ClientError) + Send>;
pub(crate) type ImageHandler = Box<dyn FnMut(&ImageView) + Send>;
pub(crate) type CounterHandler = Box<dyn FnMut(&CountersReader, i64, CounterId) + Send>;
pub(crate) type PublicationErrorHandler = Box<dyn FnMut(&PublicationErrorFrame) + Send>;
pub(crate) type CloseHandler = Box<dyn FnMut() + Send>;
pub(crate) type NewPublicationHandler = Box<dyn FnMut(&str, StreamId, SessionId, i64) + Send>;
pub(crate) type NewSubscriptionHandler = Box<dyn FnMut(&str, StreamId, i64) + Send>;

/// A handler that a queued call may outlive its registration with.
pub(crate) type SharedHandler<H> = Arc<Mutex<H>>;

/// Locks whatever happened to the last holder: what these locks guard is consistent between any two statements.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a call that may run the application's code; its panic, as what the error handler is to be told.
pub(crate) fn caught<T>(call: impl FnOnce() -> T) -> Result<T, ClientError> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| ClientError::HandlerPanicked {
        message: panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default(),
    })
}

/// Something to tell the application.
pub(crate) enum Event {
    Image(SharedHandler<ImageHandler>, ImageView),
    AvailableCounter(i64, CounterId),
    UnavailableCounter(i64, CounterId),
    PublicationError(PublicationErrorFrame),
    Error(ClientError),
    New(NewResource),
    Closed,
}

/// What the driver has added for this client.
pub(crate) struct NewResource {
    pub(crate) kind: NewKind,
    pub(crate) channel: String,
    pub(crate) stream_id: StreamId,
    pub(crate) registration_id: i64,
}

pub(crate) enum NewKind {
    Publication(SessionId),
    ExclusivePublication(SessionId),
    Subscription,
}

/// Of which resources somebody wants to hear when they are added.
#[derive(Clone, Copy, Default)]
pub(crate) struct Announced {
    pub(crate) publications: bool,
    pub(crate) exclusive_publications: bool,
    pub(crate) subscriptions: bool,
}

/// Handlers that come and go at run time, in the order in which they came.
struct Registry<H>(Mutex<Vec<(i64, SharedHandler<H>)>>);

impl<H> Registry<H> {
    fn new(first: Option<H>) -> Registry<H> {
        Registry(Mutex::new(first.map(|handler| (0, Arc::new(Mutex::new(handler)))).into_iter().collect()))
    }

    fn add(&self, id: i64, handler: H) {
        lock(&self.0).push((id, Arc::new(Mutex::new(handler))));
    }

    fn remove(&self, id: i64) -> bool {
        let mut handlers = lock(&self.0);
        let found = handlers.iter().position(|(of, _)| *of == id);
        let removed = found.map(|index| handlers.remove(index));
        drop(handlers); // before the handler itself: it may own handles of this client
        removed.is_some()
    }

    fn all(&self) -> Vec<SharedHandler<H>> {
        lock(&self.0).iter().map(|(_, handler)| Arc::clone(handler)).collect()
    }

    fn take_all(&self) -> Vec<SharedHandler<H>> {
        std::mem::take(&mut *lock(&self.0)).into_iter().map(|(_, handler)| handler).collect()
    }
}

pub(crate) struct Callbacks {
    queue: Mutex<VecDeque<Event>>,
    running: Turn,
    /// The calls that are queued are the last. Set and looked at with the queue's lock held.
    is_last: Flag,
    /// They were made, and the handlers forgotten.
    is_over: Flag,
    error: Mutex<ErrorHandler>,
    publication_error: Option<Mutex<PublicationErrorHandler>>,
    available_counter: Registry<CounterHandler>,
    unavailable_counter: Registry<CounterHandler>,
    close: Registry<CloseHandler>,
    new_publication: Option<Mutex<NewPublicationHandler>>,
    new_exclusive_publication: Option<Mutex<NewPublicationHandler>>,
    new_subscription: Option<Mutex<NewSubscriptionHandler>>,
}

/// The handlers with which a client starts.
pub(crate) struct Handlers {
    pub(crate) error: ErrorHandler,
    pub(crate) publication_error: Option<PublicationErrorHandler>,
    pub(crate) available_counter: Option<CounterHandler>,
    pub(crate) unavailable_counter: Option<CounterHandler>,
    pub(crate) close: Option<CloseHandler>,
    pub(crate) new_publication: Option<NewPublicationHandler>,
    pub(crate) new_exclusive_publication: Option<NewPublicationHandler>,
    pub(crate) new_subscription: Option<NewSubscriptionHandler>,
}

impl Callbacks {
    pub(crate) fn new(handlers: Handlers) -> Callbacks {
        Callbacks {
            queue: Mutex::default(),
            running: Turn::default(),
            is_last: Flag::default(),
            is_over: Flag::default(),
            error: Mutex::new(handlers.error),
            publication_error: handlers.publication_error.map(Mutex::new),
            available_counter: Registry::new(handlers.available_counter),
            unavailable_counter: Registry::new(handlers.unavailable_counter),
            close: Registry::new(handlers.close),
            new_publication: handlers.new_publication.map(Mutex::new),
            new_exclusive_publication: handlers.new_exclusive_publication.map(Mutex::new),
            new_subscription: handlers.new_subscription.map(Mutex::new),
        }
    }

    pub(crate) fn announced(&self) -> Announced {
        Announced {
            publications: self.new_publication.is_some(),
            exclusive_publications: self.new_exclusive_publication.is_some(),
            subscriptions: self.new_subscription.is_some(),
        }
    }

    /// Queues calls; whether there were any.
    pub(crate) fn queue(&self, events: impl IntoIterator<Item = Event>) -> bool {
        let mut queue = lock(&self.queue);
        let before = queue.len();
        queue.extend(events);
        queue.len() > before
    }

    /// Makes the queued calls; how many. A handler that comes back here, or a second invoker, finds it busy and
    /// makes none.
    pub(crate) fn run(&self, counters: &CountersReader) -> usize {
        let mut calls = 0;
        while let Some(turn) = self.running.take() {
            let is_last = loop {
                let mut queue = lock(&self.queue);
                let (event, is_last) = (queue.pop_front(), self.is_last.is_set());
                drop(queue);
                let Some(event) = event else { break is_last };
                calls += 1;
                self.call(event, counters);
            };
            if is_last {
                self.clear();
            }
            drop(turn);
            // Whoever came in the meantime found it busy, and left the rest to this turn. The lock orders the two: who
            // leaves something behind it later than this look finds the turn free.
            let queue = lock(&self.queue);
            let is_through = !self.is_last.is_set() || self.is_over.is_set();
            if is_through && queue.is_empty() {
                break;
            }
        }
        calls
    }

    /// Makes the last calls and forgets every handler, and with them whatever handles of this client they own. A handler
    /// that comes back here leaves both to its own caller.
    pub(crate) fn finish(&self, counters: &CountersReader) {
        let queue = lock(&self.queue);
        self.is_last.set();
        drop(queue);
        self.run(counters);
    }

    /// Each handler is dropped where it was called: its destructor, too, is the application's.
    fn call(&self, event: Event, counters: &CountersReader) {
        match event {
            Event::Image(handler, image) => self.guard(move || {
                (lock(&handler))(&image);
                drop(handler);
            }),
            Event::AvailableCounter(registration_id, id) => {
                for handler in self.available_counter.all() {
                    self.guard(move || {
                        (lock(&handler))(counters, registration_id, id);
                        drop(handler);
                    });
                }
            }
            Event::UnavailableCounter(registration_id, id) => {
                for handler in self.unavailable_counter.all() {
                    self.guard(move || {
                        (lock(&handler))(counters, registration_id, id);
                        drop(handler);
                    });
                }
            }
            Event::PublicationError(error) => {
                if let Some(handler) = &self.publication_error {
                    self.guard(|| (lock(handler))(&error));
                }
            }
            Event::Error(error) => self.report(&error),
            Event::New(added) => self.call_new(&added),
            Event::Closed => {
                for handler in self.close.take_all() {
                    self.guard(move || {
                        (lock(&handler))();
                        drop(handler);
                    });
                }
            }
        }
    }

    fn call_new(&self, added: &NewResource) {
        let NewResource { ref kind, ref channel, stream_id, registration_id } = *added;
        let (handler, session_id) = match *kind {
            NewKind::Publication(session_id) => (&self.new_publication, session_id),
            NewKind::ExclusivePublication(session_id) => (&self.new_exclusive_publication, session_id),
            NewKind::Subscription => {
                if let Some(handler) = &self.new_subscription {
                    self.guard(|| (lock(handler))(channel, stream_id, registration_id));
                }
                return;
            }
        };
        if let Some(handler) = handler {
            self.guard(|| (lock(handler))(channel, stream_id, session_id, registration_id));
        }
    }

    fn guard(&self, call: impl FnOnce()) {
        if let Err(error) = caught(call) {
            self.report(&error);
        }
    }

    fn report(&self, error: &ClientError) {
        // The last resort has none: a panic of the error handler itself ends here.
        let _ = catch_unwind(AssertUnwindSafe(|| (lock(&self.error))(error)));
    }

    pub(crate) fn add_available_counter(&self, id: i64, handler: CounterHandler) {
        self.available_counter.add(id, handler);
    }

    pub(crate) fn add_unavailable_counter(&self, id: i64, handler: CounterHandler) {
        self.unavailable_counter.add(id, handler);
    }

    pub(crate) fn add_close(&self, id: i64, handler: CloseHandler) {
        self.close.add(id, handler);
    }

    pub(crate) fn remove(&self, id: i64) -> bool {
        self.available_counter.remove(id) || self.unavailable_counter.remove(id) || self.close.remove(id)
    }

    fn clear(&self) {
        for handler in self.available_counter.take_all().into_iter().chain(self.unavailable_counter.take_all()) {
            self.guard(move || drop(handler));
        }
        for handler in self.close.take_all() {
            self.guard(move || drop(handler));
        }
        self.is_over.set();
    }
}
