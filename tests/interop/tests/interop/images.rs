//! What a subscriber sees of a publication's life: late and slow subscribers, images that come and go, rejection,
//! revocation, untethered subscriptions, session filters.

use crate::support::{How, Pair, Progress, STREAM, await_connected, is_stuck, offer_until_taken, publish, receive};
use gannet_interop::peer::{Client, Event, Publication, Stuck, Subscription, Way};
use gannet_interop::{Driver, Peer};
use gannet_tests::messages::{Verifier, message};
use gannet_tests::{PATIENCE, Settings, wait_for, wait_until};

for_pairs! {
    a_slow_subscriber_holds_the_publisher_back,
    a_late_joiner_gets_what_comes_after,
    a_closed_publication_is_drained_and_then_unavailable,
    a_subscriber_that_never_read_all_still_lets_go,
    a_rejected_image_is_told_and_comes_back,
    a_revoked_publication_ends_at_once,
    an_untethered_subscriber_is_left_behind_and_rejoins,
    an_untethered_subscriber_that_may_not_rejoin_stays_away,
    a_session_filter_lets_one_session_through,
    many_streams_do_not_mix,
}

const CHANNEL: &str = "aeron:ipc?term-length=64k";

fn a_slow_subscriber_holds_the_publisher_back(driver: Driver, publisher: Peer, subscriber: Peer) {
    const COUNT: u64 = 400;
    let mut pair = Pair::new(driver, publisher, subscriber, false, CHANNEL);
    let quick_client = Peer::Official.connect(pair.driver.path());
    let mut quick = quick_client.add_subscription("aeron:ipc", STREAM).unwrap();
    await_connected(&*pair.publication, &*quick);
    let (mut slow_verifier, mut quick_verifier) = (Verifier::new(42, 0), Verifier::new(42, 0));
    let (mut sent, mut refused) = (0, 0);
    let mut progress = Progress::new("slow subscriber");
    while slow_verifier.next() < COUNT {
        // The publisher goes on until it is held back; only then the slow one takes a single message.
        let mut moved = false;
        while sent < COUNT {
            match pair.publication.offer(&message(42, sent, 1000)) {
                Ok(_) => sent += 1,
                Err(Stuck::AdminAction) => continue,
                Err(stuck) => {
                    assert_eq!(stuck, Stuck::BackPressured);
                    refused += 1;
                    break;
                }
            }
            moved = true;
            // A window of 32 KiB in fragments of 1056 bytes, and the message that passes the limit.
            assert!(sent - slow_verifier.next() <= 33, "{sent} sent, {} taken", slow_verifier.next());
        }
        moved |= quick.poll(Way::Assembled, 100, &mut |bytes, _| quick_verifier.take(bytes, 1000)) > 0;
        moved |= pair.subscription.poll(Way::Assembled, 1, &mut |bytes, _| slow_verifier.take(bytes, 1000)) > 0;
        progress.turn(moved);
    }
    assert!(refused > 0, "the publisher was held back");
    let rest = COUNT - quick_verifier.next();
    receive(&mut *quick, &mut quick_verifier, rest, 1000);
}

fn a_late_joiner_gets_what_comes_after(driver: Driver, publisher: Peer, subscriber: Peer) {
    let mut pair = Pair::new(driver, publisher, Peer::Official, false, CHANNEL);
    let mut stream = Numbered::new(700);
    let mut first = Verifier::new(42, 0);
    for _ in 0..100 {
        stream.offer(&mut *pair.publication);
        receive(&mut *pair.subscription, &mut first, 1, 700);
    }
    let late_client = subscriber.connect(pair.driver.path());
    let mut late = late_client.add_subscription("aeron:ipc", STREAM).unwrap();
    wait_until("the late joiner has its image", PATIENCE, || late.is_connected());
    let image = &late.images()[0];
    // The driver lets it join where it last saw the others: at most a duty cycle behind.
    assert!(image.join_position > 0 && image.join_position <= pair.publication.position().unwrap());
    assert_eq!(image.correlation_id, pair.subscription.images()[0].correlation_id);
    assert_eq!(image.source_identity, "aeron:ipc");
    let mut second = Verifier::new(42, stream.number_at(image.join_position));
    for _ in 100..300 {
        stream.offer(&mut *pair.publication);
        receive(&mut *pair.subscription, &mut first, 1, 700);
        while second.next() < first.next() {
            receive(&mut *late, &mut second, 1, 700);
        }
    }
}

/// Messages of one length whose positions are remembered, to tell which is the first after a position.
struct Numbered {
    length: usize,
    ends: Vec<i64>,
}

