use super::layout::{ChannelKey, LocalAddressKey, Side, Stream, StreamKey, type_id};
use super::*;
use crate::sync::AtomicBuffer;
use crate::{Position, SessionId, StreamId};
use proptest::prelude::*;
use std::collections::HashMap;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

type Manager<'a> = CountersManager<AtomicBuffer<'a>, Vec<CounterSlot>>;

const TIMEOUT_MS: i64 = 1000;

struct Memories {
    metadata: Vec<u64>,
    values: Vec<u64>,
    count: usize,
}

impl Memories {
    fn new(count: usize) -> Self {
        Memories { metadata: vec![0; count * METADATA_LENGTH / 8], values: vec![0; count * VALUE_LENGTH / 8], count }
    }

    fn manager(&mut self) -> Manager<'_> {
        let metadata = AtomicBuffer::from_mut(&mut self.metadata);
        let values = AtomicBuffer::from_mut(&mut self.values);
        CountersManager::new(metadata, values, vec![CounterSlot::default(); self.count], TIMEOUT_MS).unwrap()
    }

    fn reader(&mut self) -> CountersReader<AtomicBuffer<'_>> {
        CountersReader::new(AtomicBuffer::from_mut(&mut self.metadata), AtomicBuffer::from_mut(&mut self.values))
    }
}

fn label(reader: &CountersReader<AtomicBuffer<'_>>, id: CounterId) -> String {
    reader.record(id).unwrap().label_text().to_string()
}

#[test]
fn metadata_shorter_than_four_times_the_values_is_refused() {
    let (mut metadata, mut values) = (vec![0; 63], vec![0; 16]);
    let manager = CountersManager::new(
        AtomicBuffer::from_mut(&mut metadata),
        AtomicBuffer::from_mut(&mut values),
        Vec::new(),
        TIMEOUT_MS,
    );
    assert_eq!(manager.unwrap_err(), LengthError { metadata: 504, values: 128 });
}

#[test]
fn records_lie_as_the_peer_lays_them_out() {
    let mut memories = Memories::new(2);
    let mut manager = memories.manager();
    manager.allocate(7, b"first", b"", 0).unwrap();
    let new = NewCounter {
        registration_id: 11,
        owner_id: 12,
        reference_id: 13,
        ..NewCounter::new(9, b"key", "label").with_value(10)
    };
    manager.allocate_counter(&new, 0).unwrap();

    let metadata = AtomicBuffer::from_mut(&mut memories.metadata).slice(512, 512);
    assert_eq!(metadata.load_i32(0, Ordering::Relaxed), 1);
    assert_eq!(metadata.load_i32(4, Ordering::Relaxed), 9);
    assert_eq!(metadata.load_i64(8, Ordering::Relaxed), i64::MAX);
    let (mut key, mut label) = ([0; 4], [0; 6]);
    metadata.read_racing(16, &mut key);
    metadata.read_racing(132, &mut label);
    assert_eq!((&key, &label), (b"key\0", b"label\0"));
    assert_eq!(metadata.load_i32(128, Ordering::Relaxed), 5);
    let values = AtomicBuffer::from_mut(&mut memories.values).slice(128, 128);
    assert_eq!([0, 8, 16, 24, 32].map(|at| values.load_i64(at, Ordering::Relaxed)), [10, 11, 12, 13, 0]);
}

#[test]
fn keys_and_labels_are_cut_off_where_their_fields_end() {
    let mut memories = Memories::new(2);
    let mut manager = memories.manager();
    let id = manager.allocate(1, &[b'k'; 200], &[b'l'; 500], 0).unwrap();
    manager.append_to_label(id, b"more").unwrap();
    let record = manager.reader().record(id).unwrap();
    assert_eq!((record.key, record.label()), ([b'k'; 112], &[b'l'; 380][..]));
    let next = manager.allocate(2, b"", b"next", 0).unwrap();
    assert_eq!(label(manager.reader(), next), "next");
}

#[test]
fn text_is_appended_to_a_label_wherever_it_ends() {
    for start in 0..9 {
        for length in 0..9 {
            let mut memories = Memories::new(1);
            let mut manager = memories.manager();
            let id = manager.allocate(1, b"", &b"abcdefghi"[..start], 0).unwrap();
            manager.append_to_label(id, &b"123456789"[..length]).unwrap();
            assert!(manager.reader().append_to_label(id, b"!"));
            let expected = [&"abcdefghi"[..start], &"123456789"[..length], "!"].concat();
            assert_eq!(label(manager.reader(), id), expected);
        }
    }
}

