//! What a driver states in a log's metadata when it makes the log. `[conductor]`
//!
//! Mirrors the arguments of `aeron_logbuffer_metadata_init`; spec: logbuffer.md §2.

use crate::position::{SessionId, StreamId, TermId, TermLength};

/// Who writes a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum LogType {
    /// Publishers that share a publication.
    #[default]
    ConcurrentPublication = 0,
    /// One publisher.
    ExclusivePublication = 1,
    /// The receiver.
    Image = 2,
}

impl LogType {
    /// The type that a byte of the metadata names.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<LogType> {
        match byte {
            0 => Some(LogType::ConcurrentPublication),
            1 => Some(LogType::ExclusivePublication),
            2 => Some(LogType::Image),
            _ => None,
        }
    }
}

/// The constant part of a log's metadata. Lengths are in bytes, times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // named as in the metadata, which the spec explains
pub struct LogProperties {
    pub correlation_id: i64,
    pub session_id: SessionId,
    pub stream_id: StreamId,
    pub initial_term_id: TermId,
    pub mtu_length: i32,
    pub term_length: TermLength,
    pub page_size: i32,
    pub publication_window_length: i32,
    pub receiver_window_length: i32,
    pub socket_sndbuf_length: i32,
    pub os_default_socket_sndbuf_length: i32,
    pub os_max_socket_sndbuf_length: i32,
    pub socket_rcvbuf_length: i32,
    pub os_default_socket_rcvbuf_length: i32,
    pub os_max_socket_rcvbuf_length: i32,
    pub max_resend: i32,
    pub entity_tag: i64,
    pub response_correlation_id: i64,
    pub linger_timeout_ns: i64,
    pub untethered_window_limit_timeout_ns: i64,
    pub untethered_linger_timeout_ns: i64,
    pub untethered_resting_timeout_ns: i64,
    pub group: bool,
    pub is_response: bool,
    pub rejoin: bool,
    pub reliable: bool,
    pub sparse: bool,
    pub signal_eos: bool,
    pub spies_simulate_connection: bool,
    pub tether: bool,
    pub log_type: LogType,
}

impl LogProperties {
    /// An IPC publication's: no sockets, no window, no tags, an MTU of 1408 bytes, pages of 4 KiB.
    #[must_use]
    pub const fn ipc(
        correlation_id: i64,
        session_id: SessionId,
        stream_id: StreamId,
        initial_term_id: TermId,
        term_length: TermLength,
    ) -> LogProperties {
        LogProperties {
            correlation_id,
            session_id,
            stream_id,
            initial_term_id,
            mtu_length: 1408,
            term_length,
            page_size: 4096,
            publication_window_length: 0,
            receiver_window_length: 0,
            socket_sndbuf_length: 0,
            os_default_socket_sndbuf_length: 0,
            os_max_socket_sndbuf_length: 0,
            socket_rcvbuf_length: 0,
            os_default_socket_rcvbuf_length: 0,
            os_max_socket_rcvbuf_length: 0,
            max_resend: 0,
            entity_tag: -1,
            response_correlation_id: -1,
            linger_timeout_ns: 0,
            untethered_window_limit_timeout_ns: 0,
            untethered_linger_timeout_ns: 0,
            untethered_resting_timeout_ns: 0,
            group: false,
            is_response: false,
            rejoin: false,
            reliable: false,
            sparse: true,
            signal_eos: true,
            spies_simulate_connection: false,
            tether: false,
            log_type: LogType::ConcurrentPublication,
        }
    }
}
