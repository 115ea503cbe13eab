//! From the configuration to what each agent takes of it. `[any]`

use gannet_core::TermLength;

use gannet_transport_ipc::{Region, storage};
use rustix::net::{self, AddressFamily, SocketType, sockopt};

use super::DriverError;
use crate::conductor::ConductorSettings;
use crate::config::{ConfigError, Context};
use crate::native_resource_agent::NativeResourceSettings;

pub(super) fn conductor(context: &Context) -> Result<ConductorSettings, DriverError> {
    let ipc_term_length = TermLength::new(length(context.ipc_term_buffer_length))
        .map_err(|error| ConfigError::Invalid(format!("AERON_IPC_TERM_BUFFER_LENGTH: {error}")))?;
    let (sndbuf_length, rcvbuf_length) = socket_buffers();
    Ok(ConductorSettings {
        aeron_dir: context.directory.clone(),
        ipc_term_length,
        ipc_mtu_length: i32::try_from(context.ipc_mtu_length).unwrap_or(i32::MAX),
        ipc_publication_window_length: length(context.ipc_publication_window_length),
        file_page_size: i32::try_from(context.file_page_size).unwrap_or(i32::MAX),
        term_buffer_sparse_file: context.term_buffer_sparse_file,
        spies_simulate_connection: context.spies_simulate_connection,
        tether_subscriptions: context.tether_subscriptions,
        rejoin_stream: context.rejoin_stream,
        log_reservation_step: length(context.log_reservation_step),
        untethered_window_limit_timeout_ns: context.untethered_window_limit_timeout_ns,
        untethered_linger_timeout_ns: context.untethered_linger_timeout_ns,
        untethered_resting_timeout_ns: context.untethered_resting_timeout_ns,
        publication_linger_timeout_ns: context.publication_linger_timeout_ns,
        publication_unblock_timeout_ns: context.publication_unblock_timeout_ns,
        image_liveness_timeout_ns: context.network.image_liveness_timeout_ns,
        client_liveness_timeout_ns: context.client_liveness_timeout_ns,
        timer_interval_ns: context.timer_interval_ns,
        reserved_session_id_low: context.publication_reserved_session_id_low,
        reserved_session_id_high: context.publication_reserved_session_id_high,
        cycle_threshold_ns: context.conductor_cycle_threshold_ns,
        os_default_socket_sndbuf_length: sndbuf_length,
        os_default_socket_rcvbuf_length: rcvbuf_length,
        termination_validator: context.termination_validator,
    })
}

pub(super) fn native_resources(context: &Context, cnc: Region, cpu_affinity: Option<usize>) -> NativeResourceSettings {
    NativeResourceSettings {
        cnc,
        aeron_dir: context.directory.clone(),
        sharing: context.sharing,
        perform_storage_checks: context.perform_storage_checks,
        low_storage_warning_threshold: context.low_file_store_warning_threshold,
        resource_free_limit: usize::try_from(context.resource_free_limit).unwrap_or(usize::MAX),
        cpu_affinity,
        usable_space: storage::usable_space,
        reserve: Region::reserve,
    }
}

fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// How many bytes a new socket may have under way to send and to receive, asked of one, as the peer does: containers do not
/// see the system's settings. 0 where there are no sockets.
fn socket_buffers() -> (i32, i32) {
    let Ok(socket) = net::socket(AddressFamily::INET, SocketType::DGRAM, None) else { return (0, 0) };
    let length = |length: rustix::io::Result<usize>| length.ok().and_then(|length| i32::try_from(length).ok());
    (
        length(sockopt::socket_send_buffer_size(&socket)).unwrap_or(0),
        length(sockopt::socket_recv_buffer_size(&socket)).unwrap_or(0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_socket_has_the_systems_default_buffers_also_where_the_system_does_not_show_them() {
        let (send, receive) = socket_buffers();
        for (length, path) in [(send, "/proc/sys/net/core/wmem_default"), (receive, "/proc/sys/net/core/rmem_default")]
        {
            assert!(length > 0);
            if let Ok(text) = std::fs::read_to_string(path) {
                assert_eq!(text.trim(), length.to_string(), "{path}");
            }
        }
    }
}
