//! Subscriptions, and which publications they read. `[conductor]`
//!
//! Mirrors `aeron_driver_conductor_on_add_ipc_subscription`, `_on_remove_subscription` and the linking of
//! `aeron_driver_conductor_link_ipc_subscriptions`; commands.md §4.

use std::collections::HashSet;

use gannet_core::command::{AvailableImage, Response};
use gannet_core::counters::CounterId;
use gannet_core::counters::layout::Stream;
use gannet_core::uri::ChannelUri;
use gannet_core::{SessionId, StreamId};

use super::ipc_publication::{BlockedWatch, IpcPublication};
use super::subscriber::Subscriber;
use super::untethered::Tether;
use super::{ConductorError, DriverConductor, IPC_CHANNEL, ipc_channel};

/// Names a subscription link within the conductor. A registration id may stand for several links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct LinkId(pub(super) u64);

/// One subscription, or one destination of one.
#[derive(Debug)]
pub(super) struct SubscriptionLink {
    pub(super) id: LinkId,
    pub(super) registration_id: i64,
    pub(super) client_id: i64,
    pub(super) stream_id: StreamId,
    pub(super) session_id: Option<SessionId>,
    pub(super) is_response: bool,
    pub(super) is_tethered: bool,
    pub(super) is_rejoin: bool,
    pub(super) channel: String,
}

impl SubscriptionLink {
    /// Whether it reads this publication: any session of its stream, one, or, for responses, none before it is known.
    pub(super) fn matches(&self, publication: &IpcPublication) -> bool {
        self.stream_id == publication.stream_id()
            && match self.session_id {
                Some(session_id) => session_id == publication.session_id(),
                None => !self.is_response,
            }
    }
}

impl DriverConductor {
    pub(super) fn on_add_subscription(
        &mut self,
        client_id: i64,
        correlation_id: i64,
        stream_id: StreamId,
        channel: &str,
    ) -> Result<(), ConductorError> {
        let uri = ipc_channel(channel)?;
        let mut link = self
            .subscription_link(&uri, client_id, correlation_id, stream_id)
            .map_err(|error| ConductorError::uri(&error, channel))?;
        // Each image of each takes a counter: of more than there are counters, some would read nothing.
        if self.subscriptions.len() >= self.max_links {
            return Err(ConductorError::TooMany {
                what: "subscriptions of all clients together",
                count: self.subscriptions.len(),
            });
        }
        channel.clone_into(&mut link.channel);
        self.get_or_add_client(client_id)?;

        self.client_proxy
            .transmit(&Response::SubscriptionReady { correlation_id, channel_status_indicator_id: CounterId::NONE });
        self.subscriptions.push(link);
        self.link_subscription(self.subscriptions.len() - 1)
    }

