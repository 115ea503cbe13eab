//! Tests of what no range of a single value can say. `[any]`

use super::*;

type Change = fn(&mut Context);

fn refusal(change: impl FnOnce(&mut Context)) -> String {
    let mut context = Context::default();
    change(&mut context);
    context.validate().unwrap_err().to_string()
}

#[test]
fn the_defaults_and_the_small_profile_are_valid() {
    Context::default().validate().unwrap();
    Context::small().validate().unwrap();
    Context::at("/dev/shm/x").validate().unwrap();
}

#[test]
fn the_cnc_file_is_as_long_as_the_c_drivers() {
    assert_eq!(Context::default().cnc_length(), 48_238_592);
}

#[test]
fn the_small_profile_fits_a_container_with_room_to_spare() {
    let small = Context::small();
    let log = 3 * small.ipc_term_buffer_length as u64 + 4096;
    let files = small.cnc_length() + small.loss_report_buffer_length as u64;
    assert!(files + 4 * log <= 64 << 20, "{files} + 4 * {log}");
    assert!(files < 12 << 20, "{files}");
}

#[test]
fn times_that_must_be_longer_than_others_are_told_with_both() {
    assert_eq!(
        refusal(|context| context.publication_unblock_timeout_ns = 10_000_000_000),
        "AERON_PUBLICATION_UNBLOCK_TIMEOUT=10000000000ns must be longer than AERON_CLIENT_LIVENESS_TIMEOUT=10000000000ns"
    );
    assert_eq!(
        refusal(|context| context.client_liveness_timeout_ns = 1_000_000_000),
        "AERON_CLIENT_LIVENESS_TIMEOUT=1000000000ns must be longer than AERON_TIMER_INTERVAL=1000000000ns"
    );
    let changes: [Change; 3] = [
        |context| context.untethered_window_limit_timeout_ns = 1,
        |context| context.untethered_linger_timeout_ns = Some(1),
        |context| context.untethered_resting_timeout_ns = 1,
    ];
    for change in changes {
        let text = refusal(change);
        assert!(text.starts_with("AERON_UNTETHERED_") && text.contains("AERON_TIMER_INTERVAL=1000000000ns"), "{text}");
    }
}

#[test]
fn lengths_that_no_layout_takes_are_told_with_what_would_do() {
    let cases: [(Change, &str); 10] = [
        (
            |context| context.ipc_term_buffer_length = 100_000,
            "AERON_IPC_TERM_BUFFER_LENGTH=100000 is not a power of two",
        ),
        (|context| context.network.term_buffer_length = 1024, "AERON_TERM_BUFFER_LENGTH=1024 is not a power of two"),
        (|context| context.ipc_mtu_length = 1400, "AERON_IPC_MTU_LENGTH=1400 is not a multiple of 32"),
        (|context| context.network.mtu_length = 32, "AERON_MTU_LENGTH=32 is not a multiple of 32 from 64"),
        (|context| context.file_page_size = 5000, "AERON_FILE_PAGE_SIZE=5000 is not a power of two from 4k to 1g"),
        (
            |context| context.to_driver_buffer_length = 2 << 20,
            "AERON_CONDUCTOR_BUFFER_LENGTH=2097152 is not a power of two and a trailer of 768 bytes; 2097920 would be",
        ),
        (
            |context| context.to_clients_buffer_length = 2 << 20,
            "AERON_CLIENTS_BUFFER_LENGTH=2097152 is not a power of two and a trailer of 128 bytes; 2097280 would be",
        ),
        (|context| context.counters_values_buffer_length = 1_048_580, "is not a multiple of 8"),
        (|context| context.counters_values_buffer_length = 500 << 20, "the CnC file would be 2627735552 bytes long"),
        (|context| context.directory = "".into(), "AERON_DIR is empty"),
    ];
    for (change, wanted) in cases {
        let text = refusal(change);
        assert!(text.contains(wanted), "{text}");
    }
}

#[test]
fn a_range_holds_for_embedders_too() {
    assert_eq!(
        refusal(|context| context.error_buffer_length = 4096),
        "AERON_ERROR_BUFFER_LENGTH=4k is not a number of bytes (k, m, g) from 4m to 2147483647"
    );
    assert_eq!(
        refusal(|context| context.timer_interval_ns = -1),
        "AERON_TIMER_INTERVAL=-1ns is not a duration (ns, us, ms, s) of at least 1us"
    );
}

#[test]
fn the_networks_contradictions_are_told() {
    assert!(refusal(|context| context.network.sender_io_vector_capacity = 2).contains("MAX_MESSAGES_PER_SEND=4"));
    assert!(refusal(|context| context.network.nak_unicast_delay_ns = i64::MAX / 2).contains("times"));
    assert!(refusal(|context| context.network.resolver_interface = Some("x".into())).contains("RESOLVER_NAME"));
}
