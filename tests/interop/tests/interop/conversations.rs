//! The same commands, byte for byte, to both drivers: their answers must be the same, in the same order, as must what
//! their counters say in the end.

use gannet_interop::Driver;
use gannet_tests::raw_client::{RawClient, command, counter_fields, describe, text};
use gannet_tests::{CncSnapshot, Settings};
use std::path::Path;

/// What a driver did in answer to a script.
#[derive(Debug, PartialEq, Eq)]
struct Conversation {
    responses: Vec<String>,
    counters: Vec<String>,
    system: Vec<(i32, i64)>,
    files: Vec<String>,
}

/// A raw client, and the answers that were heard so far.
struct Talk<'a> {
    client: RawClient,
    directory: &'a Path,
    responses: Vec<String>,
}

impl Talk<'_> {
    /// Waits for the answers to all that was sent, so that later commands find what these left.
    fn settle(&mut self) {
        for (type_id, body) in self.client.settle() {
            self.responses.push(describe(type_id, &body, self.directory));
        }
    }

    fn send(&mut self, type_id: i32, fields: &[u8]) -> i64 {
        self.client.send_fields(type_id, fields)
    }
}

fn talk(driver: Driver, script: fn(&mut Talk<'_>)) -> Conversation {
    // One tick at the start, and then none for a minute: what a timer does is not part of the conversation.
    let settings = Settings::small().with("AERON_TIMER_INTERVAL", "2s");
    let driver = driver.launch_with("conversation", &settings);
    let mut talk = Talk { client: RawClient::connect(driver.path()), directory: driver.path(), responses: Vec::new() };
    script(&mut talk);
    talk.settle();
    let cnc = driver.cnc();
    Conversation {
        responses: talk.responses,
        counters: counters(&cnc),
        system: [15, 19, 20, 24, 40, 42].map(|id| (id, cnc.counter(id).unwrap().value)).to_vec(),
        files: driver.directory().listing(),
    }
}

/// All counters but the system's: ids, types, owners, registrations and labels; values where they do not tell time.
fn counters(cnc: &CncSnapshot) -> Vec<String> {
    cnc.counters
        .iter()
        .filter(|counter| counter.type_id != 0)
        .map(|counter| {
            let value = if counter.type_id == 11 { 0 } else { counter.value };
            format!(
                "{} type {} registration {} owner {} reference {} value {value}: {}",
                counter.id,
                counter.type_id,
                counter.registration_id,
                counter.owner_id,
                counter.reference_id,
                without_session(&counter.label),
            )
        })
        .collect()
}

/// A stream counter's label without a session id that a driver chose.
fn without_session(label: &str) -> String {
    let words: Vec<&str> = label.split(' ').collect();
    let is_session = |word: &str| word.parse::<i32>().is_ok_and(|id| !(0..=100_000).contains(&id));
    words.iter().map(|word| if is_session(word) { "?" } else { word }).collect::<Vec<_>>().join(" ")
}

macro_rules! conversations {
    ($($script:ident),* $(,)?) => {$(
        mod $script {
            #[test]
            fn is_the_same_with_both_drivers() {
                use gannet_interop::Driver;
                let official = super::talk(Driver::Official, super::$script);
                let ours = super::talk(Driver::Gannetd, super::$script);
                assert_eq!(ours.responses, official.responses, "responses (left gannetd, right official)");
                assert_eq!(ours, official, "(left gannetd, right official)");
            }
        }
    )*};
}

conversations! {
    shared_publications_come_and_go,
    exclusive_publications_come_and_go,
    subscriptions_come_and_go,
    subscribers_before_publishers,
    subscribers_filter_by_session,
    revoking_removes,
    a_legacy_removal_has_no_flags,
    removing_what_is_not_there,
    removing_what_belongs_to_another,
    counters_come_and_go,
    static_counters,
    counter_lengths_that_lie,
    channel_lengths_that_lie,
    commands_that_are_too_short,
    commands_that_are_unknown,
    destinations_of_ipc_publications,
    receive_destinations_of_ipc_subscriptions,
    rejecting_an_ipc_image,
    rejecting_what_is_not_there,
    rejecting_with_reasons_that_lie,
    a_client_that_closes,
    a_client_that_only_says_it_lives,
    a_termination_that_is_denied,
    spies_on_ipc,
    session_ids_on_request,
    two_clients_on_one_stream,
    positions_are_labelled,
    long_channels_are_cut_in_counters,
    a_channel_that_is_too_long,
}

const STREAM: i32 = 10;

/// The fields of a removal, with flags.
fn removal(registration_id: i64, flags: u64) -> Vec<u8> {
    [registration_id.to_le_bytes(), flags.to_le_bytes()].concat()
}

/// The fields of a reject.
fn rejection(correlation_id: i64, position: i64, reason: &[u8]) -> Vec<u8> {
    let mut fields = [correlation_id.to_le_bytes(), position.to_le_bytes()].concat();
    text(&mut fields, reason);
    // The client adds a zero, and the C driver wants at least its struct's size.
    fields.push(0);
    fields.resize(fields.len().max(24), 0);
    fields
}

/// The fields of a command about a destination.
fn destination(registration_id: i64, channel: &str) -> Vec<u8> {
    let mut fields = registration_id.to_le_bytes().to_vec();
    text(&mut fields, channel.as_bytes());
    fields
}

fn shared_publications_come_and_go(talk: &mut Talk<'_>) {
    let first = talk.client.add_publication(false, "aeron:ipc?session-id=7", STREAM);
    let second = talk.client.add_publication(false, "aeron:ipc?session-id=7", STREAM);
    let third = talk.client.add_publication(false, "aeron:ipc", STREAM + 1);
    talk.settle();
    talk.send(command::REMOVE_PUBLICATION, &removal(first, 0));
    talk.settle();
    talk.client.add_publication(false, "aeron:ipc", STREAM);
    talk.send(command::REMOVE_PUBLICATION, &removal(second, 0));
    talk.send(command::REMOVE_PUBLICATION, &removal(third, 0));
    talk.send(command::REMOVE_PUBLICATION, &removal(third, 0));
}

fn exclusive_publications_come_and_go(talk: &mut Talk<'_>) {
    let first = talk.client.add_publication(true, "aeron:ipc?session-id=8", STREAM);
    talk.client.add_publication(true, "aeron:ipc?session-id=9", STREAM);
    talk.client.add_publication(true, "aeron:ipc?session-id=8", STREAM);
    talk.client.add_publication(false, "aeron:ipc", STREAM);
    talk.send(command::REMOVE_PUBLICATION, &removal(first, 0));
}

fn subscriptions_come_and_go(talk: &mut Talk<'_>) {
    talk.client.add_publication(true, "aeron:ipc?session-id=8", STREAM);
    let first = talk.client.add_subscription("aeron:ipc", STREAM);
    let second = talk.client.add_subscription("aeron:ipc", STREAM);
    talk.settle();
    talk.send(command::REMOVE_SUBSCRIPTION, &first.to_le_bytes());
    talk.settle();
    talk.send(command::REMOVE_SUBSCRIPTION, &second.to_le_bytes());
    talk.send(command::REMOVE_SUBSCRIPTION, &second.to_le_bytes());
}

fn subscribers_before_publishers(talk: &mut Talk<'_>) {
    talk.client.add_subscription("aeron:ipc", STREAM);
    talk.client.add_subscription("aeron:ipc?tether=false", STREAM);
    talk.client.add_subscription("aeron:ipc", STREAM + 1);
    talk.client.add_publication(false, "aeron:ipc?session-id=4", STREAM);
    talk.client.add_publication(true, "aeron:ipc?session-id=5", STREAM);
}

fn subscribers_filter_by_session(talk: &mut Talk<'_>) {
    talk.client.add_subscription("aeron:ipc?session-id=5", STREAM);
    talk.client.add_publication(true, "aeron:ipc?session-id=4", STREAM);
    talk.client.add_publication(true, "aeron:ipc?session-id=5", STREAM);
    talk.client.add_subscription("aeron:ipc?session-id=4", STREAM);
    talk.client.add_subscription("aeron:ipc?session-id=6", STREAM);
}

fn revoking_removes(talk: &mut Talk<'_>) {
    let publication = talk.client.add_publication(true, "aeron:ipc?session-id=8", STREAM);
    talk.client.add_subscription("aeron:ipc", STREAM);
    talk.settle();
    talk.send(command::REMOVE_PUBLICATION, &removal(publication, 1));
}

fn a_legacy_removal_has_no_flags(talk: &mut Talk<'_>) {
    let first = talk.client.add_publication(true, "aeron:ipc?session-id=8", STREAM);
    let second = talk.client.add_publication(true, "aeron:ipc?session-id=9", STREAM);
    talk.send(command::REMOVE_PUBLICATION, &first.to_le_bytes());
    // Between the old length and the new one: malformed.
    talk.send(command::REMOVE_PUBLICATION, &removal(second, 0)[..12]);
}

fn removing_what_is_not_there(talk: &mut Talk<'_>) {
    talk.send(command::REMOVE_PUBLICATION, &removal(4711, 0));
    talk.send(command::REMOVE_SUBSCRIPTION, &4711_i64.to_le_bytes());
    talk.send(command::REMOVE_COUNTER, &4711_i64.to_le_bytes());
}

fn removing_what_belongs_to_another(talk: &mut Talk<'_>) {
    let publication = talk.client.add_publication(false, "aeron:ipc?session-id=8", STREAM);
    let subscription = talk.client.add_subscription("aeron:ipc", STREAM);
    let counter = talk.send(command::ADD_COUNTER, &counter_fields(1000, b"key", b"label"));
    talk.settle();
    talk.client.client_id += 1000;
    talk.send(command::REMOVE_PUBLICATION, &removal(publication, 0));
    talk.send(command::REMOVE_SUBSCRIPTION, &subscription.to_le_bytes());
    talk.send(command::REMOVE_COUNTER, &counter.to_le_bytes());
}

fn counters_come_and_go(talk: &mut Talk<'_>) {
    let counter = talk.send(command::ADD_COUNTER, &counter_fields(1000, b"key", b"a label"));
    talk.send(command::ADD_COUNTER, &counter_fields(1000, b"", b""));
    talk.send(command::ADD_COUNTER, &counter_fields(-5, &[1; 112], &[b'x'; 380]));
    talk.settle();
    talk.send(command::REMOVE_COUNTER, &counter.to_le_bytes());
    talk.send(command::REMOVE_COUNTER, &counter.to_le_bytes());
}

fn static_counters(talk: &mut Talk<'_>) {
    let add = |registration_id: i64, fields: &[u8]| [&registration_id.to_le_bytes()[..], fields].concat();
    let owned = talk.send(command::ADD_COUNTER, &counter_fields(1000, b"key", b"owned"));
    talk.send(command::ADD_STATIC_COUNTER, &add(50, &counter_fields(1000, b"key", b"static")));
    talk.send(command::ADD_STATIC_COUNTER, &add(50, &counter_fields(1000, b"other", b"again")));
    talk.send(command::ADD_STATIC_COUNTER, &add(51, &counter_fields(1000, b"key", b"static")));
    talk.send(command::ADD_STATIC_COUNTER, &add(owned, &counter_fields(1000, b"key", b"owned")));
    talk.settle();
    talk.send(command::REMOVE_COUNTER, &50_i64.to_le_bytes());
}

fn counter_lengths_that_lie(talk: &mut Talk<'_>) {
    for key_length in [-1, i32::MIN, i32::MAX, 1000, 113] {
        let mut fields = counter_fields(1000, b"four", b"label");
        fields[4..8].copy_from_slice(&key_length.to_le_bytes());
        talk.send(command::ADD_COUNTER, &fields);
    }
    for label_length in [-1, i32::MIN, i32::MAX, 1000, 6] {
        let mut fields = counter_fields(1000, b"four", b"label");
        fields[12..16].copy_from_slice(&label_length.to_le_bytes());
        talk.send(command::ADD_COUNTER, &fields);
    }
}

fn channel_lengths_that_lie(talk: &mut Talk<'_>) {
    for length in [-1, i32::MIN, i32::MAX, 1000, 10] {
        for (type_id, fields) in [
            (command::ADD_PUBLICATION, &STREAM.to_le_bytes()[..]),
            (command::ADD_EXCLUSIVE_PUBLICATION, &STREAM.to_le_bytes()[..]),
            (command::ADD_SUBSCRIPTION, &[0; 12][..]),
            (command::ADD_DESTINATION, &[0; 8][..]),
            (command::ADD_RCV_DESTINATION, &[0; 8][..]),
        ] {
            let mut body = talk.client.channel_command(fields, "aeron:ipc");
            let at = 16 + fields.len();
            body[at..at + 4].copy_from_slice(&i32::to_le_bytes(length));
            talk.client.send(type_id, &body);
        }
    }
    // Shorter than the text is no lie: the rest is not read.
    let mut body = talk.client.channel_command(&STREAM.to_le_bytes(), "aeron:ipc?session-id=7");
    body[20..24].copy_from_slice(&9_i32.to_le_bytes());
    talk.client.send(command::ADD_PUBLICATION, &body);
}

fn commands_that_are_too_short(talk: &mut Talk<'_>) {
    for type_id in 1..=0x12 {
        for length in [0, 1, 8, 15] {
            talk.client.send(type_id, &[0; 15][..length]);
        }
    }
    for (type_id, least) in
        [(1, 24), (2, 24), (3, 24), (4, 32), (5, 24), (7, 28), (9, 28), (10, 24), (14, 20), (15, 36)]
    {
        let correlation_id = talk.client.correlation_id();
        let mut body = talk.client.header(correlation_id);
        body.resize(least - 1, 0);
        talk.client.send(type_id, &body);
    }
}

fn commands_that_are_unknown(talk: &mut Talk<'_>) {
    for type_id in [0x13, 0x7f, 0x0f01, i32::MAX] {
        talk.send(type_id, &[0; 64]);
    }
}

fn destinations_of_ipc_publications(talk: &mut Talk<'_>) {
    let publication = talk.client.add_publication(false, "aeron:ipc?session-id=8", STREAM);
    for type_id in [command::ADD_DESTINATION, command::REMOVE_DESTINATION] {
        talk.send(type_id, &destination(publication, "aeron:udp?endpoint=127.0.0.1:40123"));
        talk.send(type_id, &destination(4711, "aeron:udp?endpoint=127.0.0.1:40123"));
    }
}

fn receive_destinations_of_ipc_subscriptions(talk: &mut Talk<'_>) {
    let subscription = talk.client.add_subscription("aeron:ipc", STREAM);
    for type_id in [command::ADD_RCV_DESTINATION, command::REMOVE_RCV_DESTINATION] {
        talk.send(type_id, &destination(subscription, "aeron:ipc"));
        talk.send(type_id, &destination(4711, "aeron:ipc"));
    }
}

fn rejecting_an_ipc_image(talk: &mut Talk<'_>) {
    let publication = talk.client.add_publication(false, "aeron:ipc?session-id=8", STREAM);
    talk.client.add_subscription("aeron:ipc", STREAM);
    talk.client.add_subscription("aeron:ipc?session-id=8", STREAM);
    talk.settle();
    talk.send(command::REJECT_IMAGE, &rejection(publication, 0, b"a reason"));
    talk.settle();
    // During the cool-down a new subscriber gets no image.
    talk.client.add_subscription("aeron:ipc", STREAM);
}

fn rejecting_what_is_not_there(talk: &mut Talk<'_>) {
    talk.send(command::REJECT_IMAGE, &rejection(4711, 0, b"a reason"));
    talk.send(command::REJECT_IMAGE, &rejection(-1, 0, b"a reason"));
}

fn rejecting_with_reasons_that_lie(talk: &mut Talk<'_>) {
    let publication = talk.client.add_publication(false, "aeron:ipc?session-id=8", STREAM);
    talk.client.add_subscription("aeron:ipc", STREAM);
    // Negative lengths make the official driver stop answering; the fault suite sends them to ours.
    for length in [i32::MAX, 1000] {
        let mut fields = rejection(publication, 0, b"a reason");
        fields[16..20].copy_from_slice(&i32::to_le_bytes(length));
        talk.send(command::REJECT_IMAGE, &fields);
    }
    talk.send(command::REJECT_IMAGE, &rejection(publication, 0, &[b'x'; 1024]));
    talk.send(command::REJECT_IMAGE, &rejection(publication, 0, &[b'x'; 1023]));
}

fn a_client_that_closes(talk: &mut Talk<'_>) {
    talk.client.add_publication(false, "aeron:ipc?session-id=8", STREAM);
    talk.send(command::CLIENT_CLOSE, &[]);
    talk.send(command::CLIENT_CLOSE, &[]);
    talk.client.client_id = 4711;
    talk.send(command::CLIENT_CLOSE, &[]);
}

fn a_client_that_only_says_it_lives(talk: &mut Talk<'_>) {
    talk.send(command::CLIENT_KEEPALIVE, &[]);
}

fn a_termination_that_is_denied(talk: &mut Talk<'_>) {
    let mut fields = Vec::new();
    text(&mut fields, b"a token");
    talk.send(command::TERMINATE_DRIVER, &fields);
    for length in [-1, i32::MIN, i32::MAX, 8] {
        fields[..4].copy_from_slice(&i32::to_le_bytes(length));
        talk.send(command::TERMINATE_DRIVER, &fields);
    }
}

fn spies_on_ipc(talk: &mut Talk<'_>) {
    talk.client.add_publication(false, "aeron:ipc?session-id=8", STREAM);
    talk.client.add_subscription("aeron-spy:aeron:ipc", STREAM);
    talk.client.add_publication(false, "aeron-spy:aeron:ipc", STREAM);
}

fn session_ids_on_request(talk: &mut Talk<'_>) {
    talk.send(command::GET_NEXT_AVAILABLE_SESSION_ID, &STREAM.to_le_bytes());
    talk.send(command::GET_NEXT_AVAILABLE_SESSION_ID, &STREAM.to_le_bytes());
    talk.send(command::GET_NEXT_AVAILABLE_SESSION_ID, &[0; 3]);
}

fn two_clients_on_one_stream(talk: &mut Talk<'_>) {
    let first = talk.client.add_publication(false, "aeron:ipc?session-id=8", STREAM);
    talk.settle();
    let client = talk.client.client_id;
    talk.client.client_id = talk.client.correlation_id();
    let second = talk.client.add_publication(false, "aeron:ipc", STREAM);
    talk.client.add_subscription("aeron:ipc", STREAM);
    talk.settle();
    talk.send(command::REMOVE_PUBLICATION, &removal(first, 0));
    talk.send(command::REMOVE_PUBLICATION, &removal(second, 0));
    talk.settle();
    talk.client.client_id = client;
    talk.send(command::REMOVE_PUBLICATION, &removal(first, 0));
}

fn positions_are_labelled(talk: &mut Talk<'_>) {
    let channel = "aeron:ipc?session-id=8|term-length=64k|init-term-id=3|term-id=5|term-offset=96|alias=labelled";
    talk.client.add_publication(true, channel, STREAM);
    talk.client.add_subscription("aeron:ipc?alias=reader", STREAM);
}

fn long_channels_are_cut_in_counters(talk: &mut Talk<'_>) {
    let alias = "x".repeat(500);
    talk.client.add_publication(true, &format!("aeron:ipc?session-id=8|alias={alias}"), STREAM);
    talk.client.add_subscription(&format!("aeron:ipc?alias={alias}"), STREAM);
}

fn a_channel_that_is_too_long(talk: &mut Talk<'_>) {
    for length in [4095, 4096] {
        let prefix = "aeron:ipc?session-id=8|alias=";
        let channel = format!("{prefix}{}", "x".repeat(length - prefix.len()));
        talk.client.add_publication(true, &channel, STREAM);
        talk.client.add_subscription(&channel, STREAM);
    }
}
