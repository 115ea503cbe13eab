//! What commands and responses look like, byte for byte, and that no bytes do harm. `[any]`

use std::net::SocketAddr;
use std::string::String;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::SessionId;
use crate::counters::CounterId;

/// Little-endian parts, one after the other.
macro_rules! bytes {
    ($($part:expr),* $(,)?) => {{
        let mut all: Vec<u8> = Vec::new();
        $(all.extend_from_slice(&$part[..]);)*
        all
    }};
}

fn i32s(value: i32) -> [u8; 4] {
    value.to_le_bytes()
}

fn i64s(value: i64) -> [u8; 8] {
    value.to_le_bytes()
}

fn encoded(command: &Command<'_>) -> Vec<u8> {
    let mut target = vec![0xAA; command.encoded_length()];
    assert_eq!(command.encode(&mut target), Ok(target.len()));
    target
}

fn encoded_response(response: &Response<'_>) -> Vec<u8> {
    let mut target = vec![0xAA; response.encoded_length()];
    assert_eq!(response.encode(&mut target), Ok(target.len()));
    target
}

#[test]
fn an_add_publication_is_the_bytes_of_the_sheet() {
    let message = bytes!(i64s(7), i64s(9), i32s(1001), i32s(9), b"aeron:ipc");
    let command =
        Command::AddPublication { client_id: 7, correlation_id: 9, stream_id: StreamId(1001), channel: "aeron:ipc" };
    assert_eq!(Command::parse(1, &message), Ok(command));
    assert_eq!(encoded(&command), message);
    assert_eq!(command.type_id(), 1);
    assert_eq!((command.client_id(), command.correlation_id()), (7, 9));
}

#[test]
fn an_add_subscription_ignores_the_registration_that_clients_fill_differently() {
    for ignored in [0, -1, 55] {
        let message = bytes!(i64s(7), i64s(9), i64s(ignored), i32s(-3), i32s(9), b"aeron:ipc");
        assert_eq!(
            Command::parse(4, &message),
            Ok(Command::AddSubscription {
                client_id: 7,
                correlation_id: 9,
                stream_id: StreamId(-3),
                channel: "aeron:ipc"
            })
        );
    }
}

#[test]
fn a_counter_command_aligns_the_label_after_the_key() {
    let message = bytes!(i64s(1), i64s(2), i32s(1003), i32s(5), b"abcde", [0; 3], i32s(3), b"lab");
    let command = Command::AddCounter { client_id: 1, correlation_id: 2, type_id: 1003, key: b"abcde", label: b"lab" };
    assert_eq!(Command::parse(9, &message), Ok(command));
    assert_eq!(encoded(&command), message);

    let message = bytes!(i64s(1), i64s(2), i64s(44), i32s(1003), i32s(0), i32s(0));
    let command = Command::AddStaticCounter {
        client_id: 1,
        correlation_id: 2,
        registration_id: 44,
        type_id: 1003,
        key: b"",
        label: b"",
    };
    assert_eq!(Command::parse(0x0F, &message), Ok(command));
    assert_eq!(encoded(&command), message);
}

#[test]
fn a_remove_publication_has_flags_or_is_a_legacy_one_of_exactly_24_bytes() {
    let message = bytes!(i64s(1), i64s(2), i64s(3), [0xFF; 8]);
    let remove =
        |revoke| Ok(Command::RemovePublication { client_id: 1, correlation_id: 2, registration_id: 3, revoke });
    assert_eq!(Command::parse(2, &message), remove(true));
    assert_eq!(Command::parse(2, &message[..24]), remove(false));
    for length in 25..32 {
        assert_eq!(
            Command::parse(2, &message[..length]),
            Err(CommandError::TooShort { type_id: 2, length, needed: 32 })
        );
    }
    assert_eq!(Command::parse(2, &message[..23]), Err(CommandError::TooShort { type_id: 2, length: 23, needed: 24 }));
}

