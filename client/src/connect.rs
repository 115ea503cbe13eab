//! Puts a client together from a context and the driver's file. `[client]`

use std::sync::Arc;

use gannet_core::broadcast::Receiver;

use crate::callbacks::{Callbacks, Event, Handlers};
use crate::client::{Client, ClientSettings};
use crate::clock::{Clock, saturating_ns};
use crate::conductor::{ClientConductor, LivenessSettings, Parts};
use crate::context::{Context, MAX_CLIENT_NAME_LENGTH};
use crate::counters_reader::{Counters, CountersReader};
use crate::departures::Departures;
use crate::driver_directory::{Attached, attach};
use crate::driver_proxy::DriverProxy;
use crate::error::ConnectError;
use crate::removals::Removals;
use crate::subscription_state::ImageHandlers;
use crate::sync::Flag;

/// Attaches to the context's driver.
pub(crate) fn connect(context: Context) -> Result<Arc<Client>, ConnectError> {
    if context.client_name.len() > MAX_CLIENT_NAME_LENGTH {
        return Err(ConnectError::ClientNameTooLong { length: context.client_name.len() });
    }
    let patience = context.connect_timeout.unwrap_or(context.driver_timeout);
    let Attached { cnc, to_driver, directory } = attach(&context.aeron_dir, patience, context.driver_timeout)?;
    let unusable = |reason: String| ConnectError::Unusable { directory: context.aeron_dir.clone(), reason };
    let responses = Receiver::new(cnc.to_clients()).map_err(|error| unusable(error.to_string()))?;
    let counters = Counters::new(cnc.counters_metadata(), cnc.counters_values());
    let proxy = Arc::new(DriverProxy::new(to_driver));
    let clock = Clock::start();
    let is_closed = Arc::new(Flag::default());
    let client_liveness_timeout_ns = cnc.config().client_liveness_timeout_ns;
    let callbacks = Callbacks::new(Handlers {
        error: context.error_handler,
        publication_error: context.publication_error_handler,
        available_counter: context.available_counter_handler,
        unavailable_counter: context.unavailable_counter_handler,
        close: context.close_handler,
        new_publication: context.on_new_publication,
        new_exclusive_publication: context.on_new_exclusive_publication,
        new_subscription: context.on_new_subscription,
    });
    callbacks.queue(context.warnings.into_iter().map(Event::Error));
    Ok(Arc::new_cyclic(|client| {
        let removals = Arc::new(Removals::new(Arc::clone(&proxy)));
        let departures = Arc::new(Departures::new(Arc::clone(&proxy), Arc::clone(&removals)));
        let conductor = ClientConductor::new(Parts {
            proxy: Arc::clone(&proxy),
            responses,
            counters: counters.clone(),
            directory,
            clock,
            liveness: LivenessSettings {
                driver_timeout: context.driver_timeout,
                keepalive_interval_ns: saturating_ns(context.keepalive_interval),
                service_interval_ns: saturating_ns(context.idle_sleep_duration),
                service_timeout_ns: client_liveness_timeout_ns,
                client_name: &context.client_name,
            },
            pre_touch: context.pre_touch_mapped_memory,
            image_handlers: ImageHandlers {
                available: context.available_image_handler,
                unavailable: context.unavailable_image_handler,
            },
            announced: callbacks.announced(),
            client: client.clone(),
            departures: Arc::clone(&departures),
            removals: Arc::clone(&removals),
            is_closed: Arc::clone(&is_closed),
        });
        let settings = ClientSettings {
            idle_sleep: context.idle_sleep_duration,
            uses_invoker: context.use_invoker,
            driver_agent: context.driver_agent_invoker,
            departures,
            removals,
            is_closed,
        };
        Client::new(conductor, proxy, CountersReader(counters), callbacks, clock, settings)
    }))
}
