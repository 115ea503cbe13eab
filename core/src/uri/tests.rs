//! What channel URIs mean, to the C driver's rules, and that no text does harm. `[any]`

use std::format;
use std::string::String;
use std::vec::Vec;

use proptest::prelude::*;

use super::value::InferableBoolean;
use super::*;
use crate::{SessionId, StreamId, TermId, TermLength};

fn uri(text: &str) -> ChannelUri<'_> {
    ChannelUri::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn code(error: UriError<'_>) -> i32 {
    error.code().code()
}

#[test]
fn the_media_and_the_spy_prefix_are_told_apart() {
    assert_eq!(uri("aeron:ipc").media(), Media::Ipc);
    assert_eq!(uri("aeron:ipc?").media(), Media::Ipc);
    assert_eq!(uri("aeron:udp?endpoint=localhost:1").media(), Media::Udp);
    let spy = uri("aeron-spy:aeron:udp?endpoint=localhost:1");
    assert!(spy.is_spy());
    assert_eq!(spy.as_str(), "aeron:udp?endpoint=localhost:1");
    assert!(!uri("aeron:ipc").is_spy());
}

#[test]
fn what_is_no_channel_is_code_1() {
    let refused = [
        "",
        "aeron",
        "aeron:",
        "aeron:udp",
        "aeron:tcp?a=b",
        "Aeron:ipc",
        " aeron:ipc",
        "aeron:ipc ",
        "aeron:ipcx",
        "aeron:udpx?a=b",
        "aeron:ipc|a=b",
        "aeron-spy:",
        "aeron-spy:aeron-spy:aeron:ipc",
        "udp://localhost:1",
    ];
    for text in refused {
        assert!(matches!(ChannelUri::parse(text), Err(UriError::UnknownMedia { .. })), "{text}");
        assert_eq!(code(ChannelUri::parse(text).unwrap_err()), 1);
    }
}

#[test]
fn keys_and_values_must_not_be_empty() {
    assert!(matches!(ChannelUri::parse("aeron:ipc?=b"), Err(UriError::EmptyKey { .. })));
    assert!(matches!(ChannelUri::parse("aeron:ipc?a=b|=c"), Err(UriError::EmptyKey { .. })));
    assert!(matches!(ChannelUri::parse("aeron:ipc?a="), Err(UriError::EmptyValue { key: "a", .. })));
    assert!(matches!(ChannelUri::parse("aeron:ipc?a=|b=c"), Err(UriError::EmptyValue { key: "a", .. })));
    assert!(matches!(ChannelUri::parse("aeron:ipc?a|b=c"), Err(UriError::UnfinishedKey { key: "a", .. })));
    assert!(matches!(ChannelUri::parse("aeron:ipc?a=b||c=d"), Err(UriError::UnfinishedKey { key: "", .. })));
    assert!(matches!(ChannelUri::parse("aeron:ipc?|"), Err(UriError::UnfinishedKey { .. })));
    for text in ["aeron:ipc?=b", "aeron:ipc?a=", "aeron:ipc?a|b=c"] {
        assert_eq!(code(ChannelUri::parse(text).unwrap_err()), 1);
    }
}

#[test]
fn a_trailing_key_and_a_trailing_bar_are_ignored() {
    assert_eq!(uri("aeron:ipc?term-length=64k|").get("term-length"), Some("64k"));
    let trailing = uri("aeron:ipc?term-length=64k|alias");
    assert_eq!(trailing.get("term-length"), Some("64k"));
    assert_eq!(trailing.get("alias"), None);
    assert_eq!(uri("aeron:udp?").params().count(), 0);
}

#[test]
fn values_may_contain_what_keys_may_not() {
    let uri = uri("aeron:udp?endpoint=[::1%eth0]:1|alias=a=b?c:d,ü|x-y=1");
    assert_eq!(uri.endpoint(), Some("[::1%eth0]:1"));
    assert_eq!(uri.alias(), Some("a=b?c:d,ü"));
    assert_eq!(uri.get("x-y"), Some("1"));
    assert_eq!(uri.params().count(), 3);
}

#[test]
fn of_duplicates_the_last_address_and_the_first_of_all_else_counts() {
    let twice = uri("aeron:udp?endpoint=a:1|control=c:1|interface=i|ttl=1|control-mode=manual|mtu=128|mtu=256\
         |endpoint=b:2|control=d:2|interface=j|ttl=2|control-mode=dynamic");
    assert_eq!(twice.endpoint(), Some("b:2"));
    assert_eq!(twice.control(), Some("d:2"));
    assert_eq!(twice.interface(), Some("j"));
    assert_eq!(twice.ttl(), Some(2));
    assert_eq!(twice.control_mode(), Some(ControlMode::Dynamic));
    assert_eq!(twice.mtu_length(), Ok(Some(128)));
}