    fn subscription_link<'a>(
        &mut self,
        uri: &ChannelUri<'a>,
        client_id: i64,
        registration_id: i64,
        stream_id: StreamId,
    ) -> Result<SubscriptionLink, gannet_core::uri::UriError<'a>> {
        // All values are read, so that a bad one is refused even where shared memory has no use for it.
        uri.reliable()?;
        uri.sparse()?;
        let is_tethered = uri.tether()?.unwrap_or(self.settings.tether_subscriptions);
        let is_rejoin = uri.rejoin()?.unwrap_or(self.settings.rejoin_stream);
        let session_id = uri.subscription_session_id()?;
        uri.receiver_window()?;
        uri.untethered_window_limit_timeout_ns()?;
        uri.untethered_linger_timeout_ns()?;
        uri.untethered_resting_timeout_ns()?;
        self.next_link_id += 1;
        Ok(SubscriptionLink {
            id: LinkId(self.next_link_id),
            registration_id,
            client_id,
            stream_id,
            session_id,
            is_response: uri.is_response(),
            is_tethered,
            is_rejoin,
            channel: String::new(),
        })
    }

    /// A new subscription joins all publications that take it.
    fn link_subscription(&mut self, subscription: usize) -> Result<(), ConductorError> {
        for publication in 0..self.publications.len() {
            if self.can_link(subscription, publication) {
                self.link(subscription, publication)?;
            }
        }
        Ok(())
    }

    /// All subscriptions that read a publication join it, if they have not.
    pub(super) fn link_publication(&mut self, publication: usize) -> Result<(), ConductorError> {
        for subscription in 0..self.subscriptions.len() {
            if self.can_link(subscription, publication) {
                self.link(subscription, publication)?;
            }
        }
        Ok(())
    }

    fn can_link(&self, subscription: usize, publication: usize) -> bool {
        let (link, publication) = (&self.subscriptions[subscription], &self.publications[publication]);
        link.matches(publication) && !publication.is_linked(link.id) && publication.is_accepting_subscriptions()
    }

    fn link(&mut self, subscription: usize, publication: usize) -> Result<(), ConductorError> {
        let (link, publication) = (&self.subscriptions[subscription], &mut self.publications[publication]);
        let join_position = publication.join_position();
        let stream = Stream {
            registration_id: link.registration_id,
            session_id: publication.session_id(),
            stream_id: link.stream_id,
            channel: &link.channel,
        };
        let counter = stream.subscriber_position(link.client_id, publication.registration_id, join_position);
        let counter = self.counters.allocate_counter(&counter, self.now.epoch_ms)?;
        let counter_id = counter.id();
        publication.add_subscriber(Subscriber {
            link: link.id,
            subscription_registration_id: link.registration_id,
            counter: Some(counter),
            tether: Tether::new(link.is_tethered, link.is_rejoin, self.now.ns),
            blocked: BlockedWatch::default(),
        });
        self.client_proxy.transmit(&Response::AvailableImage(AvailableImage {
            correlation_id: publication.registration_id,
            session_id: publication.session_id(),
            stream_id: publication.stream_id(),
            subscription_registration_id: link.registration_id,
            subscriber_position_id: counter_id,
            log_file: &publication.log_path,
            source_identity: IPC_CHANNEL.as_bytes(),
        }));
        Ok(())
    }

    pub(super) fn on_remove_subscription(
        &mut self,
        client_id: i64,
        correlation_id: i64,
        registration_id: i64,
    ) -> Result<(), ConductorError> {
        if !self.remove_subscriptions(|link| link.registration_id == registration_id) {
            return Err(ConductorError::UnknownSubscription { client_id, registration_id });
        }
        self.client_proxy.transmit(&Response::OperationSuccess { correlation_id });
        Ok(())
    }

    /// Only subscriptions over a network have destinations of their own, and there are none yet.
    pub(super) fn on_add_receive_destination(
        &mut self,
        client_id: i64,
        registration_id: i64,
        channel: &str,
    ) -> Result<(), ConductorError> {
        if channel.starts_with(IPC_CHANNEL) {
            let uri = ipc_channel(channel)?;
            self.subscription_link(&uri, client_id, registration_id, StreamId(0))
                .map_err(|error| ConductorError::uri(&error, channel))?;
        }
        Err(ConductorError::UnknownSubscription { client_id, registration_id })
    }

    /// A link over shared memory is known by its channel's text, be it a destination or, as for the peer, all of its
    /// subscription.
    pub(super) fn on_remove_receive_destination(
        &mut self,
        client_id: i64,
        correlation_id: i64,
        registration_id: i64,
        channel: &str,
    ) -> Result<(), ConductorError> {
        let is_meant = |link: &SubscriptionLink| link.registration_id == registration_id && link.channel == channel;
        let Some(link) = self.subscriptions.iter().find(|link| is_meant(link)) else {
            return Err(ConductorError::UnknownSubscription { client_id, registration_id });
        };
        let id = link.id;
        self.client_proxy.transmit(&Response::OperationSuccess { correlation_id });
        for publication in self.publications.iter().filter(|publication| publication.is_linked(id)) {
            self.client_proxy.transmit(&Response::UnavailableImage {
                correlation_id: publication.registration_id,
                subscription_registration_id: registration_id,
                stream_id: publication.stream_id(),
                channel: channel.as_bytes(),
            });
        }
        self.remove_subscriptions(|link| link.id == id);
        Ok(())
    }

    /// Drops the links that are meant, with their positions; whether there were any. The others keep their order, in
    /// which clients are told of new images.
    pub(super) fn remove_subscriptions(&mut self, is_meant: impl Fn(&SubscriptionLink) -> bool) -> bool {
        let gone: HashSet<LinkId> =
            self.subscriptions.extract_if(.., |link| is_meant(link)).map(|link| link.id).collect();
        if gone.is_empty() {
            return false;
        }
        for publication in &mut self.publications {
            for counter in publication.remove_subscribers(&gone).into_iter().filter_map(|gone| gone.counter) {
                // The conductor allocated it; it is in use.
                let _ = self.counters.free(counter.id(), self.now.epoch_ms);
            }
        }
        true
    }
}
