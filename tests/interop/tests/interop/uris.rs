//! The same channels to both drivers: both accept or both refuse with the same code, and what they accept makes the same
//! log buffer.

use gannet_interop::{Driver, Peer};
use gannet_tests::cnc_snapshot::{i32_at, i64_at};
use std::fs;
use std::path::Path;

/// What became of a channel, as publication, exclusive publication and subscription.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    publication: Result<Log, i32>,
    exclusive_publication: Result<Log, i32>,
    subscription: Result<(), i32>,
}

/// A log buffer's metadata, without what a driver chooses at random.
#[derive(Debug, PartialEq, Eq)]
struct Log {
    file_length: usize,
    tails: Vec<(i32, i64)>,
    words: Vec<(usize, i64)>,
    bytes: Vec<u8>,
    max_payload_length: usize,
    position: Option<i64>,
    limit: Option<i64>,
}

const METADATA_LENGTH: usize = 4096;

fn log(path: &Path, publication: &dyn gannet_interop::peer::Publication) -> Log {
    let file = fs::read(path).expect("a log file");
    let metadata = &file[file.len() - METADATA_LENGTH..];
    let initial_term_id = i32_at(metadata, 264);
    let tails = (0..3)
        .map(|index| {
            let tail = i64_at(metadata, 8 * index);
            let term_id = i32::try_from(tail >> 32).expect("an i32");
            (term_id.wrapping_sub(initial_term_id), tail & 0xffff_ffff)
        })
        .collect();
    let mut words = vec![
        (24, i64::from(i32_at(metadata, 24))),
        (128, i64_at(metadata, 128)),
        (136, i64::from(i32_at(metadata, 136))),
    ];
    words.extend((268..320).step_by(4).map(|offset| (offset, i64::from(i32_at(metadata, offset)))));
    words.extend([448, 456, 464, 472, 480, 500].map(|offset| (offset, i64_at(metadata, offset))));
    let constants = publication.constants();
    assert_eq!(i64_at(metadata, 256), constants.registration_id, "correlation id");
    assert_eq!(initial_term_id, constants.initial_term_id);
    // The default header: all but the session, and the term relative to the initial one.
    assert_eq!(i32_at(metadata, 320 + 12), constants.session_id);
    assert_eq!(i32_at(metadata, 320 + 16), constants.stream_id);
    assert_eq!(i32_at(metadata, 320 + 20), initial_term_id);
    let mut bytes = metadata[320..332].to_vec();
    bytes.extend_from_slice(&metadata[344..448]);
    bytes.extend_from_slice(&metadata[488..500]);
    bytes.extend_from_slice(&metadata[508..]);
    Log {
        file_length: file.len(),
        tails,
        words,
        bytes,
        max_payload_length: constants.max_payload_length,
        position: publication.position(),
        limit: publication.position_limit(),
    }
}

fn judge(driver: Driver, uri: &str) -> Verdict {
    let driver = driver.launch("uri");
    let client = Peer::Official.connect(driver.path());
    let publish = |exclusive: bool, stream_id: i32| {
        let publication = client.publish(exclusive, uri, stream_id).map_err(|refused| refused.code)?;
        let id = publication.constants().registration_id;
        Ok(log(&driver.path().join(format!("publications/{id}.logbuffer")), &*publication))
    };
    Verdict {
        publication: publish(false, 1),
        exclusive_publication: publish(true, 2),
        subscription: client.add_subscription(uri, 3).map(drop).map_err(|refused| refused.code),
    }
}

macro_rules! uris {
    ($($name:ident: $uri:expr;)*) => {
        pub(super) const ALL: &[&str] = &[$($uri),*];
        $(
        #[test]
        fn $name() {
            let uri: &str = &$uri;
            let official = judge(Driver::Official, uri);
            let ours = judge(Driver::Gannetd, uri);
            assert_eq!(ours, official, "{uri} (left gannetd, right official)");
        }
        )*
    };
}

for_drivers! {
    both_clients_are_told_the_same_codes,
}

fn both_clients_are_told_the_same_codes(driver: Driver) {
    let driver = driver.launch("codes");
    let clients = [Peer::Official, Peer::Ours].map(|peer| peer.connect(driver.path()));
    for (index, uri) in refused_or_not::ALL.iter().enumerate() {
        let stream_id = i32::try_from(10 * index).unwrap();
        // Each with streams of its own, so that a session id is free for both.
        let told = [0, 1].map(|which: i32| {
            let client = &clients[usize::try_from(which).unwrap()];
            [
                client.add_publication(uri, stream_id + which).map(drop).map_err(|refused| refused.code),
                client.add_exclusive_publication(uri, stream_id + 2 + which).map(drop).map_err(|refused| refused.code),
                client.add_subscription(uri, stream_id + 4 + which).map(drop).map_err(|refused| refused.code),
            ]
        });
        assert_eq!(told[1], told[0], "{uri} (left our client, right the official one)");
    }
}