#[test]
fn lengths_up_to_4095_are_taken() {
    let text = |length: usize| {
        let prefix = "aeron:ipc?alias=";
        format!("{prefix}{}", "x".repeat(length - prefix.len()))
    };
    assert!(ChannelUri::parse(&text(4095)).is_ok());
    let long = text(4096);
    assert_eq!(ChannelUri::parse(&long), Err(UriError::TooLong { length: 4096 }));
    assert_eq!(code(ChannelUri::parse(&long).unwrap_err()), 1);
    // The spy prefix does not count.
    assert!(ChannelUri::parse(&format!("{SPY_PREFIX}{}", text(4095))).is_ok());
}

#[test]
fn a_nul_ends_the_text() {
    assert_eq!(uri("aeron:ipc\0garbage"), uri("aeron:ipc"));
    assert_eq!(uri("aeron:ipc?mtu=64\0|mtu").mtu_length(), Ok(Some(64)));
}

#[test]
fn tags_are_a_channel_tag_and_an_entity_tag() {
    let tags = |text: &str| {
        let text = format!("aeron:udp?{text}");
        let uri = uri(&text);
        (uri.channel_tag().map_err(code), uri.entity_tag().map_err(code))
    };
    assert_eq!(tags("tags=5"), (Ok(Some(5)), Ok(None)));
    assert_eq!(tags("tags=5,7"), (Ok(Some(5)), Ok(Some(7))));
    assert_eq!(tags("tags=,7"), (Ok(None), Ok(Some(7))));
    assert_eq!(tags("tags=5,"), (Ok(Some(5)), Ok(None)));
    assert_eq!(tags("tags=5x,-7"), (Ok(Some(5)), Ok(Some(-7))));
    assert_eq!(tags("tags=x,y"), (Err(1), Err(11)));
    assert_eq!(tags("tags=-1,0x7"), (Err(1), Err(11)));
    assert_eq!(tags("tags=-5,1,2"), (Ok(Some(-5)), Err(11)));
    assert_eq!(tags("tags=5,7|tags=6"), (Ok(Some(6)), Ok(Some(7))));
    assert_eq!(tags("tags=5,7|tags=6,"), (Ok(Some(6)), Ok(None)));
    assert_eq!(tags("alias=x"), (Ok(None), Ok(None)));
}

#[test]
fn publication_values_are_read_and_their_ranges_kept() {
    let full = uri("aeron:ipc?term-length=128k|mtu=8k|linger=2s|sparse=false|eos=true|ssc=true|max-resend=256\
         |session-id=-0x10|untethered-window-limit-timeout=1ms|untethered-linger-timeout=2us\
         |untethered-resting-timeout=3|pub-wnd=64k|fc=max|response-correlation-id=prototype|stream-id=9\
         |response-endpoint=h:1|ats=false");
    let length = TermLength::new(128 * 1024).unwrap();
    assert_eq!(full.term_length(), Ok(Some(length)));
    assert_eq!(full.mtu_length(), Ok(Some(8192)));
    assert_eq!(full.linger_timeout_ns(), Ok(Some(2_000_000_000)));
    assert_eq!(full.sparse(), Ok(Some(false)));
    assert_eq!(full.signal_eos(), Ok(Some(true)));
    assert_eq!(full.spies_simulate_connection(), Ok(Some(true)));
    assert_eq!(full.max_resend(), Ok(Some(256)));
    assert_eq!(full.publication_session_id(), Ok(Some(PublicationSessionId::Id(SessionId(-16)))));
    assert_eq!(full.untethered_window_limit_timeout_ns(), Ok(Some(1_000_000)));
    assert_eq!(full.untethered_linger_timeout_ns(), Ok(Some(2_000)));
    assert_eq!(full.untethered_resting_timeout_ns(), Ok(Some(3)));
    assert_eq!(full.publication_window(8192, length), Ok(Some(65_536)));
    assert_eq!(full.flow_control(), Some("max"));
    assert_eq!(full.response_correlation_id(), Ok(Some(ResponseCorrelationId::Prototype)));
    assert_eq!(full.stream_id(), Ok(Some(StreamId(9))));
    assert_eq!(full.response_endpoint(), Some("h:1"));
    assert_eq!(full.ats(), Ok(Some(false)));
    assert_eq!(full.initial_position(length), Ok(None));

    let none = uri("aeron:ipc");
    assert_eq!(none.term_length(), Ok(None));
    assert_eq!(none.publication_session_id(), Ok(None));
    assert_eq!(none.publication_window(64, length), Ok(None));
    assert_eq!(uri("aeron:ipc?untethered-linger-timeout=0").untethered_linger_timeout_ns(), Ok(None));
}

