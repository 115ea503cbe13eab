//! Subscriptions and images.

use std::sync::{Arc, Mutex};

use gannet::{Action, Aeron, ImageView, Position, SessionId, StreamId, Subscription, SubscriptionHandlers};
use gannet_core::command::{Command, Response};
use gannet_core::log::{ExclusiveAppender, LogType};
use gannet_transport_ipc::Region;

use crate::fake_driver::{CHANNEL, FakeDriver, FakeLog, STREAM, eventually, read_all, resolve};

const OPEN: Position = Position(i64::MAX);

/// A subscription with one image, and the publisher of its log.
struct OneImage {
    driver: FakeDriver,
    aeron: Aeron,
    subscription: Subscription,
    log: FakeLog,
    publisher: ExclusiveAppender<Region>,
}

impl OneImage {
    fn new() -> OneImage {
        let mut driver = FakeDriver::new();
        let aeron = driver.invoked_client();
        let subscription = driver.add_subscription(&aeron);
        let log = driver.log(1000, LogType::ExclusivePublication);
        let publisher = ExclusiveAppender::new(log.log.clone()).unwrap();
        driver.available_image(subscription.registration_id(), &log, Position(0));
        aeron.invoke();
        OneImage { driver, aeron, subscription, log, publisher }
    }

    fn publish(&mut self, message: &[u8]) {
        self.publisher.offer(OPEN, message).unwrap();
    }
}

#[test]
fn a_subscription_is_what_was_asked_for() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let mut pending = aeron.async_add_subscription(CHANNEL, STREAM, SubscriptionHandlers::new()).unwrap();
    let command = driver.command();
    let Command::AddSubscription { client_id, correlation_id, stream_id, channel } = command.get() else {
        panic!("{:?}", command.get())
    };
    assert_eq!((client_id, stream_id, channel), (aeron.client_id(), StreamId(STREAM), CHANNEL));
    driver.subscription_ready(correlation_id);
    let mut subscription = resolve(&mut pending);
    assert_eq!(subscription.registration_id(), correlation_id);
    assert_eq!((subscription.stream_id(), subscription.channel()), (StreamId(STREAM), CHANNEL));
    assert!(!subscription.is_connected() && !subscription.is_closed());
    assert_eq!(subscription.poll(10, |_, _| panic!("nobody publishes")), 0);
}

#[test]
fn messages_are_polled_and_the_position_is_stored_once() {
    let mut it = OneImage::new();
    for message in [&b"one"[..], b"two", b"three"] {
        it.publish(message);
    }
    let counter = it.aeron.counters_reader().counter(it.subscription.images()[0].subscriber_position_id()).unwrap();
    let mut messages = Vec::new();
    let fragments = it.subscription.poll(2, |payload, header| {
        assert_eq!(counter.get(), 0, "the position moves when the poll is over");
        assert_eq!((header.session_id(), header.stream_id()), (SessionId(77), StreamId(STREAM)));
        messages.push((payload.to_vec(), header.position()));
    });
    assert_eq!(fragments, 2);
    assert_eq!(messages, [(b"one".to_vec(), Position(64)), (b"two".to_vec(), Position(128))]);
    assert_eq!(counter.get(), 128);
    assert_eq!(it.subscription.poll(10, |payload, _| assert_eq!(payload, b"three")), 1);
    assert_eq!((counter.get(), it.subscription.images()[0].position()), (192, Position(192)));
}

#[test]
fn a_controlled_handler_aborts_breaks_and_commits() {
    let mut it = OneImage::new();
    for message in [b"1", b"2", b"3", b"4"] {
        it.publish(message);
    }
    let counter = it.aeron.counters_reader().counter(it.subscription.images()[0].subscriber_position_id()).unwrap();
    let mut actions = [Action::Commit, Action::Continue, Action::Abort].into_iter();
    let mut positions = Vec::new();
    let fragments = it.subscription.controlled_poll(10, |_, _| {
        positions.push(counter.get());
        actions.next().unwrap()
    });
    assert_eq!((fragments, positions, counter.get()), (2, vec![0, 64, 64], 128));
    assert_eq!(it.subscription.controlled_poll(10, |_, _| Action::Break), 1);
    assert_eq!(counter.get(), 192);
}

