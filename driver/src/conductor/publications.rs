//! Publications: added by one client or several, and left by them. `[conductor]`
//!
//! Mirrors `aeron_driver_conductor_execute_add_ipc_publication` and its steps, and `_on_remove_publication`; commands.md
//! §4. The log file is made by the native-resource agent; until it is, no other command is taken.

use gannet_core::command::{PublicationReady, Response};
use gannet_core::counters::CounterId;
use gannet_core::counters::layout::Stream;
use gannet_core::log::{LogBuffers, LogProperties, LogType, file_length};
use gannet_core::sync::Memory;
use gannet_core::{SessionId, StreamId, TermId};
use gannet_transport_ipc::{AeronDirectory, Region};

use super::clients::PublicationLink;
use super::ipc_publication::reservation::{Overshoot, Reservation};
use super::ipc_publication::{IpcPublication, NewPublication, State};
use super::publication_params::PublicationParams;
use super::{ConductorError, DriverConductor, ipc_channel};
use crate::native_resource_agent::{CreateLog, Request, ResourceError};

/// An ADD_PUBLICATION whose log file is being made.
#[derive(Debug)]
pub(super) struct PendingPublication {
    client_id: i64,
    registration_id: i64,
    stream_id: StreamId,
    session_id: SessionId,
    initial_term_id: TermId,
    is_exclusive: bool,
    channel: String,
    params: PublicationParams,
    reservation: Reservation,
}

impl DriverConductor {
    pub(super) fn on_add_publication(
        &mut self,
        client_id: i64,
        correlation_id: i64,
        stream_id: StreamId,
        channel: &str,
        is_exclusive: bool,
    ) -> Result<(), ConductorError> {
        let uri = ipc_channel(channel)?;
        let params = PublicationParams::read(&uri, channel, &self.settings)?;
        if !is_exclusive && let Some(index) = self.find_shared(stream_id, &params) {
            params.confirm_match(&self.publications[index])?;
            return self.link_publisher(client_id, correlation_id, index);
        }
        self.create_log(client_id, correlation_id, stream_id, channel, is_exclusive, params)
    }

    fn find_shared(&self, stream_id: StreamId, params: &PublicationParams) -> Option<usize> {
        self.publications.iter().position(|publication| {
            publication.stream_id() == stream_id
                && publication.state == State::Active
                && !publication.is_exclusive
                && publication.response_correlation_id == params.response_correlation_id
        })
    }

    fn create_log(
        &mut self,
        client_id: i64,
        registration_id: i64,
        stream_id: StreamId,
        channel: &str,
        is_exclusive: bool,
        params: PublicationParams,
    ) -> Result<(), ConductorError> {
        let session_id = self.choose_session_id(stream_id, channel, &params)?;
        let initial_term_id =
            params.position.map_or_else(|| TermId(self.random.next_i32()), |position| position.initial_term_id);
        let overshoot = if is_exclusive {
            Overshoot::of_one_message(params.term_length, params.mtu_length)
        } else {
            Overshoot::ToEndOfTerm
        };
        let reservation =
            Reservation::new(params.term_length, overshoot, params.start(), self.settings.log_reservation_step);
        let page_size = usize::try_from(self.settings.file_page_size).unwrap_or(usize::MAX);
        let log_type = if is_exclusive { LogType::ExclusivePublication } else { LogType::ConcurrentPublication };
        let create = CreateLog {
            registration_id,
            path: AeronDirectory::at(&self.settings.aeron_dir).publication_log(registration_id),
            length: file_length(params.term_length, page_size),
            properties: LogProperties {
                mtu_length: params.mtu_length,
                page_size: self.settings.file_page_size,
                publication_window_length: params.window_length,
                os_default_socket_sndbuf_length: self.settings.os_default_socket_sndbuf_length,
                os_max_socket_sndbuf_length: 0,
                os_default_socket_rcvbuf_length: self.settings.os_default_socket_rcvbuf_length,
                os_max_socket_rcvbuf_length: 0,
                max_resend: params.max_resend,
                entity_tag: params.entity_tag,
                response_correlation_id: params.response_correlation_id,
                linger_timeout_ns: params.linger_timeout_ns,
                untethered_window_limit_timeout_ns: params.untethered.window_limit_ns,
                untethered_linger_timeout_ns: params.untethered.linger_ns,
                untethered_resting_timeout_ns: params.untethered.resting_ns,
                sparse: params.is_sparse,
                signal_eos: params.signal_eos,
                spies_simulate_connection: params.spies_simulate_connection,
                log_type,
                ..LogProperties::ipc(registration_id, session_id, stream_id, initial_term_id, params.term_length)
            },
            start: params.position.map(|position| (position.term_id, position.term_offset)),
            reserve: reservation.at_creation(params.is_sparse),
        };
        self.pending = Some(PendingPublication {
            client_id,
            registration_id,
            stream_id,
            session_id,
            initial_term_id,
            is_exclusive,
            channel: channel.to_owned(),
            params,
            reservation,
        });
        self.request(Request::CreateLog(Box::new(create)));
        Ok(())
    }

