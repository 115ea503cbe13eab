//! The client as an application holds it. `[any]`
//!
//! Mirrors `aeronc.c`, `aeron_client.c` and `Aeron.java`.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use gannet_core::command::Command;
use gannet_core::position::{SessionId, StreamId};

use crate::asynchronous::{
    Async, AsyncAddCounter, AsyncAddExclusivePublication, AsyncAddPublication, AsyncAddSubscription, AsyncNextSessionId,
};
use crate::client::ClientHandle;
use crate::conductor::registration::Request;
use crate::context::Context;
use crate::counter::Counter;
use crate::counters_reader::CountersReader;
use crate::error::{ConnectError, RegistrationError};
use crate::exclusive_publication::ExclusivePublication;
use crate::publication::Publication;
use crate::subscription::{Subscription, SubscriptionHandlers};
use crate::{connect, driver_directory};

/// The longest key of a counter in bytes, section 4 of `cnc.md`.
const MAX_KEY_LENGTH: usize = 112;
/// The longest label of a counter in bytes, section 4 of `cnc.md`.
const MAX_LABEL_LENGTH: usize = 380;

/// A client of a media driver: adds publications, subscriptions and counters.
///
/// Cheap to clone, and usable from any thread. The client stays open until it is [closed](Aeron::close), or until the
/// last `Aeron` and the last handle of whatever it added are dropped; the driver then frees all that it had.
///
/// Unless the [`Context`] asks for an invoker, it runs one thread, its conductor, which keeps the client alive and
/// calls the handlers. Messages never pass through it.
#[derive(Clone)]
pub struct Aeron {
    handle: Arc<ClientHandle>,
}

impl Aeron {
    /// Connects to the driver of the context's directory, waiting for it to appear.
    ///
    /// ```no_run
    /// let aeron = gannet::Aeron::connect(gannet::Context::new().aeron_dir("/dev/shm/aeron-prices"))?;
    /// # Ok::<(), gannet::ConnectError>(())
    /// ```
    ///
    /// # Errors
    /// When no driver runs there, or its files cannot be used.
    pub fn connect(context: Context) -> Result<Aeron, ConnectError> {
        let client = connect::connect(context)?;
        let handle = ClientHandle::start(client).map_err(ConnectError::Thread)?;
        Ok(Aeron { handle: Arc::new(handle) })
    }

    /// Asks the driver of a directory to end, as `TERMINATE_DRIVER`: whether it does is up to its termination
    /// validator, and it does not answer. The token is for the validator to look at.
    ///
    /// # Errors
    /// When there is no driver, or its command buffer is full.
    pub fn request_driver_termination(directory: impl AsRef<Path>, token: &[u8]) -> Result<(), ConnectError> {
        driver_directory::request_termination(directory.as_ref(), token)
    }

    /// Adds a publication that this client, and others, may share with other publishers.
    ///
    /// # Errors
    /// What the driver refuses, or its silence.
    pub fn add_publication(
        &self,
        channel: &str,
        stream_id: impl Into<StreamId>,
    ) -> Result<Publication, RegistrationError> {
        self.async_add_publication(channel, stream_id)?.wait()
    }

    /// As [`add_publication`](Aeron::add_publication), without waiting for the driver.
    ///
    /// # Errors
    /// When the command cannot be sent.
    pub fn async_add_publication(
        &self,
        channel: &str,
        stream_id: impl Into<StreamId>,
    ) -> Result<AsyncAddPublication, RegistrationError> {
        let stream_id = stream_id.into();
        self.register(Request::Publication { channel: channel.to_owned() }, |client_id, correlation_id| {
            Command::AddPublication { client_id, correlation_id, stream_id, channel }
        })
    }

    /// Adds a publication that has its session to itself.
    ///
    /// # Errors
    /// What the driver refuses, or its silence.
    pub fn add_exclusive_publication(
        &self,
        channel: &str,
        stream_id: impl Into<StreamId>,
    ) -> Result<ExclusivePublication, RegistrationError> {
        self.async_add_exclusive_publication(channel, stream_id)?.wait()
    }