#[test]
fn a_bounded_poll_stops_at_its_limit_and_a_block_poll_hands_out_frames() {
    let mut it = OneImage::new();
    for _ in 0..4 {
        it.publish(&[9; 32]);
    }
    let image = it.subscription.image_by_session_id(SessionId(77)).unwrap();
    assert_eq!(image.bounded_poll(Position(65), 10, |_, _| ()), 2);
    assert_eq!(image.position(), Position(128));
    let bytes = image.block_poll(1 << 20, |block, session_id, term_id| {
        assert_eq!((block.len(), session_id, term_id.0), (128, SessionId(77), 5));
        assert!(block[32..64].iter().all(|byte| *byte == 9));
    });
    assert_eq!((bytes, image.position()), (128, Position(256)));
    assert!(it.subscription.image_by_session_id(SessionId(78)).is_none());
}

#[test]
fn a_position_is_set_only_forwards_within_the_term() {
    let mut it = OneImage::new();
    for message in [b"1", b"2", b"3"] {
        it.publish(message);
    }
    let image = &mut it.subscription.images()[0];
    image.set_position(Position(64)).unwrap();
    assert!(image.set_position(Position(0)).is_err());
    assert!(image.set_position(Position(65)).is_err());
    assert!(image.set_position(Position(96)).is_err(), "within a message");
    let error = image.set_position(Position(1 << 20)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "position 1048576 is not where a message begins or ends from 64 to 65536, the end of the term"
    );
    assert_eq!(read_all(image), [b"2", b"3"]);
}

#[test]
fn images_are_polled_in_turn() {
    let mut it = OneImage::new();
    let other = it.driver.log(2000, LogType::ExclusivePublication);
    let mut publisher = ExclusiveAppender::new(other.log.clone()).unwrap();
    it.driver.available_image(it.subscription.registration_id(), &other, Position(0));
    it.aeron.invoke();
    for _ in 0..2 {
        it.publish(b"first");
        publisher.offer(OPEN, b"second").unwrap();
    }
    let mut order = Vec::new();
    for _ in 0..4 {
        assert_eq!(it.subscription.poll(1, |payload, _| order.push(payload.to_vec())), 1);
    }
    assert_eq!(order, [&b"first"[..], b"second", b"first", b"second"]);
}

#[test]
fn handlers_hear_of_images_as_they_come_and_go() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let calls: Arc<Mutex<Vec<(&str, ImageView)>>> = Arc::default();
    let (came, went) = (Arc::clone(&calls), Arc::clone(&calls));
    let handlers = SubscriptionHandlers::new()
        .available_image(move |image| came.lock().unwrap().push(("came", image.clone())))
        .unavailable_image(move |image| went.lock().unwrap().push(("went", image.clone())));
    let mut pending = aeron.async_add_subscription(CHANNEL, STREAM, handlers).unwrap();
    let id = driver.command().get().correlation_id();
    driver.subscription_ready(id);
    let mut subscription = resolve(&mut pending);

    let log = driver.log(1000, LogType::ExclusivePublication);
    driver.available_image(id, &log, Position(0));
    aeron.invoke();
    assert!(subscription.is_connected());
    let view = calls.lock().unwrap()[0].1.clone();
    assert_eq!((view.correlation_id(), view.source_identity(), view.is_closed()), (1000, "aeron:ipc", false));
    assert_eq!(subscription.images().len(), 1);

    log.log.metadata().set_end_of_stream_position(Position(0));
    driver.unavailable_image(id, &log);
    driver.unavailable_image(id, &log);
    aeron.invoke();
    assert!(!subscription.is_connected());
    assert!(view.is_closed() && view.is_end_of_stream());
    assert_eq!(subscription.images().len(), 0);

    let again = driver.log(1001, LogType::ExclusivePublication);
    driver.available_image(id, &again, Position(0));
    aeron.invoke();
    drop(subscription);
    aeron.invoke();
    let calls: Vec<_> = calls.lock().unwrap().iter().map(|(what, view)| (*what, view.correlation_id())).collect();
    assert_eq!(calls, [("came", 1000), ("went", 1000), ("came", 1001), ("went", 1001)]);
    assert!(
        matches!(driver.command().get(), Command::RemoveSubscription { registration_id, .. } if registration_id == id)
    );
}

