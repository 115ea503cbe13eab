//! The builder against the parser, and what it refuses.

use proptest::prelude::*;

use super::*;

#[test]
fn a_channel_without_parameters_is_its_media() {
    assert_eq!(ChannelUriStringBuilder::ipc().build().unwrap(), "aeron:ipc");
}

#[test]
fn a_spy_has_its_prefix() {
    let channel = ChannelUriStringBuilder::spy().endpoint("localhost:20121").build().unwrap();
    assert_eq!(channel, "aeron-spy:aeron:udp?endpoint=localhost:20121");
}

#[test]
fn a_key_that_is_set_twice_stands_once() {
    let channel = ChannelUriStringBuilder::ipc().session_id(1).alias("x").session_id(-7).build().unwrap();
    assert_eq!(channel, "aeron:ipc?session-id=-7|alias=x");
}

#[test]
fn an_initial_position_becomes_its_term_and_offset() {
    let position = Position(3 * 65_536 + 128);
    let channel = ChannelUriStringBuilder::ipc().initial_position(position, TermId(i32::MAX), TermLength::MIN).build();
    assert_eq!(
        channel.unwrap(),
        "aeron:ipc?init-term-id=2147483647|term-id=-2147483646|term-offset=128|term-length=65536"
    );
}

#[test]
fn a_channel_is_taken_apart_and_put_together_again() {
    for channel in [
        "aeron:ipc",
        "aeron-spy:aeron:udp?endpoint=localhost:20121|session-id=7",
        "aeron:udp?control=localhost:20121|control-mode=dynamic|fc=max",
    ] {
        assert_eq!(ChannelUriStringBuilder::parse(channel).unwrap().build().unwrap(), channel);
    }
    assert!(matches!(ChannelUriStringBuilder::parse("aeron:tcp"), Err(ChannelUriError::Parse(_))));
    let response = ChannelUriStringBuilder::udp().control_mode(ControlMode::Response).response_prototype();
    assert_eq!(response.build().unwrap(), "aeron:udp?control-mode=response|response-correlation-id=prototype");
}

#[test]
fn text_that_would_break_the_uri_apart_is_refused() {
    let error = ChannelUriStringBuilder::ipc().alias("a|tether=false").build().unwrap_err();
    let text = error.to_string();
    assert_eq!(
        text,
        "alias=a|tether=false: keys and values may not be empty, nor hold `|` or a zero byte, nor a key `=`"
    );
    assert!(ChannelUriStringBuilder::ipc().put("a=b", "c").build().is_err());
    assert!(ChannelUriStringBuilder::ipc().alias("").build().is_err());
}

#[test]
fn values_that_no_driver_takes_are_refused() {
    assert!(ChannelUriStringBuilder::ipc().mtu(100).build().is_err());
    assert!(ChannelUriStringBuilder::ipc().max_resend(0).build().is_err());
    let odd = ChannelUriStringBuilder::ipc().initial_position(Position(8), TermId(0), TermLength::MIN);
    assert!(matches!(odd.build(), Err(ChannelUriError::OutOfRange { key: "term-offset", .. })));
}

#[test]
fn a_channel_beyond_the_longest_is_refused() {
    let error = ChannelUriStringBuilder::ipc().alias(&"x".repeat(4096)).build().unwrap_err();
    assert!(matches!(error, ChannelUriError::TooLong(length) if length > 4095));
}

proptest! {
    #[test]
    fn whatever_is_put_is_found_again_by_the_parser(
        parameters in prop::collection::btree_map("[a-z][a-z-]{0,12}", "[^|\\x00]{1,20}", 0..8),
    ) {
        let mut builder = ChannelUriStringBuilder::ipc();
        for (key, value) in &parameters {
            builder = builder.put(key, value);
        }
        let text = builder.build().unwrap();
        let uri = ChannelUri::parse(&text).unwrap();
        prop_assert_eq!(ChannelUriStringBuilder::parse(&text).unwrap().build().unwrap(), text.clone());
        for (key, value) in &parameters {
            prop_assert_eq!(uri.get(key), Some(value.as_str()));
        }
    }
}