impl Numbered {
    fn new(length: usize) -> Self {
        Numbered { length, ends: Vec::new() }
    }

    fn offer(&mut self, publication: &mut dyn Publication) {
        let message = message(42, self.ends.len() as u64, self.length);
        self.ends.push(offer_until_taken(publication, &message));
    }

    /// The number of the message that begins at `position`, or after the padding there.
    fn number_at(&self, position: i64) -> u64 {
        self.ends.iter().filter(|end| **end <= position).count() as u64
    }
}

fn a_closed_publication_is_drained_and_then_unavailable(driver: Driver, publisher: Peer, subscriber: Peer) {
    for exclusive in [false, true] {
        let pair = Pair::new(driver, publisher, subscriber, exclusive, CHANNEL);
        let Pair { mut publication, mut subscription, subscriber, publisher, driver } = pair;
        let constants = publication.constants();
        for number in 0..20 {
            offer_until_taken(&mut *publication, &message(42, number, 500));
        }
        let end = publication.position().unwrap();
        publication.close();
        let log = driver.path().join(format!("publications/{}.logbuffer", constants.registration_id));
        receive(&mut *subscription, &mut Verifier::new(42, 0), 20, 500);
        let events = subscriber.events();
        let unavailable = wait_for("the image is unavailable", PATIENCE, || {
            subscription.poll(Way::Assembled, 1, &mut |_, _| panic!("a message after the last"));
            events.find(|event| match event {
                Event::UnavailableImage { .. } => Some(event.clone()),
                _ => None,
            })
        });
        assert_eq!(
            unavailable,
            Event::UnavailableImage {
                subscription: subscription.registration_id(),
                correlation_id: constants.registration_id,
                session_id: constants.session_id,
                position: end,
            }
        );
        wait_until("the image is gone", PATIENCE, || subscription.images().is_empty());
        assert!(!subscription.is_connected());
        wait_until("the log file is gone", PATIENCE, || !log.exists());
        let available = events.count(|event| matches!(event, Event::AvailableImage { .. }));
        assert_eq!(available, 1, "one image came and went: {:?}", events.all());
        drop(publisher);
    }
}

fn a_subscriber_that_never_read_all_still_lets_go(driver: Driver, publisher: Peer, subscriber: Peer) {
    let pair = Pair::new(driver, publisher, subscriber, true, CHANNEL);
    let Pair { mut publication, subscription, subscriber, publisher, driver } = pair;
    let id = publication.constants().registration_id;
    for number in 0..20 {
        offer_until_taken(&mut *publication, &message(42, number, 500));
    }
    publication.close();
    subscription.close();
    let log = driver.path().join(format!("publications/{id}.logbuffer"));
    wait_until("the log file is gone", PATIENCE, || !log.exists());
    wait_until("its counters are gone", PATIENCE, || {
        driver.cnc().counters.iter().all(|c| c.type_id == 0 || c.registration_id != id)
    });
    assert_eq!(driver.system_counter(24), 0, "no client timed out");
    drop((publisher, subscriber));
}

fn a_rejected_image_is_told_and_comes_back(driver: Driver, publisher: Peer, subscriber: Peer) {
    let settings = Settings::small().with("AERON_IMAGE_LIVENESS_TIMEOUT", "500ms");
    let running = driver.launch_with("reject", &settings);
    let mut pair = Pair::on(running, publisher, subscriber, false, CHANNEL);
    let mut stream = Numbered::new(100);
    for _ in 0..10 {
        stream.offer(&mut *pair.publication);
    }
    receive(&mut *pair.subscription, &mut Verifier::new(42, 0), 10, 100);
    let constants = pair.publication.constants();
    pair.subscription.reject(constants.session_id, "the data is stale").unwrap();
    let told = pair.publisher.events();
    let error = wait_for("the publisher is told", PATIENCE, || {
        told.find(|event| match event {
            Event::PublicationError { .. } => Some(event.clone()),
            _ => None,
        })
    });
    assert_eq!(
        error,
        Event::PublicationError {
            registration_id: constants.original_registration_id,
            session_id: constants.session_id,
            stream_id: STREAM,
            code: 13,
            text: "the data is stale".to_owned(),
        }
    );
    let events = pair.subscriber.events();
    wait_until("the image is unavailable", PATIENCE, || {
        events.count(|event| matches!(event, Event::UnavailableImage { .. })) == 1
    });
    wait_until("the publication is not connected", PATIENCE, || !pair.publication.is_connected());
    assert_eq!(pair.driver.system_counter(42), 1, "images rejected");
    wait_until("the image is back", PATIENCE, || {
        events.count(|event| matches!(event, Event::AvailableImage { .. })) == 2
    });
    await_connected(&*pair.publication, &*pair.subscription);
    let image = &pair.subscription.images()[0];
    assert_eq!(image.correlation_id, constants.original_registration_id);
    let mut verifier = Verifier::new(42, stream.number_at(image.join_position));
    for _ in 10..200 {
        stream.offer(&mut *pair.publication);
    }
    let rest = 200 - verifier.next();
    receive(&mut *pair.subscription, &mut verifier, rest, 100);
}

