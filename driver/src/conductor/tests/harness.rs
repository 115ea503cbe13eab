//! A conductor, its native-resource agent and one ear, in one thread.

use std::time::{Duration, Instant};

use gannet_core::broadcast::Receiver;
use gannet_core::cnc::{Cnc, CncConfig, CncLengths};
use gannet_core::command::{Command, ErrorCode, Response};
use gannet_core::counters::system::{self, SystemCounter};
use gannet_core::counters::{Counter, CounterId, CounterSlot, CountersManager, CountersReader};
use gannet_core::error_log;
use gannet_core::log::LogBuffers;
use gannet_core::ring::ManyToOneRing;
use gannet_core::{Position, SessionId, StreamId, TermLength};
use gannet_transport_ipc::{AeronDirectory, CncFile, MappedFile, Region, Sharing};

use crate::agent::Agent;
use crate::clock::Now;
use crate::conductor::{ConductorSettings, DriverConductor};
use crate::config::TerminationValidator;
use crate::native_resource_agent::{NativeResourceAgent, NativeResourceSettings, logs};

pub(super) const SECOND_NS: i64 = 1_000_000_000;
pub(super) const STREAM: StreamId = StreamId(1001);
/// A small channel, whose log is reserved whole when it is made.
pub(super) const SMALL: &str = "aeron:ipc?term-length=64k";
pub(super) const TERM: i64 = 64 * 1024;
pub(super) const WINDOW: i64 = TERM / 2;

/// What a client hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Error { correlation_id: i64, code: ErrorCode, message: String },
    Available { correlation_id: i64, subscription: i64, session_id: SessionId, counter_id: CounterId, log: String },
    Unavailable { correlation_id: i64, subscription: i64, channel: String },
    Publication { correlation_id: i64, registration_id: i64, session_id: SessionId, limit: CounterId, log: String },
    Exclusive { correlation_id: i64, registration_id: i64, session_id: SessionId, limit: CounterId, log: String },
    Subscription { correlation_id: i64 },
    Success { correlation_id: i64 },
    CounterReady { correlation_id: i64, counter_id: CounterId },
    CounterGone { correlation_id: i64, counter_id: CounterId },
    StaticCounter { correlation_id: i64, counter_id: CounterId },
    ClientTimeout { client_id: i64 },
    PublicationError { registration_id: i64, code: ErrorCode, message: String, source: String },
    SessionId { correlation_id: i64, session_id: SessionId },
}

impl Heard {
    fn from(response: Response<'_>) -> Heard {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match response {
            Response::Error { offending_command_correlation_id, error_code, error_message } => Heard::Error {
                correlation_id: offending_command_correlation_id,
                code: error_code,
                message: text(error_message),
            },
            Response::AvailableImage(image) => {
                assert_eq!(image.source_identity, b"aeron:ipc");
                Heard::Available {
                    correlation_id: image.correlation_id,
                    subscription: image.subscription_registration_id,
                    session_id: image.session_id,
                    counter_id: image.subscriber_position_id,
                    log: text(image.log_file),
                }
            }
            Response::UnavailableImage { correlation_id, subscription_registration_id, channel, .. } => {
                Heard::Unavailable {
                    correlation_id,
                    subscription: subscription_registration_id,
                    channel: text(channel),
                }
            }
            Response::PublicationReady(ready) => {
                assert_eq!(ready.channel_status_indicator_id, CounterId::NONE);
                Heard::Publication {
                    correlation_id: ready.correlation_id,
                    registration_id: ready.registration_id,
                    session_id: ready.session_id,
                    limit: ready.position_limit_counter_id,
                    log: text(ready.log_file),
                }
            }
            Response::ExclusivePublicationReady(ready) => Heard::Exclusive {
                correlation_id: ready.correlation_id,
                registration_id: ready.registration_id,
                session_id: ready.session_id,
                limit: ready.position_limit_counter_id,
                log: text(ready.log_file),
            },
            Response::SubscriptionReady { correlation_id, channel_status_indicator_id } => {
                assert_eq!(channel_status_indicator_id, CounterId::NONE);
                Heard::Subscription { correlation_id }
            }
            Response::OperationSuccess { correlation_id } => Heard::Success { correlation_id },
            Response::CounterReady { correlation_id, counter_id } => Heard::CounterReady { correlation_id, counter_id },
            Response::UnavailableCounter { correlation_id, counter_id } => {
                Heard::CounterGone { correlation_id, counter_id }
            }
            Response::StaticCounter { correlation_id, counter_id } => {
                Heard::StaticCounter { correlation_id, counter_id }
            }
            Response::ClientTimeout { client_id } => Heard::ClientTimeout { client_id },
            Response::PublicationError(error) => Heard::PublicationError {
                registration_id: error.registration_id,
                code: error.error_code,
                message: text(error.error_message),
                source: error.source.map(|source| source.to_string()).unwrap_or_default(),
            },
            Response::NextAvailableSessionId { correlation_id, next_session_id } => {
                Heard::SessionId { correlation_id, session_id: next_session_id }
            }
        }
    }
}