#[test]
fn publication_values_out_of_range_are_code_11() {
    for value in ["32k", "64k1x", "96k", "2g", "-64k", "k", "65537"] {
        let text = format!("aeron:ipc?term-length={value}");
        let result = uri(&text).term_length();
        // What follows the suffix is ignored: that one is good.
        assert_eq!(result.map_err(code), if value == "64k1x" { Ok(Some(TermLength::MIN)) } else { Err(11) }, "{value}");
    }
    for value in ["32", "33", "0", "65505", "65536", "100", "-64", "x"] {
        let text = format!("aeron:udp?mtu={value}");
        assert_eq!(uri(&text).mtu_length().map_err(code), Err(11), "{value}");
    }
    for value in ["0", "257", "-1", "x"] {
        let text = format!("aeron:udp?max-resend={value}");
        assert_eq!(uri(&text).max_resend().map_err(code), Err(11), "{value}");
    }
    for value in ["x", "2147483648", "1.5", "tag:x", "tag:99999999999999999999"] {
        let text = format!("aeron:udp?session-id={value}");
        assert_eq!(uri(&text).publication_session_id().map_err(code), Err(11), "{value}");
    }
    for value in ["-2", "x", "prototypes", "99999999999999999999"] {
        let text = format!("aeron:udp?response-correlation-id={value}");
        assert_eq!(uri(&text).response_correlation_id().map_err(code), Err(11), "{value}");
    }
    for (window, ok) in [("1407", false), ("1408", true), ("32k", true), ("32769", false), ("99g", false)] {
        let text = format!("aeron:ipc?pub-wnd={window}");
        let result = uri(&text).publication_window(1408, TermLength::MIN);
        assert_eq!(result.is_ok(), ok, "{window}");
        if !ok {
            assert_eq!(result.map_err(code), Err(11));
        }
    }
}

#[test]
fn a_session_may_be_named_by_a_tag_for_publications_only() {
    let tagged = uri("aeron:udp?session-id=tag:0x11");
    assert_eq!(tagged.publication_session_id(), Ok(Some(PublicationSessionId::Tag(17))));
    assert_eq!(tagged.subscription_session_id().map_err(code), Err(11));
}

#[test]
fn an_initial_position_is_three_values_or_none() {
    let position = |text: &str| {
        let text = format!("aeron:ipc?{text}");
        uri(&text).initial_position(TermLength::MIN).map_err(code)
    };
    assert_eq!(
        position("init-term-id=7|term-id=9|term-offset=64"),
        Ok(Some(InitialPosition { initial_term_id: TermId(7), term_id: TermId(9), term_offset: 64 }))
    );
    // The offset may be the whole term, and terms wrap around.
    assert!(position("init-term-id=2147483647|term-id=-2147483648|term-offset=65536").is_ok());
    assert!(position("init-term-id=0|term-id=0|term-offset=0x20 or so").is_ok());
    for text in [
        "init-term-id=7",
        "init-term-id=7|term-id=7",
        "term-offset=0",
        "init-term-id=7|term-id=6|term-offset=0",
        "init-term-id=-2147483648|term-id=1|term-offset=0",
        "init-term-id=7|term-id=7|term-offset=65568",
        "init-term-id=7|term-id=7|term-offset=-32",
        "init-term-id=7|term-id=7|term-offset=33",
        "init-term-id=7|term-id=7|term-offset=x",
        "init-term-id=x|term-id=7|term-offset=0",
        "init-term-id=7|term-id=2147483648|term-offset=0",
    ] {
        assert_eq!(position(text), Err(11), "{text}");
    }
}

