//! What cannot be done, and how it is told.

use gannet_core::command::{Command, ErrorCode, command_id};
use gannet_core::counters::system::SystemCounter;

use super::harness::{SECOND_NS, SMALL, STREAM};
use super::{Harness, Heard};

#[test]
fn channels_over_a_network_are_answered_not_left_in_silence() {
    let mut harness = Harness::new();
    for channel in ["aeron:udp?endpoint=localhost:40123", "aeron-spy:aeron:udp?endpoint=localhost:40123"] {
        let correlation_id = harness.next_id();
        let (client_id, stream_id) = (1, STREAM);
        for command in [
            Command::AddPublication { client_id, correlation_id, stream_id, channel },
            Command::AddExclusivePublication { client_id, correlation_id, stream_id, channel },
            Command::AddSubscription { client_id, correlation_id, stream_id, channel },
        ] {
            let heard = harness.ask(&command);
            let Heard::Error { code, message, .. } = &heard[0] else { panic!("{heard:?}") };
            assert_eq!(*code, ErrorCode::NotSupported);
            assert!(message.contains(channel) && message.contains("issue 3"), "{message}");
        }
    }
}

#[test]
fn shared_memory_has_no_spies() {
    let mut harness = Harness::new();
    let (client_id, correlation_id, stream_id, channel) = (1, 5, STREAM, "aeron-spy:aeron:ipc");
    for command in [
        Command::AddPublication { client_id, correlation_id, stream_id, channel },
        Command::AddSubscription { client_id, correlation_id, stream_id, channel },
    ] {
        assert!(matches!(harness.ask(&command)[..], [Heard::Error { code: ErrorCode::InvalidChannel, .. }]));
    }
}

#[test]
fn send_destinations_belong_to_publications_over_a_network() {
    let mut harness = Harness::new();
    let registration_id = harness.publish(1, SMALL).id;
    let (client_id, correlation_id, channel) = (1, 5, "aeron:udp?endpoint=localhost:40123");
    for command in [
        Command::AddDestination { client_id, correlation_id, registration_id, channel },
        Command::RemoveDestination { client_id, correlation_id, registration_id, channel },
        Command::RemoveDestinationById {
            client_id,
            correlation_id,
            resource_registration_id: registration_id,
            destination_registration_id: 7,
        },
    ] {
        assert!(matches!(harness.ask(&command)[..], [Heard::Error { code: ErrorCode::UnknownPublication, .. }]));
    }
}

#[test]
fn receive_destinations_belong_to_subscriptions_over_a_network_but_a_link_goes_by_its_channel() {
    let mut harness = Harness::new();
    let publication = harness.publish(1, SMALL).id;
    let (registration_id, _) = harness.subscribe(1, "aeron:ipc");
    let (client_id, correlation_id) = (1, 5);
    let add = |channel| Command::AddRcvDestination { client_id, correlation_id, registration_id, channel };
    let remove = |channel| Command::RemoveRcvDestination { client_id, correlation_id, registration_id, channel };
    for (command, wanted) in [
        (add("aeron:ipc"), ErrorCode::UnknownSubscription),
        (add("aeron:udp?endpoint=localhost:40123"), ErrorCode::UnknownSubscription),
        (add("aeron:ipc?tether=x"), ErrorCode::GenericError),
        (add("aeron:ipcx"), ErrorCode::InvalidChannel),
        (remove("aeron:ipc?alias=other"), ErrorCode::UnknownSubscription),
    ] {
        let heard = harness.ask(&command);
        assert!(matches!(heard[..], [Heard::Error { code, .. }] if code == wanted), "{command:?}: {heard:?}");
    }
    let channel = "aeron:ipc".to_owned();
    assert_eq!(
        harness.ask(&remove("aeron:ipc")),
        [
            Heard::Success { correlation_id },
            Heard::Unavailable { correlation_id: publication, subscription: registration_id, channel }
        ]
    );
}

#[test]
fn every_error_is_recorded_once_and_counted_each_time() {
    let mut harness = Harness::new();
    let unknown = Command::RemovePublication { client_id: 1, correlation_id: 5, registration_id: 6, revoke: false };
    harness.ask(&unknown);
    harness.ask(&unknown);
    let channel = "aeron:ipc?mtu=1";
    harness.ask(&Command::AddPublication { client_id: 1, correlation_id: 7, stream_id: STREAM, channel });
    assert_eq!(harness.system(SystemCounter::Errors), 3);
    let errors = harness.errors();
    assert_eq!(errors.len(), 2);
    assert_eq!(errors[0], ("UNKNOWN_PUBLICATION (3): unknown publication client_id=1 registration_id=6".to_owned(), 2));
    assert!(errors[1].0.contains("mtu=1"), "{errors:?}");
}

