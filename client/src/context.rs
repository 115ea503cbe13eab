//! What a client is told before it connects: where the driver is, how long to wait, whom to call. `[client]`
//!
//! Mirrors `aeron_context.c` and `Aeron.Context`. Settings come from the environment first (the `AERON_*` names of
//! the official clients, see section 15 of `driver.md`) and from the setters after that.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gannet_core::counters::CounterId;
use gannet_core::position::{SessionId, StreamId};
use gannet_core::uri::value;
use gannet_transport_ipc::AeronDirectory;

use crate::callbacks::{
    CloseHandler, CounterHandler, ErrorHandler, ImageHandler, NewPublicationHandler, NewSubscriptionHandler,
    PublicationErrorHandler, SharedHandler,
};
use crate::counters_reader::CountersReader;
use crate::error::ClientError;
use crate::image_view::ImageView;
use crate::publication_error::PublicationErrorFrame;

/// Aeron's `AERON_CONTEXT_DRIVER_TIMEOUT_MS_DEFAULT`.
const DRIVER_TIMEOUT: Duration = Duration::from_secs(10);
/// Aeron's `AERON_CONTEXT_KEEPALIVE_INTERVAL_NS_DEFAULT`.
const KEEPALIVE_INTERVAL: Duration = Duration::from_millis(500);
/// Aeron's `AERON_CONTEXT_RESOURCE_LINGER_DURATION_NS_DEFAULT`.
const RESOURCE_LINGER_DURATION: Duration = Duration::from_secs(3);
/// Aeron's `AERON_CONTEXT_IDLE_SLEEP_DURATION_NS_DEFAULT`.
const IDLE_SLEEP_DURATION: Duration = Duration::from_millis(16);
/// Aeron's `AERON_COUNTER_MAX_CLIENT_NAME_LENGTH`.
pub(crate) const MAX_CLIENT_NAME_LENGTH: usize = 100;

/// The settings and handlers of one client, given to [`Aeron::connect`](crate::Aeron::connect).
///
/// ```
/// use std::time::Duration;
/// use gannet::Context;
///
/// let context = Context::new()
///     .aeron_dir("/dev/shm/aeron-prices")
///     .client_name("price feed")
///     .driver_timeout(Duration::from_secs(5))
///     .error_handler(|error| eprintln!("price feed: {error}"));
/// # drop(context);
/// ```
///
/// Handlers are called on the client's conductor thread, or inside [`Aeron::invoke`](crate::Aeron::invoke), one at a
/// time, and may use the client freely, adding resources included. A handler that panics is reported to the error
/// handler; the client goes on.
pub struct Context {
    pub(crate) aeron_dir: PathBuf,
    pub(crate) client_name: String,
    pub(crate) driver_timeout: Duration,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) keepalive_interval: Duration,
    pub(crate) resource_linger_duration: Duration,
    pub(crate) idle_sleep_duration: Duration,
    pub(crate) pre_touch_mapped_memory: bool,
    pub(crate) use_invoker: bool,
    pub(crate) driver_agent_invoker: Option<Box<dyn FnMut() -> usize + Send>>,
    pub(crate) error_handler: ErrorHandler,
    pub(crate) available_image_handler: Option<SharedHandler<ImageHandler>>,
    pub(crate) unavailable_image_handler: Option<SharedHandler<ImageHandler>>,
    pub(crate) available_counter_handler: Option<CounterHandler>,
    pub(crate) unavailable_counter_handler: Option<CounterHandler>,
    pub(crate) publication_error_handler: Option<PublicationErrorHandler>,
    pub(crate) close_handler: Option<CloseHandler>,
    pub(crate) on_new_publication: Option<NewPublicationHandler>,
    pub(crate) on_new_exclusive_publication: Option<NewPublicationHandler>,
    pub(crate) on_new_subscription: Option<NewSubscriptionHandler>,
    pub(crate) warnings: Vec<ClientError>,
}

impl Context {
    /// Aeron's defaults under the settings of the environment; the same as [`Context::from_env`].
    #[must_use]
    pub fn new() -> Context {
        Context::from_env()
    }