#[test]
fn a_reject_image_is_padded_for_the_c_driver_and_taken_from_both_clients() {
    let command = Command::RejectImage {
        client_id: 0,
        correlation_id: 0,
        image_correlation_id: 77,
        position: Position(4096),
        reason: b"no",
    };
    let message = bytes!(i64s(0), i64s(0), i64s(77), i64s(4096), i32s(2), b"no", [0; 2]);
    assert_eq!(encoded(&command), message);
    assert_eq!(Command::parse(0x10, &message), Ok(command));
    // The Java client sends 36 bytes and the reason, the C client 41 and the reason.
    assert_eq!(Command::parse(0x10, &message[..38]), Ok(command));
    assert_eq!(Command::parse(0x10, &bytes!(message, [0; 3])), Ok(command));
    assert_eq!(
        Command::parse(0x10, &message[..37]),
        Err(CommandError::TooShort { type_id: 0x10, length: 37, needed: 38 })
    );
}

#[test]
fn every_command_needs_its_least_length() {
    let least = [
        (0x01, 24),
        (0x02, 24),
        (0x03, 24),
        (0x04, 32),
        (0x05, 24),
        (0x06, 16),
        (0x07, 28),
        (0x08, 28),
        (0x09, 28),
        (0x0A, 24),
        (0x0B, 16),
        (0x0C, 28),
        (0x0D, 28),
        (0x0E, 20),
        (0x0F, 36),
        (0x10, 36),
        (0x11, 32),
        (0x12, 20),
    ];
    let zeroes = [0; 64];
    for (type_id, length) in least {
        assert!(Command::parse(type_id, &zeroes[..length]).is_ok(), "{type_id:#x} of {length} bytes");
        let error = Command::parse(type_id, &zeroes[..length - 1]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::MalformedCommand, "{type_id:#x}: {error}");
        assert_eq!(error.correlation_id(), None);
    }
}

#[test]
fn every_response_needs_its_least_length() {
    let least = [
        (0x0F01, 16),
        (0x0F02, 36),
        (0x0F03, 36),
        (0x0F04, 8),
        (0x0F05, 24),
        (0x0F06, 36),
        (0x0F07, 12),
        (0x0F08, 12),
        (0x0F09, 12),
        (0x0F0A, 8),
        (0x0F0B, 12),
        (0x0F0C, 68),
        (0x0F0D, 12),
    ];
    let zeroes = [0; 80];
    for (type_id, length) in least {
        assert!(Response::parse(type_id, &zeroes[..length]).is_ok(), "{type_id:#x} of {length} bytes");
        assert!(Response::parse(type_id, &zeroes[..length - 1]).is_err(), "{type_id:#x}");
    }
}

#[test]
fn lengths_that_lie_are_malformed() {
    let add = |length: i32| bytes!(i64s(1), i64s(2), i32s(3), i32s(length), b"aeron:ipc");
    for length in [10, i32::MAX] {
        let needed = 24 + usize::try_from(length).unwrap();
        let error = CommandError::TooShort { type_id: 1, length: 33, needed };
        assert_eq!(Command::parse(1, &add(length)), Err(error));
        assert_eq!(error.code().code(), 7);
    }
    for length in [-1, i32::MIN] {
        assert_eq!(
            Command::parse(1, &add(length)),
            Err(CommandError::NegativeLength { type_id: 1, length: 33, field: length })
        );
    }
    // A shorter text than the record has room for is what the sender meant.
    assert!(Command::parse(1, &add(5)).is_ok());
    // A label beyond the end, behind a key that fits.
    let counter = bytes!(i64s(1), i64s(2), i32s(3), i32s(4), b"keyk", i32s(-1));
    assert_eq!(Command::parse(9, &counter), Err(CommandError::NegativeLength { type_id: 9, length: 32, field: -1 }));
}