#[test]
fn a_label_is_replaced() {
    let mut memories = Memories::new(1);
    let mut manager = memories.manager();
    let id = manager.allocate(1, b"", b"long label", 0).unwrap();
    manager.update_label(id, b"short").unwrap();
    assert_eq!(label(manager.reader(), id), "short");
    manager.append_to_label(id, b"er").unwrap();
    assert_eq!(label(manager.reader(), id), "shorter");
}

#[test]
fn a_freed_id_is_used_again_after_the_timeout_only_and_starts_anew() {
    let mut memories = Memories::new(2);
    let mut manager = memories.manager();
    let [a, b] = ["a", "b"].map(|label| manager.allocate(1, b"key", label.as_bytes(), 0).unwrap());
    assert_eq!(manager.allocate(1, b"", b"", 0), Err(AllocateError::Full { count: 2 }));
    let counter = manager.counter(a).unwrap();
    counter.set(5);
    manager.set_registration_id(a, 6).unwrap();
    manager.set_owner_id(a, 7).unwrap();
    manager.set_reference_id(a, 8).unwrap();

    manager.free(a, 100).unwrap();
    // What stood there stays, but for the key.
    assert_eq!(manager.reader().state(a), Some(RecordState::Reclaimed));
    assert_eq!(manager.reader().key(a), Some([0; 112]));
    assert_eq!(manager.reader().free_for_reuse_deadline_ms(a), Some(1100));
    assert_eq!((counter.get(), counter.registration_id()), (5, 6));
    assert_eq!(manager.free(a, 100), Err(FreeError(a)));
    assert!(manager.counter(a).is_none() && manager.reader().counter(a).is_none());
    manager.free(b, 101).unwrap();

    assert_eq!(manager.allocate(1, b"", b"", 1099), Err(AllocateError::Full { count: 2 }));
    assert_eq!(manager.allocate(1, b"", b"again", 1100), Ok(a));
    assert_eq!((counter.get(), counter.registration_id(), counter.owner_id(), counter.reference_id()), (0, 0, 0, 0));
    assert_eq!(manager.allocate(1, b"", b"", 1100), Err(AllocateError::Full { count: 2 }));
    assert_eq!(manager.allocate(1, b"", b"", 1101), Ok(b));
}

#[test]
fn a_clock_that_was_set_back_holds_ids_for_one_timeout_only() {
    let mut memories = Memories::new(1);
    let mut manager = memories.manager();
    let id = manager.allocate(1, b"", b"", 1_000_000).unwrap();
    manager.free(id, 1_000_000).unwrap();
    assert_eq!(manager.allocate(1, b"", b"", 50), Err(AllocateError::Full { count: 1 }));
    assert_eq!(manager.allocate(1, b"", b"", 1050), Ok(id));
}

#[test]
fn ids_that_cannot_be_are_refused() {
    let mut memories = Memories::new(2);
    let mut manager = memories.manager();
    for id in [CounterId::NONE, CounterId(0), CounterId(2), CounterId(i32::MAX), CounterId(i32::MIN)] {
        assert_eq!(manager.free(id, 0), Err(FreeError(id)));
        assert_eq!(manager.append_to_label(id, b"x"), Err(FreeError(id)));
        assert_eq!(manager.set_owner_id(id, 1), Err(FreeError(id)));
        assert!(!manager.reader().append_to_label(id, b"x"));
        assert!(manager.reader().record(id).is_none());
    }
    assert_eq!(manager.reader().state(CounterId(2)), None);
    assert_eq!(manager.reader().state(CounterId(0)), Some(RecordState::Unused));
}

#[test]
fn the_fewest_of_records_values_and_slots_bound_the_counters() {
    let mut memories = Memories::new(4);
    memories.count = 3;
    assert_eq!(memories.manager().max_counter_id(), CounterId(2));
    assert_eq!(memories.reader().max_counter_id(), CounterId(3));
    let mut none = Memories::new(0);
    assert_eq!(none.manager().allocate(1, b"", b"", 0), Err(AllocateError::Full { count: 0 }));
    assert_eq!(none.reader().max_counter_id(), CounterId::NONE);
}

