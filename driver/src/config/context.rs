//! What a driver is told before it starts. `[any]`
//!
//! Mirrors `aeron_driver_context_t`, by the same field names where they say what they mean. Plain values: nothing here
//! reads an environment, and whatever an embedder writes is checked once, by [`Context::validate`], when the driver is
//! launched. The settings table (`table`) says for each field which variable sets it, its range and what it is for.

use std::path::PathBuf;

use gannet_transport_ipc::{AeronDirectory, Sharing};

use super::choice::{IdleStrategyConfig, IdleStrategyName, TerminationValidator, ThreadNaming, ThreadingMode};
use super::network::NetworkContext;
use super::warning::Warning;

const SECOND_NS: i64 = 1_000_000_000;
const MILLISECOND_NS: i64 = 1_000_000;
const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Everything that a driver is told before it starts. Lengths are in bytes, times in the unit of their name.
#[derive(Clone, Debug)]
pub struct Context {
    /// The directory whose files the driver shares with its clients.
    pub directory: PathBuf,
    /// Who besides the driver's user may use the directory. Gannet's own.
    pub sharing: Sharing,
    /// Delete an existing directory without asking whether a driver lives in it.
    pub delete_directory_on_start: bool,
    /// Delete the directory after an orderly stop.
    pub delete_directory_on_shutdown: bool,
    /// Say so when the directory exists at the start, and how old its driver's heartbeat is.
    pub warn_if_directory_exists: bool,
    /// Print the configuration to standard output at the start.
    pub print_configuration: bool,
    /// Allow features that are not settled.
    pub enable_experimental_features: bool,

    /// Which agents share a thread.
    pub threading_mode: ThreadingMode,
    /// How the threads are called.
    pub thread_naming: ThreadNaming,
    /// How the conductor waits, where it has a thread of its own.
    pub conductor_idle_strategy: IdleStrategyConfig,
    /// How the sender waits, where it has a thread of its own.
    pub sender_idle_strategy: IdleStrategyConfig,
    /// How the receiver waits, where it has a thread of its own.
    pub receiver_idle_strategy: IdleStrategyConfig,
    /// How the thread of sender and receiver waits.
    pub shared_network_idle_strategy: IdleStrategyConfig,
    /// How the thread of all agents waits.
    pub shared_idle_strategy: IdleStrategyConfig,
    /// How the native-resource agent waits.
    pub native_resource_agent_idle_strategy: IdleStrategyConfig,
    /// The core of the conductor's thread; −1 for any.
    pub conductor_cpu_affinity: i32,
    /// The core of the sender's thread; −1 for any.
    pub sender_cpu_affinity: i32,
    /// The core of the receiver's thread; −1 for any.
    pub receiver_cpu_affinity: i32,
    /// The core of the native-resource agent's thread; −1 for any.
    pub native_resource_agent_cpu_affinity: i32,
    /// Count the cores above from 0 within the cores that the process's cgroup allows.
    pub thread_affinity_use_cpuset_offsets: bool,
    /// Do not start when the cores above are questionable, where otherwise it is a warning.
    pub thread_affinity_fail_on_validation_errors: bool,

    /// The command ring's length, trailer included.
    pub to_driver_buffer_length: usize,
    /// The broadcast buffer's length, trailer included.
    pub to_clients_buffer_length: usize,
    /// The counters' values; their metadata takes four times as much again.
    pub counters_values_buffer_length: usize,
    /// The error log.
    pub error_buffer_length: usize,
    /// The loss report.
    pub loss_report_buffer_length: usize,
    /// The alignment of all files' lengths, a power of two.
    pub file_page_size: usize,
    /// Leave logs sparse, with space reserved ahead of their publishers, instead of reserving them whole.
    pub term_buffer_sparse_file: bool,
    /// By how much a sparse log's reserved space grows at least. Gannet's own.
    pub log_reservation_step: usize,
    /// Check that a log fits the file system before creating it.
    pub perform_storage_checks: bool,
    /// Warn when a log is created and no more than this is usable in the file system.
    pub low_file_store_warning_threshold: u64,

    /// How long ago a driver may have shown life and still count as living, in milliseconds.
    pub driver_timeout_ms: i64,
    /// How long a client may be silent before it counts as dead.
    pub client_liveness_timeout_ns: i64,
    /// How often the conductor looks after time-outs.
    pub timer_interval_ns: i64,
    /// How long a freed counter id rests before it is used again.
    pub counter_free_to_reuse_timeout_ns: i64,
    /// How many log files the native-resource agent frees in each cycle.
    pub resource_free_limit: u32,
    /// Whether clients may terminate the driver.
    pub termination_validator: TerminationValidator,
    /// A conductor cycle that takes longer is counted.
    pub conductor_cycle_threshold_ns: i64,
    /// A sender cycle that takes longer is counted.
    pub sender_cycle_threshold_ns: i64,
    /// A receiver cycle that takes longer is counted.
    pub receiver_cycle_threshold_ns: i64,