#[test]
fn commands_that_cannot_be_read_are_recorded_and_not_answered() {
    let mut harness = Harness::new();
    harness.ring.write(command_id::ADD_PUBLICATION, &[0; 23]).unwrap();
    harness.ring.write(4711, &[0; 64]).unwrap();
    harness.ring.write(command_id::REMOVE_PUBLICATION, &[0; 28]).unwrap();
    assert!(harness.settle().is_empty());
    let errors = harness.errors();
    assert!(errors[0].0.starts_with("MALFORMED_COMMAND (7): command=1 too short: length=23"), "{errors:?}");
    assert_eq!(errors[1].0, "UNKNOWN_COMMAND_TYPE_ID (6): command=4711 unknown");
    assert_eq!(errors.len(), 3);
    assert_eq!(harness.system(SystemCounter::Errors), 3);
}

#[test]
fn a_channel_that_is_no_text_is_answered() {
    let mut harness = Harness::new();
    let command = Command::AddPublication { client_id: 1, correlation_id: 5, stream_id: STREAM, channel: "aeron:ipc" };
    let mut message = vec![0; command.encoded_length()];
    command.encode(&mut message).unwrap();
    let last = message.len() - 1;
    message[last] = 0xFF;
    harness.ring.write(command.type_id(), &message).unwrap();
    let heard = harness.settle();
    assert!(matches!(heard[..], [Heard::Error { correlation_id: 5, code: ErrorCode::InvalidChannel, .. }]));
}

#[test]
fn a_log_for_which_there_is_no_space_is_refused_with_the_storage_error() {
    let mut harness = Harness::with(|_, resources| resources.usable_space = |_| Ok(3 * 65_536));
    let correlation_id = harness.next_id();
    let heard =
        harness.ask(&Command::AddPublication { client_id: 1, correlation_id, stream_id: STREAM, channel: SMALL });
    let Heard::Error { code, message, .. } = &heard[0] else { panic!("{heard:?}") };
    assert_eq!(*code, ErrorCode::StorageSpace);
    assert!(message.contains("length=200704 usable=196608"), "{message}");
    assert_eq!(harness.system(SystemCounter::Errors), 1);
    let correlation_id = harness.next_id();
    let heard = harness.ask(&Command::GetNextAvailableSessionId { client_id: 1, correlation_id, stream_id: STREAM });
    assert!(matches!(heard[..], [Heard::SessionId { .. }]), "the next command is served");
}

#[test]
fn storage_is_not_checked_where_the_operator_says_so() {
    let mut harness = Harness::with(|_, resources| {
        resources.usable_space = |_| Ok(0);
        resources.perform_storage_checks = false;
    });
    harness.publish(1, SMALL);
}

#[test]
fn low_storage_is_a_warning_and_no_error() {
    let mut harness = Harness::with(|_, resources| {
        resources.usable_space = |_| Ok(1 << 20);
        resources.low_storage_warning_threshold = 1 << 20;
    });
    harness.publish(1, SMALL);
    let errors = harness.errors();
    assert!(errors[0].0.starts_with("WARNING: space is running low: threshold=1048576 usable=1048576"), "{errors:?}");
    assert_eq!(harness.system(SystemCounter::Errors), 0);
}

#[test]
fn a_log_that_exists_already_is_an_error_and_stays() {
    let mut harness = Harness::new();
    let correlation_id = harness.next_id();
    let path = harness.directory().join(format!("publications/{correlation_id}.logbuffer"));
    std::fs::write(&path, b"somebody's").unwrap();
    let heard =
        harness.ask(&Command::AddPublication { client_id: 1, correlation_id, stream_id: STREAM, channel: SMALL });
    assert!(matches!(heard[..], [Heard::Error { code: ErrorCode::GenericError, .. }]), "{heard:?}");
    assert_eq!(std::fs::read(&path).unwrap(), b"somebody's");
}

#[test]
fn a_command_whose_writer_died_keeps_the_others_waiting_no_longer_than_the_liveness_time_out() {
    let mut harness = Harness::new();
    let (_, heard) = harness.subscribe(1, "aeron:ipc");
    assert_eq!(heard.len(), 2);
    std::mem::forget(harness.ring.try_claim(command_id::ADD_SUBSCRIPTION, 64).unwrap());
    let correlation_id = harness.next_id();
    harness.send(&Command::AddSubscription { client_id: 1, correlation_id, stream_id: STREAM, channel: "aeron:ipc" });
    assert!(harness.pass(10 * SECOND_NS).is_empty());
    let heard = harness.pass(3 * SECOND_NS);
    assert_eq!(heard, [Heard::Subscription { correlation_id }]);
    assert_eq!(harness.system(SystemCounter::UnblockedCommands), 1);
}
