//! What frames look like, byte for byte, and that no datagram does harm. `[any]`

use std::format;
use std::net::SocketAddr;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::data::{FLAG_EOS, FLAG_REVOKED, UNFRAGMENTED};
use super::resolution::{Entries, Entry, InvalidEntry};
use super::setup::SetupParams;
use super::status_message::{GroupTag, StatusParams};
use super::*;
use crate::command::ErrorCode;
use crate::{SessionId, StreamId, TermId};

const SESSION: SessionId = SessionId(0x0403_0201);
const STREAM: StreamId = StreamId(-2);
const TERM: TermId = TermId(0x1413_1211);

#[test]
fn a_data_header_is_these_32_bytes() {
    let bytes = [
        0x2C, 0, 0, 0, 0, 0xC0, 1, 0, // length 44, version 0, unfragmented, DATA
        0x40, 0, 0, 0, 1, 2, 3, 4, 0xFE, 0xFF, 0xFF, 0xFF, 0x11, 0x12, 0x13,
        0x14, // offset, session, stream, term
        8, 7, 6, 5, 4, 3, 2, 1, // reserved value
    ];
    let header =
        DataHeader::new(44, UNFRAGMENTED, SESSION, STREAM, TERM, 64).with_reserved_value(0x0102_0304_0506_0708);
    assert_eq!(header.as_bytes(), bytes);
    let parsed = DataHeader::parse(&bytes).unwrap();
    assert_eq!(parsed, &header);
    assert_eq!((parsed.frame_length(), parsed.flags(), parsed.term_offset()), (44, 0xC0, 64));
    assert_eq!((parsed.session_id(), parsed.stream_id(), parsed.term_id()), (SESSION, STREAM, TERM));
    assert_eq!(parsed.reserved_value(), 0x0102_0304_0506_0708);
    assert!(!parsed.is_padding() && !parsed.is_end_of_stream() && !parsed.is_heartbeat(64));
    assert_eq!(DataHeader::parse(&bytes[..31]), None);
    assert_eq!(format!("{header}"), "DATA flags=0b11000000 len=44 67305985:-2:336794129 @0x40");
}

#[test]
fn a_padding_covers_more_than_it_carries() {
    let padding = DataHeader::padding(4096, SESSION, STREAM, TERM, 61_440);
    assert!(padding.is_padding());
    assert_eq!(validate(padding.as_bytes()), Ok(FrameType::Pad));
}

#[test]
fn a_heartbeat_is_a_header_alone_with_length_0() {
    let heartbeat = DataHeader::heartbeat(FLAG_EOS | FLAG_REVOKED, SESSION, STREAM, TERM, 64);
    assert_eq!(heartbeat.as_bytes()[..8], [0, 0, 0, 0, 0, 0xF0, 1, 0]);
    assert!(heartbeat.is_heartbeat(32) && heartbeat.is_end_of_stream() && heartbeat.is_revoked());
    assert!(!heartbeat.is_heartbeat(64));
    assert_eq!(validate(heartbeat.as_bytes()), Ok(FrameType::Data));
}

#[test]
fn a_setup_is_these_40_bytes() {
    let bytes = [
        40, 0, 0, 0, 0, 0xC0, 5, 0, // length 40, SEND_RESPONSE and GROUP, SETUP
        0x20, 0, 0, 0, 1, 2, 3, 4, 0xFE, 0xFF, 0xFF, 0xFF, // offset, session, stream
        0x10, 0x12, 0x13, 0x14, 0x11, 0x12, 0x13, 0x14, // initial and active term
        0, 0, 1, 0, 0x80, 5, 0, 0, 9, 0, 0, 0, // term length 65536, MTU 1408, TTL 9
    ];
    let params = SetupParams {
        session_id: SESSION,
        stream_id: STREAM,
        initial_term_id: TermId(TERM.0 - 1),
        active_term_id: TERM,
        term_offset: 32,
        term_length: 65_536,
        mtu: 1408,
        ttl: 9,
    };
    let setup = Setup::new(setup::FLAG_SEND_RESPONSE | setup::FLAG_GROUP, &params);
    assert_eq!(setup.as_bytes(), bytes);
    let parsed = Setup::parse(&bytes).unwrap();
    assert_eq!(parsed.params(), params);
    assert!(parsed.is_response_wanted() && parsed.is_group());
    assert_eq!((parsed.session_id(), parsed.stream_id()), (SESSION, STREAM));
    assert_eq!(validate(&bytes), Ok(FrameType::Setup));
    assert!(format!("{setup}").ends_with("@0x20 term=65536 mtu=1408 ttl=9"));
}

