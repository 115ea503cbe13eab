//! Clients: they come with their first command, and go when they say so or are silent for too long. `[conductor]`
//!
//! Mirrors `aeron_driver_conductor_get_or_add_client`, `aeron_client_on_time_event` and `aeron_client_delete`; cnc.md §7
//! and §8.

use std::collections::HashSet;
use std::collections::btree_map::Entry;

use gannet_core::command::Response;
use gannet_core::counters::{Counter, layout};
use gannet_transport_ipc::Region;

use super::counters::CounterLink;
use super::{ConductorError, DriverConductor};

/// A publication that a client added: its own link to one that others may share.
#[derive(Clone, Copy, Debug)]
pub(super) struct PublicationLink {
    /// The correlation id of the command that added it.
    pub(super) registration_id: i64,
    /// The publication's own.
    pub(super) publication_id: i64,
}

/// One client.
#[derive(Debug)]
pub(super) struct Client {
    heartbeat: Counter<Region>,
    is_closed: bool,
    pub(super) publications: Vec<PublicationLink>,
    pub(super) counters: Vec<CounterLink>,
}

impl DriverConductor {
    /// The client that a command names, which its first command makes known.
    pub(super) fn get_or_add_client(&mut self, client_id: i64) -> Result<&mut Client, ConductorError> {
        match self.clients.entry(client_id) {
            Entry::Occupied(client) => Ok(client.into_mut()),
            Entry::Vacant(place) => {
                let heartbeat = layout::client_heartbeat(client_id).with_value(self.now.epoch_ms);
                let heartbeat = self.counters.allocate_counter(&heartbeat, self.now.epoch_ms)?;
                self.client_proxy
                    .transmit(&Response::CounterReady { correlation_id: client_id, counter_id: heartbeat.id() });
                Ok(place.insert(Client { heartbeat, is_closed: false, publications: Vec::new(), counters: Vec::new() }))
            }
        }
    }

    pub(super) fn on_client_keepalive(&mut self, client_id: i64) {
        if let Some(client) = self.clients.get(&client_id) {
            client.heartbeat.set(self.now.epoch_ms);
        }
    }

    /// The client says that it closes: the next tick ends it without a word about a time-out.
    pub(super) fn on_client_close(&mut self, client_id: i64) {
        if let Some(client) = self.clients.get_mut(&client_id) {
            client.is_closed = true;
            client.heartbeat.set(0);
        }
    }

    /// Ends the clients that closed or were silent for too long.
    pub(super) fn check_clients(&mut self) {
        let timeout_ms = self.settings.client_liveness_timeout_ms();
        let now_ms = self.now.epoch_ms;
        // The heartbeat is the client's to write; it may say anything.
        let is_over = |client: &Client| now_ms > client.heartbeat.get().saturating_add(timeout_ms);
        let over: Vec<(i64, Client)> = self.clients.extract_if(.., |_, client| is_over(client)).collect();
        if over.is_empty() {
            return;
        }
        // Their subscriptions go in one pass over all streams.
        let gone: HashSet<i64> = over.iter().map(|(client_id, _)| *client_id).collect();
        for (client_id, client) in over {
            self.end_client(client_id, client);
        }
        self.remove_subscriptions(|link| gone.contains(&link.client_id));
    }

    fn end_client(&mut self, client_id: i64, client: Client) {
        if !client.is_closed {
            self.system.client_timeouts.add(1);
            self.client_proxy.transmit(&Response::ClientTimeout { client_id });
        }
        self.client_proxy
            .transmit(&Response::UnavailableCounter { correlation_id: client_id, counter_id: client.heartbeat.id() });

        for link in client.publications {
            self.release_publication(link.publication_id, false);
        }
        for link in client.counters {
            self.client_proxy.transmit(&Response::UnavailableCounter {
                correlation_id: link.registration_id,
                counter_id: link.counter_id,
            });
            self.free_counter(link.counter_id);
        }
        self.free_counter(client.heartbeat.id());
    }
}