#[test]
fn an_unknown_command_is_code_6() {
    for type_id in [0, -1, 0x13, 0x0F01, i32::MAX, i32::MIN] {
        let error = Command::parse(type_id, &[0; 64]).unwrap_err();
        assert_eq!(error, CommandError::UnknownType { type_id });
        assert_eq!(error.code().code(), 6);
    }
    assert_eq!(Response::parse(1, &[0; 64]), Err(CommandError::UnknownType { type_id: 1 }));
}

#[test]
fn a_channel_that_is_not_text_can_be_answered() {
    let message = bytes!(i64s(1), i64s(42), i32s(3), i32s(2), [0xC3, 0x28]);
    let error = Command::parse(3, &message).unwrap_err();
    assert_eq!((error.code(), error.correlation_id()), (ErrorCode::InvalidChannel, Some(42)));
}

#[test]
fn an_available_image_aligns_the_source_identity_after_the_path() {
    let message =
        bytes!(i64s(10), i32s(-5), i32s(1001), i64s(11), i32s(12), i32s(6), b"/a/b/c", [0; 2], i32s(9), b"aeron:ipc");
    let response = Response::AvailableImage(AvailableImage {
        correlation_id: 10,
        session_id: SessionId(-5),
        stream_id: StreamId(1001),
        subscription_registration_id: 11,
        subscriber_position_id: CounterId(12),
        log_file: b"/a/b/c",
        source_identity: b"aeron:ipc",
    });
    assert_eq!(Response::parse(0x0F02, &message), Ok(response));
    assert_eq!(encoded_response(&response), message);
}

#[test]
fn a_publication_ready_is_the_bytes_of_the_sheet() {
    let message = bytes!(i64s(1), i64s(2), i32s(3), i32s(4), i32s(5), i32s(-1), i32s(4), b"/log");
    let ready = PublicationReady {
        correlation_id: 1,
        registration_id: 2,
        session_id: SessionId(3),
        stream_id: StreamId(4),
        position_limit_counter_id: CounterId(5),
        channel_status_indicator_id: CounterId(-1),
        log_file: b"/log",
    };
    assert_eq!(Response::parse(0x0F03, &message), Ok(Response::PublicationReady(ready)));
    assert_eq!(Response::parse(0x0F06, &message), Ok(Response::ExclusivePublicationReady(ready)));
    assert_eq!(encoded_response(&Response::PublicationReady(ready)), message);
}

#[test]
fn a_publication_error_is_padded_for_the_c_client_and_taken_unpadded_from_the_c_driver() {
    let source: SocketAddr = "127.0.0.1:40123".parse().unwrap();
    let response = Response::PublicationError(PublicationError {
        registration_id: 1,
        destination_registration_id: -1,
        session_id: SessionId(3),
        stream_id: StreamId(4),
        receiver_id: 5,
        group_tag: -1,
        source: Some(source),
        error_code: ErrorCode::ImageRejected,
        error_message: b"no",
    });
    let message = bytes!(
        i64s(1),
        i64s(-1),
        i32s(3),
        i32s(4),
        i64s(5),
        i64s(-1),
        1_i16.to_le_bytes(),
        40123_u16.to_le_bytes(),
        [127, 0, 0, 1],
        [0; 12],
        i32s(13),
        i32s(2),
        b"no",
        [0; 2]
    );
    assert_eq!(message.len(), 72);
    assert_eq!(encoded_response(&response), message);
    assert_eq!(Response::parse(0x0F0C, &message), Ok(response));
    assert_eq!(Response::parse(0x0F0C, &message[..70]), Ok(response));
}

#[test]
fn too_small_a_target_is_told_and_what_lies_behind_it_untouched() {
    let command = Command::ClientKeepalive { client_id: 1, correlation_id: 2 };
    for capacity in 0..16 {
        let mut target = [0; 15];
        assert_eq!(command.encode(&mut target[..capacity]), Err(EncodeError { needed: 16, capacity }));
        assert!(target[capacity..].iter().all(|byte| *byte == 0));
    }
    let mut target = [0xAA; 20];
    assert_eq!(command.encode(&mut target), Ok(16));
    assert_eq!(target[16..], [0xAA; 4]);
}

