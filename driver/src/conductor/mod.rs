//! The conductor: it takes clients' commands, keeps their resources, and moves publishers' limits. `[conductor]`
//!
//! Single-threaded and owned by its agent; what takes system calls goes to the native-resource agent as an owned value
//! and comes back as one. One command in each duty cycle, in the order of the ring: while one waits for the
//! native-resource agent, the next is not read. Time comes in as an argument. Mirrors `aeron_driver_conductor.c`;
//! driver.md §1 and §3, commands.md §4, cnc.md §7 and §8.

mod client_proxy;
mod clients;
mod commands;
mod counters;
mod error;
mod error_reporter;
mod images;
pub mod ipc_publication;
mod publication_params;
mod publications;
mod resources;
mod session_ids;
mod settings;
mod subscriber;
mod subscriptions;
#[cfg(test)]
mod tests;
mod timers;
pub mod untethered;

use std::collections::BTreeMap;

use gannet_core::broadcast::Transmitter;
use gannet_core::cnc::Cnc;
use gannet_core::command::ErrorCode;
use gannet_core::counters::system::SystemCounter;
use gannet_core::counters::{Counter, CounterSlot, CountersManager, VALUE_LENGTH};
use gannet_core::error_log::DistinctErrorLog;
use gannet_core::ring::{self, CapacityError};
use gannet_core::sync::Memory;
use gannet_core::uri::ChannelUri;
use gannet_transport_ipc::Region;

use crate::agent::{DutyCycleStallTracker, Pace};
use crate::clock::Now;
use crate::native_resource_agent::{NativeResourceAgentProxy, Reply};
use client_proxy::ClientProxy;
use clients::Client;
pub use error::ConductorError;
use error_reporter::ErrorReporter;
use ipc_publication::IpcPublication;
use publications::PendingPublication;
use session_ids::SessionIds;
pub use settings::ConductorSettings;
use subscriptions::SubscriptionLink;

/// The channel that notices about images over shared memory name.
const IPC_CHANNEL: &str = "aeron:ipc";

/// How often blocked readers are looked for: a small part of the second beyond the unblock time-out in which they go on.
const BLOCKED_INTERVAL_NS: i64 = 100_000_000;

/// The counters of a CnC file.
pub type Counters = CountersManager<Region, Box<[CounterSlot]>>;

/// System counters that the conductor moves.
#[derive(Debug)]
struct SystemCounters {
    unblocked_publications: Counter<Region>,
    unblocked_commands: Counter<Region>,
    client_timeouts: Counter<Region>,
    bytes_mapped: Counter<Region>,
    free_fails: Counter<Region>,
    publications_revoked: Counter<Region>,
    images_rejected: Counter<Region>,
    agent_proxy_fails: Counter<Region>,
}

/// A CnC file that a conductor cannot work with.
#[derive(Debug, thiserror::Error)]
pub enum CncSetupError {
    /// Of the command ring or the broadcast buffer.
    #[error("{0}")]
    Capacity(CapacityError),
    /// The system counters were not allocated first.
    #[error("system counter {counter_id} is missing")]
    MissingSystemCounter {
        /// Which.
        counter_id: i32,
    },
}

impl From<CapacityError> for CncSetupError {
    fn from(error: CapacityError) -> Self {
        CncSetupError::Capacity(error)
    }
}

/// The conductor.
#[derive(Debug)]
pub struct DriverConductor {
    settings: ConductorSettings,
    now: Now,
    cnc: Region,
    to_driver: ring::Consumer<Region>,
    command: Vec<u8>,
    client_proxy: ClientProxy,
    counters: Counters,
    system: SystemCounters,
    errors: ErrorReporter,
    stalls: DutyCycleStallTracker<Region>,
    agent: NativeResourceAgentProxy,
    clients: BTreeMap<i64, Client>,
    publications: Vec<IpcPublication>,
    subscriptions: Vec<SubscriptionLink>,
    pending: Option<PendingPublication>,
    session_ids: SessionIds,
    random: Random,
    next_link_id: u64,
    max_links: usize,
    timer_deadline_ns: i64,
    blocked_deadline_ns: i64,
    stalled_commands: ring::StallWatch,
    is_terminating: bool,
    is_ousted: bool,
    pace: Pace,
}

impl DriverConductor {
    /// Over a CnC file whose counters are set up, with the system counters in place.
    ///
    /// # Errors
    /// When the file's buffers do not have lengths that their structures can work with, or a system counter is missing.
    pub fn new(
        settings: ConductorSettings,
        cnc: &Cnc<Region>,
        counters: Counters,
        agent: NativeResourceAgentProxy,
        seed: u64,
        now: Now,
    ) -> Result<Self, CncSetupError> {
        let to_driver = ring::ManyToOneRing::new(cnc.to_driver())?.consumer();
        let transmitter = Transmitter::new(cnc.to_clients())?;
        let command = vec![0; to_driver.ring().max_message_length().next_multiple_of(8)];
        let mut random = Random(seed);
        let counter = |which: SystemCounter| {
            counters.counter(which.id()).ok_or(CncSetupError::MissingSystemCounter { counter_id: which.id().0 })
        };
        Ok(DriverConductor {
            now,
            cnc: cnc.memory().clone(),
            command,
            client_proxy: ClientProxy::new(transmitter),
            errors: ErrorReporter::new(DistinctErrorLog::new(cnc.error_log()), counter(SystemCounter::Errors)?),
            stalls: DutyCycleStallTracker::new(
                counter(SystemCounter::ConductorMaxCycleTime)?,
                counter(SystemCounter::ConductorCycleTimeThresholdExceeded)?,
                settings.cycle_threshold_ns,
                now.ns,
            ),
            system: SystemCounters {
                unblocked_publications: counter(SystemCounter::UnblockedPublications)?,
                unblocked_commands: counter(SystemCounter::UnblockedCommands)?,
                client_timeouts: counter(SystemCounter::ClientTimeouts)?,
                bytes_mapped: counter(SystemCounter::BytesCurrentlyMapped)?,
                free_fails: counter(SystemCounter::FreeFails)?,
                publications_revoked: counter(SystemCounter::PublicationsRevoked)?,
                images_rejected: counter(SystemCounter::ImagesRejected)?,
                agent_proxy_fails: counter(SystemCounter::NativeResourceAgentProxyFails)?,
            },
            agent,
            clients: BTreeMap::new(),
            publications: Vec::new(),
            subscriptions: Vec::new(),
            pending: None,
            session_ids: SessionIds::new(
                random.next_i32(),
                settings.reserved_session_id_low,
                settings.reserved_session_id_high,
            ),
            random,
            next_link_id: 0,
            max_links: cnc.counters_values().len() / VALUE_LENGTH,
            timer_deadline_ns: now.ns,
            blocked_deadline_ns: now.ns,
            stalled_commands: ring::StallWatch::new(),
            is_terminating: false,
            is_ousted: false,
            pace: Pace::Idle,
            counters,
            to_driver,
            settings,
        })
    }