#[test]
fn subscription_values_are_read() {
    let full =
        uri("aeron:udp?endpoint=h:1|reliable=false|tether=false|rejoin=true|group=true|cc=cubic|gtag=-1|rcv-wnd=128k\
         |nak-delay=1ms|so-sndbuf=1m|so-rcvbuf=2m|so-tos=0xFF|media-rcv-ts-offset=reserved|channel-rcv-ts-offset=0\
         |channel-snd-ts-offset=-8|session-id=5|ttl=300");
    assert_eq!(full.reliable(), Ok(Some(false)));
    assert_eq!(full.tether(), Ok(Some(false)));
    assert_eq!(full.rejoin(), Ok(Some(true)));
    assert_eq!(full.group(), Some(InferableBoolean::ForceTrue));
    assert_eq!(full.congestion_control(), Ok(Some(CongestionControl::Cubic)));
    assert_eq!(full.group_tag(), Ok(Some(-1)));
    assert_eq!(full.receiver_window(), Ok(Some(131_072)));
    assert_eq!(full.nak_delay_ns(), Ok(Some(1_000_000)));
    assert_eq!(full.socket_sndbuf(), Ok(Some(1 << 20)));
    assert_eq!(full.socket_rcvbuf(), Ok(Some(2 << 20)));
    assert_eq!(full.socket_tos(), Ok(Some(255)));
    assert_eq!(full.media_rcv_timestamp_offset(), Ok(Some(TimestampOffset::Reserved)));
    assert_eq!(full.channel_rcv_timestamp_offset(), Ok(Some(TimestampOffset::At(0))));
    assert_eq!(full.channel_snd_timestamp_offset(), Ok(Some(TimestampOffset::Reserved)));
    assert_eq!(full.subscription_session_id(), Ok(Some(SessionId(5))));
    assert_eq!(full.ttl(), Some(255));

    let bad = uri(
        "aeron:udp?endpoint=h:1|reliable=yes|tether=1|rejoin=TRUE|group=maybe|cc=reno|gtag=x|rcv-wnd=x|nak-delay=5m\
         |so-tos=256|media-rcv-ts-offset=x|ttl=x|channel-rcv-ts-offset=-1|channel-snd-ts-offset=99999999999999999999",
    );
    assert_eq!(bad.reliable().map_err(code), Err(11));
    assert_eq!(bad.tether().map_err(code), Err(11));
    assert_eq!(bad.rejoin().map_err(code), Err(11));
    assert_eq!(bad.group(), Some(InferableBoolean::ForceFalse));
    assert_eq!(bad.congestion_control().map_err(code), Err(11));
    assert_eq!(bad.group_tag().map_err(code), Err(11));
    assert_eq!(bad.receiver_window().map_err(code), Err(11));
    assert_eq!(bad.nak_delay_ns().map_err(code), Err(11));
    assert_eq!(bad.socket_tos().map_err(code), Err(11));
    assert_eq!(bad.media_rcv_timestamp_offset().map_err(code), Err(11));
    assert_eq!(bad.ttl(), None);
    assert_eq!(bad.channel_rcv_timestamp_offset(), Ok(None));
    // i64::MAX cut to 32 bits is −1, unset.
    assert_eq!(bad.channel_snd_timestamp_offset(), Ok(None));
}

#[test]
fn a_udp_channel_needs_an_address_or_a_way_to_one() {
    for text in ["endpoint=h:1", "control=h:1", "tags=5", "control-mode=manual", "control-mode=response"] {
        let text = format!("aeron:udp?{text}");
        assert_eq!(uri(&text).check_addresses(), Ok(()), "{text}");
    }
    for text in ["", "alias=x", "tags=,5", "control-mode=other", "control-mode=dynamic|endpoint=h:1"] {
        let text = format!("aeron:udp?{text}");
        assert_eq!(uri(&text).check_addresses().map_err(code), Err(1), "{text}");
    }
    assert_eq!(uri("aeron:ipc").check_addresses(), Ok(()));
    assert_eq!(uri("aeron:ipc?endpoint=h:1").endpoint(), None);
}

#[test]
fn a_transport_is_named_or_refused() {
    assert_eq!(uri("aeron:udp?endpoint=h:1").transport(), Ok(None));
    for (name, transport) in [("udp", Transport::Udp), ("uring", Transport::Uring), ("xdp", Transport::Xdp)] {
        let text = format!("aeron:udp?endpoint=h:1|transport={name}");
        assert_eq!(uri(&text).transport(), Ok(Some(transport)));
    }
    assert_eq!(uri("aeron:udp?transport=dpdk").transport(), Err(UriError::UnknownTransport { value: "dpdk" }));
}

#[test]
fn errors_name_the_key_the_value_and_what_would_do() {
    let text = format!("{}", uri("aeron:ipc?term-length=100").term_length().unwrap_err());
    assert_eq!(
        text,
        "could not use term-length=100 in URI: it is not a power of two from 65536 (64k) to 1073741824 (1g)"
    );
    let text = format!("{}", uri("aeron:ipc?pub-wnd=1").publication_window(64, TermLength::MIN).unwrap_err());
    assert_eq!(text, "pub-wnd=1 is not from mtu=64 to half the term, 32768");
    let text = format!("{}", uri("aeron:ipc?linger=5m").linger_timeout_ns().unwrap_err());
    assert!(text.contains("linger=5m") && text.contains("ns, us, ms or s"), "{text}");
}

