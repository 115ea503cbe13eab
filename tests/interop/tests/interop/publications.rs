//! What a publication does besides moving messages: several publishers, claims that are given up, padding, blocks,
//! initial positions, the end of the range, limits.

use crate::support::{
    How, Pair, Progress, STREAM, await_connected, is_stuck, offer_until_taken, publish, receive, transfer,
};
use gannet_interop::peer::{Event, Stuck, Way};
use gannet_interop::{Driver, Peer};
use gannet_tests::messages::{Verifier, message, seed_of};
use gannet_tests::{PATIENCE, Settings, wait_until};

for_pairs! {
    two_publishers_share_a_publication,
    two_exclusive_publishers_are_two_sessions,
    an_aborted_claim_is_not_seen,
    reserved_values_arrive,
    padding_is_skipped,
    a_block_of_frames_arrives,
    a_stream_starts_at_its_initial_position,
    term_ids_wrap_around,
    a_publication_ends_at_the_end_of_its_range,
    a_longer_mtu_makes_longer_fragments,
    a_small_window_limits_the_publisher,
    logs_that_are_not_sparse_work,
}

for_drivers! {
    publishers_of_both_kinds_race_on_one_log,
}

for_pairs! {
    the_default_settings_work,
}

for_peers! {
    without_a_subscriber_nothing_goes,
    a_message_that_is_too_long_is_refused,
    session_ids_clash,
    a_shared_publication_must_agree_on_its_parameters,
    the_next_session_id_is_new,
    a_closed_publication_refuses,
    a_publication_disconnects_when_its_last_subscriber_goes,
    tags_are_accepted,
}

const CHANNEL: &str = "aeron:ipc?term-length=64k";

/// Moves messages of several publishers to one subscriber each of both kinds; each publisher's own order is kept.
fn several(pair: Pair, second: Peer, exclusive: bool) {
    const COUNT: u64 = 600;
    let Pair { publication, subscription, subscriber, publisher, driver } = pair;
    let other = second.connect(driver.path());
    let mut publications = [publication, other.publish(exclusive, CHANNEL, STREAM).unwrap()];
    let (first, second) = (publications[0].constants(), publications[1].constants());
    assert_ne!(first.registration_id, second.registration_id);
    if exclusive {
        assert_ne!(first.session_id, second.session_id);
    } else {
        assert_eq!(first.session_id, second.session_id);
        assert_eq!(first.original_registration_id, second.original_registration_id);
    }
    let third = Peer::Official.connect(driver.path());
    let fourth = Peer::Ours.connect(driver.path());
    let mut subscriptions = [
        subscription,
        third.add_subscription("aeron:ipc", STREAM).unwrap(),
        fourth.add_subscription("aeron:ipc", STREAM).unwrap(),
    ];
    let images = if exclusive { 2 } else { 1 };
    for subscription in &subscriptions {
        wait_until("every image is there", PATIENCE, || subscription.images().len() == images);
    }
    let mut verifiers: Vec<[Verifier; 2]> =
        subscriptions.iter().map(|_| [Verifier::new(0, 0), Verifier::new(1, 0)]).collect();
    let mut sent = [0; 2];
    let mut progress = Progress::new("two publishers");
    let done = |verifiers: &[[Verifier; 2]]| verifiers.iter().flatten().all(|verifier| verifier.next() == COUNT);
    while !done(&verifiers) {
        let mut moved = false;
        for (index, publication) in publications.iter_mut().enumerate() {
            let length = |number: u64| 16 + usize::try_from(number * 37 % 3000).unwrap();
            if sent[index] < COUNT
                && publish(&mut **publication, How::Offer, index as u64, sent[index], length(sent[index]))
            {
                sent[index] += 1;
                moved = true;
            }
        }
        for (subscription, verifiers) in subscriptions.iter_mut().zip(&mut verifiers) {
            moved |= 0 < subscription.poll(Way::Assembled, 8, &mut |bytes, _| {
                let verifier = &mut verifiers[usize::try_from(seed_of(bytes)).unwrap()];
                verifier.take(bytes, 16 + usize::try_from(verifier.next() * 37 % 3000).unwrap());
            });
        }
        progress.turn(moved);
    }
    drop((publications, subscriptions));
    drop((subscriber, publisher, other, third, fourth));
}

fn two_publishers_share_a_publication(driver: Driver, publisher: Peer, second: Peer) {
    several(Pair::new(driver, publisher, second, false, CHANNEL), second, false);
}

fn two_exclusive_publishers_are_two_sessions(driver: Driver, publisher: Peer, second: Peer) {
    several(Pair::new(driver, publisher, second, true, CHANNEL), second, true);
}