    /// As [`add_exclusive_publication`](Aeron::add_exclusive_publication), without waiting for the driver.
    ///
    /// # Errors
    /// When the command cannot be sent.
    pub fn async_add_exclusive_publication(
        &self,
        channel: &str,
        stream_id: impl Into<StreamId>,
    ) -> Result<AsyncAddExclusivePublication, RegistrationError> {
        let stream_id = stream_id.into();
        let request = Request::ExclusivePublication { channel: channel.to_owned() };
        self.register(request, |client_id, correlation_id| Command::AddExclusivePublication {
            client_id,
            correlation_id,
            stream_id,
            channel,
        })
    }

    /// Adds a subscription. The context's handlers hear of its images.
    ///
    /// # Errors
    /// What the driver refuses, or its silence.
    pub fn add_subscription(
        &self,
        channel: &str,
        stream_id: impl Into<StreamId>,
    ) -> Result<Subscription, RegistrationError> {
        self.add_subscription_with(channel, stream_id, SubscriptionHandlers::new())
    }

    /// Adds a subscription with handlers of its own.
    ///
    /// # Errors
    /// What the driver refuses, or its silence.
    pub fn add_subscription_with(
        &self,
        channel: &str,
        stream_id: impl Into<StreamId>,
        handlers: SubscriptionHandlers,
    ) -> Result<Subscription, RegistrationError> {
        self.async_add_subscription(channel, stream_id, handlers)?.wait()
    }

    /// As [`add_subscription_with`](Aeron::add_subscription_with), without waiting for the driver.
    ///
    /// # Errors
    /// When the command cannot be sent.
    pub fn async_add_subscription(
        &self,
        channel: &str,
        stream_id: impl Into<StreamId>,
        handlers: SubscriptionHandlers,
    ) -> Result<AsyncAddSubscription, RegistrationError> {
        let stream_id = stream_id.into();
        let request = Request::Subscription { channel: channel.to_owned(), stream_id, handlers: handlers.0 };
        self.register(request, |client_id, correlation_id| Command::AddSubscription {
            client_id,
            correlation_id,
            stream_id,
            channel,
        })
    }

    /// Adds a counter: a number that operators and other processes see. Its type id says what kind of number it is
    /// (below 1000 are Aeron's own), the key is for programs (at most 112 bytes), the label for people (at most 380).
    ///
    /// # Errors
    /// What the driver refuses, or its silence.
    pub fn add_counter(&self, type_id: i32, key: &[u8], label: &str) -> Result<Counter, RegistrationError> {
        self.async_add_counter(type_id, key, label)?.wait()
    }

    /// As [`add_counter`](Aeron::add_counter), without waiting for the driver.
    ///
    /// # Errors
    /// When the command cannot be sent.
    pub fn async_add_counter(
        &self,
        type_id: i32,
        key: &[u8],
        label: &str,
    ) -> Result<AsyncAddCounter, RegistrationError> {
        check_counter(key, label)?;
        self.register(Request::Counter, |client_id, correlation_id| Command::AddCounter {
            client_id,
            correlation_id,
            type_id,
            key,
            label: label.as_bytes(),
        })
    }

    /// Adds, or finds, the static counter of a type and a registration id that the application chooses. It outlives
    /// every client.
    ///
    /// # Errors
    /// What the driver refuses, or its silence.
    pub fn add_static_counter(
        &self,
        type_id: i32,
        key: &[u8],
        label: &str,
        registration_id: i64,
    ) -> Result<Counter, RegistrationError> {
        self.async_add_static_counter(type_id, key, label, registration_id)?.wait()
    }

    /// As [`add_static_counter`](Aeron::add_static_counter), without waiting for the driver.
    ///
    /// # Errors
    /// When the command cannot be sent.
    pub fn async_add_static_counter(
        &self,
        type_id: i32,
        key: &[u8],
        label: &str,
        registration_id: i64,
    ) -> Result<AsyncAddCounter, RegistrationError> {
        check_counter(key, label)?;
        self.register(Request::StaticCounter { registration_id }, |client_id, correlation_id| {
            let label = label.as_bytes();
            Command::AddStaticCounter { client_id, correlation_id, registration_id, type_id, key, label }
        })
    }

    /// A session id that no publication of the stream uses, to be set in a channel.
    ///
    /// # Errors
    /// The driver's silence.
    pub fn next_session_id(&self, stream_id: impl Into<StreamId>) -> Result<SessionId, RegistrationError> {
        self.async_next_session_id(stream_id)?.wait()
    }