#[test]
fn errors_say_what_was_there_and_what_was_needed() {
    let error = Command::parse(1, &[0; 23]).unwrap_err();
    assert_eq!(std::format!("{error}"), "command=1 too short: length=23, needed=24");
    assert_eq!(std::format!("{}", Command::parse(99, &[]).unwrap_err()), "command=99 unknown");
    assert_eq!(std::format!("{}", ErrorCode::StorageSpace), "STORAGE_SPACE (12)");
}

/// What a command or response is made of, owned.
#[derive(Debug)]
struct Parts {
    which: usize,
    ids: [i64; 4],
    numbers: [i32; 4],
    text: String,
    first: Vec<u8>,
    second: Vec<u8>,
    flag: bool,
    source: Option<SocketAddr>,
}

impl Parts {
    fn command(&self) -> Command<'_> {
        let [client_id, correlation_id, registration_id, other] = self.ids;
        let (stream_id, channel) = (StreamId(self.numbers[0]), self.text.as_str());
        let (type_id, key, label) = (self.numbers[1], self.first.as_slice(), self.second.as_slice());
        match self.which % 18 {
            0 => Command::AddPublication { client_id, correlation_id, stream_id, channel },
            1 => Command::RemovePublication { client_id, correlation_id, registration_id, revoke: self.flag },
            2 => Command::AddExclusivePublication { client_id, correlation_id, stream_id, channel },
            3 => Command::AddSubscription { client_id, correlation_id, stream_id, channel },
            4 => Command::RemoveSubscription { client_id, correlation_id, registration_id },
            5 => Command::ClientKeepalive { client_id, correlation_id },
            6 => Command::AddDestination { client_id, correlation_id, registration_id, channel },
            7 => Command::RemoveDestination { client_id, correlation_id, registration_id, channel },
            8 => Command::AddCounter { client_id, correlation_id, type_id, key, label },
            9 => Command::RemoveCounter { client_id, correlation_id, registration_id },
            10 => Command::ClientClose { client_id, correlation_id },
            11 => Command::AddRcvDestination { client_id, correlation_id, registration_id, channel },
            12 => Command::RemoveRcvDestination { client_id, correlation_id, registration_id, channel },
            13 => Command::TerminateDriver { client_id, correlation_id, token: key },
            14 => Command::AddStaticCounter { client_id, correlation_id, registration_id, type_id, key, label },
            15 => Command::RejectImage {
                client_id,
                correlation_id,
                image_correlation_id: registration_id,
                position: Position(other),
                reason: label,
            },
            16 => Command::RemoveDestinationById {
                client_id,
                correlation_id,
                resource_registration_id: registration_id,
                destination_registration_id: other,
            },
            _ => Command::GetNextAvailableSessionId { client_id, correlation_id, stream_id },
        }
    }

    fn response(&self) -> Response<'_> {
        let [correlation_id, registration_id, other, last] = self.ids;
        let (stream_id, session_id) = (StreamId(self.numbers[0]), SessionId(self.numbers[1]));
        let counter_id = CounterId(self.numbers[2]);
        let (first, second) = (self.first.as_slice(), self.second.as_slice());
        let error_code = ErrorCode::from_code(self.numbers[3]);
        let ready = PublicationReady {
            correlation_id,
            registration_id,
            session_id,
            stream_id,
            position_limit_counter_id: counter_id,
            channel_status_indicator_id: CounterId(self.numbers[3]),
            log_file: first,
        };
        match self.which % 13 {
            0 => Response::Error { offending_command_correlation_id: correlation_id, error_code, error_message: first },
            1 => Response::AvailableImage(AvailableImage {
                correlation_id,
                session_id,
                stream_id,
                subscription_registration_id: registration_id,
                subscriber_position_id: counter_id,
                log_file: first,
                source_identity: second,
            }),
            2 => Response::PublicationReady(ready),
            3 => Response::OperationSuccess { correlation_id },
            4 => Response::UnavailableImage {
                correlation_id,
                subscription_registration_id: registration_id,
                stream_id,
                channel: first,
            },
            5 => Response::ExclusivePublicationReady(ready),
            6 => Response::SubscriptionReady { correlation_id, channel_status_indicator_id: counter_id },
            7 => Response::CounterReady { correlation_id, counter_id },
            8 => Response::UnavailableCounter { correlation_id, counter_id },
            9 => Response::ClientTimeout { client_id: correlation_id },
            10 => Response::StaticCounter { correlation_id, counter_id },
            11 => Response::PublicationError(PublicationError {
                registration_id: correlation_id,
                destination_registration_id: registration_id,
                session_id,
                stream_id,
                receiver_id: other,
                group_tag: last,
                source: self.source,
                error_code,
                error_message: second,
            }),
            _ => Response::NextAvailableSessionId { correlation_id, next_session_id: session_id },
        }
    }
}

