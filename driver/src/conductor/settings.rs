//! What the conductor takes from the configuration. `[conductor]`
//!
//! Plain values, checked and clamped already: [`crate::config`] reads and names them.

use std::path::PathBuf;

use gannet_core::TermLength;

use crate::config::TerminationValidator;

/// The conductor's settings. Lengths are in bytes, times in nanoseconds unless their names say otherwise.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // as many as the operator sets
pub struct ConductorSettings {
    /// The driver's directory, under which the log buffers lie.
    pub aeron_dir: PathBuf,
    /// `AERON_IPC_TERM_BUFFER_LENGTH`.
    pub ipc_term_length: TermLength,
    /// `AERON_IPC_MTU_LENGTH`.
    pub ipc_mtu_length: i32,
    /// `AERON_IPC_PUBLICATION_TERM_WINDOW_LENGTH`; 0 is half a term.
    pub ipc_publication_window_length: i64,
    /// `AERON_FILE_PAGE_SIZE`.
    pub file_page_size: i32,
    /// `AERON_TERM_BUFFER_SPARSE_FILE`.
    pub term_buffer_sparse_file: bool,
    /// `AERON_SPIES_SIMULATE_CONNECTION`.
    pub spies_simulate_connection: bool,
    /// `AERON_TETHER_SUBSCRIPTIONS`.
    pub tether_subscriptions: bool,
    /// `AERON_REJOIN_STREAM`.
    pub rejoin_stream: bool,
    /// By how much the reserved part of a sparse log grows at least.
    pub log_reservation_step: i64,
    /// `AERON_UNTETHERED_WINDOW_LIMIT_TIMEOUT`.
    pub untethered_window_limit_timeout_ns: i64,
    /// `AERON_UNTETHERED_LINGER_TIMEOUT`; none for as long as the window limit's.
    pub untethered_linger_timeout_ns: Option<i64>,
    /// `AERON_UNTETHERED_RESTING_TIMEOUT`.
    pub untethered_resting_timeout_ns: i64,
    /// `AERON_PUBLICATION_LINGER_TIMEOUT`; over IPC it is only recorded in the log.
    pub publication_linger_timeout_ns: i64,
    /// `AERON_PUBLICATION_UNBLOCK_TIMEOUT`.
    pub publication_unblock_timeout_ns: i64,
    /// `AERON_IMAGE_LIVENESS_TIMEOUT`: how long a rejected IPC publication stays without subscribers.
    pub image_liveness_timeout_ns: i64,
    /// `AERON_CLIENT_LIVENESS_TIMEOUT`.
    pub client_liveness_timeout_ns: i64,
    /// `AERON_TIMER_INTERVAL`.
    pub timer_interval_ns: i64,
    /// `AERON_PUBLICATION_RESERVED_SESSION_ID_LOW`.
    pub reserved_session_id_low: i32,
    /// `AERON_PUBLICATION_RESERVED_SESSION_ID_HIGH`.
    pub reserved_session_id_high: i32,
    /// `AERON_DRIVER_CONDUCTOR_CYCLE_THRESHOLD`.
    pub cycle_threshold_ns: i64,
    /// What the system gives a socket to send from, as the log's metadata records it; 0 where it is not known.
    pub os_default_socket_sndbuf_length: i32,
    /// What the system gives a socket to receive into, as the log's metadata records it; 0 where it is not known.
    pub os_default_socket_rcvbuf_length: i32,
    /// `AERON_DRIVER_TERMINATION_VALIDATOR`.
    pub termination_validator: TerminationValidator,
}

impl ConductorSettings {
    /// How old a client's heartbeat may be: at least a millisecond.
    pub(super) fn client_liveness_timeout_ms(&self) -> i64 {
        (self.client_liveness_timeout_ns / 1_000_000).max(1)
    }
}
