//! What a driver is told about channels over UDP. `[any]`
//!
//! Mirrors the network's part of `aeron_driver_context_t`. Read, checked and kept here; the agents that use it come
//! with the network transports.

use gannet_core::uri::value::InferableBoolean;

use super::choice::{CongestionControl, FlowControl, MediaBindings, NameResolver, PortRange};

const SECOND_NS: i64 = 1_000_000_000;
const MILLISECOND_NS: i64 = 1_000_000;
const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// What concerns channels over UDP only. Lengths are in bytes, times in the unit of their name.
#[derive(Clone, Debug)]
pub struct NetworkContext {
    /// The term length of network publications whose channel does not say.
    pub term_buffer_length: usize,
    /// The MTU of network publications whose channel does not say.
    pub mtu_length: usize,
    /// How far publishers may be ahead of the sender; 0 for half a term.
    pub publication_window_length: usize,
    /// How long a publication stays connected without a status message.
    pub publication_connection_timeout_ns: i64,
    /// How long an image lives without a packet.
    pub image_liveness_timeout_ns: i64,
    /// How often a receiver sends status messages at least.
    pub status_message_timeout_ns: i64,
    /// The receiver's window to begin with.
    pub initial_window_length: usize,
    /// Receive buffer of sockets; 0 for the system's.
    pub socket_rcvbuf: usize,
    /// Send buffer of sockets; 0 for the system's.
    pub socket_sndbuf: usize,
    /// Time to live of multicast; 0 for the system's.
    pub multicast_ttl: u8,
    /// Type of service; −1 for the system's.
    pub socket_tos: i32,
    /// Sender cycles between polls for status messages.
    pub send_to_status_poll_ratio: u64,
    /// Receiver cycles between rounds of slow work.
    pub receiver_poll_to_slow_work_ratio: u64,
    /// Whether streams are reliable where the channel does not say.
    pub reliable_stream: bool,
    /// Whether receivers behave as a group where the channel does not say.
    pub receiver_group_consideration: InferableBoolean,
    /// The tag of receivers' status messages.
    pub receiver_group_tag: Option<i64>,
    /// The tag that tagged flow control asks for.
    pub flow_control_group_tag: i64,
    /// How many tagged receivers make a publication connected.
    pub flow_control_group_min_size: i32,
    /// How long a receiver counts without a status message.
    pub flow_control_receiver_timeout_ns: i64,
    /// Flow control of unicast channels.
    pub unicast_flow_control: FlowControl,
    /// Flow control of multicast and multi-destination channels.
    pub multicast_flow_control: FlowControl,
    /// Congestion control of images.
    pub congestion_control: CongestionControl,
    /// Whether CUBIC measures round trips.
    pub cubic_measure_rtt: bool,
    /// Whether CUBIC grows as TCP would where that is faster.
    pub cubic_tcp_mode: bool,
    /// The round trip that CUBIC begins with.
    pub cubic_initial_rtt_ns: i64,
    /// Retransmissions under way at once for a group.
    pub max_resend: u32,
    /// How long a retransmission waits.
    pub retransmit_unicast_delay_ns: i64,
    /// How long a retransmission is not repeated.
    pub retransmit_unicast_linger_ns: i64,
    /// The group size that multicast NAKs are spread for.
    pub nak_multicast_group_size: u64,
    /// The longest that a multicast NAK waits.
    pub nak_multicast_max_backoff_ns: i64,
    /// How long a unicast NAK waits.
    pub nak_unicast_delay_ns: i64,
    /// How many times that long until it is repeated.
    pub nak_unicast_retry_delay_ratio: i64,
    /// Sessions of one stream that an endpoint takes.
    pub stream_session_limit: i32,
    /// Datagrams that the receiver takes in one system call.
    pub receiver_io_vector_capacity: u32,
    /// Datagrams that the sender hands over in one system call.
    pub sender_io_vector_capacity: u32,
    /// Datagrams of one publication in one sender cycle.
    pub network_publication_max_messages_per_send: u32,
    /// Connect the sockets of unicast publications.
    pub connect_enabled: bool,
    /// The ports of senders' control sockets; none for the system's choice.
    pub sender_wildcard_port_range: Option<PortRange>,
    /// The ports of receivers' sockets; none for the system's choice.
    pub receiver_wildcard_port_range: Option<PortRange>,
    /// Sockets up to which each is read in turn, without asking the system which are ready.
    pub poller_iteration_threshold: u64,
    /// Reads of one socket in one cycle.
    pub poller_socket_poll_limit: i32,
    /// Who moves datagrams.
    pub media_bindings: MediaBindings,
    /// Who moves the conductor's datagrams.
    pub conductor_media_bindings: MediaBindings,
    /// Who resolves names.
    pub name_resolver: NameResolver,
    /// What the resolver is told at the start.
    pub name_resolver_init_args: Option<String>,
    /// The table of the csv_table resolver.
    pub name_resolver_csv_lookup_table: Option<String>,
    /// The driver's own name for other drivers.
    pub resolver_name: Option<String>,
    /// Where it listens for other drivers.
    pub resolver_interface: Option<String>,
    /// The drivers that it asks first.
    pub resolver_bootstrap_neighbor: Option<String>,
    /// After how long a silent neighbour is forgotten.
    pub resolver_neighbor_timeout_ns: i64,
    /// How often it tells its own name.
    pub resolver_self_resolution_interval_ns: i64,
    /// How often it tells its neighbours' names.
    pub resolver_neighbor_resolution_interval_ns: i64,
    /// How often it resolves the names of the drivers that it asks first.
    pub resolver_bootstrap_neighbor_resolution_interval_ns: i64,
    /// How often names of silent endpoints are resolved again; 0 for never.
    pub re_resolution_check_interval_ns: i64,
    /// A resolution that takes longer is counted.
    pub name_resolver_threshold_ns: i64,
    /// Fault injection.
    pub faults: FaultContext,
}

