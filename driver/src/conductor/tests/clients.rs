//! Clients come, live and go.

use gannet_core::command::Command;
use gannet_core::counters::CounterId;
use gannet_core::counters::system::SystemCounter;

use super::harness::{SECOND_NS, SMALL};
use super::{Harness, Heard};

fn heartbeat(harness: &Harness, client_id: i64) -> Option<CounterId> {
    harness.reader().find_by_type_and_key(11, client_id)
}

#[test]
fn the_first_command_makes_a_client_known_and_a_keepalive_does_not() {
    let mut harness = Harness::new();
    assert!(harness.ask(&Command::ClientKeepalive { client_id: 5, correlation_id: 1 }).is_empty());
    assert_eq!(heartbeat(&harness, 5), None);
    let (_, heard) = harness.subscribe(5, "aeron:ipc");
    let counter_id = heartbeat(&harness, 5).unwrap();
    assert_eq!(heard[0], Heard::CounterReady { correlation_id: 5, counter_id });
    let counter = harness.counter(counter_id);
    assert_eq!((counter.registration_id(), counter.owner_id()), (5, 5));
    assert_eq!(counter.get(), harness.now.epoch_ms);
    assert_eq!(harness.label(counter_id), "client-heartbeat: id=5");
}

#[test]
fn a_keepalive_is_as_good_as_a_heartbeat() {
    let mut harness = Harness::new();
    harness.subscribe(5, "aeron:ipc");
    let counter_id = heartbeat(&harness, 5).unwrap();
    let heard = harness.pass_in_silence(30 * SECOND_NS, |harness| {
        harness.send(&Command::ClientKeepalive { client_id: 5, correlation_id: 0 });
        harness.settle();
    });
    assert!(heard.is_empty(), "{heard:?}");
    assert!(harness.counter(counter_id).get() >= harness.now.epoch_ms - 1_000);
}

#[test]
fn a_silent_client_is_ended_with_all_it_has() {
    let mut harness = Harness::new();
    let stream = harness.publish(5, SMALL);
    harness.subscribe(6, "aeron:ipc");
    let (_, heard) = harness.subscribe(5, "aeron:ipc");
    let image = harness.image(&heard);
    let correlation_id = harness.next_id();
    let heard =
        harness.ask(&Command::AddCounter { client_id: 5, correlation_id, type_id: 2000, key: b"", label: b"mine" });
    let Heard::CounterReady { counter_id: own, .. } = heard[0] else { panic!("{heard:?}") };
    let dead = heartbeat(&harness, 5).unwrap();
    let alive = heartbeat(&harness, 6).unwrap();

    let heard = harness.pass_in_silence(11 * SECOND_NS, |harness| {
        let now = harness.now.epoch_ms;
        harness.counter(alive).set(now);
    });
    assert_eq!(
        heard[..3],
        [
            Heard::ClientTimeout { client_id: 5 },
            Heard::CounterGone { correlation_id: 5, counter_id: dead },
            Heard::CounterGone { correlation_id, counter_id: own },
        ]
    );
    assert_eq!(harness.system(SystemCounter::ClientTimeouts), 1);
    for counter_id in [dead, own, image.counter.id()] {
        assert!(!harness.is_allocated(counter_id), "{counter_id}");
    }
    assert!(harness.is_allocated(alive));
    assert!(stream.log.metadata().end_of_stream_position().0 != i64::MAX, "its publication ends");
}

#[test]
fn a_client_that_closes_goes_at_the_next_tick_and_is_no_time_out() {
    let mut harness = Harness::new();
    let stream = harness.publish(5, SMALL);
    let counter_id = heartbeat(&harness, 5).unwrap();
    assert!(harness.ask(&Command::ClientClose { client_id: 5, correlation_id: -1 }).is_empty());
    assert_eq!(harness.counter(counter_id).get(), 0);
    let heard = harness.pass(SECOND_NS);
    assert_eq!(heard, [Heard::CounterGone { correlation_id: 5, counter_id }]);
    assert_eq!(harness.system(SystemCounter::ClientTimeouts), 0);
    harness.pass(2 * SECOND_NS);
    assert!(!std::path::Path::new(&stream.path).exists());
}