    fn choose_session_id(
        &self,
        stream_id: StreamId,
        channel: &str,
        params: &PublicationParams,
    ) -> Result<SessionId, ConductorError> {
        let is_taken = |session_id: SessionId| {
            self.publications.iter().any(|publication| {
                publication.stream_id() == stream_id
                    && publication.session_id() == session_id
                    && publication.state != State::Linger
            })
        };
        match params.session_id {
            Some(session_id) if is_taken(session_id) => {
                Err(ConductorError::SessionClash { session_id, stream_id, channel: channel.to_owned() })
            }
            Some(session_id) => Ok(session_id),
            None => self.session_ids.propose(is_taken).ok_or(ConductorError::NoSessionId { stream_id }),
        }
    }

    /// The log that a publication waited for is there, or is not to be had.
    pub(super) fn on_log_created(
        &mut self,
        registration_id: i64,
        result: Result<(LogBuffers<Region>, Region), ResourceError>,
    ) {
        let Some(pending) = self.pending.take_if(|pending| pending.registration_id == registration_id) else {
            return;
        };
        let created = result.map_err(|error| ConductorError::Log { code: error.code, message: error.message });
        let added = created.and_then(|(log, region)| self.add_publication(pending, log, region));
        if let Err(error) = added {
            self.on_error(registration_id, &error);
        }
    }

    fn add_publication(
        &mut self,
        pending: PendingPublication,
        log: LogBuffers<Region>,
        region: Region,
    ) -> Result<(), ConductorError> {
        self.system.bytes_mapped.add(i64::try_from(region.len()).unwrap_or(i64::MAX));
        let (client_id, registration_id) = (pending.client_id, pending.registration_id);
        let response_link = match self.try_add_publication(pending, &log, &region) {
            Ok(response_link) => response_link,
            Err(error) => {
                self.request(Request::FreeLog { log, region });
                return Err(error);
            }
        };
        self.link_publisher(client_id, registration_id, self.publications.len() - 1).inspect_err(|_| {
            // It may be abandoned; then its responses are still to come, from another.
            if let Some(index) = response_link.filter(|_| self.find_publication(registration_id).is_none()) {
                self.subscriptions[index].session_id = None;
            }
        })
    }

    /// The response subscription that got its session by it, if one did.
    fn try_add_publication(
        &mut self,
        pending: PendingPublication,
        log: &LogBuffers<Region>,
        region: &Region,
    ) -> Result<Option<usize>, ConductorError> {
        let response_link = self.response_link(&pending)?;
        let start = pending.params.start();
        let stream = Stream {
            registration_id: pending.registration_id,
            session_id: pending.session_id,
            stream_id: pending.stream_id,
            channel: &pending.channel,
        };
        let position = stream.publisher_position(pending.client_id, pending.is_exclusive).with_value(start.0);
        let position = self.counters.allocate_counter(&position, self.now.epoch_ms)?;
        let limit = stream.publisher_limit(pending.client_id).with_value(start.0);
        let limit = match self.counters.allocate_counter(&limit, self.now.epoch_ms) {
            Ok(limit) => limit,
            Err(error) => {
                self.free_counter(position.id());
                return Err(error.into());
            }
        };
        if pending.params.session_id.is_none() {
            self.session_ids.give(pending.session_id);
        }
        let mut is_first = false;
        if let Some(index) = response_link {
            is_first = self.subscriptions[index].session_id.replace(pending.session_id).is_none();
        }
        let mut reservation = pending.reservation;
        reservation.on_reserved(reservation.at_creation(pending.params.is_sparse).to);
        self.publications.push(IpcPublication::new(NewPublication {
            registration_id: pending.registration_id,
            is_exclusive: pending.is_exclusive,
            log_path: region.path().as_os_str().as_encoded_bytes().to_vec(),
            log: log.clone(),
            region: region.clone(),
            position,
            limit,
            start,
            first: pending
                .params
                .position
                .map_or((pending.initial_term_id, 0), |position| (position.term_id, position.term_offset)),
            window: pending.params.window_length.into(),
            reservation,
            response_correlation_id: pending.params.response_correlation_id,
            untethered: pending.params.untethered,
            unblock_timeout_ns: self.settings.publication_unblock_timeout_ns,
            cool_down_ns: self.settings.image_liveness_timeout_ns,
            now_ns: self.now.ns,
        }));
        Ok(response_link.filter(|_| is_first))
    }