const STATUS: [u8; 44] = [
    44, 0, 0, 0, 0, 0x40, 3, 0, // length 44, EOS, SM
    1, 2, 3, 4, 0xFE, 0xFF, 0xFF, 0xFF, 0x11, 0x12, 0x13, 0x14, // session, stream, term
    0x40, 0, 0, 0, 0, 0, 2, 0, // offset 64, window 128 KiB
    1, 0, 0, 0, 0, 0, 0, 0x80, // receiver
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, // group tag −1
];

fn status_params() -> StatusParams {
    StatusParams {
        session_id: SESSION,
        stream_id: STREAM,
        consumption_term_id: TERM,
        consumption_term_offset: 64,
        receiver_window: 128 * 1024,
        receiver_id: i64::MIN + 1,
    }
}

#[test]
fn a_status_message_is_36_bytes_and_44_with_a_group_tag() {
    let message = StatusMessage::new(status_message::FLAG_EOS, &status_params());
    assert_eq!(message.as_bytes()[4..], STATUS[4..36]);
    assert_eq!(message.header().frame_length(), 36);
    assert_eq!(message.with_group_tag(-1).as_bytes(), STATUS);
    assert_eq!(StatusMessage::parse(&STATUS).unwrap().params(), status_params());
    assert!(message.is_end_of_stream() && !message.is_setup_elicited());
    assert_eq!(StatusMessage::group_tag(&STATUS), GroupTag::Tag(-1));
    assert_eq!(StatusMessage::group_tag(message.as_bytes()), GroupTag::Absent);
    assert_eq!(validate(&STATUS), Ok(FrameType::StatusMessage));
    assert!(format!("{message}").ends_with("window=131072 receiver=-9223372036854775807"));
}

#[test]
fn a_group_tag_of_any_other_length_is_malformed() {
    for length in [0, 35, 37, 40, 43, 45, -1] {
        let mut bytes = STATUS;
        bytes[..4].copy_from_slice(&i32::to_le_bytes(length));
        assert_eq!(StatusMessage::group_tag(&bytes), GroupTag::Malformed { frame_length: length });
    }
    assert_eq!(StatusMessage::group_tag(&STATUS[..43]), GroupTag::Malformed { frame_length: 44 });
    assert_eq!(StatusMessage::group_tag(&[]), GroupTag::Malformed { frame_length: 0 });
}

#[test]
fn an_eliciting_status_message_says_nothing_else() {
    let message = StatusMessage::eliciting(SessionId(0), StreamId(0), 5);
    assert!(message.is_setup_elicited());
    assert_eq!(message.as_bytes()[8..28], [0; 20]);
    assert_eq!(message.params().receiver_id, 5);
}

#[test]
fn a_nak_is_these_28_bytes() {
    let bytes = [
        28, 0, 0, 0, 0, 0, 2, 0, // length 28, no flags, NAK
        1, 2, 3, 4, 0xFE, 0xFF, 0xFF, 0xFF, 0x11, 0x12, 0x13, 0x14, // session, stream, term
        0x40, 0, 0, 0, 0x60, 0, 0, 0, // offset 64, length 96
    ];
    let nak = Nak::new(SESSION, STREAM, TERM, 64, 96);
    assert_eq!(nak.as_bytes(), bytes);
    let parsed = Nak::parse(&bytes).unwrap();
    assert_eq!((parsed.session_id(), parsed.stream_id(), parsed.term_id()), (SESSION, STREAM, TERM));
    assert_eq!((parsed.term_offset(), parsed.length(), parsed.header().frame_length()), (64, 96, 28));
    assert_eq!(validate(&bytes), Ok(FrameType::Nak));
    assert_eq!(format!("{nak}"), "NAK flags=0b00000000 len=28 67305985:-2:336794129 @0x40 missing=96");
}

