//! The files of a driver: created before it starts, given up when it ends. `[any]`
//!
//! Mirrors `aeron_driver_create_cnc_file`, `_create_loss_report_file`, the labels of `aeron_driver_conductor_init`, and
//! `aeron_driver_context_close`; cnc.md §1.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use gannet_core::cnc::{self, Cnc, CncConfig, CncLengths};
use gannet_core::counters::system::{self, SystemCounter};
use gannet_core::counters::{CounterSlot, CountersManager, VALUE_LENGTH};
use gannet_core::loss_report::LossReport;
use gannet_core::ring::ManyToOneRing;
use gannet_core::sync::Memory;
use gannet_transport_ipc::{
    AeronDirectory, Claim, ClaimOptions, CncFile, DirectoryLock, LossReportFile, Region, SavedErrors,
};

use super::DriverError;
use crate::clock::epoch_ms;
use crate::conductor::Counters;
use crate::config::{Choice, Context};
use crate::console;

/// The version of Aeron that clients and tools find here.
const AERON_VERSION: (u8, u8, u8) = (1, 54, 0);
/// What implements it; Aeron's drivers put their commit there.
const COMMIT: &str = concat!("gannet-", env!("CARGO_PKG_VERSION"));
/// The version of the commands, `AERON_CONTROL_PROTOCOL_*_VERSION`.
const CONTROL_PROTOCOL_VERSION: i32 = cnc::semantic_version(1, 0, 0);

/// How long an ending driver waits for one that is starting in the same directory: it looks, and refuses, or takes over.
const HOLD_PATIENCE: Duration = Duration::from_secs(1);

/// The files that a driver shares with its clients. When they are dropped, however that comes, they say that the driver
/// has ended, and the directory goes if the settings say so: the next driver can start at once.
#[derive(Debug)]
pub(super) struct DriverFiles {
    directory: AeronDirectory,
    cnc: Cnc<Region>,
    // Nothing is lost over shared memory; the report is there for tools that look for it.
    _loss_report: LossReport<Region>,
    /// Until clients may come.
    claim: Option<Claim>,
    /// From when the driver begins to end.
    lock: Option<DirectoryLock>,
    delete_on_shutdown: bool,
    has_ended: bool,
}

impl DriverFiles {
    /// Takes the directory, from a dead driver too, and makes the CnC file and the loss report in it; gives up waiting
    /// for another driver that does not come to an end with that when `is_stopped`. Clients see nothing before
    /// [`DriverFiles::publish`].
    pub(super) fn create(context: &Context, is_stopped: &dyn Fn() -> bool) -> Result<(Self, Counters), DriverError> {
        let directory = AeronDirectory::at(&context.directory);
        let options = ClaimOptions {
            sharing: context.sharing,
            driver_timeout_ms: context.driver_timeout_ms,
            delete_on_start: context.delete_directory_on_start,
        };
        let claim = directory.claim_unless(options, is_stopped)?;
        tell(&claim, &directory, context.warn_if_directory_exists);
        let cnc = CncFile::create(&directory, cnc_config(context), context.sharing)?;
        let (loss_report, counters) = Self::fill(context, &directory, &cnc).inspect_err(|_| {
            // A file that nobody will finish only makes the next driver wait. The claim is still held: it is this driver's.
            let _ = cnc.memory().remove_file();
        })?;
        let files = DriverFiles {
            directory,
            cnc,
            _loss_report: loss_report,
            claim: Some(claim),
            lock: None,
            delete_on_shutdown: context.delete_directory_on_shutdown,
            has_ended: false,
        };
        Ok((files, counters))
    }

