//! Whether the driver lives, and telling it that this client does. `[client]`
//!
//! Mirrors `aeron_client_conductor_check_liveness`; section 7 of `cnc.md`.

use std::time::Duration;

use gannet_core::counters::CounterId;
use gannet_core::counters::layout::{Label, client_information, type_id};

use crate::clock::{Now, elapsed};
use crate::counters_reader::Counters;
use crate::driver_proxy::DriverProxy;
use crate::error::ClientError;

/// The heartbeat of a driver that was shut down in good order.
const DRIVER_CLOSED: i64 = -1;

/// The timers of one client.
pub(crate) struct Liveness {
    driver_timeout: Duration,
    keepalive_interval_ns: i64,
    service_interval_ns: i64,
    service_timeout_ns: i64,
    label: Label,
    time_of_last_service_ns: i64,
    time_of_last_check_ns: i64,
    time_of_last_keepalive_ns: i64,
    heartbeat: CounterId,
}

/// The settings of [`Liveness`].
pub(crate) struct LivenessSettings<'a> {
    pub(crate) driver_timeout: Duration,
    pub(crate) keepalive_interval_ns: i64,
    /// How often anything of this is looked at: the conductor's idle sleep.
    pub(crate) service_interval_ns: i64,
    /// The driver's client liveness timeout.
    pub(crate) service_timeout_ns: i64,
    pub(crate) client_name: &'a str,
}

/// What a look at the timers found.
#[derive(Debug, PartialEq)]
pub(crate) enum Service {
    NotDue,
    /// The conductor was served; this is one of its slower rounds.
    Done,
    /// It is over.
    Failed(ClientError),
}

impl Liveness {
    pub(crate) fn new(settings: &LivenessSettings<'_>, now: Now) -> Liveness {
        Liveness {
            driver_timeout: settings.driver_timeout,
            keepalive_interval_ns: settings.keepalive_interval_ns,
            service_interval_ns: settings.service_interval_ns,
            service_timeout_ns: settings.service_timeout_ns,
            label: client_information(
                settings.client_name,
                env!("CARGO_PKG_VERSION"),
                option_env!("GANNET_COMMIT").unwrap_or("unknown"),
            ),
            time_of_last_service_ns: now.ns,
            time_of_last_check_ns: now.ns,
            time_of_last_keepalive_ns: now.ns,
            heartbeat: CounterId::NONE,
        }
    }

    /// Looks at the timers. `driver_replaced`, a system call, is asked once in a keepalive interval.
    pub(crate) fn service(
        &mut self,
        now: Now,
        proxy: &DriverProxy,
        counters: &Counters,
        driver_replaced: impl FnOnce() -> bool,
    ) -> Service {
        if now.ns <= self.time_of_last_service_ns.saturating_add(self.service_interval_ns) {
            return Service::NotDue;
        }
        let interval = now.ns - self.time_of_last_service_ns;
        if interval > self.service_timeout_ns {
            return Service::Failed(ClientError::ServiceTimeout {
                interval: elapsed(interval),
                timeout: elapsed(self.service_timeout_ns),
            });
        }
        self.time_of_last_service_ns = now.ns;
        match self.serve(now, proxy, counters, driver_replaced) {
            Ok(()) => Service::Done,
            Err(error) => Service::Failed(error),
        }
    }

    fn serve(
        &mut self,
        now: Now,
        proxy: &DriverProxy,
        counters: &Counters,
        driver_replaced: impl FnOnce() -> bool,
    ) -> Result<(), ClientError> {
        if now.ns > self.time_of_last_check_ns.saturating_add(self.keepalive_interval_ns) {
            self.check_driver(now, proxy, driver_replaced)?;
            self.time_of_last_check_ns = now.ns;
        }
        // Until the heartbeat's counter is there, it is looked for in each round.
        if now.ns > self.time_of_last_keepalive_ns.saturating_add(self.keepalive_interval_ns) {
            self.keep_alive(now, proxy, counters)?;
        }
        Ok(())
    }