#[test]
fn an_rttm_is_these_40_bytes_and_its_answer_keeps_the_time() {
    let bytes = [
        40, 0, 0, 0, 0, 0x80, 6, 0, // length 40, REPLY, RTTM
        1, 2, 3, 4, 0xFE, 0xFF, 0xFF, 0xFF, // session, stream
        8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, // echo timestamp, reception delta
        9, 0, 0, 0, 0, 0, 0, 0, // receiver
    ];
    let request = RttMeasurement::request(SESSION, STREAM, 9, 0x0102_0304_0506_0708);
    assert_eq!(request.as_bytes(), bytes);
    assert!(request.is_reply_wanted());
    let reply = RttMeasurement::parse(&bytes).unwrap().reply(9);
    assert!(!reply.is_reply_wanted());
    assert_eq!(reply.as_bytes()[8..], bytes[8..]);
    assert_eq!((reply.echo_timestamp_ns(), reply.reception_delta_ns()), (0x0102_0304_0506_0708, 0));
    assert_eq!((reply.session_id(), reply.stream_id(), reply.receiver_id()), (SESSION, STREAM, 9));
    assert_eq!(validate(&bytes), Ok(FrameType::RttMeasurement));
    assert!(format!("{request}").starts_with("RTTM"));
}

#[test]
fn an_error_frame_is_40_bytes_and_its_text() {
    let bytes = [
        42, 0, 0, 0, 0, 0x08, 4, 0, // length 42, HAS_GROUP_TAG, ERR
        1, 2, 3, 4, 0xFE, 0xFF, 0xFF, 0xFF, // session, stream
        9, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, // receiver, group tag
        13, 0, 0, 0, 2, 0, 0, 0, b'n', b'o', // code, text
    ];
    let frame = ErrorFrame::new(SESSION, STREAM, 9, Some(5), ErrorCode::ImageRejected, 2).unwrap();
    assert_eq!(frame.as_bytes(), &bytes[..40]);
    let parsed = ErrorFrame::parse(&bytes).unwrap();
    assert_eq!((parsed.session_id(), parsed.stream_id(), parsed.receiver_id()), (SESSION, STREAM, 9));
    assert_eq!((parsed.group_tag(), parsed.error_code()), (Some(5), ErrorCode::ImageRejected));
    assert_eq!(ErrorFrame::text(&bytes), Ok(&b"no"[..]));
    assert_eq!(validate(&bytes), Ok(FrameType::Error));
    assert!(format!("{frame}").ends_with("IMAGE_REJECTED (13)"));

    let untagged = ErrorFrame::new(SESSION, STREAM, 9, None, ErrorCode::ImageRejected, 0).unwrap();
    assert_eq!((untagged.flags(), untagged.group_tag()), (0, None));
    assert_eq!(untagged.as_bytes()[24..32], [0xFF; 8]);
    assert_eq!(ErrorFrame::new(SESSION, STREAM, 9, None, ErrorCode::ImageRejected, 1024), None);
}

#[test]
fn an_error_text_stays_within_its_frame() {
    let mut bytes = vec![0; 40 + 1024];
    let mut text = |frame_length: i32, error_length: i32, length: usize| {
        bytes[..4].copy_from_slice(&frame_length.to_le_bytes());
        bytes[36..40].copy_from_slice(&error_length.to_le_bytes());
        ErrorFrame::text(&bytes[..length]).map(<[u8]>::len)
    };
    assert_eq!(text(40, 0, 40), Ok(0));
    assert_eq!(text(1063, 1023, 1063), Ok(1023));
    for (frame_length, error_length, length) in
        [(40, 1, 1064), (41, -1, 1064), (1064, 1024, 1064), (50, 10, 49), (-1, 0, 40), (50, i32::MAX, 1064)]
    {
        assert!(text(frame_length, error_length, length).is_err(), "{frame_length} {error_length} {length}");
    }
    assert!(ErrorFrame::text(&[0; 39]).is_err());
}