    /// Aeron's defaults, whatever the environment says (but for the user's name in the default directory).
    #[must_use]
    pub fn defaults() -> Context {
        Context {
            aeron_dir: AeronDirectory::default_path(),
            client_name: String::new(),
            driver_timeout: DRIVER_TIMEOUT,
            connect_timeout: None,
            keepalive_interval: KEEPALIVE_INTERVAL,
            resource_linger_duration: RESOURCE_LINGER_DURATION,
            idle_sleep_duration: IDLE_SLEEP_DURATION,
            pre_touch_mapped_memory: false,
            use_invoker: false,
            driver_agent_invoker: None,
            error_handler: Box::new(|error| eprintln!("gannet client: {error}")),
            available_image_handler: None,
            unavailable_image_handler: None,
            available_counter_handler: None,
            unavailable_counter_handler: None,
            publication_error_handler: None,
            close_handler: None,
            on_new_publication: None,
            on_new_exclusive_publication: None,
            on_new_subscription: None,
            warnings: Vec::new(),
        }
    }

    /// Aeron's defaults under the settings of the environment:
    /// `AERON_DIR`, `AERON_CLIENT_NAME`, `AERON_DRIVER_TIMEOUT` (milliseconds), `AERON_CLIENT_IDLE_SLEEP_DURATION`,
    /// `AERON_CLIENT_RESOURCE_LINGER_DURATION`, `AERON_CLIENT_PRE_TOUCH_MAPPED_MEMORY`.
    ///
    /// A value that cannot be understood leaves the default, and the error handler hears of it when the client
    /// connects.
    #[must_use]
    pub fn from_env() -> Context {
        Context::from_variables(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    pub(crate) fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Context {
        let mut context = Context::defaults();
        let mut warnings = Vec::new();
        let mut reject = |name: &'static str, value: &str, accepted: &'static str| {
            warnings.push(ClientError::Setting { name, value: value.to_owned(), accepted });
        };
        if let Some(dir) = variable("AERON_DIR") {
            context.aeron_dir = dir.into();
        }
        if let Some(name) = variable("AERON_CLIENT_NAME") {
            if name.len() <= MAX_CLIENT_NAME_LENGTH {
                context.client_name = name;
            } else {
                reject("AERON_CLIENT_NAME", &name, "at most 100 bytes");
            }
        }
        if let Some(text) = variable("AERON_DRIVER_TIMEOUT") {
            match text.parse() {
                Ok(ms) => context.driver_timeout = Duration::from_millis(ms),
                Err(_) => reject("AERON_DRIVER_TIMEOUT", &text, "a number of milliseconds"),
            }
        }
        let mut duration = |name: &'static str, field: &mut Duration| {
            let Some(text) = variable(name) else { return };
            match value::parse_duration_ns(&text) {
                Ok(ns) => *field = Duration::from_nanos(ns),
                Err(_) => reject(name, &text, "a number with ns, us, ms or s"),
            }
        };
        duration("AERON_CLIENT_RESOURCE_LINGER_DURATION", &mut context.resource_linger_duration);
        duration("AERON_CLIENT_IDLE_SLEEP_DURATION", &mut context.idle_sleep_duration);
        if let Some(text) = variable("AERON_CLIENT_PRE_TOUCH_MAPPED_MEMORY") {
            // As `aeron_parse_bool` has it: by prefix, and anything else is the default.
            context.pre_touch_mapped_memory = ["1", "on", "true"].iter().any(|yes| text.starts_with(yes));
        }
        context.warnings = warnings;
        context
    }

    /// The directory of the driver to use. Default: `AERON_DIR`, else `/dev/shm/aeron-<user>`.
    #[must_use]
    pub fn aeron_dir(mut self, directory: impl Into<PathBuf>) -> Context {
        self.aeron_dir = directory.into();
        self
    }

    /// A name that operators see in the label of this client's heartbeat counter, at most 100 bytes.
    #[must_use]
    pub fn client_name(mut self, name: impl Into<String>) -> Context {
        self.client_name = name.into();
        self
    }

    /// How long the driver may stay silent, at connect, in answering a command, and in its heartbeat. Default 10 s.
    #[must_use]
    pub fn driver_timeout(mut self, timeout: Duration) -> Context {
        self.driver_timeout = timeout;
        self
    }

    /// How long [`Aeron::connect`](crate::Aeron::connect) waits for a driver to appear. Default: the driver timeout.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Context {
        self.connect_timeout = Some(timeout);
        self
    }