/// Fault injection in channels over UDP, as texts.
#[derive(Clone, Debug, Default)]
pub struct FaultContext {
    /// Interceptors of outgoing datagrams.
    pub outgoing_interceptors: Option<String>,
    /// Interceptors of incoming datagrams.
    pub incoming_interceptors: Option<String>,
    /// Arguments of `loss`.
    pub loss_args: Option<String>,
    /// Arguments of `fixed-loss`.
    pub fixed_loss_args: Option<String>,
    /// Arguments of `multi-gap-loss`.
    pub multi_gap_loss_args: Option<String>,
    /// Share of data frames lost when sent.
    pub send_data_loss_rate: Option<String>,
    /// Its seed.
    pub send_data_loss_seed: Option<String>,
    /// Share of control frames lost when sent.
    pub send_control_loss_rate: Option<String>,
    /// Its seed.
    pub send_control_loss_seed: Option<String>,
    /// Share of data frames lost when received.
    pub receive_data_loss_rate: Option<String>,
    /// Its seed.
    pub receive_data_loss_seed: Option<String>,
    /// Share of control frames lost when received.
    pub receive_control_loss_rate: Option<String>,
    /// Its seed.
    pub receive_control_loss_seed: Option<String>,
}

impl Default for NetworkContext {
    /// The C driver's defaults.
    fn default() -> Self {
        NetworkContext {
            term_buffer_length: 16 * MIB,
            mtu_length: 1408,
            publication_window_length: 0,
            publication_connection_timeout_ns: 5 * SECOND_NS,
            image_liveness_timeout_ns: 10 * SECOND_NS,
            status_message_timeout_ns: 200 * MILLISECOND_NS,
            initial_window_length: 128 * KIB,
            socket_rcvbuf: 128 * KIB,
            socket_sndbuf: 0,
            multicast_ttl: 0,
            socket_tos: -1,
            send_to_status_poll_ratio: 6,
            receiver_poll_to_slow_work_ratio: 10,
            reliable_stream: true,
            receiver_group_consideration: InferableBoolean::Infer,
            receiver_group_tag: None,
            flow_control_group_tag: -1,
            flow_control_group_min_size: 0,
            flow_control_receiver_timeout_ns: 5 * SECOND_NS,
            unicast_flow_control: FlowControl::Unicast,
            multicast_flow_control: FlowControl::Max,
            congestion_control: CongestionControl::Channel,
            cubic_measure_rtt: false,
            cubic_tcp_mode: false,
            cubic_initial_rtt_ns: 100_000,
            max_resend: 16,
            retransmit_unicast_delay_ns: 0,
            retransmit_unicast_linger_ns: 10 * MILLISECOND_NS,
            nak_multicast_group_size: 10,
            nak_multicast_max_backoff_ns: 10 * MILLISECOND_NS,
            nak_unicast_delay_ns: 1000,
            nak_unicast_retry_delay_ratio: 100,
            stream_session_limit: i32::MAX,
            receiver_io_vector_capacity: 4,
            sender_io_vector_capacity: 4,
            network_publication_max_messages_per_send: 4,
            connect_enabled: true,
            sender_wildcard_port_range: None,
            receiver_wildcard_port_range: None,
            poller_iteration_threshold: 5,
            poller_socket_poll_limit: 4,
            media_bindings: MediaBindings::Default,
            conductor_media_bindings: MediaBindings::Default,
            name_resolver: NameResolver::System,
            name_resolver_init_args: None,
            name_resolver_csv_lookup_table: None,
            resolver_name: None,
            resolver_interface: None,
            resolver_bootstrap_neighbor: None,
            resolver_neighbor_timeout_ns: 10 * SECOND_NS,
            resolver_self_resolution_interval_ns: SECOND_NS,
            resolver_neighbor_resolution_interval_ns: 2 * SECOND_NS,
            resolver_bootstrap_neighbor_resolution_interval_ns: 10 * SECOND_NS,
            re_resolution_check_interval_ns: SECOND_NS,
            name_resolver_threshold_ns: 5 * SECOND_NS,
            faults: FaultContext::default(),
        }
    }
}
