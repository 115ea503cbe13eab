//! What the conductor makes of the driver's responses. `[client]`
//!
//! Mirrors the dispatch of `aeron_client_conductor_on_driver_response`; section 2 of `commands.md`. Every client sees
//! every response and takes those that name its own ids.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Weak};

use gannet_core::command::{AvailableImage, CommandError, ErrorCode, PublicationReady, Response};
use gannet_core::counters::{CounterId, RecordState};
use gannet_core::log::ExclusiveAppender;

use super::logs::Use;
use super::registration::{Outcome, Request};
use super::{ListedPublication, State};
use crate::callbacks::{Event, NewKind, NewResource};
use crate::counter::CounterState;
use crate::driver_proxy::Removal;
use crate::error::{ClientError, RegistrationError};
use crate::image::Image;
use crate::publication_error::PublicationErrorFrame;
use crate::publication_state::PublicationState;
use crate::subscription_state::SubscriptionState;

impl State {
    pub(super) fn on_response(&mut self, type_id: i32, message: &[u8]) {
        match Response::parse(type_id, message) {
            Ok(response) => self.dispatch(&response),
            // A newer driver's response, for clients that know it.
            Err(CommandError::UnknownType { .. }) => {}
            Err(_) => {
                let error = ClientError::MalformedResponse { type_id, length: message.len() };
                self.outbox.events.push(Event::Error(error));
            }
        }
    }

    fn dispatch(&mut self, response: &Response<'_>) {
        match *response {
            Response::PublicationReady(ref ready) => self.on_publication_ready(ready, false),
            Response::ExclusivePublicationReady(ref ready) => self.on_publication_ready(ready, true),
            Response::SubscriptionReady { correlation_id, channel_status_indicator_id } => {
                self.on_subscription_ready(correlation_id, channel_status_indicator_id);
            }
            Response::AvailableImage(ref available) => self.on_available_image(available),
            Response::UnavailableImage { correlation_id, subscription_registration_id, .. } => {
                self.on_unavailable_image(correlation_id, subscription_registration_id);
            }
            Response::CounterReady { correlation_id, counter_id } => {
                self.on_counter_ready(correlation_id, counter_id);
                self.outbox.events.push(Event::AvailableCounter(correlation_id, counter_id));
            }
            Response::StaticCounter { correlation_id, counter_id } => {
                self.on_counter_ready(correlation_id, counter_id);
            }
            Response::UnavailableCounter { correlation_id, counter_id } => {
                self.outbox.events.push(Event::UnavailableCounter(correlation_id, counter_id));
            }
            Response::OperationSuccess { correlation_id } => {
                if matches!(self.registrations.awaiting(correlation_id), Some(Request::Destination { .. })) {
                    self.registrations.complete(correlation_id, Ok(Outcome::Done));
                } else {
                    self.give_back_abandoned(correlation_id);
                }
            }
            Response::NextAvailableSessionId { correlation_id, next_session_id } => {
                if matches!(self.registrations.awaiting(correlation_id), Some(Request::NextSessionId)) {
                    self.registrations.complete(correlation_id, Ok(Outcome::NextSessionId(next_session_id)));
                }
            }
            Response::Error { offending_command_correlation_id, error_code, error_message } => {
                self.on_error(offending_command_correlation_id, error_code, error_message);
            }
            Response::PublicationError(ref error) => {
                let is_ours = |publication: &ListedPublication| {
                    publication.original_registration_id == error.registration_id
                        && publication.state.strong_count() > 0
                };
                if self.publications.values().any(is_ours) {
                    self.outbox.events.push(Event::PublicationError(PublicationErrorFrame::new(error)));
                }
            }
            Response::ClientTimeout { client_id } => {
                if client_id == self.proxy.client_id() {
                    self.fail(ClientError::ClientTimeout);
                }
            }
        }
    }