    /// How often the client tells the driver that it lives. Default 500 ms, as the official clients.
    #[must_use]
    pub fn keepalive_interval(mut self, interval: Duration) -> Context {
        self.keepalive_interval = interval;
        self
    }

    /// Aeron keeps the memory of a closed image mapped for this long, lest somebody still reads it. Ours is mapped
    /// exactly as long as a handle can reach it, so the value is accepted and has no effect.
    #[must_use]
    pub fn resource_linger_duration(mut self, duration: Duration) -> Context {
        self.resource_linger_duration = duration;
        self
    }

    /// How long the conductor thread sleeps when there is nothing to do. Default 16 ms. A blocking `add_*` does not
    /// wait for it.
    #[must_use]
    pub fn idle_sleep_duration(mut self, duration: Duration) -> Context {
        self.idle_sleep_duration = duration;
        self
    }

    /// Whether each log is touched page by page when it is mapped, so that no message waits for a page fault. Needs
    /// `sparse=false`, or memory for whole logs. Default false.
    #[must_use]
    pub fn pre_touch_mapped_memory(mut self, pre_touch: bool) -> Context {
        self.pre_touch_mapped_memory = pre_touch;
        self
    }

    /// Starts no conductor thread: the application calls [`Aeron::invoke`](crate::Aeron::invoke) in its own loop, at
    /// least every few hundred milliseconds (Aeron's `useConductorAgentInvoker`).
    #[must_use]
    pub fn use_invoker(mut self) -> Context {
        self.use_invoker = true;
        self
    }

    /// A driver that runs in invoker mode in this process: called whenever the client waits for it.
    #[must_use]
    pub fn driver_agent_invoker(mut self, invoker: impl FnMut() -> usize + Send + 'static) -> Context {
        self.driver_agent_invoker = Some(Box::new(invoker));
        self
    }

    /// Called with what goes wrong outside of a call: the driver is gone, a handler panicked. Default: a line on
    /// standard error.
    #[must_use]
    pub fn error_handler(mut self, handler: impl FnMut(&ClientError) + Send + 'static) -> Context {
        self.error_handler = Box::new(handler);
        self
    }

    /// Called for each image that becomes available, of subscriptions that bring no handler of their own.
    #[must_use]
    pub fn available_image_handler(mut self, handler: impl FnMut(&ImageView) + Send + 'static) -> Context {
        self.available_image_handler = Some(Arc::new(Mutex::new(Box::new(handler))));
        self
    }

    /// Called for each image that is no longer available, of subscriptions that bring no handler of their own.
    #[must_use]
    pub fn unavailable_image_handler(mut self, handler: impl FnMut(&ImageView) + Send + 'static) -> Context {
        self.unavailable_image_handler = Some(Arc::new(Mutex::new(Box::new(handler))));
        self
    }

    /// Called with the registration id and the counter id of each counter that any client's command creates.
    #[must_use]
    pub fn available_counter_handler(
        mut self,
        handler: impl FnMut(&CountersReader, i64, CounterId) + Send + 'static,
    ) -> Context {
        self.available_counter_handler = Some(Box::new(handler));
        self
    }

    /// Called with the registration id and the counter id of each counter that goes away.
    #[must_use]
    pub fn unavailable_counter_handler(
        mut self,
        handler: impl FnMut(&CountersReader, i64, CounterId) + Send + 'static,
    ) -> Context {
        self.unavailable_counter_handler = Some(Box::new(handler));
        self
    }

    /// Called when a subscriber rejects the image of one of this client's publications.
    #[must_use]
    pub fn publication_error_handler(
        mut self,
        handler: impl FnMut(&PublicationErrorFrame) + Send + 'static,
    ) -> Context {
        self.publication_error_handler = Some(Box::new(handler));
        self
    }