#[test]
fn counters_are_found_by_type_and_registration_or_key() {
    let mut memories = Memories::new(8);
    let mut manager = memories.manager();
    for client_id in [5, 6, 7] {
        manager.allocate_counter(&layout::client_heartbeat(client_id), 0).unwrap();
    }
    manager.free(CounterId(0), 0).unwrap();
    let reader = manager.reader();
    let heartbeat = type_id::CLIENT_HEARTBEAT_TIMESTAMP;
    assert_eq!(reader.find_by_type_and_registration(heartbeat, 7), Some(CounterId(2)));
    assert_eq!(reader.find_by_type_and_key(heartbeat, 6), Some(CounterId(1)));
    assert_eq!(reader.find_by_type_and_key(heartbeat, 5), None);
    assert_eq!(reader.find_by_type_and_registration(4, 7), None);
    assert!(reader.is_active(CounterId(1), heartbeat, 6));
    assert!(!reader.is_active(CounterId(1), heartbeat, 7) && !reader.is_active(CounterId(0), heartbeat, 5));
    let found: Vec<_> = reader.iter().map(|record| (record.id.0, record.label_text().to_string())).collect();
    assert_eq!(found, [(1, "client-heartbeat: id=6".to_string()), (2, "client-heartbeat: id=7".to_string())]);
}

#[test]
fn a_value_is_set_added_to_and_raised() {
    let mut memories = Memories::new(1);
    let mut manager = memories.manager();
    let counter = manager.allocate_counter(&NewCounter::new(1, b"", "x").with_value(-3), 0).unwrap();
    assert_eq!((counter.get(), counter.id()), (-3, CounterId(0)));
    assert_eq!((counter.fetch_add(5), counter.add(1), counter.add_relaxed(1), counter.get_relaxed()), (-3, 2, 3, 4));
    assert!(counter.propose_max(9) && !counter.propose_max(9) && !counter.propose_max(8));
    assert!(counter.compare_exchange(9, i64::MAX) && !counter.compare_exchange(9, 1));
    counter.add(1);
    assert_eq!(counter.get(), i64::MIN);
    counter.set_relaxed(1);
    assert_eq!(manager.reader().record(CounterId(0)).unwrap().value, 1);
}

#[test]
fn streams_counters_carry_the_peers_texts_and_keys() {
    let stream = Stream {
        registration_id: 42,
        session_id: SessionId(-5),
        stream_id: StreamId(1001),
        channel: "aeron:udp?endpoint=localhost:40123",
    };
    let rest = "42 -5 1001 aeron:udp?endpoint=localhost:40123";
    for (counter, type_id, name, owner_id) in [
        (stream.publisher_limit(3), 1, "pub-lmt", 3),
        (stream.sender_position(3), 2, "snd-pos", 3),
        (stream.receiver_high_water_mark(3), 3, "rcv-hwm", 3),
        (stream.receiver_position(3), 5, "rcv-pos", 3),
        (stream.sender_limit(3), 9, "snd-lmt", 3),
        (stream.cubic_rtt(), 10, "rcv-cc-cubic-rtt", -1),
        (stream.cubic_window(), 10, "rcv-cc-cubic-wnd", -1),
        (stream.publisher_position(3, false), 12, "pub-pos (concurrent)", 3),
        (stream.publisher_position(3, true), 12, "pub-pos (exclusive)", 3),
        (stream.sender_back_pressure_events(3), 13, "snd-bpe", 3),
        (stream.flow_control_receivers(), 17, "fc-receivers", -1),
        (stream.sender_naks_received(3), 19, "snd-naks-received", 3),
        (stream.receiver_naks_sent(3), 20, "rcv-naks-sent", 3),
    ] {
        assert_eq!(counter.label.as_bytes(), std::format!("{name}: {rest}").as_bytes());
        assert_eq!((counter.type_id, counter.owner_id, counter.registration_id), (type_id, owner_id, 42), "{name}");
        let key = StreamKey::parse(&counter.key);
        assert_eq!((key.registration_id, key.session_id, key.stream_id), (42, SessionId(-5), StreamId(1001)));
        assert_eq!(key.channel, stream.channel.as_bytes());
    }
    let subscriber = stream.subscriber_position(3, 77, Position(1 << 40));
    assert_eq!(subscriber.label.as_bytes(), std::format!("sub-pos: {rest} @1099511627776").as_bytes());
    assert_eq!((subscriber.type_id, subscriber.reference_id, subscriber.value), (4, 77, 1 << 40));
}