    /// Gives back what an answer brought for a request that nobody waits for any more.
    fn give_back_abandoned(&mut self, correlation_id: i64) {
        if let Some(removal) = self.registrations.take_abandoned(correlation_id) {
            self.removals.give_back(removal);
        }
    }

    fn on_publication_ready(&mut self, ready: &PublicationReady<'_>, exclusive: bool) {
        let correlation_id = ready.correlation_id;
        let channel = match self.registrations.awaiting(correlation_id) {
            Some(Request::Publication { channel, .. }) if !exclusive => channel.clone(),
            Some(Request::ExclusivePublication { channel, .. }) if exclusive => channel.clone(),
            _ => return self.give_back_abandoned(correlation_id),
        };
        let outcome = self.make_publication(ready, channel, exclusive).and_then(|publication| {
            if !exclusive {
                return Ok(Outcome::Publication(publication));
            }
            let log = (*publication.log).clone();
            let appender = ExclusiveAppender::new(log).map_err(|error| RegistrationError::LogBuffers {
                path: path_of(ready.log_file).to_owned(),
                reason: error.to_string(),
            })?;
            Ok(Outcome::ExclusivePublication(Box::new(appender), publication))
        });
        if outcome.is_err() {
            self.removals.give_back(Removal::Publication { registration_id: correlation_id, revoke: false });
        }
        self.announce(&outcome);
        self.registrations.complete(correlation_id, outcome);
    }

    /// Tells whoever wants to hear of what was added.
    fn announce(&mut self, outcome: &Result<Outcome, RegistrationError>) {
        let publication = |kind: NewKind, state: &PublicationState| NewResource {
            kind,
            channel: state.channel.clone(),
            stream_id: state.stream_id,
            registration_id: state.registration_id,
        };
        let added = match outcome {
            Ok(Outcome::Publication(state)) if self.announced.publications => {
                publication(NewKind::Publication(state.session_id), state)
            }
            Ok(Outcome::ExclusivePublication(_, state)) if self.announced.exclusive_publications => {
                publication(NewKind::ExclusivePublication(state.session_id), state)
            }
            Ok(Outcome::Subscription(state)) if self.announced.subscriptions => NewResource {
                kind: NewKind::Subscription,
                channel: state.channel.clone(),
                stream_id: state.stream_id,
                registration_id: state.registration_id,
            },
            _ => return,
        };
        self.outbox.events.push(Event::New(added));
    }

    fn make_publication(
        &mut self,
        ready: &PublicationReady<'_>,
        channel: String,
        exclusive: bool,
    ) -> Result<Arc<PublicationState>, RegistrationError> {
        let path = path_of(ready.log_file);
        let kind = if exclusive { Use::ExclusivePublication } else { Use::SharedPublication };
        let log = self
            .logs
            .get_or_map(ready.registration_id, path, kind)
            .map_err(|reason| RegistrationError::LogBuffers { path: path.to_owned(), reason })?;
        let limit = self
            .counters
            .counter(ready.position_limit_counter_id)
            .ok_or(RegistrationError::NoSuchCounter(ready.position_limit_counter_id))?;
        let publication =
            Arc::new(PublicationState::new(ready, channel, log, limit, self.counters.clone(), self.clock));
        let listed =
            ListedPublication { original_registration_id: ready.registration_id, state: Arc::downgrade(&publication) };
        self.publications.insert(ready.correlation_id, listed);
        Ok(publication)
    }

    fn on_subscription_ready(&mut self, correlation_id: i64, channel_status_id: CounterId) {
        let (channel, stream_id) = match self.registrations.awaiting(correlation_id) {
            Some(Request::Subscription { channel, stream_id, .. }) => (channel.clone(), *stream_id),
            _ => return self.give_back_abandoned(correlation_id),
        };
        let mut handlers = self.registrations.take_handlers(correlation_id).unwrap_or_default();
        handlers.available = handlers.available.or_else(|| self.image_handlers.available.clone());
        handlers.unavailable = handlers.unavailable.or_else(|| self.image_handlers.unavailable.clone());
        let subscription =
            Arc::new(SubscriptionState::new(correlation_id, stream_id, channel, channel_status_id, handlers));
        self.subscriptions.insert(correlation_id, Arc::downgrade(&subscription));
        let outcome = Ok(Outcome::Subscription(subscription));
        self.announce(&outcome);
        self.registrations.complete(correlation_id, outcome);
    }