    fn check_driver(
        &self,
        now: Now,
        proxy: &DriverProxy,
        driver_replaced: impl FnOnce() -> bool,
    ) -> Result<(), ClientError> {
        let heartbeat_ms = proxy.driver_heartbeat_ms();
        if heartbeat_ms == DRIVER_CLOSED {
            return Err(ClientError::DriverShutdown);
        }
        if driver_replaced() {
            return Err(ClientError::DriverRestarted);
        }
        let age = Duration::from_millis(u64::try_from(now.ms.saturating_sub(heartbeat_ms)).unwrap_or(0));
        if age > self.driver_timeout {
            return Err(ClientError::DriverTimeout { age, timeout: self.driver_timeout });
        }
        Ok(())
    }

    /// The driver allocates the counter with the client's first command; until then there is nothing to keep alive.
    fn keep_alive(&mut self, now: Now, proxy: &DriverProxy, counters: &Counters) -> Result<(), ClientError> {
        let (type_id, client_id) = (type_id::CLIENT_HEARTBEAT_TIMESTAMP, proxy.client_id());
        if self.heartbeat == CounterId::NONE {
            let Some(id) = counters.find_by_type_and_key(type_id, client_id) else { return Ok(()) };
            self.heartbeat = id;
            counters.append_to_label(id, self.label.as_bytes());
        } else if !counters.is_active(self.heartbeat, type_id, client_id) {
            return Err(ClientError::HeartbeatCounterClosed(self.heartbeat));
        }
        if let Some(counter) = counters.counter(self.heartbeat) {
            counter.set(now.ms);
        }
        self.time_of_last_keepalive_ns = now.ns;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that cannot be set up has failed
mod tests {
    use gannet_core::cnc::{Cnc, CncConfig, CncLengths, TO_CLIENTS_TRAILER_LENGTH, TO_DRIVER_TRAILER_LENGTH};
    use gannet_core::ring::ManyToOneRing;
    use gannet_transport_ipc::{MappedFile, Sharing, Space};

    use super::*;

    const MS: i64 = 1_000_000;

    #[test]
    fn an_idle_client_asks_for_the_drivers_file_once_in_a_keepalive_interval() {
        let lengths = CncLengths {
            to_driver: (1 << 16) + TO_DRIVER_TRAILER_LENGTH,
            to_clients: (1 << 16) + TO_CLIENTS_TRAILER_LENGTH,
            counters_metadata: 64 * 512,
            counters_values: 64 * 128,
            error_log: 4096,
        };
        let directory = tempfile::tempdir().unwrap();
        let (path, length) = (directory.path().join("cnc.dat"), lengths.file_length(4096) as u64);
        let memory = MappedFile::create(&path, length, Space::Sparse, Sharing::Owner).unwrap();
        let cnc = Cnc::initialise(
            memory,
            CncConfig {
                lengths,
                client_liveness_timeout_ns: 10_000 * MS,
                start_timestamp_ms: 0,
                pid: 1,
                file_page_size: 4096,
            },
        )
        .unwrap();
        let proxy = DriverProxy::new(ManyToOneRing::new(cnc.to_driver()).unwrap());
        let counters = Counters::new(cnc.counters_metadata(), cnc.counters_values());
        let settings = LivenessSettings {
            driver_timeout: Duration::from_secs(10),
            keepalive_interval_ns: 500 * MS,
            service_interval_ns: 16 * MS,
            service_timeout_ns: 10_000 * MS,
            client_name: "",
        };
        let mut liveness = Liveness::new(&settings, Now { ns: 0, ms: 0 });
        let mut asked = Vec::new();
        // Two seconds in steps of 17 ms, without anything added and so without a heartbeat counter.
        for round in 1..=120 {
            let now = Now { ns: round * 17 * MS, ms: 0 };
            let service = liveness.service(now, &proxy, &counters, || {
                asked.push(round);
                false
            });
            assert_eq!(service, Service::Done);
        }
        assert_eq!(asked, [30, 60, 90, 120]);
    }
}
