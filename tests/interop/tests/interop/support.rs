//! What the cases share: a publisher and a subscriber that are connected, and moving messages between them.

use gannet_interop::peer::{Client, FragmentHeader, Publication, Stuck, Subscription, Way};
use gannet_interop::{Driver, Peer};
use gannet_tests::messages::{Verifier, message};
use gannet_tests::{DriverProcess, PATIENCE, wait_until};
use std::thread;
use std::time::{Duration, Instant};

/// The stream of every case, as each has a driver of its own.
pub(crate) const STREAM: i32 = 1001;

/// A publication and a subscription that see each other. Fields drop in order: the driver ends last.
pub(crate) struct Pair {
    pub(crate) publication: Box<dyn Publication>,
    pub(crate) subscription: Box<dyn Subscription>,
    pub(crate) publisher: Box<dyn Client>,
    pub(crate) subscriber: Box<dyn Client>,
    pub(crate) driver: DriverProcess,
}

impl Pair {
    /// Launches a driver, connects both clients and waits until both sides are connected.
    #[track_caller]
    pub(crate) fn new(driver: Driver, publisher: Peer, subscriber: Peer, exclusive: bool, channel: &str) -> Self {
        Self::on(driver.launch("pair"), publisher, subscriber, exclusive, channel)
    }

    /// The same on a driver that runs.
    #[track_caller]
    pub(crate) fn on(driver: DriverProcess, publisher: Peer, subscriber: Peer, exclusive: bool, channel: &str) -> Self {
        let publisher = publisher.connect(driver.path());
        let subscriber = subscriber.connect(driver.path());
        let subscription = subscriber.add_subscription("aeron:ipc", STREAM).unwrap();
        let publication = publisher.publish(exclusive, channel, STREAM).unwrap();
        await_connected(&*publication, &*subscription);
        Pair { publication, subscription, publisher, subscriber, driver }
    }
}

/// Waits until the publication and the subscription are connected.
#[track_caller]
pub(crate) fn await_connected(publication: &dyn Publication, subscription: &dyn Subscription) {
    wait_until("the publication is connected", PATIENCE, || publication.is_connected());
    wait_until("the subscription is connected", PATIENCE, || subscription.is_connected());
}

/// Rests for a moment after a turn without progress, and gives up after [`PATIENCE`] without any.
pub(crate) struct Progress {
    last: Instant,
    what: &'static str,
}

impl Progress {
    pub(crate) fn new(what: &'static str) -> Self {
        Progress { last: Instant::now(), what }
    }

    #[track_caller]
    pub(crate) fn turn(&mut self, moved: bool) {
        if moved {
            self.last = Instant::now();
        } else {
            assert!(self.last.elapsed() < PATIENCE, "{}: no progress for {PATIENCE:?}", self.what);
            thread::park_timeout(Duration::from_micros(50));
        }
    }
}

/// How to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Offer,
    Parts,
    Claim,
}

/// Publishes message `number` of a stream; whether it went, when it may only be stuck for the moment.
#[track_caller]
pub(crate) fn publish(publication: &mut dyn Publication, how: How, seed: u64, number: u64, length: usize) -> bool {
    let bytes = message(seed, number, length);
    let result = match how {
        How::Offer => publication.offer(&bytes),
        How::Parts => {
            // One part empty and the cuts elsewhere in each message, so that fragments and parts do not coincide.
            let cut = length * usize::try_from(number % 7).unwrap() / 7;
            publication.offer_parts(&[&bytes[..cut / 2], &[], &bytes[cut / 2..cut], &bytes[cut..]])
        }
        How::Claim => publication.claim(length, &mut |claimed| {
            claimed.copy_from_slice(&bytes);
            true
        }),
    };
    match result {
        Ok(position) => {
            assert_eq!(position % 32, 0, "a position is a multiple of the frame alignment");
            true
        }
        Err(stuck) if stuck.is_passing() => false,
        Err(stuck) => panic!("message {number} of {length} bytes: {stuck:?}"),
    }
}

/// Moves `count` messages of one length from the publication to the subscription and verifies each.
#[track_caller]
pub(crate) fn transfer(pair: &mut Pair, how: How, way: Way, count: u64, length: impl Fn(u64) -> usize) {
    let session_id = pair.publication.constants().session_id;
    let mut verifier = Verifier::new(42, 0);
    let mut progress = Progress::new("transfer");
    let mut sent = 0;
    while verifier.next() < count {
        let mut moved = false;
        if sent < count && publish(&mut *pair.publication, how, 42, sent, length(sent)) {
            sent += 1;
            moved = true;
        }
        let polled = pair.subscription.poll(way, 16, &mut |bytes, header: &FragmentHeader| {
            assert_eq!((header.session_id, header.stream_id), (session_id, STREAM));
            verifier.take(bytes, length(verifier.next()));
        });
        progress.turn(moved || polled > 0);
    }
    assert_eq!(verifier.next(), count);
    let extra = pair.subscription.poll(way, 16, &mut |bytes, _| panic!("{} bytes after the last message", bytes.len()));
    assert_eq!(extra, 0, "nothing is left after the last message");
}

/// Offers until it goes.
#[track_caller]
pub(crate) fn offer_until_taken(publication: &mut dyn Publication, message: &[u8]) -> i64 {
    let mut progress = Progress::new("offer");
    loop {
        match publication.offer(message) {
            Ok(position) => return position,
            Err(stuck) if stuck.is_passing() => progress.turn(false),
            Err(stuck) => panic!("offer of {} bytes: {stuck:?}", message.len()),
        }
    }
}

/// Polls until `count` messages of a stream have come, from `verifier.next()` on.
#[track_caller]
pub(crate) fn receive(subscription: &mut dyn Subscription, verifier: &mut Verifier, count: u64, length: usize) {
    let until = verifier.next() + count;
    let mut progress = Progress::new("receive");
    while verifier.next() < until {
        let polled = subscription.poll(Way::Assembled, 1, &mut |bytes, _| verifier.take(bytes, length));
        progress.turn(polled > 0);
    }
}

/// Whether a result is a stuck publication of that kind.
pub(crate) fn is_stuck<T>(result: &Result<T, Stuck>, kind: &Stuck) -> bool {
    result.as_ref().err() == Some(kind)
}