    fn fill(
        context: &Context,
        directory: &AeronDirectory,
        cnc: &Cnc<Region>,
    ) -> Result<(LossReport<Region>, Counters), DriverError> {
        let page_size = context.file_page_size as u64;
        let loss_report_length = context.loss_report_buffer_length as u64;
        let loss_report = LossReportFile::create(directory, loss_report_length, page_size, context.sharing)?;
        let counters = counters(context, cnc)?;
        let bytes_mapped = cnc.memory().len() + context.loss_report_buffer_length;
        for (counter, value) in [
            (SystemCounter::AeronVersion, aeron_version().into()),
            (SystemCounter::ControlProtocolVersion, CONTROL_PROTOCOL_VERSION.into()),
            (SystemCounter::BytesCurrentlyMapped, i64::try_from(bytes_mapped).unwrap_or(i64::MAX)),
        ] {
            if let Some(counter) = counters.counter(counter.id()) {
                counter.set(value);
            }
        }
        Ok((loss_report, counters))
    }

    pub(super) fn cnc(&self) -> &Cnc<Region> {
        &self.cnc
    }

    /// Opens the driver to clients: the heartbeat first, the version last.
    pub(super) fn publish(&mut self) -> Result<(), DriverError> {
        let ring = ManyToOneRing::new(self.cnc.to_driver()).map_err(crate::conductor::CncSetupError::from)?;
        // So that no client or resource has the id 0.
        let _ = ring.next_correlation_id();
        ring.set_consumer_heartbeat_ms(epoch_ms());
        self.cnc.publish();
        // From here on the heartbeat keeps other drivers out, and says who lives here.
        self.claim = None;
        self.cnc.memory().flush()?;
        Ok(())
    }

    /// Keeps other drivers from starting in the directory until the files are closed: as soon as the heartbeat says that
    /// this one has ended, another may, and from then on nothing there would be safe from this one's deletions.
    pub(super) fn hold(&mut self) {
        if self.claim.is_none() && self.lock.is_none() {
            // Whoever cannot hold it deletes nothing.
            self.lock = self.directory.hold(HOLD_PATIENCE).ok().flatten();
        }
    }

    /// Says that the driver has ended, writes back what the conductor said last, and deletes the directory if the
    /// settings say so and it is still this driver's.
    pub(super) fn close(mut self) -> Result<(), DriverError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), DriverError> {
        if std::mem::replace(&mut self.has_ended, true) {
            return Ok(());
        }
        self.hold();
        let is_held = self.claim.is_some() || self.lock.is_some();
        let result = self.give_up(is_held);
        // Only now may another driver start.
        (self.claim, self.lock) = (None, None);
        result
    }

    fn give_up(&mut self, is_held: bool) -> Result<(), DriverError> {
        let cnc = self.cnc.memory();
        if let Ok(ring) = ManyToOneRing::new(self.cnc.to_driver()) {
            ring.set_consumer_heartbeat_ms(-1);
        }
        if cnc.is_replaced() {
            return Err(DriverError::Ousted { directory: self.directory.path().to_path_buf() });
        }
        let flushed = cnc.flush();
        if is_held && cnc.is_current() {
            if self.claim.is_some() {
                // Nobody will finish it.
                cnc.remove_file()?;
            }
            if self.delete_on_shutdown {
                self.directory.delete()?;
            }
        }
        Ok(flushed?)
    }
}

impl Drop for DriverFiles {
    fn drop(&mut self) {
        // Whoever wants to know what went wrong closes.
        let _ = self.end();
    }
}

/// Tells the operator what was found in the directory: on standard error, as the peer does.
fn tell(claim: &Claim, directory: &AeronDirectory, warn_if_exists: bool) {
    let path = directory.path().display();
    if claim.existed && warn_if_exists {
        console::complain(format_args!("WARNING: {path} exists"));
        if let Some(age) = claim.heartbeat_age_ms {
            console::complain(format_args!("INFO: Aeron driver heartbeat is {age} ms old"));
        }
    }
    match &claim.saved_errors {
        Some(SavedErrors::Saved { path, .. }) => {
            console::complain(format_args!("WARNING: Existing errors saved to: {}", path.display()));
        }
        Some(SavedErrors::NotSaved { path, source, text }) => {
            console::complain(format_args!(
                "ERROR: Failed to save existing errors to: {} ({source})\nDumping errors here:\n{text}",
                path.display()
            ));
        }
        None => {}
    }
    for left in &claim.left {
        console::complain(format_args!("WARNING: {} is not Aeron's and was left in {path}", left.display()));
    }
}