fn parts() -> impl Strategy<Value = Parts> {
    let address = (any::<bool>(), any::<u32>(), any::<u128>(), any::<u16>()).prop_map(|(four, v4, v6, port)| {
        if four { SocketAddr::from((v4.to_be_bytes(), port)) } else { SocketAddr::from((v6.to_be_bytes(), port)) }
    });
    let texts = (".{0,40}", prop::collection::vec(any::<u8>(), 0..70), prop::collection::vec(any::<u8>(), 0..70));
    (any::<usize>(), any::<[i64; 4]>(), any::<[i32; 4]>(), texts, any::<bool>(), prop::option::of(address)).prop_map(
        |(which, ids, numbers, (text, first, second), flag, source)| Parts {
            which,
            ids,
            numbers,
            text,
            first,
            second,
            flag,
            source,
        },
    )
}

proptest! {
    #[test]
    fn a_command_is_what_its_bytes_say(parts in parts()) {
        let command = parts.command();
        let bytes = encoded(&command);
        prop_assert_eq!(Command::parse(command.type_id(), &bytes), Ok(command));
    }

    #[test]
    fn a_response_is_what_its_bytes_say(parts in parts()) {
        let response = parts.response();
        let bytes = encoded_response(&response);
        prop_assert_eq!(Response::parse(response.type_id(), &bytes), Ok(response));
    }

    #[test]
    fn a_message_that_ends_early_is_an_error_not_a_panic(parts in parts(), cut: prop::sample::Index) {
        let command = parts.command();
        let bytes = encoded(&command);
        let end = cut.index(bytes.len());
        if let Ok(short) = Command::parse(command.type_id(), &bytes[..end]) {
            // The paddings may go, and the flags of a REMOVE_PUBLICATION.
            let may = matches!(short, Command::RemovePublication { .. } | Command::RejectImage { .. });
            prop_assert!(may, "{short:?}");
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        type_id in prop_oneof![0_i32..0x14, 0x0F00_i32..0x0F0F, any::<i32>()],
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        if let Ok(command) = Command::parse(type_id, &bytes) {
            let again = encoded(&command);
            prop_assert_eq!(Command::parse(type_id, &again), Ok(command));
        }
        if let Ok(response) = Response::parse(type_id, &bytes) {
            let again = encoded_response(&response);
            prop_assert_eq!(Response::parse(type_id, &again), Ok(response));
        }
    }

    #[test]
    fn mutated_messages_never_panic(
        parts in parts(),
        mutations in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (command, response) = (parts.command(), parts.response());
        let (mut bytes, mut bytes_of_response) = (encoded(&command), encoded_response(&response));
        for (index, value) in mutations {
            let at = index.index(bytes.len());
            bytes[at] = value;
            let at = index.index(bytes_of_response.len());
            bytes_of_response[at] = value;
        }
        let _ = Command::parse(command.type_id(), &bytes);
        if let Ok(again) = Response::parse(response.type_id(), &bytes_of_response) {
            prop_assert_eq!(again.type_id(), response.type_id());
        }
    }
}