    fn on_available_image(&mut self, available: &AvailableImage<'_>) {
        let id = available.subscription_registration_id;
        let Some(subscription) = self.subscriptions.get(&id).and_then(Weak::upgrade) else { return };
        match self.make_image(available) {
            Ok(image) => self.outbox.events.extend(subscription.add_image(image)),
            // It went before this client looked: the notice of that follows.
            Err(_) if self.counters.state(available.subscriber_position_id) == Some(RecordState::Reclaimed) => {}
            Err(reason) => {
                let error = ClientError::Image { correlation_id: available.correlation_id, reason };
                self.outbox.events.push(Event::Error(error));
            }
        }
        self.outbox.release(subscription);
    }

    fn make_image(&mut self, available: &AvailableImage<'_>) -> Result<Image, String> {
        let path = path_of(available.log_file);
        let log = self
            .logs
            .get_or_map(available.correlation_id, path, Use::Image)
            .map_err(|reason| format!("cannot map the log {}: {reason}", path.display()))?;
        let position = self
            .counters
            .counter(available.subscriber_position_id)
            .ok_or_else(|| format!("its position counter {} does not exist", available.subscriber_position_id.0))?;
        Ok(Image::new(available, log, position, self.client.clone(), Arc::clone(&self.departures)))
    }

    fn on_unavailable_image(&mut self, correlation_id: i64, subscription_registration_id: i64) {
        let subscription = self.subscriptions.get(&subscription_registration_id);
        let Some(subscription) = subscription.and_then(Weak::upgrade) else { return };
        if let Some((slot, event)) = subscription.remove_image(correlation_id) {
            self.outbox.events.extend(event);
            self.outbox.release(slot);
        }
        self.outbox.release(subscription);
    }

    fn on_counter_ready(&mut self, correlation_id: i64, counter_id: CounterId) {
        let registration_id = match self.registrations.awaiting(correlation_id) {
            Some(Request::Counter) => correlation_id,
            Some(Request::StaticCounter { registration_id }) => *registration_id,
            _ => return self.give_back_abandoned(correlation_id),
        };
        let is_static = registration_id != correlation_id
            || matches!(self.registrations.awaiting(correlation_id), Some(Request::StaticCounter { .. }));
        let outcome = match self.counters.counter(counter_id) {
            Some(value) => {
                let counter = Arc::new(CounterState::new(
                    correlation_id,
                    registration_id,
                    counter_id,
                    is_static,
                    value,
                    self.counters.clone(),
                ));
                self.counter_handles.insert(correlation_id, Arc::downgrade(&counter));
                Ok(Outcome::Counter(counter))
            }
            None => {
                // No command takes a static counter back.
                if !is_static {
                    self.removals.give_back(Removal::Counter { registration_id });
                }
                Err(RegistrationError::NoSuchCounter(counter_id))
            }
        };
        self.registrations.complete(correlation_id, outcome);
    }

    fn on_error(&mut self, correlation_id: i64, code: ErrorCode, message: &[u8]) {
        let message = String::from_utf8_lossy(message).into_owned();
        if code == ErrorCode::ChannelEndpointError {
            // As the Java client has it: the id is that of the channel's status counter.
            let status = CounterId(i32::try_from(correlation_id).unwrap_or(-1));
            let error = ClientError::ChannelEndpoint { status, message };
            self.outbox.events.push(Event::Error(error));
        } else if self.registrations.awaiting(correlation_id).is_some() {
            self.registrations.complete(correlation_id, Err(RegistrationError::Refused { code, message }));
        } else {
            self.registrations.take_abandoned(correlation_id);
        }
    }
}

fn path_of(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}