    /// Called with the channel, stream, session and registration id of each publication that the driver has added for
    /// this client (C's `aeron_context_set_on_new_publication`).
    #[must_use]
    pub fn on_new_publication(
        mut self,
        handler: impl FnMut(&str, StreamId, SessionId, i64) + Send + 'static,
    ) -> Context {
        self.on_new_publication = Some(Box::new(handler));
        self
    }

    /// Called with the channel, stream, session and registration id of each exclusive publication that the driver has
    /// added for this client (C's `aeron_context_set_on_new_exclusive_publication`).
    #[must_use]
    pub fn on_new_exclusive_publication(
        mut self,
        handler: impl FnMut(&str, StreamId, SessionId, i64) + Send + 'static,
    ) -> Context {
        self.on_new_exclusive_publication = Some(Box::new(handler));
        self
    }

    /// Called with the channel, stream and registration id of each subscription that the driver has added for this
    /// client, before any of its images (C's `aeron_context_set_on_new_subscription`).
    #[must_use]
    pub fn on_new_subscription(mut self, handler: impl FnMut(&str, StreamId, i64) + Send + 'static) -> Context {
        self.on_new_subscription = Some(Box::new(handler));
        self
    }

    /// Called once, when the client closes for whatever reason.
    #[must_use]
    pub fn close_handler(mut self, handler: impl FnMut() + Send + 'static) -> Context {
        self.close_handler = Some(Box::new(handler));
        self
    }
}

impl Default for Context {
    fn default() -> Self {
        Context::new()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("aeron_dir", &self.aeron_dir)
            .field("client_name", &self.client_name)
            .field("driver_timeout", &self.driver_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("keepalive_interval", &self.keepalive_interval)
            .field("resource_linger_duration", &self.resource_linger_duration)
            .field("idle_sleep_duration", &self.idle_sleep_duration)
            .field("pre_touch_mapped_memory", &self.pre_touch_mapped_memory)
            .field("use_invoker", &self.use_invoker)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Context {
        Context::from_variables(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_variables_the_defaults_are_those_of_aeron() {
        let context = from(&[]);
        assert_eq!(context.driver_timeout, Duration::from_secs(10));
        assert_eq!(context.keepalive_interval, Duration::from_millis(500));
        assert_eq!(context.idle_sleep_duration, Duration::from_millis(16));
        assert_eq!(context.resource_linger_duration, Duration::from_secs(3));
        assert!(!context.pre_touch_mapped_memory && context.client_name.is_empty() && context.warnings.is_empty());
    }

    #[test]
    fn the_variables_of_the_official_clients_are_honoured() {
        let context = from(&[
            ("AERON_DIR", "/dev/shm/elsewhere"),
            ("AERON_CLIENT_NAME", "probe"),
            ("AERON_DRIVER_TIMEOUT", "2500"),
            ("AERON_CLIENT_IDLE_SLEEP_DURATION", "1ms"),
            ("AERON_CLIENT_RESOURCE_LINGER_DURATION", "5s"),
            ("AERON_CLIENT_PRE_TOUCH_MAPPED_MEMORY", "true"),
        ]);
        assert_eq!(context.aeron_dir, PathBuf::from("/dev/shm/elsewhere"));
        assert_eq!(context.client_name, "probe");
        assert_eq!(context.driver_timeout, Duration::from_millis(2500));
        assert_eq!(context.idle_sleep_duration, Duration::from_millis(1));
        assert_eq!(context.resource_linger_duration, Duration::from_secs(5));
        assert!(context.pre_touch_mapped_memory && context.warnings.is_empty());
    }

    #[test]
    fn a_value_that_cannot_be_understood_leaves_the_default_and_a_warning() {
        let context = from(&[("AERON_DRIVER_TIMEOUT", "soon"), ("AERON_CLIENT_IDLE_SLEEP_DURATION", "a while")]);
        assert_eq!(context.driver_timeout, Duration::from_secs(10));
        assert_eq!(context.idle_sleep_duration, Duration::from_millis(16));
        let warnings: Vec<_> = context.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings.len(), 2);
        assert!(warnings[0].contains("AERON_DRIVER_TIMEOUT") && warnings[0].contains("soon"), "{warnings:?}");
    }
}