#[test]
fn a_request_that_is_dropped_after_its_image_came_tells_of_both() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let calls: Arc<Mutex<Vec<&str>>> = Arc::default();
    let (came, went) = (Arc::clone(&calls), Arc::clone(&calls));
    let handlers = SubscriptionHandlers::new()
        .available_image(move |_| came.lock().unwrap().push("came"))
        .unavailable_image(move |_| went.lock().unwrap().push("went"));
    let pending = aeron.async_add_subscription(CHANNEL, STREAM, handlers).unwrap();
    let id = driver.command().get().correlation_id();
    driver.subscription_ready(id);
    let log = driver.log(1000, LogType::ExclusivePublication);
    driver.available_image(id, &log, Position(0));
    aeron.invoke();
    drop(pending);
    // Too late for this subscription.
    let late = driver.log(1001, LogType::ExclusivePublication);
    driver.available_image(id, &late, Position(0));
    aeron.invoke();
    assert_eq!(*calls.lock().unwrap(), ["came", "went"]);
    assert!(
        matches!(driver.command().get(), Command::RemoveSubscription { registration_id, .. } if registration_id == id)
    );
}

#[test]
fn a_receive_destination_whose_request_was_dropped_is_taken_back() {
    let mut it = OneImage::new();
    let pending = it.subscription.async_add_destination("aeron:udp?endpoint=localhost:1").unwrap();
    let correlation_id = it.driver.command().get().correlation_id();
    it.driver.respond(&Response::OperationSuccess { correlation_id });
    it.aeron.invoke();
    drop(pending);
    it.aeron.invoke();
    let command = it.driver.command();
    let Command::RemoveRcvDestination { registration_id, channel, .. } = command.get() else {
        panic!("{:?}", command.get())
    };
    assert_eq!((registration_id, channel), (it.subscription.registration_id(), "aeron:udp?endpoint=localhost:1"));
}

#[test]
fn an_image_that_went_before_this_client_looked_is_no_error() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let subscription = driver.add_subscription(&aeron);
    let log = driver.log(1000, LogType::ExclusivePublication);
    let position = driver.available_image(subscription.registration_id(), &log, Position(0));
    driver.unavailable_image(subscription.registration_id(), &log);
    driver.counters.free(position.id(), 0).unwrap();
    std::fs::remove_file(&log.path).unwrap();
    aeron.invoke();
    assert!(!subscription.is_connected());
    assert!(driver.take_errors().is_empty());
}

#[test]
fn a_rejection_that_comes_too_late_for_its_image_is_no_error() {
    let mut it = OneImage::new();
    let image = it.subscription.take_image(SessionId(77)).unwrap();
    let correlation_id = image.reject("no").unwrap();
    it.driver.respond(&Response::Error {
        offending_command_correlation_id: correlation_id,
        error_code: gannet::ErrorCode::GenericError,
        error_message: b"unable to resolve image",
    });
    it.driver.unavailable_image(it.subscription.registration_id(), &it.log);
    it.aeron.invoke();
    assert!(image.is_closed() && !it.aeron.is_closed());
    assert!(it.driver.take_errors().is_empty());
}

#[test]
fn a_peek_shows_messages_and_moves_nothing() {
    let mut it = OneImage::new();
    for message in [b"1", b"2", b"3"] {
        it.publish(message);
    }
    let image = &mut it.subscription.images()[0];
    let peek = |image: &mut gannet::Image, from, limit, mut actions: Vec<Action>| {
        let mut seen = Vec::new();
        let position = image.controlled_peek(Position(from), Position(limit), |payload, _| {
            seen.push(payload[0]);
            if actions.is_empty() { Action::Continue } else { actions.remove(0) }
        });
        (position.map(|position| position.0), String::from_utf8(seen).unwrap())
    };
    assert_eq!(peek(image, 0, i64::MAX, vec![]), (Ok(192), "123".to_owned()));
    assert_eq!(peek(image, 64, i64::MAX, vec![Action::Commit]), (Ok(192), "23".to_owned()));
    assert_eq!(peek(image, 0, 65, vec![]), (Ok(128), "12".to_owned()));
    assert_eq!(peek(image, 64, 64, vec![]), (Ok(64), String::new()));
    assert_eq!(peek(image, 0, i64::MAX, vec![Action::Continue, Action::Abort]), (Ok(64), "12".to_owned()));
    assert_eq!(peek(image, 0, i64::MAX, vec![Action::Continue, Action::Break]), (Ok(128), "12".to_owned()));
    assert_eq!((image.position(), image.view().position()), (Position(0), Position(0)));
    assert!(peek(image, 1, i64::MAX, vec![]).0.is_err());
    assert!(peek(image, 65536 + 32, i64::MAX, vec![]).0.is_err());
    assert_eq!(read_all(image), [b"1", b"2", b"3"]);
    assert!(peek(image, 0, i64::MAX, vec![]).0.is_err(), "it lies behind");
    it.driver.unavailable_image(it.subscription.registration_id(), &it.log);
    let mut image = it.subscription.take_image(SessionId(77)).unwrap();
    it.aeron.invoke();
    assert_eq!(peek(&mut image, 192, i64::MAX, vec![]), (Ok(192), String::new()));
}