fn an_aborted_claim_is_not_seen(driver: Driver, publisher: Peer, subscriber: Peer) {
    for exclusive in [false, true] {
        let mut pair = Pair::new(driver, publisher, subscriber, exclusive, CHANNEL);
        let mut verifier = Verifier::new(1, 0);
        for number in 0..300 {
            let length = 500;
            wait_until("the aborted claim goes", PATIENCE, || {
                let claimed = pair.publication.claim(length, &mut |bytes| {
                    bytes.fill(0xee);
                    false
                });
                claimed.is_ok()
            });
            offer_until_taken(&mut *pair.publication, &message(1, number, length));
            receive(&mut *pair.subscription, &mut verifier, 1, length);
        }
    }
}

fn reserved_values_arrive(driver: Driver, publisher: Peer, subscriber: Peer) {
    for exclusive in [false, true] {
        let mut pair = Pair::new(driver, publisher, subscriber, exclusive, CHANNEL);
        for (number, value) in [0, 1, -1, i64::MIN, i64::MAX, 0x0102_0304_0506_0708].into_iter().enumerate() {
            // Three fragments: each carries the value.
            let bytes = message(3, number as u64, 3000);
            wait_until("the message goes", PATIENCE, || pair.publication.offer_reserved(&bytes, value).is_ok());
            let mut seen = Vec::new();
            wait_until("three fragments come", PATIENCE, || {
                pair.subscription.poll(Way::Fragments, 1, &mut |bytes, header| {
                    assert_eq!(header.reserved_value, value);
                    seen.extend_from_slice(bytes);
                });
                seen.len() == 3000
            });
            assert_eq!(seen, bytes);
        }
    }
}

fn padding_is_skipped(driver: Driver, publisher: Peer, subscriber: Peer) {
    let mut pair = Pair::new(driver, publisher, subscriber, true, CHANNEL);
    let mut verifier = Verifier::new(5, 0);
    for number in 0..200 {
        let length = usize::try_from(number * 61 % 8000).unwrap();
        let before = pair.publication.position().unwrap();
        let mut after = 0;
        wait_until("the padding goes", PATIENCE, || match pair.publication.append_padding(length) {
            Ok(position) => {
                after = position;
                true
            }
            Err(stuck) => {
                assert!(stuck.is_passing(), "padding of {length} bytes: {stuck:?}");
                false
            }
        });
        assert!(after - before >= (length + 32) as i64, "the padding takes its length and a header");
        offer_until_taken(&mut *pair.publication, &message(5, number, 100));
        receive(&mut *pair.subscription, &mut verifier, 1, 100);
    }
}

fn a_block_of_frames_arrives(driver: Driver, publisher: Peer, subscriber: Peer) {
    const SESSION: i32 = 12345;
    const INITIAL_TERM: i32 = -7;
    let channel = format!(
        "aeron:ipc?term-length=64k|session-id={SESSION}|init-term-id={INITIAL_TERM}|term-id={INITIAL_TERM}|term-offset=0"
    );
    let mut pair = Pair::new(driver, publisher, subscriber, true, &channel);
    let mut verifier = Verifier::new(6, 0);
    let mut lengths = Vec::new();
    // Blocks of up to three frames through more than two terms; none crosses the end of a term.
    while pair.publication.position().unwrap() < 150_000 {
        let position = pair.publication.position().unwrap();
        let term_id = INITIAL_TERM + i32::try_from(position >> 16).unwrap();
        let start = usize::try_from(position & 0xffff).unwrap();
        let mut block = Vec::new();
        for length in [40, 0, 1000] {
            let offset = start + block.len();
            if offset + frame_length(length) <= 65536 {
                block.extend_from_slice(&frame(SESSION, term_id, offset, &message(6, lengths.len() as u64, length)));
                lengths.push(length);
            }
        }
        let mut result = Err(Stuck::AdminAction);
        wait_until("the block goes", PATIENCE, || {
            result = pair.publication.offer_block(&block);
            !result.as_ref().is_err_and(Stuck::is_passing)
        });
        assert_eq!(result, Ok(position + block.len() as i64));
        wait_until("the frames come", PATIENCE, || {
            pair.subscription.poll(Way::Assembled, 10, &mut |bytes, _| {
                let length = lengths[usize::try_from(verifier.next()).unwrap()];
                verifier.take(bytes, length);
            });
            verifier.next() == lengths.len() as u64
        });
    }
}

