//! Settings of publications and subscriptions that IPC has too. `[any]`

use super::{I32_MAX, I32_MIN, I64_MAX, TERM_MAX, settings};

settings! { STREAMS:
    size(1024, I32_MAX) "AERON_IPC_TERM_BUFFER_LENGTH" Streams = ipc_term_buffer_length,
        "Term length of IPC publications without `term-length`: a power of two from 64k to 1g; the log has three.";
    size(32, 65_504) "AERON_IPC_MTU_LENGTH" Streams = ipc_mtu_length,
        "Length of fragments of IPC publications without `mtu`, header included: a multiple of 32, more than 32.";
    size(0, TERM_MAX) "AERON_IPC_PUBLICATION_TERM_WINDOW_LENGTH" Streams = ipc_publication_window_length,
        "How far an IPC publisher may be ahead of its slowest subscriber, without `pub-wnd`; 0 for half a term, \
         which is also the most.";
    duration(1000) "AERON_PUBLICATION_LINGER_TIMEOUT" Streams = publication_linger_timeout_ns,
        "Time that a publication without `linger` stays after its last holder is gone and it is drained.";
    duration(1000) "AERON_PUBLICATION_UNBLOCK_TIMEOUT" Streams = publication_unblock_timeout_ns,
        "Time without progress after which a claim that is never committed is passed over.";
    number(Signed32, I32_MIN, I32_MAX) "AERON_PUBLICATION_RESERVED_SESSION_ID_LOW" Streams
        = publication_reserved_session_id_low,
        "Lowest of the session ids that the driver leaves to channels with `session-id`.";
    number(Signed32, I32_MIN, I32_MAX) "AERON_PUBLICATION_RESERVED_SESSION_ID_HIGH" Streams
        = publication_reserved_session_id_high,
        "Highest of the session ids that the driver leaves to channels with `session-id`.";
    switch() "AERON_SPIES_SIMULATE_CONNECTION" Streams = spies_simulate_connection,
        "Whether spies alone make a publication without `ssc` connected.";
    switch() "AERON_TETHER_SUBSCRIPTIONS" Streams = tether_subscriptions,
        "Whether subscriptions without `tether` hold back the publisher however slow they are.";
    switch() "AERON_REJOIN_STREAM" Streams = rejoin_stream,
        "Whether subscriptions without `rejoin` join a stream again that they lost.";
    duration(0) "AERON_UNTETHERED_WINDOW_LIMIT_TIMEOUT" Streams = untethered_window_limit_timeout_ns,
        "Time that an untethered subscriber may lag at the edge of the window before it loses its image; more \
         than the timer interval.";
    optional(Duration, 0, I64_MAX, None) "AERON_UNTETHERED_LINGER_TIMEOUT" Streams = untethered_linger_timeout_ns,
        "Time that it then still counts for flow control; unset, as long as the time above; more than the timer \
         interval.";
    duration(0) "AERON_UNTETHERED_RESTING_TIMEOUT" Streams = untethered_resting_timeout_ns,
        "Time that it then rests before it gets an image again; more than the timer interval.";
}