#[test]
fn channels_clients_and_resolvers_counters_carry_the_peers_texts_and_keys() {
    let channel = "aeron:udp?endpoint=localhost:40123";
    let send = layout::channel_status(Side::Send, 9, channel);
    assert_eq!(send.label.as_bytes(), b"snd-channel: aeron:udp?endpoint=localhost:40123");
    assert_eq!((send.type_id, send.registration_id, send.owner_id), (6, 9, 0));
    assert_eq!(ChannelKey::parse(&send.key).channel, channel.as_bytes());
    assert_eq!(layout::channel_status(Side::Receive, 9, channel).type_id, 7);
    let bound = layout::channel_status_label(Side::Receive, channel, "127.0.0.1:40123");
    assert_eq!(bound.as_bytes(), b"rcv-channel: aeron:udp?endpoint=localhost:40123 127.0.0.1:40123");
    let manual = layout::channel_status_label(Side::Receive, channel, "");
    assert_eq!(manual.as_bytes(), b"rcv-channel: aeron:udp?endpoint=localhost:40123 ");

    let destinations = layout::destination_count(9, channel);
    assert_eq!(destinations.label.as_bytes(), b"mdc-num-dest: aeron:udp?endpoint=localhost:40123");
    assert_eq!((destinations.type_id, destinations.registration_id), (18, 9));

    let address = layout::local_address(Side::Send, 9, CounterId(46), "[::1]:40123");
    assert_eq!(address.label.as_bytes(), b"snd-local-sockaddr: 46 [::1]:40123");
    let key = LocalAddressKey { channel_status: CounterId(46), address: b"[::1]:40123" };
    assert_eq!(LocalAddressKey::parse(&address.key), key);
    assert_eq!(address.type_id, 14);
    let receive = layout::local_address(Side::Receive, 9, CounterId(46), "");
    assert_eq!(receive.label.as_bytes(), b"rcv-local-sockaddr: 46 ");

    let heartbeat = layout::client_heartbeat(-7);
    assert_eq!(heartbeat.label.as_bytes(), b"client-heartbeat: id=-7");
    assert_eq!((heartbeat.type_id, heartbeat.registration_id, heartbeat.owner_id), (11, -7, -7));
    assert_eq!(layout::heartbeat_client_id(&heartbeat.key), -7);
    let information = layout::client_information("me", "1.2.3", "abc");
    assert_eq!(information.as_bytes(), b" name=me version=1.2.3 commit=abc");

    let neighbors = layout::resolver_neighbors("0.0.0.0:8050");
    assert_eq!((neighbors.type_id, neighbors.label.as_bytes()), (15, &b"Resolver neighbors: bound 0.0.0.0:8050"[..]));
    let cache = layout::resolver_cache_entries("A");
    assert_eq!((cache.type_id, cache.label.as_bytes()), (16, &b"Resolver cache entries: name=A"[..]));
    let bootstrap = layout::bootstrap_neighbor(2, "B", "10.0.0.1:8050");
    assert_eq!(bootstrap.label.as_bytes(), b"Bootstrap neighbor: name=B resolved=10.0.0.1:8050");
    assert_eq!((bootstrap.type_id, bootstrap.key[0]), (21, 2));
}

#[test]
fn long_channels_are_cut_off_in_keys_and_labels() {
    let channel = "c".repeat(1000);
    let stream = Stream { registration_id: 1, session_id: SessionId(2), stream_id: StreamId(3), channel: &channel };
    let counter = stream.publisher_limit(1);
    assert_eq!(StreamKey::parse(&counter.key).channel, &channel.as_bytes()[..92]);
    assert_eq!(counter.label.as_bytes().len(), 380);
    assert_eq!(ChannelKey::parse(&layout::channel_status(Side::Send, 1, &channel).key).channel.len(), 108);
    let address = layout::local_address(Side::Send, 1, CounterId(1), &channel);
    assert_eq!(LocalAddressKey::parse(&address.key).address.len(), 103);
    assert_eq!(address.key[111], 0);
}

#[test]
fn system_counters_have_their_fixed_ids_and_labels() {
    let mut memories = Memories::new(50);
    let mut manager = memories.manager();
    system::allocate(&mut manager, "1.2.3", "abc", 0).unwrap();
    let records: Vec<_> = manager.reader().iter().collect();
    assert_eq!(records.len(), system::COUNT);
    for (index, record) in (0..).zip(&records) {
        assert_eq!((record.id.0, record.type_id), (index, 0));
        assert_eq!((record.registration_id, record.owner_id), (index.into(), -1));
        assert_eq!(record.key[..4], index.to_le_bytes());
    }
    assert_eq!(records[15].label_text(), "Errors: version=1.2.3 commit=abc");
    assert_eq!(records[34].label_text(), "Aeron software: version=1.2.3 commit=abc");
    assert_eq!(records[45].label_text(), "Failed offers to NativeResourceAgentProxy");
    assert_eq!(system::SystemCounter::UnblockedCommands.id(), CounterId(20));
}