fn a_revoked_publication_ends_at_once(driver: Driver, publisher: Peer, subscriber: Peer) {
    let pair = Pair::new(driver, publisher, subscriber, true, CHANNEL);
    let Pair { mut publication, mut subscription, subscriber, publisher, driver } = pair;
    let constants = publication.constants();
    for number in 0..20 {
        offer_until_taken(&mut *publication, &message(42, number, 500));
    }
    receive(&mut *subscription, &mut Verifier::new(42, 0), 5, 500);
    publication.revoke();
    let events = subscriber.events();
    let position = wait_for("the image is unavailable, though not drained", PATIENCE, || {
        events.find(|event| match event {
            Event::UnavailableImage { position, correlation_id, .. } => {
                assert_eq!(*correlation_id, constants.registration_id);
                Some(*position)
            }
            _ => None,
        })
    });
    assert_eq!(position, 5 * 544, "the subscriber stays where it was");
    assert!(subscription.images().is_empty());
    assert_eq!(driver.system_counter(40), 1, "publications revoked");
    let log = driver.path().join(format!("publications/{}.logbuffer", constants.registration_id));
    wait_until("the log file is gone", PATIENCE, || !log.exists());
    drop((publisher, subscriber));
}

/// A driver that leaves untethered subscribers behind after half a second.
fn untethered_settings() -> Settings {
    Settings::small()
        .with("AERON_UNTETHERED_WINDOW_LIMIT_TIMEOUT", "400ms")
        .with("AERON_UNTETHERED_LINGER_TIMEOUT", "200ms")
        .with("AERON_UNTETHERED_RESTING_TIMEOUT", "300ms")
}

/// A tethered subscriber that reads, and an untethered one that does not until it was left behind. Returns the pair,
/// the sleeper and its client, and the number of the next message.
struct LeftBehind {
    pair: Pair,
    sleeper: Box<dyn Subscription>,
    sleeper_client: Box<dyn Client>,
    next: u64,
    verifier: Verifier,
}

fn leave_behind(driver: Driver, publisher: Peer, subscriber: Peer, channel: &str) -> LeftBehind {
    let running = driver.launch_with("untethered", &untethered_settings());
    let mut pair = Pair::on(running, publisher, Peer::Official, false, CHANNEL);
    let sleeper_client = subscriber.connect(pair.driver.path());
    let sleeper = sleeper_client.add_subscription(channel, STREAM).unwrap();
    wait_until("the untethered subscriber has its image", PATIENCE, || sleeper.is_connected());
    let events = sleeper_client.events();
    let mut verifier = Verifier::new(42, 0);
    let mut next = 0;
    let mut was_held_back = false;
    wait_until("the untethered subscriber is left behind", PATIENCE, || {
        let result = pair.publication.offer(&message(42, next, 1000));
        was_held_back |= is_stuck(&result, &Stuck::BackPressured);
        next += u64::from(result.is_ok());
        pair.subscription.poll(Way::Assembled, 10, &mut |bytes, _| verifier.take(bytes, 1000));
        events.count(|event| matches!(event, Event::UnavailableImage { .. })) == 1
    });
    assert!(was_held_back, "until then it held the publisher back");
    LeftBehind { pair, sleeper, sleeper_client, next, verifier }
}