/// Asks for everything.
fn read_all(uri: &ChannelUri<'_>) {
    let length = TermLength::MIN;
    let _ = (uri.endpoint(), uri.interface(), uri.control(), uri.control_mode(), uri.ttl(), uri.alias());
    let _ = (uri.channel_tag(), uri.entity_tag(), uri.check_addresses(), uri.transport(), uri.ats());
    let _ = (uri.socket_sndbuf(), uri.socket_rcvbuf(), uri.socket_tos(), uri.stream_id(), uri.response_endpoint());
    let _ = (uri.media_rcv_timestamp_offset(), uri.channel_rcv_timestamp_offset());
    let _ = (uri.channel_snd_timestamp_offset(), uri.is_response(), uri.flow_control(), uri.sparse());
    let _ = (uri.untethered_window_limit_timeout_ns(), uri.untethered_linger_timeout_ns());
    let _ = (uri.untethered_resting_timeout_ns(), uri.publication_session_id(), uri.term_length());
    let _ = (uri.mtu_length(), uri.publication_window(1408, length), uri.linger_timeout_ns(), uri.signal_eos());
    let _ = (uri.spies_simulate_connection(), uri.max_resend(), uri.response_correlation_id());
    let _ = (uri.initial_position(length), uri.subscription_session_id(), uri.reliable(), uri.tether());
    let _ = (uri.rejoin(), uri.group(), uri.congestion_control(), uri.group_tag(), uri.receiver_window());
    let _ = uri.nak_delay_ns();
}

fn keys() -> impl Strategy<Value = String> {
    let known = [
        key::ENDPOINT,
        key::CONTROL,
        key::CONTROL_MODE,
        key::TTL,
        key::TAGS,
        key::SESSION_ID,
        key::TERM_LENGTH,
        key::INITIAL_TERM_ID,
        key::TERM_ID,
        key::TERM_OFFSET,
        key::MTU_LENGTH,
        key::LINGER_TIMEOUT,
        key::SPARSE,
        key::PUBLICATION_WINDOW,
        key::MAX_RESEND,
        key::RESPONSE_CORRELATION_ID,
        key::GROUP_TAG,
        key::SOCKET_TOS,
        key::MEDIA_RCV_TIMESTAMP_OFFSET,
    ];
    prop_oneof![prop::sample::select(known.to_vec()).prop_map(String::from), "[^=|\0]{1,8}"]
}

proptest! {
    #[test]
    fn what_was_written_is_found(
        params in prop::collection::vec((keys(), "[^|\0]{1,12}"), 0..8),
        ipc: bool,
        spy: bool,
    ) {
        let body: Vec<String> = params.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let text = format!(
            "{}aeron:{}?{}", if spy { SPY_PREFIX } else { "" }, if ipc { "ipc" } else { "udp" }, body.join("|"));
        let uri = uri(&text);
        let found: Vec<(String, String)> = uri.params().map(|(key, value)| (key.into(), value.into())).collect();
        prop_assert_eq!(&found, &params);
        prop_assert_eq!((uri.is_ipc(), uri.is_spy()), (ipc, spy));
        for (key, _) in &params {
            let value = uri.get(key);
            prop_assert!(params.iter().any(|(name, written)| name == key && Some(written.as_str()) == value));
        }
        read_all(&uri);
    }

    #[test]
    fn no_text_panics(text in "(aeron-spy:)?aeron:(udp|ipc)?\\PC{0,60}") {
        if let Ok(uri) = ChannelUri::parse(&text) {
            read_all(&uri);
        }
    }

    #[test]
    fn no_mutation_panics(
        mutations in prop::collection::vec((any::<prop::sample::Index>(), any::<char>(), 0..3_u8), 1..8),
    ) {
        let mut text: Vec<char> = "aeron:udp?endpoint=[::1]:40123|term-length=64k|init-term-id=-7|term-id=9|\
            term-offset=0x40|tags=1,2|linger=5s|session-id=tag:9|mtu=1408|pub-wnd=1m|control-mode=dynamic".chars().collect();
        for (index, character, kind) in mutations {
            let at = index.index(text.len());
            match kind {
                0 => text[at] = character,
                1 => text.insert(at, character),
                _ => { text.remove(at); }
            }
        }
        let text: String = text.into_iter().collect();
        if let Ok(uri) = ChannelUri::parse(&text) {
            read_all(&uri);
        }
    }
}