#[test]
fn a_response_setup_is_these_20_bytes() {
    let bytes = [20, 0, 0, 0, 0, 0, 0x0B, 0, 1, 2, 3, 4, 0xFE, 0xFF, 0xFF, 0xFF, 7, 0, 0, 0];
    let frame = ResponseSetup::new(SESSION, STREAM, SessionId(7));
    assert_eq!(frame.as_bytes(), bytes);
    let parsed = ResponseSetup::parse(&bytes).unwrap();
    assert_eq!((parsed.session_id(), parsed.stream_id()), (SESSION, STREAM));
    assert_eq!(parsed.response_session_id(), SessionId(7));
    assert_eq!(validate(&bytes), Ok(FrameType::ResponseSetup));
    assert!(format!("{frame}").ends_with("response=7"));
}

const RESOLUTION: [u8; 56] = [
    56, 0, 0, 0, 0, 0, 7, 0, // length 56, RES
    1, 0x80, 0x39, 0x30, 0, 0, 0, 0, 127, 0, 0, 1, 2, 0, b'a', b'b', // IPv4, SELF, port 12345, age 0, "ab"
    2, 0, 0x39, 0x30, 0xE8, 3, 0, 0, // IPv6, port 12345, age 1000 ms
    0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 0, b'x', b'y', b'z', 0, 0,
    0, // fe80::1, "xyz", padding
];

fn resolution_entries() -> [Entry<'static>; 2] {
    [
        Entry { is_self: true, address: "127.0.0.1:12345".parse().unwrap(), age_ms: 0, name: b"ab" },
        Entry { is_self: false, address: "[fe80::1]:12345".parse().unwrap(), age_ms: 1000, name: b"xyz" },
    ]
}

#[test]
fn a_resolution_frame_is_entries_padded_to_8_bytes() {
    let parsed: Result<Vec<Entry<'_>>, InvalidEntry> = Entries::of(&RESOLUTION).collect();
    assert_eq!(parsed.unwrap(), resolution_entries());
    assert_eq!(validate(&RESOLUTION), Ok(FrameType::Resolution));

    let mut written = vec![0xAA; 56];
    written[..8].copy_from_slice(resolution::header(48).unwrap().as_bytes());
    let mut at = 8;
    for entry in resolution_entries() {
        at += entry.write(&mut written[at..]).unwrap();
    }
    assert_eq!(written, RESOLUTION);
    assert_eq!(resolution_entries()[1].write(&mut [0; 31]), None);
}

#[test]
fn a_resolution_entry_that_does_not_fit_ends_the_frame() {
    let mut cut = Entries::of(&RESOLUTION[..55]);
    assert!(cut.next().unwrap().is_ok());
    assert_eq!(cut.next(), Some(Err(InvalidEntry::TooShort { remaining: 31, needed: 32 })));
    assert_eq!(cut.next(), None);

    let mut bytes = RESOLUTION;
    bytes[8] = 3;
    assert_eq!(Entries::of(&bytes).next(), Some(Err(InvalidEntry::Type(3))));
    bytes = RESOLUTION;
    bytes[20..22].copy_from_slice(&(-1_i16).to_le_bytes());
    assert_eq!(Entries::of(&bytes).next(), Some(Err(InvalidEntry::NameLength(-1))));
    bytes[20..22].copy_from_slice(&i16::MAX.to_le_bytes());
    assert!(matches!(Entries::of(&bytes).next(), Some(Err(InvalidEntry::TooShort { remaining: 48, .. }))));
    assert_eq!(Entries::of(&[0; 7]).count(), 0);
}