#[test]
fn too_small_a_buffer_has_no_room_for_the_system_counters() {
    let mut memories = Memories::new(45);
    let result = system::allocate(&mut memories.manager(), "", "", 0);
    assert_eq!(result, Err(AllocateError::Full { count: 45 }));
}

#[derive(Clone, Debug)]
enum Step {
    Allocate,
    Free(usize),
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Allocate),
        2 => any::<usize>().prop_map(Step::Free),
        1 => (0..2 * TIMEOUT_MS).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..200)
}

proptest! {
    #[test]
    fn ids_in_use_are_distinct_and_freed_ones_wait(steps in steps(), count in 1..12_usize) {
        let mut memories = Memories::new(count);
        let mut manager = memories.manager();
        let (mut now, mut used, mut freed) = (0, vec![], HashMap::new());
        for (serial, step) in steps.into_iter().enumerate() {
            match step {
                Step::Allocate => match manager.allocate(1, b"", serial.to_string().as_bytes(), now) {
                    Ok(id) => {
                        prop_assert!(!used.iter().any(|(other, _)| *other == id));
                        prop_assert!(freed.remove(&id).is_none_or(|at| now >= at + TIMEOUT_MS));
                        used.push((id, serial));
                    }
                    Err(error) => {
                        prop_assert_eq!(error, AllocateError::Full { count });
                        prop_assert_eq!(used.len() + freed.len(), count);
                        prop_assert!(freed.values().all(|at| now < at + TIMEOUT_MS));
                    }
                },
                Step::Free(index) if !used.is_empty() => {
                    let (id, _) = used.swap_remove(index % used.len());
                    manager.free(id, now).unwrap();
                    freed.insert(id, now);
                }
                Step::Free(_) => {}
                Step::Wait(ms) => now += ms,
            }
            let mut expected: Vec<_> = used.iter().map(|(id, serial)| (*id, serial.to_string())).collect();
            expected.sort();
            let seen: Vec<_> = manager.reader().iter().map(|it| (it.id, it.label_text().to_string())).collect();
            prop_assert_eq!(seen, expected);
        }
    }

    #[test]
    fn arbitrary_records_are_read_to_their_end(
        mut words in proptest::collection::vec(prop_oneof![any::<u64>(), 0..3_u64, Just(u64::MAX)], 0..400),
        values in 0..64_usize, id: i32,
    ) {
        let mut values = vec![u64::MAX; values];
        let reader = CountersReader::new(AtomicBuffer::from_mut(&mut words), AtomicBuffer::from_mut(&mut values));
        for record in reader.iter() {
            prop_assert!(record.label().len() <= MAX_LABEL_LENGTH);
            let _ = (record.to_string(), StreamKey::parse(&record.key), ChannelKey::parse(&record.key));
            let _ = LocalAddressKey::parse(&record.key);
            reader.append_to_label(record.id, b"appended");
        }
        let id = CounterId(id);
        let _ = (reader.record(id), reader.key(id), reader.type_id(id), reader.is_active(id, 1, 1));
        let _ = (reader.find_by_type_and_key(-1, -1), reader.find_by_type_and_registration(-1, -1));
    }

    #[test]
    fn a_manager_keeps_its_books_when_clients_overwrite_the_records(
        rubbish in proptest::collection::vec((0..4 * 64_usize, any::<u64>()), 0..40),
    ) {
        let mut memories = Memories::new(4);
        let mut manager = memories.manager();
        for (at, word) in rubbish {
            let mut used = vec![];
            while let Ok(id) = manager.allocate(1, b"k", b"l", 0) {
                used.push(id);
                manager.reader().metadata().store_i64(at * 8, word as i64, Ordering::Relaxed);
                manager.append_to_label(id, b"x").unwrap();
            }
            used.sort();
            prop_assert_eq!(used, [0, 1, 2, 3].map(CounterId));
            (0..4).for_each(|id| manager.free(CounterId(id), -TIMEOUT_MS).unwrap());
        }
    }
}