fn frame_length(payload_length: usize) -> usize {
    (payload_length + 32).next_multiple_of(32)
}

/// A data frame of the test's stream, as it lies in a term.
fn frame(session_id: i32, term_id: i32, term_offset: usize, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; frame_length(payload.len())];
    frame[..4].copy_from_slice(&i32::try_from(payload.len() + 32).unwrap().to_le_bytes());
    frame[5] = 0xc0;
    frame[6] = 1;
    frame[8..12].copy_from_slice(&i32::try_from(term_offset).unwrap().to_le_bytes());
    frame[12..16].copy_from_slice(&session_id.to_le_bytes());
    frame[16..20].copy_from_slice(&STREAM.to_le_bytes());
    frame[20..24].copy_from_slice(&term_id.to_le_bytes());
    frame[32..32 + payload.len()].copy_from_slice(payload);
    frame
}

fn a_stream_starts_at_its_initial_position(driver: Driver, publisher: Peer, subscriber: Peer) {
    for exclusive in [false, true] {
        let channel = "aeron:ipc?term-length=64k|init-term-id=7|term-id=12|term-offset=4096";
        let mut pair = Pair::new(driver, publisher, subscriber, exclusive, channel);
        let start = 5 * 65536 + 4096;
        assert_eq!(pair.publication.constants().initial_term_id, 7);
        assert_eq!(pair.publication.position(), Some(start));
        let image = &pair.subscription.images()[0];
        assert_eq!((image.join_position, image.position, image.initial_term_id), (start, start, 7));
        transfer(&mut pair, How::Offer, Way::Assembled, 300, |number| usize::try_from(number * 7 % 2000).unwrap());
    }
}

fn term_ids_wrap_around(driver: Driver, publisher: Peer, subscriber: Peer) {
    let channel = "aeron:ipc?term-length=64k|init-term-id=2147483646|term-id=2147483647|term-offset=64";
    let mut pair = Pair::new(driver, publisher, subscriber, false, channel);
    assert_eq!(pair.publication.position(), Some(65536 + 64));
    transfer(&mut pair, How::Offer, Way::Assembled, 300, |_| 1000);
    assert!(pair.publication.position().unwrap() > 4 * 65536, "terms after the wrap were used");
}

fn a_publication_ends_at_the_end_of_its_range(driver: Driver, publisher: Peer, subscriber: Peer) {
    for exclusive in [false, true] {
        // The last term of 2^31: one message fits, then the range is over.
        let channel = "aeron:ipc?term-length=64k|init-term-id=-1|term-id=2147483646|term-offset=64512";
        let mut pair = Pair::new(driver, publisher, subscriber, exclusive, channel);
        let end = 65536_i64 << 31;
        assert_eq!(pair.publication.constants().max_possible_position, end);
        assert_eq!(pair.publication.position(), Some(end - 1024));
        let mut verifier = Verifier::new(8, 0);
        offer_until_taken(&mut *pair.publication, &message(8, 0, 480));
        receive(&mut *pair.subscription, &mut verifier, 1, 480);
        let mut result = Err(Stuck::AdminAction);
        wait_until("the range is over", PATIENCE, || {
            result = pair.publication.offer(&message(8, 1, 600));
            !matches!(result, Err(Stuck::AdminAction | Stuck::BackPressured))
        });
        assert_eq!(result, Err(Stuck::MaxPositionExceeded));
        assert_eq!(pair.publication.offer(&message(8, 1, 600)), Err(Stuck::MaxPositionExceeded));
    }
}

fn a_longer_mtu_makes_longer_fragments(driver: Driver, publisher: Peer, subscriber: Peer) {
    let channel = "aeron:ipc?term-length=256k|mtu=8192";
    let mut pair = Pair::new(driver, publisher, subscriber, false, channel);
    assert_eq!(pair.publication.constants().max_payload_length, 8160);
    transfer(&mut pair, How::Offer, Way::Assembled, 60, |number| 8159 + usize::try_from(number % 3).unwrap());
}

fn a_small_window_limits_the_publisher(driver: Driver, publisher: Peer, subscriber: Peer) {
    let channel = "aeron:ipc?term-length=64k|pub-wnd=4096";
    let mut pair = Pair::new(driver, publisher, subscriber, true, channel);
    wait_until("the window is granted", PATIENCE, || pair.publication.position_limit() == Some(4096));
    let mut sent = 0;
    while pair.publication.offer(&message(42, sent, 992)).is_ok() {
        sent += 1;
    }
    assert!(is_stuck(&pair.publication.offer(&message(42, sent, 992)), &Stuck::BackPressured));
    assert_eq!(sent, 4, "messages of 1 KiB in a window of 4 KiB");
    receive(&mut *pair.subscription, &mut Verifier::new(42, 0), sent, 992);
    transfer(&mut pair, How::Offer, Way::Assembled, 200, |_| 992);
}