#[test]
fn each_type_has_its_least_length() {
    let least = [(0, 32), (1, 32), (2, 28), (3, 36), (4, 40), (5, 40), (6, 40), (7, 22), (0x0A, 36), (0x0B, 20)];
    for (code, needed) in least {
        let mut bytes = vec![0; needed];
        bytes[6] = code;
        assert_eq!(validate(&bytes).map(FrameType::code), Ok(u16::from(code)));
        let short = validate(&bytes[..needed - 1]);
        assert_eq!(short, Err(InvalidFrame::TooShort { length: needed - 1, needed }), "type {code}");
    }
    for code in [8_u16, 9, 0x0C, 0xFF, 0x100, 0xFFFF] {
        let mut bytes = [0; 64];
        bytes[6..8].copy_from_slice(&code.to_le_bytes());
        assert_eq!(validate(&bytes), Err(InvalidFrame::Type(code)));
    }
    assert_eq!(validate(&[0; 7]), Err(InvalidFrame::TooShort { length: 7, needed: 8 }));
}

#[test]
fn lengths_versions_and_alignment_are_checked_by_type() {
    let frame = |code: u8, frame_length: i32, version: u8, length: usize| {
        let mut bytes = vec![0; length];
        bytes[..4].copy_from_slice(&frame_length.to_le_bytes());
        bytes[4] = version;
        bytes[6] = code;
        validate(&bytes)
    };
    assert_eq!(frame(1, 0, 1, 32), Err(InvalidFrame::Version(1)));
    assert_eq!(frame(1, -1, 0, 32), Err(InvalidFrame::LongerThanDatagram { frame_length: -1, length: 32 }));
    assert_eq!(frame(1, 33, 0, 33), Err(InvalidFrame::Unaligned { length: 33 }));
    // DATA's length is not compared, SETUP's may be greater.
    assert_eq!(frame(1, i32::MAX, 0, 64), Ok(FrameType::Data));
    assert_eq!(frame(5, i32::MAX, 0, 40), Ok(FrameType::Setup));
    for code in [2, 3, 4, 6, 7, 0x0A, 0x0B] {
        assert!(frame(code, 64, 0, 64).is_ok());
        assert_eq!(frame(code, 65, 0, 64), Err(InvalidFrame::LongerThanDatagram { frame_length: 65, length: 64 }));
    }
    assert!(format!("{}", frame(1, 33, 0, 33).unwrap_err()).contains("33 bytes"));
}

#[test]
fn types_have_aerons_names_and_numbers() {
    for code in 0..=u16::MAX {
        if let Some(frame_type) = FrameType::from_code(code) {
            assert_eq!(frame_type.code(), code);
        }
    }
    assert_eq!(format!("{}", FrameHeader::new(8, 0x80, FrameType::ResponseSetup)), "RSP_SETUP flags=0b10000000 len=8");
}

proptest! {
    #[test]
    fn arbitrary_datagrams_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let _ = validate(&bytes);
        let _ = (StatusMessage::group_tag(&bytes), ErrorFrame::text(&bytes).map(<[u8]>::len));
        prop_assert!(Entries::of(&bytes).count() <= bytes.len() / 8);
    }

    #[test]
    fn headers_that_nearly_hold_never_panic(
        code in 0_u8..13,
        frame_length in -2..1100_i32,
        bytes in prop::collection::vec(any::<u8>(), 0..1200),
    ) {
        let mut bytes = bytes;
        if bytes.len() >= 8 {
            bytes[..8].copy_from_slice(&[0, 0, 0, 0, 0, 0, code, 0]);
            bytes[..4].copy_from_slice(&frame_length.to_le_bytes());
        }
        if let (Ok(FrameType::Error), Ok(text)) = (validate(&bytes), ErrorFrame::text(&bytes)) {
            prop_assert!(text.len() + 40 <= bytes.len());
        }
        let _ = Entries::of(&bytes).last();
    }

    #[test]
    fn a_resolution_entry_is_what_its_bytes_say(
        is_self: bool,
        four: bool,
        ip: u128,
        port: u16,
        age_ms: i32,
        name in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let address: SocketAddr =
            if four { ((ip as u32).to_be_bytes(), port).into() } else { (ip.to_be_bytes(), port).into() };
        let entry = Entry { is_self, address, age_ms, name: &name };
        let mut bytes = vec![0xAA; entry.length()];
        prop_assert_eq!(entry.write(&mut bytes), Some(entry.length()));
        prop_assert_eq!(Entry::parse(&bytes), Ok((entry, bytes.len())));
    }
}
