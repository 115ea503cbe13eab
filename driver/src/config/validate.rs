//! What no range of a single value can say. `[any]`
//!
//! Mirrors the checks of `aeron_driver_init` and of `aeron_driver_validate_*`: driver.md §14. Also checks every range
//! once more, for whoever fills a [`Context`] by hand.

use gannet_core::TermLength;

use super::context::Context;
use super::setting::{Kind, Setting};
use super::table;
use super::warning::ConfigError;

/// The trailer of the command ring, cnc.md §2.
const RING_TRAILER: usize = 768;
/// The trailer of the broadcast buffer, cnc.md §3.
const BROADCAST_TRAILER: usize = 128;
/// What stands before the first buffer of a CnC file, cnc.md §1.
const CNC_HEADER: usize = 128;

impl Context {
    /// Checks that a driver can run with these values.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`], with the names and values that are at fault and what would do.
    pub fn validate(&self) -> Result<(), ConfigError> {
        table::all().try_for_each(|setting| self.check_range(setting))?;
        self.check_directory()?;
        self.check_files()?;
        self.check_lengths()?;
        self.check_times()?;
        self.check_network()
    }

    /// The length of the CnC file, in bytes.
    #[must_use]
    pub fn cnc_length(&self) -> u64 {
        let buffers = [
            CNC_HEADER,
            self.to_driver_buffer_length,
            self.to_clients_buffer_length,
            // Values, and four times as much metadata.
            self.counters_values_buffer_length.saturating_mul(5),
            self.error_buffer_length,
        ];
        let length = buffers.into_iter().fold(0_u64, |sum, length| sum.saturating_add(length as u64));
        length.checked_next_multiple_of(self.file_page_size.max(1) as u64).unwrap_or(u64::MAX)
    }

    fn check_range(&self, setting: &Setting) -> Result<(), ConfigError> {
        let Kind::Number { min, max, read, .. } = setting.kind else { return Ok(()) };
        match read(self) {
            Some(number) if !(min..=max).contains(&number) => {
                invalid(format!("{}={} is not {}", setting.name, setting.shown(self), setting.accepted()))
            }
            _ => Ok(()),
        }
    }

    fn check_directory(&self) -> Result<(), ConfigError> {
        if self.directory.as_os_str().is_empty() {
            return invalid("AERON_DIR is empty: give it a path, or unset it for the default".to_owned());
        }
        Ok(())
    }

    fn check_files(&self) -> Result<(), ConfigError> {
        let page = self.file_page_size;
        if !page.is_power_of_two() || page > TermLength::MAX.as_usize() {
            return invalid(format!("AERON_FILE_PAGE_SIZE={page} is not a power of two from 4k to 1g"));
        }
        for (name, length, trailer) in [
            ("AERON_CONDUCTOR_BUFFER_LENGTH", self.to_driver_buffer_length, RING_TRAILER),
            ("AERON_CLIENTS_BUFFER_LENGTH", self.to_clients_buffer_length, BROADCAST_TRAILER),
        ] {
            let capacity = length - trailer;
            if !capacity.is_power_of_two() {
                let next = capacity.next_power_of_two() + trailer;
                return invalid(format!(
                    "{name}={length} is not a power of two and a trailer of {trailer} bytes; {next} would be"
                ));
            }
        }
        let counters = self.counters_values_buffer_length;
        if !counters.is_multiple_of(8) {
            return invalid(format!("AERON_COUNTERS_BUFFER_LENGTH={counters} is not a multiple of 8"));
        }
        let length = self.cnc_length();
        if length > i32::MAX.unsigned_abs().into() {
            return invalid(format!(
                "the CnC file would be {length} bytes long, and no more than {} are possible: \
                 AERON_CONDUCTOR_BUFFER_LENGTH={}, AERON_CLIENTS_BUFFER_LENGTH={}, \
                 5 times AERON_COUNTERS_BUFFER_LENGTH={counters}, AERON_ERROR_BUFFER_LENGTH={}",
                i32::MAX,
                self.to_driver_buffer_length,
                self.to_clients_buffer_length,
                self.error_buffer_length
            ));
        }
        Ok(())
    }

    fn check_lengths(&self) -> Result<(), ConfigError> {
        for (name, length) in [
            ("AERON_TERM_BUFFER_LENGTH", self.network.term_buffer_length),
            ("AERON_IPC_TERM_BUFFER_LENGTH", self.ipc_term_buffer_length),
        ] {
            if i64::try_from(length).ok().is_none_or(|length| TermLength::new(length).is_err()) {
                return invalid(format!("{name}={length} is not a power of two from 64k to 1g"));
            }
        }
        for (name, length) in
            [("AERON_MTU_LENGTH", self.network.mtu_length), ("AERON_IPC_MTU_LENGTH", self.ipc_mtu_length)]
        {
            if length <= 32 || !length.is_multiple_of(32) {
                return invalid(format!("{name}={length} is not a multiple of 32 from 64 to 65504"));
            }
        }
        Ok(())
    }

    fn check_times(&self) -> Result<(), ConfigError> {
        let timer = ("AERON_TIMER_INTERVAL", self.timer_interval_ns);
        let liveness = ("AERON_CLIENT_LIVENESS_TIMEOUT", self.client_liveness_timeout_ns);
        let unblock = ("AERON_PUBLICATION_UNBLOCK_TIMEOUT", self.publication_unblock_timeout_ns);
        let window_limit = ("AERON_UNTETHERED_WINDOW_LIMIT_TIMEOUT", self.untethered_window_limit_timeout_ns);
        let resting = ("AERON_UNTETHERED_RESTING_TIMEOUT", self.untethered_resting_timeout_ns);
        let linger = self.untethered_linger_timeout_ns.map(|linger| ("AERON_UNTETHERED_LINGER_TIMEOUT", linger));
        for (longer, shorter) in [(unblock, liveness), (liveness, timer), (window_limit, timer), (resting, timer)]
            .into_iter()
            .chain(linger.map(|linger| (linger, timer)))
        {
            if longer.1 <= shorter.1 {
                return invalid(format!(
                    "{}={}ns must be longer than {}={}ns",
                    longer.0, longer.1, shorter.0, shorter.1
                ));
            }
        }
        Ok(())
    }

    fn check_network(&self) -> Result<(), ConfigError> {
        let network = &self.network;
        if network.network_publication_max_messages_per_send > network.sender_io_vector_capacity {
            return invalid(format!(
                "AERON_NETWORK_PUBLICATION_MAX_MESSAGES_PER_SEND={} must not exceed AERON_SENDER_IO_VECTOR_CAPACITY={}",
                network.network_publication_max_messages_per_send, network.sender_io_vector_capacity
            ));
        }
        if network.nak_unicast_delay_ns.checked_mul(network.nak_unicast_retry_delay_ratio).is_none() {
            return invalid(format!(
                "AERON_NAK_UNICAST_DELAY={}ns times AERON_NAK_UNICAST_RETRY_DELAY_RATIO={} exceeds {}",
                network.nak_unicast_delay_ns,
                network.nak_unicast_retry_delay_ratio,
                i64::MAX
            ));
        }
        if let (Some(interface), None | Some("")) = (&network.resolver_interface, network.resolver_name.as_deref()) {
            return invalid(format!(
                "AERON_DRIVER_RESOLVER_INTERFACE={interface} wants AERON_DRIVER_RESOLVER_NAME too"
            ));
        }
        Ok(())
    }
}

fn invalid(text: String) -> Result<(), ConfigError> {
    Err(ConfigError::Invalid(text))
}