/// A publication or an image as a client has it.
pub(super) struct Stream {
    pub(super) id: i64,
    pub(super) session_id: SessionId,
    pub(super) counter: Counter<Region>,
    pub(super) log: LogBuffers<Region>,
    /// The log's file, which begins with its terms.
    pub(super) region: Region,
    pub(super) path: String,
}

pub(super) struct Harness {
    pub(super) conductor: DriverConductor,
    pub(super) agent: NativeResourceAgent,
    pub(super) cnc: Cnc<Region>,
    pub(super) ring: ManyToOneRing<Region>,
    pub(super) now: Now,
    receiver: Receiver<Region>,
    scratch: Vec<u8>,
    directory: tempfile::TempDir,
}

impl Harness {
    pub(super) fn new() -> Self {
        Self::with(|_, _| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut ConductorSettings, &mut NativeResourceSettings)) -> Self {
        Self::build(200, change)
    }

    pub(super) fn with_counters(count: usize) -> Self {
        Self::build(count, |_, _| {})
    }

    fn build(counter_count: usize, change: impl FnOnce(&mut ConductorSettings, &mut NativeResourceSettings)) -> Self {
        let directory = tempfile::Builder::new().prefix("gannet-driver-").tempdir_in(roomy()).unwrap();
        std::fs::create_dir(directory.path().join(AeronDirectory::PUBLICATIONS)).unwrap();
        let lengths = CncLengths {
            to_driver: (1 << 16) + 768,
            to_clients: (1 << 16) + 128,
            counters_metadata: 4 * 128 * counter_count,
            counters_values: 128 * counter_count,
            error_log: 1 << 16,
        };
        let config = CncConfig {
            lengths,
            client_liveness_timeout_ns: 10 * SECOND_NS,
            start_timestamp_ms: 0,
            pid: 1,
            file_page_size: 4096,
        };
        let cnc = CncFile::create(&AeronDirectory::at(directory.path()), config, Sharing::Owner).unwrap();
        let mut settings = settings(&directory);
        let mut resources = NativeResourceSettings {
            aeron_dir: directory.path().to_path_buf(),
            cnc: cnc.memory().clone(),
            sharing: Sharing::Owner,
            perform_storage_checks: true,
            low_storage_warning_threshold: 0,
            resource_free_limit: 1,
            cpu_affinity: None,
            usable_space: gannet_transport_ipc::storage::usable_space,
            reserve: Region::reserve,
        };
        change(&mut settings, &mut resources);
        let slots = vec![CounterSlot::default(); counter_count].into_boxed_slice();
        let mut counters = CountersManager::new(cnc.counters_metadata(), cnc.counters_values(), slots, 1_000).unwrap();
        system::allocate(&mut counters, "1.54.0", "test", 0).unwrap();
        let now = Now { ns: 1_000 * SECOND_NS, epoch_ms: 1_700_000_000_000 };
        let (agent, proxy) = NativeResourceAgent::new(resources);
        let conductor = DriverConductor::new(settings, &cnc, counters, proxy, 7, now).unwrap();
        let ring = ManyToOneRing::new(cnc.to_driver()).unwrap();
        // Ids of 100 and above, so that they are not mistaken for others.
        while ring.next_correlation_id() < 99 {}
        let receiver = Receiver::new(cnc.to_clients()).unwrap();
        let scratch = vec![0; 1 << 16];
        Harness { conductor, agent, cnc, ring, now, receiver, scratch, directory }
    }