fn logs_that_are_not_sparse_work(driver: Driver, publisher: Peer, subscriber: Peer) {
    let mut pair = Pair::new(driver, publisher, subscriber, false, "aeron:ipc?term-length=64k|sparse=false");
    transfer(&mut pair, How::Offer, Way::Assembled, 300, |_| 1000);
}

fn without_a_subscriber_nothing_goes(driver: Driver, peer: Peer) {
    let driver = driver.launch("not-connected");
    let client = peer.connect(driver.path());
    for exclusive in [false, true] {
        let mut publication = client.publish(exclusive, CHANNEL, STREAM).unwrap();
        assert!(!publication.is_connected());
        assert_eq!(publication.offer(b"nobody"), Err(Stuck::NotConnected));
        assert_eq!(publication.claim(6, &mut |_| panic!("no space")), Err(Stuck::NotConnected));
        assert_eq!(publication.position(), Some(0));
        assert_eq!(publication.position_limit(), Some(0));
    }
}

fn a_message_that_is_too_long_is_refused(driver: Driver, peer: Peer) {
    for exclusive in [false, true] {
        let mut pair = Pair::new(driver, peer, peer, exclusive, CHANNEL);
        let refused = |result: Result<i64, Stuck>| matches!(result, Err(Stuck::Error(_)));
        assert!(refused(pair.publication.offer(&vec![0; 8193])));
        assert!(refused(pair.publication.claim(1377, &mut |_| panic!("no such claim"))));
        assert_eq!(pair.publication.position(), Some(0), "nothing was taken");
        transfer(&mut pair, How::Offer, Way::Assembled, 3, |_| 8192);
    }
}

fn session_ids_clash(driver: Driver, peer: Peer) {
    let driver = driver.launch("session-clash");
    let client = peer.connect(driver.path());
    let channel = "aeron:ipc?session-id=77";
    let first = client.add_exclusive_publication(channel, STREAM).unwrap();
    assert_eq!(first.constants().session_id, 77);
    for exclusive in [true, false] {
        let refused = client.publish(exclusive, channel, STREAM).map(drop).unwrap_err();
        assert_eq!(refused.code, 1, "{refused}");
    }
    let elsewhere = client.add_exclusive_publication(channel, STREAM + 1).unwrap();
    assert_eq!(elsewhere.constants().session_id, 77, "another stream may use it");
    first.close();
    wait_until("the session is free again", PATIENCE, || client.add_exclusive_publication(channel, STREAM).is_ok());
}

fn a_shared_publication_must_agree_on_its_parameters(driver: Driver, peer: Peer) {
    let driver = driver.launch("parameters");
    let client = peer.connect(driver.path());
    let first = client.add_publication("aeron:ipc?term-length=128k|mtu=2048|session-id=5", STREAM).unwrap();
    for other in ["term-length=64k", "mtu=1408", "session-id=6", "init-term-id=1|term-id=1|term-offset=0"] {
        let refused = client.add_publication(&format!("aeron:ipc?{other}"), STREAM).map(drop).unwrap_err();
        assert_eq!(refused.code, 11, "{other}: {refused}");
    }
    let same = client.add_publication("aeron:ipc?term-length=128k|mtu=2048|session-id=5", STREAM).unwrap();
    assert_eq!(same.constants().original_registration_id, first.constants().registration_id);
    let silent = client.add_publication("aeron:ipc", STREAM).unwrap();
    assert_eq!(silent.constants().term_length, 128 * 1024);
}

fn the_next_session_id_is_new(driver: Driver, peer: Peer) {
    let driver = driver.launch("next-session-id");
    let client = peer.connect(driver.path());
    let mut ids = std::collections::HashSet::new();
    for _ in 0..50 {
        let id = client.next_session_id(STREAM).unwrap();
        assert!(ids.insert(id), "{id} was given before");
        assert!(!(-1..=1000).contains(&id), "{id} is reserved");
    }
    let id = client.next_session_id(STREAM).unwrap();
    let publication = client.add_exclusive_publication(&format!("aeron:ipc?session-id={id}"), STREAM).unwrap();
    assert_eq!(publication.constants().session_id, id);
}

