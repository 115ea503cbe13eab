//! The keys of channel URIs. `[any]`
//!
//! Mirrors `aeron_uri.h` and `CommonContext`; uri.md §4. All but the last are Aeron's.
#![allow(missing_docs)] // what each is for stands at the accessor that reads it

pub const ENDPOINT: &str = "endpoint";
pub const INTERFACE: &str = "interface";
pub const CONTROL: &str = "control";
pub const CONTROL_MODE: &str = "control-mode";
pub const TTL: &str = "ttl";
pub const TAGS: &str = "tags";
pub const ALIAS: &str = "alias";
pub const SESSION_ID: &str = "session-id";
pub const TERM_LENGTH: &str = "term-length";
pub const INITIAL_TERM_ID: &str = "init-term-id";
pub const TERM_ID: &str = "term-id";
pub const TERM_OFFSET: &str = "term-offset";
pub const MTU_LENGTH: &str = "mtu";
pub const LINGER_TIMEOUT: &str = "linger";
pub const SPARSE: &str = "sparse";
pub const EOS: &str = "eos";
pub const SPIES_SIMULATE_CONNECTION: &str = "ssc";
pub const PUBLICATION_WINDOW: &str = "pub-wnd";
pub const MAX_RESEND: &str = "max-resend";
pub const FLOW_CONTROL: &str = "fc";
pub const RESPONSE_CORRELATION_ID: &str = "response-correlation-id";
pub const UNTETHERED_WINDOW_LIMIT_TIMEOUT: &str = "untethered-window-limit-timeout";
pub const UNTETHERED_LINGER_TIMEOUT: &str = "untethered-linger-timeout";
pub const UNTETHERED_RESTING_TIMEOUT: &str = "untethered-resting-timeout";
pub const RELIABLE: &str = "reliable";
pub const TETHER: &str = "tether";
pub const REJOIN: &str = "rejoin";
pub const GROUP: &str = "group";
pub const CONGESTION_CONTROL: &str = "cc";
pub const GROUP_TAG: &str = "gtag";
pub const RECEIVER_WINDOW: &str = "rcv-wnd";
pub const NAK_DELAY: &str = "nak-delay";
pub const SOCKET_SNDBUF: &str = "so-sndbuf";
pub const SOCKET_RCVBUF: &str = "so-rcvbuf";
pub const SOCKET_TOS: &str = "so-tos";
pub const MEDIA_RCV_TIMESTAMP_OFFSET: &str = "media-rcv-ts-offset";
pub const CHANNEL_RCV_TIMESTAMP_OFFSET: &str = "channel-rcv-ts-offset";
pub const CHANNEL_SND_TIMESTAMP_OFFSET: &str = "channel-snd-ts-offset";
pub const ATS: &str = "ats";
pub const STREAM_ID: &str = "stream-id";
pub const RESPONSE_ENDPOINT: &str = "response-endpoint";

/// Gannet's own: which transport carries a UDP channel.
pub const TRANSPORT: &str = "transport";