    /// Sends a command; its correlation id is in it.
    pub(super) fn send(&mut self, command: &Command<'_>) {
        let mut message = vec![0; command.encoded_length()];
        let length = command.encode(&mut message).unwrap();
        self.ring.write(command.type_id(), &message[..length]).unwrap();
    }

    /// Duty cycles until nothing is left to do, and what was heard.
    pub(super) fn settle(&mut self) -> Vec<Heard> {
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut quiet = 0;
        while quiet < 3 {
            let work_count = self.agent.do_work() + self.conductor.do_work(self.now);
            quiet = if work_count == 0 { quiet + 1 } else { 0 };
            assert!(Instant::now() < deadline, "the conductor does not come to rest");
        }
        self.hear()
    }

    pub(super) fn hear(&mut self) -> Vec<Heard> {
        let mut heard = Vec::new();
        loop {
            let received = self.receiver.receive(&mut self.scratch, |type_id, message| {
                heard.push(Heard::from(Response::parse(type_id, message).unwrap()));
            });
            if received.unwrap() == 0 {
                return heard;
            }
        }
    }

    /// Sends and settles.
    pub(super) fn ask(&mut self, command: &Command<'_>) -> Vec<Heard> {
        self.send(command);
        self.settle()
    }

    /// Moves both clocks, lets the clients live, and settles.
    pub(super) fn pass(&mut self, ns: i64) -> Vec<Heard> {
        self.pass_in_silence(ns, |harness| harness.beat())
    }

    /// Moves both clocks tick by tick.
    pub(super) fn pass_in_silence(&mut self, ns: i64, mut at_each_tick: impl FnMut(&mut Self)) -> Vec<Heard> {
        let mut left = ns;
        // What was done until now was done before the clocks move.
        let mut heard = self.settle();
        while left > 0 {
            let step = left.min(SECOND_NS);
            self.now.ns += step;
            self.now.epoch_ms += step / 1_000_000;
            left -= step;
            at_each_tick(self);
            heard.extend(self.settle());
        }
        heard
    }

    /// All clients show that they live.
    pub(super) fn beat(&mut self) {
        let reader = self.reader();
        for record in reader.iter().filter(|record| record.type_id == 11) {
            let counter = reader.counter(record.id).unwrap();
            if counter.get() != 0 {
                counter.set(self.now.epoch_ms);
            }
        }
    }

    pub(super) fn reader(&self) -> CountersReader<Region> {
        CountersReader::new(self.cnc.counters_metadata(), self.cnc.counters_values())
    }

    pub(super) fn system(&self, counter: SystemCounter) -> i64 {
        self.reader().counter(counter.id()).unwrap().get()
    }

    pub(super) fn counter(&self, id: CounterId) -> Counter<Region> {
        self.reader().counter(id).unwrap()
    }

    pub(super) fn is_allocated(&self, id: CounterId) -> bool {
        self.reader().counter(id).is_some()
    }

    pub(super) fn label(&self, id: CounterId) -> String {
        self.reader().record(id).unwrap().label_text().to_owned()
    }

    /// The texts of the error log, with how often each was seen.
    pub(super) fn errors(&self) -> Vec<(String, i32)> {
        error_log::entries(&self.cnc.error_log())
            .map(|entry| {
                let mut text = vec![0; entry.text_length()];
                (String::from_utf8(entry.text(&mut text).to_vec()).unwrap(), entry.observation_count())
            })
            .collect()
    }

    pub(super) fn next_id(&self) -> i64 {
        self.ring.next_correlation_id()
    }

    pub(super) fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Adds a publication for a client, whose answer must be that it is ready.
    pub(super) fn publish(&mut self, client_id: i64, channel: &str) -> Stream {
        let correlation_id = self.next_id();
        let heard = self.ask(&Command::AddPublication { client_id, correlation_id, stream_id: STREAM, channel });
        self.stream(&heard)
    }

    /// As `publish`, for an exclusive publication.
    pub(super) fn publish_exclusively(&mut self, client_id: i64, channel: &str) -> Stream {
        let correlation_id = self.next_id();
        let heard =
            self.ask(&Command::AddExclusivePublication { client_id, correlation_id, stream_id: STREAM, channel });
        self.stream(&heard)
    }