mod refused_or_not {
    use super::*;

    uris! {
        no_scheme: "ipc";
        another_scheme: "aero:ipc";
        capitals: "AERON:IPC";
        no_media: "aeron:";
        another_media: "aeron:tcp?endpoint=localhost:4000";
        media_with_a_tail: "aeron:ipcx";
        an_empty_uri: "";
        no_parameters_after_the_mark: "aeron:ipc?";
        an_empty_key: "aeron:ipc?=5";
        an_empty_value: "aeron:ipc?mtu=";
        a_key_without_a_value: "aeron:ipc?mtu";
        a_bar_in_a_key: "aeron:ipc?mt|u=1408";
        a_trailing_bar: "aeron:ipc?mtu=1408|";
        two_bars: "aeron:ipc?mtu=1408||alias=x";
        an_equals_sign_in_a_value: "aeron:ipc?alias=a=b";
        an_unknown_key: "aeron:ipc?colour=blue";
        the_first_of_two_counts: "aeron:ipc?mtu=2048|mtu=4096";
        blanks: "aeron:ipc? mtu = 1408";
        mtu_too_small: "aeron:ipc?mtu=32";
        mtu_least: "aeron:ipc?mtu=64";
        mtu_largest: "aeron:ipc?mtu=65504";
        mtu_too_large: "aeron:ipc?mtu=65536";
        mtu_not_a_multiple: "aeron:ipc?mtu=1400";
        mtu_negative: "aeron:ipc?mtu=-1408";
        mtu_text: "aeron:ipc?mtu=large";
        mtu_with_a_suffix: "aeron:ipc?mtu=4k";
        mtu_with_text_after_the_suffix: "aeron:ipc?mtu=4kilo";
        mtu_hexadecimal: "aeron:ipc?mtu=0x800";
        term_length_with_a_suffix: "aeron:ipc?term-length=1m";
        term_length_too_small: "aeron:ipc?term-length=32k";
        term_length_too_large: "aeron:ipc?term-length=2g";
        term_length_not_a_power: "aeron:ipc?term-length=96k";
        term_length_text: "aeron:ipc?term-length=long";
        term_length_negative: "aeron:ipc?term-length=-65536";
        term_length_overflow: "aeron:ipc?term-length=99999999999999999999";
        a_position_without_a_term: "aeron:ipc?init-term-id=3";
        a_position_without_an_offset: "aeron:ipc?init-term-id=3|term-id=4";
        a_position: "aeron:ipc?init-term-id=3|term-id=4|term-offset=64";
        a_position_before_the_start: "aeron:ipc?init-term-id=4|term-id=3|term-offset=0";
        a_position_after_the_wrap: "aeron:ipc?init-term-id=2147483647|term-id=-2147483648|term-offset=0";
        an_offset_that_is_not_aligned: "aeron:ipc?init-term-id=3|term-id=3|term-offset=33";
        an_offset_at_the_end: "aeron:ipc?term-length=64k|init-term-id=3|term-id=3|term-offset=65536";
        an_offset_beyond_the_end: "aeron:ipc?term-length=64k|init-term-id=3|term-id=3|term-offset=65568";
        an_offset_that_is_negative: "aeron:ipc?init-term-id=3|term-id=3|term-offset=-32";
        a_term_id_that_is_text: "aeron:ipc?init-term-id=x|term-id=3|term-offset=0";
        a_session_id: "aeron:ipc?session-id=-5";
        a_session_id_in_hexadecimal: "aeron:ipc?session-id=0x10";
        a_session_id_that_is_octal: "aeron:ipc?session-id=010";
        a_session_id_out_of_range: "aeron:ipc?session-id=2147483648";
        a_session_id_that_is_text: "aeron:ipc?session-id=abc";
        a_session_id_by_tag: "aeron:ipc?session-id=tag:5";
        tags: "aeron:ipc?tags=3,4";
        a_channel_tag_only: "aeron:ipc?tags=3";
        an_entity_tag_only: "aeron:ipc?tags=,4";
        a_bad_channel_tag: "aeron:ipc?tags=x,4";
        a_bad_entity_tag: "aeron:ipc?tags=3,x";
        a_negative_entity_tag: "aeron:ipc?tags=3,-4";
        linger: "aeron:ipc?linger=3s";
        linger_in_capitals: "aeron:ipc?linger=3MS";
        linger_without_a_unit: "aeron:ipc?linger=5000";
        linger_text: "aeron:ipc?linger=soon";
        linger_unknown_unit: "aeron:ipc?linger=3h";
        linger_negative: "aeron:ipc?linger=-1s";
        sparse_false: "aeron:ipc?sparse=false";
        sparse_text: "aeron:ipc?sparse=maybe";
        sparse_with_a_tail: "aeron:ipc?sparse=trueish";
        eos_false: "aeron:ipc?eos=false";
        eos_text: "aeron:ipc?eos=no";
        ssc_true: "aeron:ipc?ssc=true";
        ssc_text: "aeron:ipc?ssc=1";
        a_window: "aeron:ipc?pub-wnd=8k";
        a_window_less_than_the_mtu: "aeron:ipc?pub-wnd=1024";
        a_window_of_half_a_term: "aeron:ipc?term-length=64k|pub-wnd=32k";
        a_window_of_more_than_half_a_term: "aeron:ipc?term-length=64k|pub-wnd=33k";
        a_window_that_is_text: "aeron:ipc?pub-wnd=wide";
        max_resend: "aeron:ipc?max-resend=32";
        max_resend_zero: "aeron:ipc?max-resend=0";
        max_resend_too_many: "aeron:ipc?max-resend=257";
        max_resend_text: "aeron:ipc?max-resend=x";
        a_response_correlation: "aeron:ipc?response-correlation-id=5";
        a_response_correlation_prototype: "aeron:ipc?response-correlation-id=prototype";
        a_response_correlation_too_small: "aeron:ipc?response-correlation-id=-2";
        a_response_correlation_text: "aeron:ipc?response-correlation-id=x";
        a_response_mode: "aeron:ipc?control-mode=response";
        a_response_mode_with_a_correlation: "aeron:ipc?control-mode=response|response-correlation-id=5";
        a_manual_mode: "aeron:ipc?control-mode=manual";
        a_dynamic_mode: "aeron:ipc?control-mode=dynamic";
        an_unknown_mode: "aeron:ipc?control-mode=sideways";
        untethered_timeouts:
            "aeron:ipc?untethered-window-limit-timeout=7s|untethered-linger-timeout=6s|untethered-resting-timeout=5s";
        an_untethered_linger_of_zero: "aeron:ipc?untethered-linger-timeout=0";
        an_untethered_timeout_text: "aeron:ipc?untethered-window-limit-timeout=x";
        an_untethered_linger_text: "aeron:ipc?untethered-linger-timeout=x";
        an_untethered_rest_text: "aeron:ipc?untethered-resting-timeout=x";
        tether_false: "aeron:ipc?tether=false";
        tether_text: "aeron:ipc?tether=loose";
        rejoin_false: "aeron:ipc?rejoin=false";
        rejoin_text: "aeron:ipc?rejoin=never";
        reliable_false: "aeron:ipc?reliable=false";
        reliable_text: "aeron:ipc?reliable=mostly";
        group_true: "aeron:ipc?group=true";
        group_text: "aeron:ipc?group=crowd";
        a_receiver_window: "aeron:ipc?rcv-wnd=64k";
        a_receiver_window_text: "aeron:ipc?rcv-wnd=x";
        a_nak_delay_text: "aeron:ipc?nak-delay=x";
        a_group_tag_text: "aeron:ipc?gtag=x";
        a_congestion_control: "aeron:ipc?cc=cubic";
        an_endpoint: "aeron:ipc?endpoint=localhost:5000";
        socket_buffers: "aeron:ipc?so-sndbuf=64k|so-rcvbuf=64k";
        a_socket_buffer_text: "aeron:ipc?so-sndbuf=x";
        a_ttl_text: "aeron:ipc?ttl=x";
        a_flow_control_text: "aeron:ipc?fc=x";
        timestamps: "aeron:ipc?media-rcv-ts-offset=reserved|channel-rcv-ts-offset=8|channel-snd-ts-offset=16";
        a_timestamp_text: "aeron:ipc?channel-snd-ts-offset=x";
        a_stream_id: "aeron:ipc?stream-id=5";
        a_name: "aeron:ipc?alias=a name with blanks";
        a_spy: "aeron-spy:aeron:ipc";
        a_spy_without_a_channel: "aeron-spy:";
        a_spy_of_a_spy: "aeron-spy:aeron-spy:aeron:ipc";
    }
}
