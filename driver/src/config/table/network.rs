//! Settings of channels over UDP: read, checked and kept for the network's agents. `[any]`

use gannet_core::uri::value::InferableBoolean;

use super::{I32_MAX, I64_MAX, I64_MIN, TERM_MAX, U64_MAX, settings};
use crate::config::choice::{CongestionControl, FlowControl, MediaBindings, NameResolver};
use crate::config::setting::Unknown;

settings! { NETWORK:
    size(1024, I32_MAX) "AERON_TERM_BUFFER_LENGTH" Network = network.term_buffer_length,
        "Term length of network publications without `term-length`: a power of two from 64k to 1g; the log has \
         three.";
    size(32, 65_504) "AERON_MTU_LENGTH" Network = network.mtu_length,
        "Length of datagrams of publications without `mtu`: a multiple of 32, more than 32.";
    size(0, TERM_MAX) "AERON_PUBLICATION_TERM_WINDOW_LENGTH" Network = network.publication_window_length,
        "How far a publisher may be ahead of the sender, without `pub-wnd`; 0 for half a term, which is also the \
         most.";
    duration(1000) "AERON_PUBLICATION_CONNECTION_TIMEOUT" Network = network.publication_connection_timeout_ns,
        "Time without a status message after which a receiver no longer makes a publication connected.";
    duration(1000) "AERON_IMAGE_LIVENESS_TIMEOUT" Network = network.image_liveness_timeout_ns,
        "Time without a packet after which an image is at its end.";
    duration(1000) "AERON_RCV_STATUS_MESSAGE_TIMEOUT" Network = network.status_message_timeout_ns,
        "Longest time between an image's status messages.";
    size(256, I32_MAX) "AERON_RCV_INITIAL_WINDOW_LENGTH" Network = network.initial_window_length,
        "Receiver window of subscriptions without `rcv-wnd`; must fit the socket's receive buffer.";
    size(0, I32_MAX) "AERON_SOCKET_SO_RCVBUF" Network = network.socket_rcvbuf,
        "Receive buffer of sockets without `so-rcvbuf`; 0 for the system's default.";
    size(0, I32_MAX) "AERON_SOCKET_SO_SNDBUF" Network = network.socket_sndbuf,
        "Send buffer of sockets without `so-sndbuf`; 0 for the system's default.";
    number(Unsigned, 0, 255) "AERON_SOCKET_MULTICAST_TTL" Network = network.multicast_ttl,
        "Time to live of multicast without `ttl`; 0 for the system's default.";
    number(Signed32, -1, 255) "AERON_SOCKET_TOS" Network = network.socket_tos,
        "Type of service of outgoing datagrams; -1 for the system's default.";
    number(Unsigned, 1, I32_MAX) "AERON_SEND_TO_STATUS_POLL_RATIO" Network = network.send_to_status_poll_ratio,
        "Sender cycles with data between two polls for status messages.";
    number(Unsigned, 1, I32_MAX) "AERON_RECEIVER_POLL_TO_SLOW_WORK_RATIO" Network
        = network.receiver_poll_to_slow_work_ratio,
        "Receiver cycles with data between two rounds of slow work.";
    switch() "AERON_RELIABLE_STREAM" Network = network.reliable_stream,
        "Whether images of subscriptions without `reliable` ask for lost data again, or fill the gap.";
    choice(InferableBoolean, Unknown::Taken("false")) "AERON_RECEIVER_GROUP_CONSIDERATION" Network
        = network.receiver_group_consideration,
        "Whether receivers of subscriptions without `group` behave as members of a group.";
    optional(Signed64, I64_MIN, I64_MAX, Some(-1)) "AERON_RECEIVER_GROUP_TAG" Network = network.receiver_group_tag,
        "Group tag of status messages of subscriptions without `gtag`.";
    number(Signed64, I64_MIN, I64_MAX) "AERON_FLOW_CONTROL_GROUP_TAG" Network = network.flow_control_group_tag,
        "Group tag that tagged flow control without `g:` asks for.";
    number(Signed32, 0, I32_MAX) "AERON_FLOW_CONTROL_GROUP_MIN_SIZE" Network = network.flow_control_group_min_size,
        "Receivers that min and tagged flow control without `g:` want before a publication is connected.";
    duration(0) "AERON_FLOW_CONTROL_RECEIVER_TIMEOUT" Network = network.flow_control_receiver_timeout_ns,
        "Time without a status message after which min and tagged flow control without `t:` forget a receiver.";
    choice(FlowControl, Unknown::Refused) "AERON_UNICAST_FLOWCONTROL_SUPPLIER" Network = network.unicast_flow_control,
        "Flow control of unicast channels.";
    choice(FlowControl, Unknown::Refused) "AERON_MULTICAST_FLOWCONTROL_SUPPLIER" Network
        = network.multicast_flow_control,
        "Flow control of multicast and multi-destination channels without `fc`.";
    choice(CongestionControl, Unknown::Refused) "AERON_CONGESTIONCONTROL_SUPPLIER" Network = network.congestion_control,
        "Congestion control of images; `default` follows the channel's `cc`.";
    switch() "AERON_CUBICCONGESTIONCONTROL_MEASURERTT" Network = network.cubic_measure_rtt,
        "Whether CUBIC measures round trips.";
    switch() "AERON_CUBICCONGESTIONCONTROL_TCPMODE" Network = network.cubic_tcp_mode,
        "Whether CUBIC grows as TCP would while that is faster.";
    duration(0) "AERON_CUBICCONGESTIONCONTROL_INITIALRTT" Network = network.cubic_initial_rtt_ns,
        "Round trip that CUBIC begins with.";
    number(Signed64, 1, 256) "AERON_MAX_RESEND" Network = network.max_resend,
        "Retransmissions under way at once on channels with group semantics without `max-resend`.";
    duration(0) "AERON_RETRANSMIT_UNICAST_DELAY" Network = network.retransmit_unicast_delay_ns,
        "Time that a retransmission waits after its NAK.";
    duration(1000) "AERON_RETRANSMIT_UNICAST_LINGER" Network = network.retransmit_unicast_linger_ns,
        "Time after a retransmission in which NAKs for the same data are ignored.";
    number(Unsigned, 1, I32_MAX) "AERON_NAK_MULTICAST_GROUP_SIZE" Network = network.nak_multicast_group_size,
        "Receivers among which NAKs of multicast streams are spread.";
    duration(1000) "AERON_NAK_MULTICAST_MAX_BACKOFF" Network = network.nak_multicast_max_backoff_ns,
        "Longest time that a NAK of a multicast stream waits.";
    duration(1000) "AERON_NAK_UNICAST_DELAY" Network = network.nak_unicast_delay_ns,
        "Time that a NAK of a unicast stream without `nak-delay` waits.";
    number(Signed64, 1, I64_MAX) "AERON_NAK_UNICAST_RETRY_DELAY_RATIO" Network = network.nak_unicast_retry_delay_ratio,
        "How many times that long until the NAK is repeated.";
    number(Signed32, 1, I32_MAX) "AERON_DRIVER_STREAM_SESSION_LIMIT" Network = network.stream_session_limit,
        "Sessions of one stream that a receive endpoint takes.";
    number(Signed64, 1, 64) "AERON_RECEIVER_IO_VECTOR_CAPACITY" Network = network.receiver_io_vector_capacity,
        "Datagrams that the receiver takes in one system call.";
    number(Signed64, 1, 64) "AERON_SENDER_IO_VECTOR_CAPACITY" Network = network.sender_io_vector_capacity,
        "Datagrams that the sender hands over in one system call.";
    number(Signed64, 1, 64) "AERON_NETWORK_PUBLICATION_MAX_MESSAGES_PER_SEND" Network
        = network.network_publication_max_messages_per_send,
        "Datagrams of one publication in one sender cycle; no more than the sender hands over in one call.";
    switch() "AERON_DRIVER_CONNECT" Network = network.connect_enabled,
        "Connect the sockets of unicast publications to their endpoint.";
    ports() "AERON_SENDER_WILDCARD_PORT_RANGE" Network = network.sender_wildcard_port_range,
        "Ports from which senders' wildcard ports are taken.";
    ports() "AERON_RECEIVER_WILDCARD_PORT_RANGE" Network = network.receiver_wildcard_port_range,
        "Ports from which receivers' wildcard ports are taken.";
    number(Unsigned, 0, U64_MAX) "AERON_UDP_CHANNEL_TRANSPORT_POLLER_ITERATION_THRESHOLD" Network
        = network.poller_iteration_threshold,
        "Sockets up to which each is read in turn; with more, the system is asked which are ready.";
    number(Signed32, 1, 16) "AERON_UDP_CHANNEL_TRANSPORT_POLLER_SOCKET_POLL_LIMIT" Network
        = network.poller_socket_poll_limit,
        "Reads of one socket in one receiver cycle.";
    choice(MediaBindings, Unknown::Refused) "AERON_UDP_CHANNEL_TRANSPORT_BINDINGS_MEDIA" Network
        = network.media_bindings,
        "Who moves the datagrams of channels.";
    choice(MediaBindings, Unknown::Refused) "AERON_CONDUCTOR_UDP_CHANNEL_TRANSPORT_BINDINGS_MEDIA" Network
        = network.conductor_media_bindings,
        "Who moves the conductor's own datagrams.";
}