    /// One duty cycle; how much was done.
    pub fn do_work(&mut self, now: Now) -> usize {
        self.now = now;
        self.stalls.measure_and_update(now.ns);
        let mut work_count = 0;
        if now.ns > self.timer_deadline_ns {
            self.is_ousted = self.is_ousted || self.cnc.is_replaced();
        }
        if self.is_ousted {
            // Nobody new finds this driver, and what it would do next may hit its successor's files.
            return 0;
        }
        if now.ns > self.timer_deadline_ns {
            self.on_timer();
            self.timer_deadline_ns = now.ns.saturating_add(self.settings.timer_interval_ns);
            work_count += 1;
        }
        if now.ns >= self.blocked_deadline_ns {
            self.check_for_blocked_publishers();
            let interval_ns = BLOCKED_INTERVAL_NS.min(self.settings.timer_interval_ns).max(1);
            self.blocked_deadline_ns = now.ns.saturating_add(interval_ns);
        }
        work_count += self.client_proxy.send_waiting(now.ns);
        work_count += self.process_command();
        work_count += self.process_resources();
        work_count += self.update_limits();
        self.report_failures();
        work_count
    }

    /// How soon the streams need the next duty cycle.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// Whether the driver is to end: a client asked for it and was allowed to, or another driver took its directory.
    #[must_use]
    pub fn is_terminating(&self) -> bool {
        self.is_terminating || self.is_ousted
    }

    /// The end: every log is removed that is still this driver's, and clients are told by the heartbeat.
    pub fn close(&mut self) {
        self.clients.clear();
        self.subscriptions.clear();
        for publication in self.publications.drain(..) {
            // What cannot be removed stays for the next driver to clear away.
            let _ = publication.region().remove_file();
        }
        self.pending = None;
        // A log that was made for a publication that is not wanted any more.
        while let Some(reply) = self.agent.poll() {
            if let Reply::LogCreated { result: Ok((_, region)), .. } = reply {
                let _ = region.remove_file();
            }
        }
        self.to_driver.ring().set_consumer_heartbeat_ms(-1);
    }

    /// Tells where the publishers are and moves their limits. A limit that moved is no work: when it has to move again
    /// is what the pace says. Giving up dead claims is, and goes on in the next duty cycle.
    fn update_limits(&mut self) -> usize {
        let mut work_count = 0;
        let mut pace = Pace::Idle;
        for publication in &mut self.publications {
            let update = publication.update_limit(self.now.ns);
            pace = pace.sooner(update.pace);
            if let Some(range) = update.reserve {
                resources::request_reservation(&mut self.agent, publication, range, self.now.ns);
            }
            if publication.has_dead_claims() {
                let count = publication.give_up_claims();
                self.system.unblocked_publications.add(i64::try_from(count).unwrap_or(i64::MAX));
                work_count += 1;
            }
        }
        self.pace = pace;
        work_count
    }

    /// Records what an operator should know and is no error.
    pub fn warn(&mut self, message: &dyn std::fmt::Display) {
        self.errors.warn(message, self.now.epoch_ms);
    }

    /// Records an error that nobody is answered with.
    fn report(&mut self, code: ErrorCode, message: &dyn std::fmt::Display) {
        self.errors.report(code, message, self.now.epoch_ms);
    }

    fn report_failures(&mut self) {
        if self.client_proxy.take_failures() > 0 {
            self.report(
                ErrorCode::GenericError,
                &"failed to transmit message: it is longer than the broadcast buffer takes",
            );
        }
    }
}

/// The channel of a command, which must be one that this driver serves.
fn ipc_channel(channel: &str) -> Result<ChannelUri<'_>, ConductorError> {
    let uri = ChannelUri::parse(channel).map_err(|error| ConductorError::uri(&error, channel))?;
    match (uri.is_ipc(), uri.is_spy()) {
        (true, false) => Ok(uri),
        (true, true) => Err(ConductorError::SpyOfIpc { channel: channel.to_owned() }),
        (false, _) => Err(ConductorError::NetworkNotSupported { channel: channel.to_owned() }),
    }
}

/// Random numbers for ids: SplitMix64, seeded by the machine's clock and hash keys, or by a test.
#[derive(Clone, Debug)]
struct Random(u64);

impl Random {
    #[allow(clippy::cast_possible_truncation)] // the upper half
    fn next_i32(&mut self) -> i32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 32) as i32
    }
}