#[test]
fn a_peek_stops_before_a_message_that_it_did_not_show_to_the_end() {
    let mut it = OneImage::new();
    it.publish(b"whole");
    it.publish(&[7; 3000]);
    let image = &mut it.subscription.images()[0];
    let mut fragments = 0;
    let position = image.controlled_peek(Position(0), OPEN, |_, _| {
        fragments += 1;
        if fragments == 3 { Action::Break } else { Action::Continue }
    });
    assert_eq!((position, fragments), (Ok(Position(64)), 3));
    let position = image.controlled_peek(Position(64), OPEN, |_, _| Action::Continue);
    assert_eq!(position, Ok(Position(64 + 2 * 1408 + 288)));
}

#[test]
fn an_image_of_a_lost_publication_keeps_its_memory_and_finds_nothing() {
    let mut it = OneImage::new();
    it.publish(b"unread");
    let mut image = it.subscription.take_image(SessionId(77)).unwrap();
    assert_eq!(it.subscription.images().len(), 0);
    it.driver.unavailable_image(it.subscription.registration_id(), &it.log);
    it.aeron.invoke();
    std::fs::remove_file(&it.log.path).unwrap();
    drop((it.subscription, it.aeron));
    assert!(image.is_closed());
    assert_eq!(image.poll(10, |_, _| panic!("it is closed")), 0);
    assert_eq!(image.view().position(), Position(0));
}

#[test]
fn an_image_that_is_lost_in_the_middle_of_a_poll_is_read_no_further() {
    let mut it = OneImage::new();
    it.publish(b"1");
    it.publish(b"2");
    let counter = it.aeron.counters_reader().counter(it.subscription.images()[0].subscriber_position_id()).unwrap();
    let id = it.subscription.registration_id();
    let (driver, aeron, log) = (&mut it.driver, &it.aeron, &it.log);
    let fragments = it.subscription.poll(10, |_, _| {
        driver.unavailable_image(id, log);
        aeron.invoke();
    });
    assert_eq!(fragments, 1);
    assert_eq!(counter.get(), 0, "the counter may be another's by now");
}

#[test]
fn images_come_and_go_while_another_thread_polls() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let mut subscription = driver.add_subscription(&aeron);
    let id = subscription.registration_id();
    let total = Arc::new(Mutex::new(0_usize));
    let sum = Arc::clone(&total);
    let poller = std::thread::spawn(move || {
        while !subscription.is_closed() {
            let read = subscription.poll(10, |_, _| ());
            *sum.lock().unwrap() += read;
        }
    });
    for round in 0..50 {
        let log = driver.log(1000 + round, LogType::ExclusivePublication);
        let mut publisher = ExclusiveAppender::new(log.log.clone()).unwrap();
        let position = driver.available_image(id, &log, Position(0));
        aeron.invoke();
        publisher.offer(OPEN, b"x").unwrap();
        eventually("the message is read", || position.get() == 64);
        driver.unavailable_image(id, &log);
        aeron.invoke();
        for counter in [position.id(), log.limit.id()] {
            driver.counters.free(counter, 0).unwrap();
        }
    }
    aeron.close();
    poller.join().unwrap();
    assert_eq!(*total.lock().unwrap(), 50);
}

#[test]
fn an_image_whose_log_is_not_there_is_an_error_and_no_image() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let subscription = driver.add_subscription(&aeron);
    let log = driver.log(1000, LogType::ExclusivePublication);
    std::fs::remove_file(&log.path).unwrap();
    driver.available_image(subscription.registration_id(), &log, Position(0));
    aeron.invoke();
    assert!(!subscription.is_connected());
    let errors = driver.take_errors();
    assert!(matches!(&errors[..], [gannet::ClientError::Image { correlation_id: 1000, .. }]), "{errors:?}");
}

#[test]
fn a_damaged_log_stops_the_image_and_is_told_once() {
    let mut it = OneImage::new();
    use gannet_core::sync::{Memory, Ordering};
    it.log.memory.store_i32(0, 7, Ordering::Release);
    for _ in 0..3 {
        assert_eq!(it.subscription.poll(10, |_, _| panic!("no frame has 7 bytes")), 0);
    }
    it.aeron.invoke();
    let errors = it.driver.take_errors();
    assert!(matches!(&errors[..], [gannet::ClientError::DamagedLog { position: Position(0), .. }]), "{errors:?}");
}

