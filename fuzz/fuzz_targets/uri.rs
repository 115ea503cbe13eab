//! Channel URIs, as a client sends them: the grammar, every value, and the parsers that the settings use too.
#![no_main]

use gannet_core::TermLength;
use gannet_core::uri::{ChannelUri, MAX_LENGTH, UriError, value};
use libfuzzer_sys::fuzz_target;

/// An error is a code of the protocol and a sentence.
fn told<T>(result: Result<T, UriError<'_>>) -> Option<T> {
    result
        .inspect_err(|error| {
            assert!(matches!(error.code().code(), 1 | 11));
            assert!(!error.to_string().is_empty());
        })
        .ok()
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = (value::parse_i64(text), value::parse_i64_saturating(text), value::parse_decimal_i64(text));
    let _ = (value::parse_u64_prefix(text), value::parse_decimal_u64_prefix(text), value::parse_switch(text));
    if let Ok(size) = value::parse_size(text) {
        assert!(size <= i64::MAX as u64);
    }
    if let Ok(duration) = value::parse_duration_ns(text) {
        assert!(duration <= i64::MAX as u64);
    }

    let Some(uri) = told(ChannelUri::parse(text)) else { return };
    assert!(uri.as_str().len() <= MAX_LENGTH);
    for (key, value) in uri.params() {
        assert!(!key.is_empty() && !value.is_empty() && uri.get(key).is_some());
    }
    // A URI says the same when it is written down and read again.
    let again = ChannelUri::parse(uri.as_str()).expect("a URI that was read can be read");
    assert!(again.params().eq(uri.params()));

    let term_length = told(uri.term_length()).flatten().unwrap_or(TermLength::MIN);
    let mtu = told(uri.mtu_length()).flatten().unwrap_or(1408);
    assert!(mtu > 32 && mtu <= 65_504 && mtu.is_multiple_of(32));
    if let Some(Some(window)) = told(uri.publication_window(mtu, term_length)) {
        assert!(window as usize >= mtu && window <= term_length.bytes() / 2);
    }
    if let Some(Some(position)) = told(uri.initial_position(term_length)) {
        assert!(position.term_id.count_since(position.initial_term_id) >= 0);
        assert!((0..=term_length.bytes()).contains(&position.term_offset) && position.term_offset % 32 == 0);
    }
    if let Some(Some(count)) = told(uri.max_resend()) {
        assert!((1..=256).contains(&count));
    }
    let _ = (uri.endpoint(), uri.interface(), uri.control(), uri.control_mode(), uri.ttl(), uri.alias());
    let _ = (uri.group(), uri.flow_control(), uri.response_endpoint());
    told(uri.channel_tag());
    told(uri.entity_tag());
    told(uri.check_addresses());
    told(uri.transport());
    told(uri.publication_session_id());
    told(uri.subscription_session_id());
    told(uri.response_correlation_id());
    told(uri.linger_timeout_ns());
    told(uri.untethered_window_limit_timeout_ns());
    told(uri.untethered_linger_timeout_ns());
    told(uri.untethered_resting_timeout_ns());
    told(uri.nak_delay_ns());
    told(uri.socket_sndbuf());
    told(uri.socket_rcvbuf());
    told(uri.socket_tos());
    told(uri.receiver_window());
    told(uri.media_rcv_timestamp_offset());
    told(uri.channel_rcv_timestamp_offset());
    told(uri.channel_snd_timestamp_offset());
    told(uri.congestion_control());
    told(uri.group_tag());
    told(uri.stream_id());
    for boolean in [uri.sparse(), uri.signal_eos(), uri.reliable(), uri.tether(), uri.rejoin(), uri.ats()] {
        told(boolean);
    }
    told(uri.spies_simulate_connection());
});