#[test]
fn one_clients_end_leaves_a_shared_publication_to_the_other() {
    let mut harness = Harness::new();
    let stream = harness.publish(5, SMALL);
    harness.publish(6, SMALL);
    harness.ask(&Command::ClientClose { client_id: 5, correlation_id: -1 });
    harness.pass(3 * SECOND_NS);
    assert_eq!(stream.log.metadata().end_of_stream_position().0, i64::MAX);
    assert!(std::path::Path::new(&stream.path).exists());
}

#[test]
fn nonsense_in_a_heartbeat_neither_keeps_the_driver_busy_nor_overflows() {
    let mut harness = Harness::new();
    harness.subscribe(5, "aeron:ipc");
    harness.subscribe(6, "aeron:ipc");
    let (first, second) = (heartbeat(&harness, 5).unwrap(), heartbeat(&harness, 6).unwrap());
    harness.counter(first).set(i64::MAX);
    harness.counter(second).set(i64::MIN);
    let heard = harness.pass_in_silence(2 * SECOND_NS, |_| {});
    assert_eq!(heard[0], Heard::ClientTimeout { client_id: 6 });
    assert!(harness.is_allocated(first));
}

#[test]
fn all_clients_together_have_as_many_publications_as_there_are_counters() {
    let mut harness = Harness::with_counters(100);
    for index in 0..100 {
        harness.publish(1 + index % 3, SMALL);
        harness.now.ns += 1_000_000;
    }
    let correlation_id = harness.next_id();
    let stream_id = super::harness::STREAM;
    let add = Command::AddPublication { client_id: 4, correlation_id, stream_id, channel: SMALL };
    let heard = harness.ask(&add);
    assert!(heard.iter().any(|heard| matches!(heard, Heard::Error { .. })), "{heard:?}");
    let errors = harness.errors();
    assert!(errors[0].0.contains("publications of all clients together: there are 100"), "{errors:?}");
    harness.ask(&Command::ClientClose { client_id: 1, correlation_id: -1 });
    harness.pass(SECOND_NS);
    harness.publish(4, SMALL);
}

#[test]
fn a_freed_counter_id_rests_before_it_is_used_again() {
    let mut harness = Harness::new();
    harness.subscribe(5, "aeron:ipc");
    let counter_id = heartbeat(&harness, 5).unwrap();
    harness.ask(&Command::ClientClose { client_id: 5, correlation_id: -1 });
    harness.pass(SECOND_NS);
    harness.subscribe(6, "aeron:ipc");
    assert_ne!(heartbeat(&harness, 6), Some(counter_id));
    harness.pass(2 * SECOND_NS);
    harness.subscribe(7, "aeron:ipc");
    assert_eq!(heartbeat(&harness, 7), Some(counter_id));
}

#[test]
fn a_client_that_goes_with_thousands_of_counters_leaves_the_others_time_to_hear_of_them() {
    const COUNT: usize = 8000;
    let mut harness = Harness::with_counters(COUNT + 100);
    harness.subscribe(6, "aeron:ipc");
    for index in 0..COUNT {
        let correlation_id = harness.next_id();
        harness.send(&Command::AddCounter { client_id: 5, correlation_id, type_id: 2000, key: b"", label: b"" });
        if index % 50 == 0 {
            harness.now.ns += 20_000_000;
            harness.settle();
        }
    }
    harness.now.ns += 20_000_000;
    harness.settle();
    harness.ask(&Command::ClientClose { client_id: 5, correlation_id: -1 });
    harness.now.ns += SECOND_NS;
    let correlation_id = harness.next_id();
    harness.send(&Command::RemoveSubscription { client_id: 6, correlation_id, registration_id: 100 });
    // A client that looks as often as the official ones do, and would be overtaken within one tick.
    let mut heard = Vec::new();
    let mut looks = 0;
    while !matches!(heard.last(), Some(Heard::Success { .. })) {
        for _ in 0..500 {
            harness.conductor.do_work(harness.now);
        }
        heard.extend(harness.hear());
        harness.now.ns += 16_000_000;
        looks += 1;
        assert!(looks < 1000, "{} of {COUNT} notices came", heard.len());
    }
    assert_eq!(heard.len(), COUNT + 2, "its counters, its heartbeat, then the answer to the command behind them");
    assert!(heard[..=COUNT].iter().all(|heard| matches!(heard, Heard::CounterGone { .. })));
}