fn an_untethered_subscriber_is_left_behind_and_rejoins(driver: Driver, publisher: Peer, subscriber: Peer) {
    let LeftBehind { mut pair, mut sleeper, sleeper_client, mut next, mut verifier } =
        leave_behind(driver, publisher, subscriber, "aeron:ipc?tether=false");
    let events = sleeper_client.events();
    wait_until("it is told of the image again, while the stream goes on", PATIENCE, || {
        next += u64::from(pair.publication.offer(&message(42, next, 1000)).is_ok());
        pair.subscription.poll(Way::Assembled, 10, &mut |bytes, _| verifier.take(bytes, 1000));
        events.count(|event| matches!(event, Event::AvailableImage { .. })) == 2
    });
    wait_until("its image is there", PATIENCE, || sleeper.is_connected());
    // It joined at a message's beginning: from there on nothing is missing.
    let rest = next - verifier.next();
    receive(&mut *pair.subscription, &mut verifier, rest, 1000);
    let mut first = None;
    let mut progress = Progress::new("rejoined");
    let mut rejoined = Verifier::new(42, 0);
    let until = next + 100;
    while first.is_none() || rejoined.next() < until {
        let sent = next < until && publish(&mut *pair.publication, How::Offer, 42, next, 1000);
        next += u64::from(sent);
        let kept = pair.subscription.poll(Way::Assembled, 10, &mut |bytes, _| verifier.take(bytes, 1000));
        let polled = sleeper.poll(Way::Assembled, 10, &mut |bytes, _| {
            let number = gannet_tests::messages::number_of(bytes);
            if first.is_none() {
                first = Some(number);
                rejoined = Verifier::new(42, number);
            }
            rejoined.take(bytes, 1000);
        });
        progress.turn(sent || kept > 0 || polled > 0);
    }
    assert!(first.unwrap() > 0, "what it missed is gone");
}

fn an_untethered_subscriber_that_may_not_rejoin_stays_away(driver: Driver, publisher: Peer, subscriber: Peer) {
    let LeftBehind { mut pair, sleeper, sleeper_client, mut next, mut verifier } =
        leave_behind(driver, publisher, subscriber, "aeron:ipc?tether=false|rejoin=false");
    let id = sleeper.registration_id();
    wait_until("its position counter is freed, while the stream goes on", PATIENCE, || {
        next += u64::from(pair.publication.offer(&message(42, next, 1000)).is_ok());
        pair.subscription.poll(Way::Assembled, 10, &mut |bytes, _| verifier.take(bytes, 1000));
        pair.driver.cnc().counters_of(4).all(|counter| counter.registration_id != id)
    });
    assert!(sleeper.images().is_empty());
    assert_eq!(sleeper_client.events().count(|event| matches!(event, Event::AvailableImage { .. })), 1);
}

fn a_session_filter_lets_one_session_through(driver: Driver, publisher: Peer, subscriber: Peer) {
    let driver = driver.launch("session-filter");
    let publisher = publisher.connect(driver.path());
    let subscriber = subscriber.connect(driver.path());
    let mut filtered = subscriber.add_subscription("aeron:ipc?session-id=20", STREAM).unwrap();
    let mut all = subscriber.add_subscription("aeron:ipc", STREAM).unwrap();
    let mut other = publisher.add_exclusive_publication("aeron:ipc?session-id=10", STREAM).unwrap();
    let mut wanted = publisher.add_exclusive_publication("aeron:ipc?session-id=20", STREAM).unwrap();
    wait_until("the open subscription has both images", PATIENCE, || all.images().len() == 2);
    wait_until("the filtered one has its image", PATIENCE, || filtered.images().len() == 1);
    assert_eq!(filtered.images()[0].session_id, 20);
    offer_until_taken(&mut *other, &message(1, 0, 100));
    offer_until_taken(&mut *wanted, &message(2, 0, 100));
    let mut verifier = Verifier::new(2, 0);
    receive(&mut *filtered, &mut verifier, 1, 100);
    assert_eq!(filtered.poll(Way::Assembled, 10, &mut |_, _| panic!("a message of another session")), 0);
    let mut seen = Vec::new();
    wait_until("the open one gets both", PATIENCE, || {
        all.poll(Way::Assembled, 10, &mut |_, header| seen.push(header.session_id));
        seen.len() == 2
    });
    seen.sort_unstable();
    assert_eq!(seen, [10, 20]);
}

fn many_streams_do_not_mix(driver: Driver, publisher: Peer, subscriber: Peer) {
    const STREAMS: i32 = 12;
    let driver = driver.launch("many-streams");
    let publisher = publisher.connect(driver.path());
    let subscriber = subscriber.connect(driver.path());
    let mut streams: Vec<_> = (0..STREAMS)
        .map(|stream| {
            let subscription = subscriber.add_subscription("aeron:ipc", stream).unwrap();
            let publication = publisher.add_publication(CHANNEL, stream).unwrap();
            let seed = u64::try_from(stream).unwrap();
            (publication, subscription, Verifier::new(seed, 0), seed)
        })
        .collect();
    for (publication, subscription, ..) in &streams {
        await_connected(&**publication, &**subscription);
    }
    for number in 0..50 {
        for (publication, .., seed) in &mut streams {
            offer_until_taken(&mut **publication, &message(*seed, number, 300));
        }
        for (_, subscription, verifier, _) in &mut streams {
            receive(&mut **subscription, verifier, 1, 300);
        }
    }
}