    /// The response subscription that waits for the session of this publication: the one that the publication of the
    /// requests names.
    fn response_link(&self, pending: &PendingPublication) -> Result<Option<usize>, ConductorError> {
        let of_requests =
            self.publications.iter().find(|p| p.registration_id == pending.params.response_correlation_id);
        let Some(subscription) = of_requests.map(|publication| publication.response_correlation_id) else {
            return Ok(None);
        };
        let Some(index) = self.subscriptions.iter().position(|link| link.registration_id == subscription) else {
            return Ok(None);
        };
        match self.subscriptions[index].session_id {
            Some(wanted) if wanted != pending.session_id => {
                Err(ConductorError::ResponseSessionMismatch { session_id: pending.session_id, wanted, subscription })
            }
            _ => Ok(Some(index)),
        }
    }

    /// One more client publishes: it is told first, then the subscriptions that can join now.
    fn link_publisher(&mut self, client_id: i64, registration_id: i64, index: usize) -> Result<(), ConductorError> {
        let publication_id = self.publications[index].registration_id;
        let max_links = self.max_links;
        let count = self.clients.values().map(|client| client.publications.len()).sum();
        let linked = self.get_or_add_client(client_id).and_then(|client| {
            if count >= max_links {
                return Err(ConductorError::TooMany { what: "publications of all clients together", count });
            }
            client.publications.push(PublicationLink { registration_id, publication_id });
            Ok(())
        });
        if let Err(error) = linked {
            self.abandon_if_unused(index);
            return Err(error);
        }
        let publication = &mut self.publications[index];
        publication.incref();
        let ready = PublicationReady {
            correlation_id: registration_id,
            registration_id: publication_id,
            session_id: publication.session_id(),
            stream_id: publication.stream_id(),
            position_limit_counter_id: publication.limit_counter_id(),
            channel_status_indicator_id: CounterId::NONE,
            log_file: &publication.log_path,
        };
        self.client_proxy.transmit(&if publication.is_exclusive {
            Response::ExclusivePublicationReady(ready)
        } else {
            Response::PublicationReady(ready)
        });
        self.link_publication(index)
    }

    /// A publication whose first client could not be made known has no use.
    fn abandon_if_unused(&mut self, index: usize) {
        if self.publications[index].is_unused() {
            self.delete_publication(index);
        }
    }

    pub(super) fn on_remove_publication(
        &mut self,
        client_id: i64,
        correlation_id: i64,
        registration_id: i64,
        is_revoked: bool,
    ) -> Result<(), ConductorError> {
        let unknown = ConductorError::UnknownPublication { client_id, registration_id };
        let Some(client) = self.clients.get_mut(&client_id) else { return Err(unknown) };
        let Some(index) = client.publications.iter().position(|link| link.registration_id == registration_id) else {
            return Err(unknown);
        };
        let link = client.publications.swap_remove(index);
        self.release_publication(link.publication_id, is_revoked);
        self.client_proxy.transmit(&Response::OperationSuccess { correlation_id });
        Ok(())
    }

    /// One client less publishes.
    pub(super) fn release_publication(&mut self, publication_id: i64, is_revoked: bool) {
        if let Some(publication) = self.publications.iter_mut().find(|p| p.registration_id == publication_id) {
            if is_revoked {
                publication.revoke();
            }
            publication.decref();
        }
    }

    /// Frees all that a publication has; its log goes to the native-resource agent.
    pub(super) fn delete_publication(&mut self, index: usize) {
        let publication = self.publications.swap_remove(index);
        let own = publication.counter_ids();
        let of_subscribers = publication.subscribers.iter().filter_map(|subscriber| subscriber.counter.as_ref());
        let counter_ids: Vec<_> = own.into_iter().chain(of_subscribers.map(|counter| counter.id())).collect();
        for counter_id in counter_ids {
            self.free_counter(counter_id);
        }
        let (log, region) = publication.into_log();
        self.request(Request::FreeLog { log, region });
    }

    pub(super) fn on_get_next_available_session_id(&mut self, correlation_id: i64, stream_id: StreamId) {
        let is_taken = |session_id: SessionId| {
            self.publications.iter().any(|p| p.stream_id() == stream_id && p.session_id() == session_id)
        };
        // All 2^32 ids are never in use: there are not that many counters.
        let Some(next_session_id) = self.session_ids.propose(is_taken) else { return };
        self.session_ids.give(next_session_id);
        self.client_proxy.transmit(&Response::NextAvailableSessionId { correlation_id, next_session_id });
    }
}