fn a_closed_publication_refuses(driver: Driver, peer: Peer) {
    let driver = driver.launch("closed");
    let client = peer.connect(driver.path());
    let publication = client.add_publication(CHANNEL, STREAM).unwrap();
    let registration_id = publication.constants().registration_id;
    let log = driver.path().join(format!("publications/{registration_id}.logbuffer"));
    assert!(log.is_file());
    publication.close();
    wait_until("the log file goes", PATIENCE, || !log.exists());
}

fn a_publication_disconnects_when_its_last_subscriber_goes(driver: Driver, peer: Peer) {
    let mut pair = Pair::new(driver, peer, peer, false, CHANNEL);
    transfer(&mut pair, How::Offer, Way::Assembled, 10, |_| 100);
    let Pair { mut publication, subscription, subscriber, publisher, driver } = pair;
    subscription.close();
    wait_until("the publication is not connected", PATIENCE, || !publication.is_connected());
    assert_eq!(publication.offer(b"nobody"), Err(Stuck::NotConnected));
    let again = subscriber.add_subscription("aeron:ipc", STREAM).unwrap();
    await_connected(&*publication, &*again);
    assert!(again.images()[0].join_position <= publication.position().unwrap());
    assert_eq!(publisher.events().count(|event| matches!(event, Event::Error { .. })), 0);
    drop(driver);
}

fn tags_are_accepted(driver: Driver, peer: Peer) {
    let driver = driver.launch("tags");
    let client = peer.connect(driver.path());
    let first = client.add_publication("aeron:ipc?tags=3,4", STREAM).unwrap();
    let second = client.add_publication("aeron:ipc?tags=5", STREAM).unwrap();
    assert_eq!(first.constants().session_id, second.constants().session_id, "the stream alone decides");
}

/// Four publishers in threads of their own append to one log of small terms at the same time, two with each client.
fn publishers_of_both_kinds_race_on_one_log(driver: Driver) {
    const COUNT: u64 = 5_000;
    let driver = driver.launch("race");
    let length = |number: u64| 16 + usize::try_from(number * 53 % 2500).unwrap();
    let kinds = [Peer::Official, Peer::Ours, Peer::Official, Peer::Ours];
    let clients: Vec<_> = kinds.iter().map(|peer| peer.connect(driver.path())).collect();
    let mut subscriptions: Vec<_> =
        clients[..2].iter().map(|client| client.add_subscription("aeron:ipc", STREAM).unwrap()).collect();
    let publications: Vec<_> = clients.iter().map(|client| client.add_publication(CHANNEL, STREAM).unwrap()).collect();
    for publication in &publications {
        wait_until("the publication is connected", PATIENCE, || publication.is_connected());
    }
    let publishers: Vec<_> = publications
        .into_iter()
        .enumerate()
        .map(|(seed, mut publication)| {
            std::thread::spawn(move || {
                let mut progress = Progress::new("a racing publisher");
                let mut number = 0;
                while number < COUNT {
                    // Every third message in place, when it fits into a frame.
                    let how = if number % 3 == 0 && length(number) <= 1376 { How::Claim } else { How::Offer };
                    let went = publish(&mut *publication, how, seed as u64, number, length(number));
                    number += u64::from(went);
                    progress.turn(went);
                }
                // Kept until all has been read.
                publication
            })
        })
        .collect();
    let mut verifiers: Vec<Vec<Verifier>> =
        subscriptions.iter().map(|_| (0..4).map(|seed| Verifier::new(seed, 0)).collect()).collect();
    let mut progress = Progress::new("racing publishers");
    while !verifiers.iter().flatten().all(|verifier| verifier.next() == COUNT) {
        let mut moved = 0;
        for (subscription, verifiers) in subscriptions.iter_mut().zip(&mut verifiers) {
            moved += subscription.poll(Way::Assembled, 50, &mut |bytes, _| {
                let verifier = &mut verifiers[usize::try_from(seed_of(bytes)).unwrap()];
                verifier.take(bytes, length(verifier.next()));
            });
        }
        progress.turn(moved > 0);
    }
    for publisher in publishers {
        drop(publisher.join().unwrap());
    }
}

/// Three threads, terms of 64 MiB, back-off: what an operator gets who sets nothing.
fn the_default_settings_work(driver: Driver, publisher: Peer, subscriber: Peer) {
    let driver = driver.launch_with("defaults", &Settings::bare());
    let mut pair = Pair::on(driver, publisher, subscriber, false, "aeron:ipc");
    assert_eq!(pair.publication.constants().term_length, 64 * 1024 * 1024);
    transfer(&mut pair, How::Offer, Way::Assembled, 2000, |number| usize::try_from(number * 31 % 5000).unwrap());
}