    /// The term length of IPC publications whose channel does not say.
    pub ipc_term_buffer_length: usize,
    /// The MTU of IPC publications whose channel does not say.
    pub ipc_mtu_length: usize,
    /// How far IPC publishers may be ahead of their slowest subscriber; 0 for half a term.
    pub ipc_publication_window_length: usize,
    /// How long a publication that nobody holds stays after it is drained.
    pub publication_linger_timeout_ns: i64,
    /// After how long a publisher that claimed and did not commit is passed over.
    pub publication_unblock_timeout_ns: i64,
    /// The lowest session id that the driver does not choose by itself.
    pub publication_reserved_session_id_low: i32,
    /// The highest session id that the driver does not choose by itself.
    pub publication_reserved_session_id_high: i32,
    /// Whether spies alone make a publication connected, where the channel does not say.
    pub spies_simulate_connection: bool,
    /// Whether subscriptions are tethered where the channel does not say.
    pub tether_subscriptions: bool,
    /// Whether subscriptions rejoin where the channel does not say.
    pub rejoin_stream: bool,
    /// How long an untethered subscriber may hold the window before it is let go.
    pub untethered_window_limit_timeout_ns: i64,
    /// How long it then lingers; none for as long as it could hold the window.
    pub untethered_linger_timeout_ns: Option<i64>,
    /// How long it then rests before it rejoins.
    pub untethered_resting_timeout_ns: i64,

    /// What concerns channels over UDP.
    pub network: NetworkContext,

    /// What the operator should hear about the values above: printed by `gannetd`, and recorded in the error log.
    pub warnings: Vec<Warning>,
}

impl Default for Context {
    /// The C driver's defaults, in the default directory of the user.
    fn default() -> Self {
        Context {
            directory: AeronDirectory::default_path(),
            sharing: Sharing::Owner,
            delete_directory_on_start: false,
            delete_directory_on_shutdown: false,
            warn_if_directory_exists: false,
            print_configuration: false,
            enable_experimental_features: false,
            threading_mode: ThreadingMode::Dedicated,
            thread_naming: ThreadNaming::Classic,
            conductor_idle_strategy: IdleStrategyConfig::default(),
            sender_idle_strategy: IdleStrategyConfig::default(),
            receiver_idle_strategy: IdleStrategyConfig::default(),
            shared_network_idle_strategy: IdleStrategyConfig::default(),
            shared_idle_strategy: IdleStrategyConfig::default(),
            native_resource_agent_idle_strategy: IdleStrategyConfig {
                name: IdleStrategyName::Sleeping,
                init_args: Some("1ms".to_owned()),
            },
            conductor_cpu_affinity: -1,
            sender_cpu_affinity: -1,
            receiver_cpu_affinity: -1,
            native_resource_agent_cpu_affinity: -1,
            thread_affinity_use_cpuset_offsets: false,
            thread_affinity_fail_on_validation_errors: false,
            to_driver_buffer_length: MIB + 768,
            to_clients_buffer_length: MIB + 128,
            counters_values_buffer_length: 8 * MIB,
            error_buffer_length: 4 * MIB,
            loss_report_buffer_length: MIB,
            file_page_size: 4 * KIB,
            term_buffer_sparse_file: true,
            log_reservation_step: 256 * KIB,
            perform_storage_checks: true,
            low_file_store_warning_threshold: 160 << 20,
            driver_timeout_ms: 10_000,
            client_liveness_timeout_ns: 10 * SECOND_NS,
            timer_interval_ns: SECOND_NS,
            counter_free_to_reuse_timeout_ns: SECOND_NS,
            resource_free_limit: 1,
            termination_validator: TerminationValidator::Deny,
            conductor_cycle_threshold_ns: 100 * MILLISECOND_NS,
            sender_cycle_threshold_ns: 100 * MILLISECOND_NS,
            receiver_cycle_threshold_ns: 100 * MILLISECOND_NS,
            ipc_term_buffer_length: 64 * MIB,
            ipc_mtu_length: 1408,
            ipc_publication_window_length: 0,
            publication_linger_timeout_ns: 5 * SECOND_NS,
            publication_unblock_timeout_ns: 15 * SECOND_NS,
            publication_reserved_session_id_low: -1,
            publication_reserved_session_id_high: 1000,
            spies_simulate_connection: false,
            tether_subscriptions: true,
            rejoin_stream: true,
            untethered_window_limit_timeout_ns: 5 * SECOND_NS,
            untethered_linger_timeout_ns: None,
            untethered_resting_timeout_ns: 10 * SECOND_NS,
            network: NetworkContext::default(),
            warnings: Vec::new(),
        }
    }
}

impl Context {
    /// The defaults for little memory: the driver and an IPC publication fit a shared-memory file system of 64 MiB,
    /// which is what a container gets by default, with room for three publications more.
    ///
    /// The CnC file takes 11 MiB (the peer's minima, which its clients rely on, allow no less), an IPC log 12 MiB, a
    /// network log 3 MiB. The longest IPC message becomes 512 KiB, and 8191 counters are left.
    #[must_use]
    pub fn small() -> Self {
        Context {
            counters_values_buffer_length: MIB,
            loss_report_buffer_length: 64 * KIB,
            low_file_store_warning_threshold: 8 << 20,
            ipc_term_buffer_length: 4 * MIB,
            network: NetworkContext { term_buffer_length: MIB, ..NetworkContext::default() },
            ..Context::default()
        }
    }

    /// A context for a directory of one's own, for drivers beside the machine's: embedded ones and tests.
    #[must_use]
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Context { directory: directory.into(), ..Context::default() }
    }
}