    /// The one publication that was heard to be ready.
    pub(super) fn stream(&self, heard: &[Heard]) -> Stream {
        let ready = heard.iter().find_map(|heard| match heard {
            Heard::Publication { correlation_id, session_id, limit, log, .. }
            | Heard::Exclusive { correlation_id, session_id, limit, log, .. } => {
                Some((*correlation_id, *session_id, *limit, log.clone()))
            }
            _ => None,
        });
        let Some((id, session_id, limit, path)) = ready else { panic!("no publication became ready: {heard:?}") };
        self.open(id, session_id, limit, path)
    }

    /// The one image that was heard to be available.
    pub(super) fn image(&self, heard: &[Heard]) -> Stream {
        let available = heard.iter().find_map(|heard| match heard {
            Heard::Available { correlation_id, session_id, counter_id, log, .. } => {
                Some((*correlation_id, *session_id, *counter_id, log.clone()))
            }
            _ => None,
        });
        let Some((id, session_id, counter, path)) = available else { panic!("no image became available: {heard:?}") };
        self.open(id, session_id, counter, path)
    }

    fn open(&self, id: i64, session_id: SessionId, counter: CounterId, path: String) -> Stream {
        let region = MappedFile::open(path.as_ref()).unwrap();
        let log = logs::open(&region).unwrap();
        Stream { id, session_id, counter: self.counter(counter), log, region, path }
    }

    /// Adds a subscription for a client; its id and what was heard.
    pub(super) fn subscribe(&mut self, client_id: i64, channel: &str) -> (i64, Vec<Heard>) {
        let correlation_id = self.next_id();
        let heard = self.ask(&Command::AddSubscription { client_id, correlation_id, stream_id: STREAM, channel });
        assert!(heard.contains(&Heard::Subscription { correlation_id }), "{heard:?}");
        (correlation_id, heard)
    }

    /// Removes a publication's link.
    pub(super) fn unpublish(&mut self, client_id: i64, registration_id: i64, revoke: bool) -> Vec<Heard> {
        let correlation_id = self.next_id();
        self.ask(&Command::RemovePublication { client_id, correlation_id, registration_id, revoke })
    }
}

impl Stream {
    /// Where the publisher is, by the log.
    pub(super) fn producer(&self) -> Position {
        self.log.producer_position()
    }

    pub(super) fn position(&self) -> Position {
        Position(self.counter.get())
    }
}

/// Shared memory, or the temporary directory in a container that has little of it.
fn roomy() -> std::path::PathBuf {
    let shared = std::path::Path::new("/dev/shm");
    match gannet_transport_ipc::storage::usable_space(shared) {
        Ok(usable) if usable > 1 << 30 => shared.to_path_buf(),
        _ => std::env::temp_dir(),
    }
}

fn settings(directory: &tempfile::TempDir) -> ConductorSettings {
    ConductorSettings {
        aeron_dir: directory.path().to_path_buf(),
        ipc_term_length: TermLength::MIN,
        ipc_mtu_length: 1408,
        ipc_publication_window_length: 0,
        file_page_size: 4096,
        term_buffer_sparse_file: true,
        spies_simulate_connection: false,
        tether_subscriptions: true,
        rejoin_stream: true,
        log_reservation_step: 256 * 1024,
        untethered_window_limit_timeout_ns: 5 * SECOND_NS,
        untethered_linger_timeout_ns: None,
        untethered_resting_timeout_ns: 10 * SECOND_NS,
        publication_linger_timeout_ns: 5 * SECOND_NS,
        publication_unblock_timeout_ns: 15 * SECOND_NS,
        image_liveness_timeout_ns: 10 * SECOND_NS,
        client_liveness_timeout_ns: 10 * SECOND_NS,
        timer_interval_ns: SECOND_NS / 2,
        reserved_session_id_low: -1,
        reserved_session_id_high: 1000,
        cycle_threshold_ns: SECOND_NS,
        os_default_socket_sndbuf_length: 212_992,
        os_default_socket_rcvbuf_length: 212_992,
        termination_validator: TerminationValidator::Deny,
    }
}