fn cnc_config(context: &Context) -> CncConfig {
    CncConfig {
        lengths: CncLengths {
            to_driver: context.to_driver_buffer_length,
            to_clients: context.to_clients_buffer_length,
            counters_metadata: context.counters_values_buffer_length * cnc::METADATA_PER_VALUE,
            counters_values: context.counters_values_buffer_length,
            error_log: context.error_buffer_length,
        },
        client_liveness_timeout_ns: context.client_liveness_timeout_ns,
        start_timestamp_ms: epoch_ms(),
        pid: std::process::id().into(),
        file_page_size: i32::try_from(context.file_page_size).unwrap_or(i32::MAX),
    }
}

/// The counters of a new CnC file, the driver's own in place, with what their labels say of this driver.
fn counters(context: &Context, cnc: &Cnc<Region>) -> Result<Counters, DriverError> {
    let count = context.counters_values_buffer_length / VALUE_LENGTH;
    let slots = vec![CounterSlot::default(); count].into_boxed_slice();
    let reuse_ms = match context.counter_free_to_reuse_timeout_ns {
        0 => 0,
        ns => (ns / 1_000_000).max(1),
    };
    let mut counters = CountersManager::new(cnc.counters_metadata(), cnc.counters_values(), slots, reuse_ms)
        .map_err(|error| DriverError::Counters(error.to_string()))?;
    let (major, minor, patch) = AERON_VERSION;
    system::allocate(&mut counters, &format!("{major}.{minor}.{patch}"), COMMIT, epoch_ms())
        .map_err(|error| DriverError::Counters(error.to_string()))?;

    let mode = context.threading_mode.name();
    let name = context.network.resolver_name.as_deref().unwrap_or_default();
    let threshold = |ns: i64| format!(": threshold={}", duration_text(ns));
    for (counter, text) in [
        (SystemCounter::ResolutionChanges, format!(": driverName={name}")),
        (SystemCounter::ConductorMaxCycleTime, format!(": {mode}")),
        (SystemCounter::SenderMaxCycleTime, format!(": {mode}")),
        (SystemCounter::ReceiverMaxCycleTime, format!(": {mode}")),
        (
            SystemCounter::ConductorCycleTimeThresholdExceeded,
            format!("{} {mode}", threshold(context.conductor_cycle_threshold_ns)),
        ),
        (
            SystemCounter::SenderCycleTimeThresholdExceeded,
            format!("{} {mode}", threshold(context.sender_cycle_threshold_ns)),
        ),
        (
            SystemCounter::ReceiverCycleTimeThresholdExceeded,
            format!("{} {mode}", threshold(context.receiver_cycle_threshold_ns)),
        ),
        (SystemCounter::NameResolverTimeThresholdExceeded, threshold(context.network.name_resolver_threshold_ns)),
    ] {
        counters
            .append_to_label(counter.id(), text.as_bytes())
            .map_err(|error| DriverError::Counters(error.to_string()))?;
    }
    Ok(counters)
}

const fn aeron_version() -> i32 {
    cnc::semantic_version(AERON_VERSION.0, AERON_VERSION.1, AERON_VERSION.2)
}

/// The largest unit that leaves no fraction, as `aeron_format_duration_ns`.
fn duration_text(ns: i64) -> String {
    let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
    match units.into_iter().find(|(unit, _)| ns >= *unit && ns % unit == 0) {
        Some((unit, name)) => format!("{}{name}", ns / unit),
        None => format!("{ns}ns"),
    }
}

/// A number that no other driver starts with.
pub(super) fn seed() -> u64 {
    RandomState::new().hash_one((std::process::id(), epoch_ms()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_in_their_largest_whole_unit() {
        for (ns, text) in
            [(100_000_000, "100ms"), (5_000_000_000, "5s"), (1_500_000_000, "1500ms"), (1_001, "1001ns"), (0, "0ns")]
        {
            assert_eq!(duration_text(ns), text);
        }
    }
}