settings! { RESOLVER:
    choice(NameResolver, Unknown::Refused) "AERON_NAME_RESOLVER_SUPPLIER" Network = network.name_resolver,
        "Who turns names into addresses.";
    text() "AERON_NAME_RESOLVER_INIT_ARGS" Network = network.name_resolver_init_args,
        "What the name resolver is told at the start.";
    text() "AERON_NAME_RESOLVER_CSV_LOOKUP_TABLE_ARGS" Network = network.name_resolver_csv_lookup_table,
        "The table of the csv_table resolver.";
    text() "AERON_DRIVER_RESOLVER_NAME" Network = network.resolver_name,
        "The driver's own name, by which other drivers' clients may call it.";
    text() "AERON_DRIVER_RESOLVER_INTERFACE" Network = network.resolver_interface,
        "Where the driver listens for other drivers; wants a name.";
    text() "AERON_DRIVER_RESOLVER_BOOTSTRAP_NEIGHBOR" Network = network.resolver_bootstrap_neighbor,
        "The drivers that it asks first, between commas.";
    duration(1_000_000) "AERON_DRIVER_RESOLVER_NEIGHBOR_TIMEOUT" Network = network.resolver_neighbor_timeout_ns,
        "Time after which a silent neighbour is forgotten.";
    duration(1_000_000) "AERON_DRIVER_RESOLVER_SELF_RESOLUTION_INTERVAL" Network
        = network.resolver_self_resolution_interval_ns,
        "Time between announcements of its own name.";
    duration(1_000_000) "AERON_DRIVER_RESOLVER_NEIGHBOR_RESOLUTION_INTERVAL" Network
        = network.resolver_neighbor_resolution_interval_ns,
        "Time between announcements of its neighbours' names.";
    duration(1_000_000) "AERON_DRIVER_RESOLVER_BOOTSTRAP_NEIGHBOR_RESOLUTION_INTERVAL" Network
        = network.resolver_bootstrap_neighbor_resolution_interval_ns,
        "Time between resolutions of the drivers that it asks first.";
    duration(0) "AERON_DRIVER_RERESOLUTION_CHECK_INTERVAL" Network = network.re_resolution_check_interval_ns,
        "Time between looks for silent endpoints whose names are to be resolved again; 0 for never.";
    duration(0) "AERON_DRIVER_NAME_RESOLVER_THRESHOLD" Network = network.name_resolver_threshold_ns,
        "A resolution that takes longer is counted.";
}
