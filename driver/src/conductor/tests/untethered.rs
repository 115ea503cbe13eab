//! Untethered subscriptions, from window to rejoin.

use gannet_core::command::Response;
use gannet_core::counters::CounterId;

use super::harness::{SECOND_NS, SMALL, Stream, WINDOW};
use super::limits::append;
use super::{Harness, Heard};

struct Untethered {
    harness: Harness,
    stream: Stream,
    fast: Stream,
    slow: Stream,
    slow_id: i64,
}

fn setup(channel: &str) -> Untethered {
    let mut harness = Harness::new();
    let stream = harness.publish(1, SMALL);
    let (_, heard) = harness.subscribe(2, "aeron:ipc");
    let fast = harness.image(&heard);
    let (slow_id, heard) = harness.subscribe(3, channel);
    let slow = harness.image(&heard);
    harness.settle();
    Untethered { harness, stream, fast, slow, slow_id }
}

impl Untethered {
    /// Publishes as far as the limit lets, and the fast subscriber reads.
    fn stream_on(&mut self) {
        while self.stream.producer() < self.stream.position() {
            append(&self.stream, 1, 1000);
        }
        self.fast.counter.set(self.stream.producer().0);
        self.harness.settle();
    }

    fn unavailable(&self) -> Heard {
        Heard::Unavailable {
            correlation_id: self.stream.id,
            subscription: self.slow_id,
            channel: "aeron:ipc".to_owned(),
        }
    }
}

#[test]
fn a_tethered_subscriber_holds_its_publisher_for_ever() {
    let mut it = setup("aeron:ipc");
    it.stream_on();
    let limit = it.stream.position();
    assert!(it.harness.pass(60 * SECOND_NS).is_empty());
    it.stream_on();
    assert_eq!(it.stream.position(), limit);
}

#[test]
fn an_untethered_one_loses_the_image_rests_and_rejoins() {
    let mut it = setup("aeron:ipc?tether=false");
    it.stream_on();
    let held = it.stream.position();
    assert!(it.harness.pass(5 * SECOND_NS).is_empty());
    assert_eq!(it.harness.pass(SECOND_NS), [it.unavailable()]);
    it.stream_on();
    assert_eq!(it.stream.position(), held, "it lingers, and holds the publisher still");

    assert!(it.harness.pass(6 * SECOND_NS).is_empty());
    it.stream_on();
    assert!(it.stream.position() > held, "it rests, and holds nobody");
    assert!(it.harness.is_allocated(it.slow.counter.id()));

    let heard = it.harness.pass(11 * SECOND_NS);
    let [Heard::Available { correlation_id, subscription, counter_id, .. }] = &heard[..] else { panic!("{heard:?}") };
    assert_eq!((*correlation_id, *subscription), (it.stream.id, it.slow_id));
    assert_eq!(*counter_id, it.slow.counter.id(), "its position is the same counter");
    assert_eq!(it.slow.position(), it.fast.position(), "it joins where the others are");
}

#[test]
fn without_rejoin_it_is_closed_and_its_counter_is_free() {
    let mut it = setup("aeron:ipc?tether=false|rejoin=false");
    it.stream_on();
    it.harness.pass(6 * SECOND_NS);
    it.harness.pass(6 * SECOND_NS);
    let counter_id: CounterId = it.slow.counter.id();
    assert!(!it.harness.is_allocated(counter_id));
    assert!(it.harness.pass(30 * SECOND_NS).is_empty());
    let correlation_id = it.harness.next_id();
    let registration_id = it.slow_id;
    let heard = it.harness.ask(&gannet_core::command::Command::RemoveSubscription {
        client_id: 3,
        correlation_id,
        registration_id,
    });
    assert_eq!(heard, [Heard::Success { correlation_id }], "it can still be removed");
}

#[test]
fn one_that_keeps_up_stays() {
    let mut it = setup("aeron:ipc?tether=false");
    for _ in 0..20 {
        it.stream_on();
        it.slow.counter.set(it.stream.producer().0 - WINDOW / 2);
        assert!(it.harness.pass(SECOND_NS).is_empty());
    }
}

#[test]
fn the_time_outs_of_the_channel_of_the_publication_count() {
    let mut harness = Harness::new();
    let channel = "aeron:ipc?term-length=64k|untethered-window-limit-timeout=1s|untethered-linger-timeout=2s\
                   |untethered-resting-timeout=3s";
    let stream = harness.publish(1, channel);
    let (_, heard) = harness.subscribe(2, "aeron:ipc");
    let fast = harness.image(&heard);
    harness.subscribe(3, "aeron:ipc?tether=false");
    harness.settle();
    append(&stream, 31, 1000);
    fast.counter.set(stream.producer().0);
    harness.settle();
    let mut told = Vec::new();
    for second in 1..=10 {
        for heard in harness.pass(SECOND_NS) {
            told.push((second, matches!(heard, Heard::Available { .. })));
        }
    }
    assert_eq!(told, [(2, false), (9, true)], "lost over 1 s, rests over 2 s later, rejoins over 3 s later");
}

#[test]
fn when_all_are_untethered_and_gone_the_publication_is_not_connected() {
    let mut harness = Harness::new();
    let stream = harness.publish(1, SMALL);
    let (_, heard) = harness.subscribe(2, "aeron:ipc?tether=false");
    let image = harness.image(&heard);
    harness.settle();
    append(&stream, 31, 1000);
    image.counter.set(stream.producer().0);
    harness.settle();
    append(&stream, 31, 1000);
    image.counter.set(64);
    harness.pass(13 * SECOND_NS);
    assert!(!stream.log.metadata().is_connected());
}

#[test]
fn no_image_goes_or_comes_while_anything_waits_to_be_said() {
    let mut it = setup("aeron:ipc?tether=false");
    it.stream_on();
    it.harness.pass(SECOND_NS);
    for client_id in 0..4000 {
        it.harness.conductor.client_proxy.transmit(&Response::ClientTimeout { client_id });
    }
    it.harness.now.ns += 6 * SECOND_NS;
    it.harness.beat();
    it.harness.conductor.do_work(it.harness.now);
    it.harness.conductor.client_proxy.transmit(&Response::ClientTimeout { client_id: -1 });
    let mut heard = it.harness.hear();
    while heard.last() != Some(&Heard::ClientTimeout { client_id: -1 }) {
        it.harness.now.ns += 1_000_000;
        it.harness.conductor.do_work(it.harness.now);
        heard.extend(it.harness.hear());
    }
    assert!(!heard.contains(&it.unavailable()));
    assert_eq!(it.harness.pass(SECOND_NS), [it.unavailable()]);
}