#[test]
fn rejecting_an_image_names_it_and_the_reason() {
    let mut it = OneImage::new();
    it.publish(b"x");
    it.subscription.poll(1, |_, _| ());
    let correlation = it.subscription.images()[0].reject("no").unwrap();
    let command = it.driver.command();
    let Command::RejectImage { client_id, correlation_id, image_correlation_id, position, reason } = command.get()
    else {
        panic!("{:?}", command.get())
    };
    assert_eq!((client_id, correlation_id), (it.aeron.client_id(), correlation));
    assert_eq!((image_correlation_id, position, reason), (1000, Position(64), &b"no"[..]));
    assert!(it.subscription.images()[0].reject(&"x".repeat(1024)).is_err());
}

#[test]
fn destinations_are_added_and_removed() {
    let mut it = OneImage::new();
    let id = it.subscription.registration_id();
    let mut pending = it.subscription.async_add_destination("aeron:udp?endpoint=localhost:1").unwrap();
    let command = it.driver.command();
    let Command::AddRcvDestination { registration_id, correlation_id, .. } = command.get() else {
        panic!("{:?}", command.get())
    };
    assert_eq!(registration_id, id);
    it.driver.respond(&Response::OperationSuccess { correlation_id });
    resolve(&mut pending);
    let _pending = it.subscription.async_remove_destination("aeron:udp?endpoint=localhost:1").unwrap();
    assert!(
        matches!(it.driver.command().get(), Command::RemoveRcvDestination { registration_id, .. } if registration_id == id)
    );
}

#[test]
fn after_a_panic_an_image_goes_on_behind_what_was_committed() {
    let mut it = OneImage::new();
    for message in [b"1", b"2", b"3"] {
        it.publish(message);
    }
    let image = &mut it.subscription.images()[0];
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        image.controlled_poll(10, |payload, _| {
            assert_ne!(payload, b"3", "the last one");
            Action::Commit
        })
    }));
    assert!(panicked.is_err());
    assert_eq!((image.position(), image.view().position()), (Position(128), Position(128)));
    assert_eq!(read_all(image), [b"3"], "what is committed may be cleaned by now");
}

/// Answers the request for a destination that is being added; nobody takes the answer.
fn answered_destination(it: &mut OneImage) -> gannet::AsyncDestination {
    let pending = it.subscription.async_add_destination("aeron:udp?endpoint=localhost:1").unwrap();
    let correlation_id = it.driver.command().get().correlation_id();
    it.driver.respond(&Response::OperationSuccess { correlation_id });
    it.aeron.invoke();
    pending
}

#[test]
fn a_destination_is_given_back_before_its_subscription() {
    let mut it = OneImage::new();
    let pending = answered_destination(&mut it);
    drop(pending);
    drop(it.subscription);
    it.aeron.invoke();
    assert!(matches!(it.driver.command().get(), Command::RemoveRcvDestination { .. }));
    assert!(matches!(it.driver.command().get(), Command::RemoveSubscription { .. }));
}

#[test]
fn what_found_the_ring_full_is_given_back_in_order() {
    let mut it = OneImage::new();
    let pending = answered_destination(&mut it);
    let counter = it.driver.counter_of_type(1, 0);
    let mut adding = it.aeron.async_add_counter(1, b"", "counter").unwrap();
    let correlation_id = it.driver.command().get().correlation_id();
    it.driver.respond(&Response::CounterReady { correlation_id, counter_id: counter.id() });
    let counter = resolve(&mut adding);
    it.driver.fill_ring();
    drop(counter);
    drop(pending);
    // There is room again, and nobody has invoked the client.
    while it.driver.try_command().is_some() {}
    drop(it.subscription);
    it.aeron.invoke();
    assert!(matches!(it.driver.command().get(), Command::RemoveCounter { .. }));
    assert!(matches!(it.driver.command().get(), Command::RemoveRcvDestination { .. }));
    assert!(matches!(it.driver.command().get(), Command::RemoveSubscription { .. }));
}

#[test]
fn a_cancelled_destination_does_not_take_the_subscriptions_own_channel_along() {
    let mut it = OneImage::new();
    drop(it.subscription.async_add_destination(CHANNEL).unwrap());
    let correlation_id = it.driver.command().get().correlation_id();
    it.driver.respond(&Response::OperationSuccess { correlation_id });
    it.aeron.invoke();
    assert!(it.driver.try_command().is_none());
}