    /// As [`next_session_id`](Aeron::next_session_id), without waiting for the driver.
    ///
    /// # Errors
    /// When the command cannot be sent.
    pub fn async_next_session_id(
        &self,
        stream_id: impl Into<StreamId>,
    ) -> Result<AsyncNextSessionId, RegistrationError> {
        let stream_id = stream_id.into();
        self.register(Request::NextSessionId, |client_id, correlation_id| Command::GetNextAvailableSessionId {
            client_id,
            correlation_id,
            stream_id,
        })
    }

    fn register<'a, T: crate::asynchronous::Resource>(
        &self,
        request: Request,
        command: impl FnOnce(i64, i64) -> Command<'a>,
    ) -> Result<Async<T>, RegistrationError> {
        let correlation_id = self.handle.client.register(request, command)?;
        Ok(Async::new(correlation_id, &self.handle))
    }

    /// One duty cycle of the conductor, with the calls of handlers that are due; the work done. For a client whose
    /// context [uses an invoker](Context::use_invoker): to be called every few hundred milliseconds at least.
    ///
    /// With a conductor thread there is nothing to do here, and nothing is done.
    pub fn invoke(&self) -> usize {
        if self.handle.client.uses_invoker { self.handle.client.serve() } else { 0 }
    }

    /// Reads every counter of the driver and its clients, and writes none.
    #[must_use]
    pub fn counters_reader(&self) -> &CountersReader {
        &self.handle.client.counters
    }

    /// The id by which the driver knows this client.
    #[must_use]
    pub fn client_id(&self) -> i64 {
        self.handle.client.proxy.client_id()
    }

    /// An id that no other client of the driver has or will have.
    #[must_use]
    pub fn next_correlation_id(&self) -> i64 {
        self.handle.client.proxy.next_correlation_id()
    }

    /// Also calls `handler` for each counter that becomes available; the id by which to remove the handler.
    pub fn add_available_counter_handler(
        &self,
        handler: impl FnMut(&CountersReader, i64, crate::CounterId) + Send + 'static,
    ) -> i64 {
        let id = self.next_correlation_id();
        self.handle.client.callbacks.add_available_counter(id, Box::new(handler));
        id
    }

    /// Also calls `handler` for each counter that goes away; the id by which to remove the handler.
    pub fn add_unavailable_counter_handler(
        &self,
        handler: impl FnMut(&CountersReader, i64, crate::CounterId) + Send + 'static,
    ) -> i64 {
        let id = self.next_correlation_id();
        self.handle.client.callbacks.add_unavailable_counter(id, Box::new(handler));
        id
    }

    /// Also calls `handler` when the client closes; the id by which to remove the handler.
    pub fn add_close_handler(&self, handler: impl FnMut() + Send + 'static) -> i64 {
        let id = self.next_correlation_id();
        self.handle.client.callbacks.add_close(id, Box::new(handler));
        id
    }

    /// Removes a handler that was added at run time; whether it was there. A call that is under way is not waited for.
    pub fn remove_handler(&self, id: i64) -> bool {
        self.handle.client.callbacks.remove(id)
    }

    /// Whether the client is closed: by the application, or because the driver is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.handle.client.is_closed()
    }

    /// Why the client is closed, if it is.
    #[must_use]
    pub fn closed(&self) -> Option<RegistrationError> {
        self.handle.client.closed()
    }

    /// Closes the client and everything that it added, and waits for a handler that is being called. Close handlers
    /// have been called when it returns (unless it is called in a handler itself: then when that returns). A client that
    /// uses an invoker does not wait for another thread that is invoking it at that moment: that one makes the last calls.
    ///
    /// A poll that is under way, here or on another thread, is not waited for: its handler gets no more fragments, and
    /// the driver hears of the close when the poll has ended, so that nobody writes over what the handler still reads.
    pub fn close(self) {
        self.handle.close(None);
    }
}

fn check_counter(key: &[u8], label: &str) -> Result<(), RegistrationError> {
    for (what, length, max) in
        [("a counter's key", key.len(), MAX_KEY_LENGTH), ("a counter's label", label.len(), MAX_LABEL_LENGTH)]
    {
        if length > max {
            return Err(RegistrationError::ArgumentTooLong { what, length, max });
        }
    }
    Ok(())
}

impl fmt::Debug for Aeron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aeron")
            .field("client_id", &self.client_id())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
