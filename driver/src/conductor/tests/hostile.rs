//! Clients that write anything anywhere they can.

use std::os::unix::fs::MetadataExt;

use gannet_core::Position;
use gannet_core::command::{Command, ErrorCode};
use gannet_core::sync::{Memory, Ordering};
use proptest::prelude::*;

use super::harness::{SECOND_NS, SMALL, STREAM};
use super::{Harness, Heard};

#[test]
fn answers_come_at_a_pace_at_which_every_client_can_read_them() {
    let mut harness = Harness::new();
    let unknown = |id| Command::RemoveSubscription { client_id: 1, correlation_id: id, registration_id: id };
    // The broadcast buffer is 64 KiB, an answer is some 80 bytes: an eighth of the buffer is some 100 answers.
    let mut sent = 0;
    for id in 0..1000 {
        harness.send(&unknown(id));
        sent += 1;
    }
    for _ in 0..2000 {
        harness.conductor.do_work(harness.now);
    }
    let first = harness.hear().len();
    assert!((50..200).contains(&first), "{first}");
    let mut heard = first;
    while heard < sent {
        harness.now.ns += 20_000_000;
        for _ in 0..2000 {
            harness.conductor.do_work(harness.now);
        }
        let more = harness.hear().len();
        assert!(more > 0, "what waits is answered later");
        heard += more;
    }
}

#[test]
fn ever_new_errors_fill_the_log_and_are_counted_further_on() {
    let mut harness = Harness::new();
    for id in 0..2000 {
        harness.send(&Command::RemoveSubscription { client_id: 1, correlation_id: 1, registration_id: id });
        harness.now.ns += 1_000_000;
        harness.conductor.do_work(harness.now);
        harness.hear();
    }
    assert_eq!(harness.system(gannet_core::counters::system::SystemCounter::Errors), 2000);
    let count = harness.errors().len();
    assert!(count > 100 && count < 2000, "{count}");
    harness.send(&Command::RemoveSubscription { client_id: 1, correlation_id: 1, registration_id: 3 });
    harness.now.ns += 30_000_000;
    harness.settle();
    assert_eq!(harness.errors()[3].1, 2, "a known one is observed also when the log is full");
}

#[test]
fn positions_of_a_hostile_subscriber_hurt_nobody_elses_stream() {
    let mut harness = Harness::new();
    let stream = harness.publish(1, SMALL);
    let (_, heard) = harness.subscribe(2, "aeron:ipc");
    let hostile = harness.image(&heard);
    let (_, heard) = harness.subscribe(3, "aeron:ipc");
    let honest = harness.image(&heard);
    harness.settle();
    super::limits::append(&stream, 10, 1000);
    let end = usize::try_from(stream.producer().0).unwrap();
    let words = || (0..end).step_by(4).map(|word| stream.region.load_i32(word, Ordering::Acquire)).collect::<Vec<_>>();
    let before = words();
    for position in [i64::MAX, i64::MIN, -1, 1 << 40, 7] {
        hostile.counter.set(position);
        harness.settle();
        harness.pass(16 * SECOND_NS);
        assert_eq!(honest.position(), Position(0));
        assert!(words() == before, "{position}: what the other subscriber has not read is as it was");
    }
}

#[test]
fn nonsense_in_a_logs_metadata_does_not_stop_the_driver() {
    let mut harness = Harness::new();
    let stream = harness.publish(1, "aeron:ipc?term-length=16m|pub-wnd=64k");
    harness.subscribe(2, "aeron:ipc");
    let blocks = || std::fs::metadata(&stream.path).unwrap().blocks() * 512;
    assert!(blocks() < 20 << 20, "most of the log has no space");
    let region = gannet_transport_ipc::MappedFile::open(stream.path.as_ref()).unwrap();
    let metadata = region.slice(region.len() - 4096, 4096);
    for value in [u64::MAX, 0, 1 << 63, 0x7FFF_FFFF_FFFF_FFFF, 0x0123_4567_89AB_CDEF] {
        for word in (0..512).step_by(8) {
            metadata.store_i64(word, value.cast_signed(), Ordering::Relaxed);
        }
        harness.settle();
        harness.pass(20 * SECOND_NS);
    }
    // What is reserved in earnest goes up to the end of a term and a page; nothing is touched beyond.
    let reserved = blocks();
    assert!(reserved < 40 << 20, "{reserved}");
    harness.unpublish(1, stream.id, false);
    harness.pass(20 * SECOND_NS);
    harness.publish(3, "aeron:ipc?term-length=64k");
}

fn any_command_type() -> impl Strategy<Value = i32> {
    prop_oneof![8 => 1_i32..20, 1 => any::<i32>().prop_map(|id| id.max(1))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn commands_of_any_bytes_leave_the_driver_serving(
        commands in proptest::collection::vec((any_command_type(), proptest::collection::vec(any::<u8>(), 0..200)), 1..50),
    ) {
        let mut harness = Harness::new();
        for (type_id, bytes) in commands {
            harness.ring.write(type_id, &bytes).unwrap();
            harness.settle();
        }
        serves(&mut harness);
    }

    #[test]
    fn sound_commands_with_a_few_bytes_changed_leave_the_driver_serving(
        mutations in proptest::collection::vec((0_usize..8, any::<u16>(), any::<u8>()), 1..100),
    ) {
        let mut harness = Harness::new();
        let stream = harness.publish(1, SMALL);
        let (subscription, _) = harness.subscribe(1, "aeron:ipc");
        let (client_id, stream_id) = (1, STREAM);
        for (which, at, byte) in mutations {
            let correlation_id = harness.next_id();
            let command = match which {
                0 => Command::AddPublication { client_id, correlation_id, stream_id, channel: SMALL },
                1 => Command::RemovePublication { client_id, correlation_id, registration_id: stream.id, revoke: false },
                2 => Command::AddSubscription { client_id, correlation_id, stream_id, channel: "aeron:ipc?tether=false" },
                3 => Command::RemoveSubscription { client_id, correlation_id, registration_id: subscription },
                4 => Command::AddCounter { client_id, correlation_id, type_id: 7, key: b"key", label: b"label" },
                5 => Command::RejectImage {
                    client_id, correlation_id, image_correlation_id: stream.id, position: Position(0),
                    reason: b"no",
                },
                6 => Command::AddStaticCounter {
                    client_id, correlation_id, registration_id: 5, type_id: 7, key: b"key", label: b"label",
                },
                _ => Command::GetNextAvailableSessionId { client_id, correlation_id, stream_id },
            };
            let mut message = vec![0; command.encoded_length()];
            command.encode(&mut message).unwrap();
            let at = usize::from(at) % message.len();
            message[at] = byte;
            harness.ring.write(command.type_id(), &message).unwrap();
            harness.now.ns += 1_000_000;
            harness.settle();
        }
        harness.pass(2 * SECOND_NS);
        serves(&mut harness);
    }
}

fn serves(harness: &mut Harness) {
    harness.now.ns += 30_000_000;
    harness.settle();
    let correlation_id = harness.next_id();
    let heard = harness.ask(&Command::AddSubscription {
        client_id: 4242,
        correlation_id,
        stream_id: gannet_core::StreamId(99),
        channel: "aeron:ipc",
    });
    let answered = heard.iter().any(|heard| match heard {
        Heard::Subscription { correlation_id: id } => *id == correlation_id,
        // The nonsense may have used up all counters.
        Heard::Error { correlation_id: id, code, .. } => *id == correlation_id && *code == ErrorCode::GenericError,
        _ => false,
    });
    assert!(answered, "{heard:?}");
}
