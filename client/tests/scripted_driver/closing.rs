//! Closing while a poll handler reads: the driver hears of it when the handler no longer does.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use gannet::{Action, Aeron, Image, Position, SessionId, Subscription};
use gannet_core::command::Command;
use gannet_core::log::{ExclusiveAppender, LogType};

use crate::fake_driver::{FakeDriver, FakeLog};

const PATIENCE: Duration = Duration::from_secs(10);
const OPEN: Position = Position(i64::MAX);

/// A subscription with an image that has two messages to read.
fn subscribed(driver: &mut FakeDriver, aeron: &Aeron) -> (Subscription, FakeLog) {
    let subscription = driver.add_subscription(aeron);
    let log = driver.log(1000, LogType::ExclusivePublication);
    let mut publisher = ExclusiveAppender::new(log.log.clone()).unwrap();
    for message in [b"one", b"two"] {
        publisher.offer(OPEN, message).unwrap();
    }
    driver.available_image(subscription.registration_id(), &log, Position(0));
    aeron.invoke();
    (subscription, log)
}

/// A thread that polls an image, and stays in its handler until it is told to go on.
struct SlowReader {
    thread: JoinHandle<usize>,
    inside: Receiver<()>,
    go_on: Sender<()>,
}

impl SlowReader {
    fn start(mut image: Image) -> SlowReader {
        let (is_inside, inside) = channel();
        let (go_on, may_go_on) = channel();
        let thread = std::thread::spawn(move || {
            image.poll(10, |_, _| {
                is_inside.send(()).unwrap();
                may_go_on.recv_timeout(PATIENCE).unwrap();
            })
        });
        let reader = SlowReader { thread, inside, go_on };
        reader.inside.recv_timeout(PATIENCE).unwrap();
        reader
    }

    /// How many fragments it read.
    fn end(self) -> usize {
        self.go_on.send(()).unwrap();
        self.thread.join().unwrap()
    }
}

fn is_close(driver: &mut FakeDriver) -> bool {
    matches!(driver.command().get(), Command::ClientClose { .. })
}

#[test]
fn a_client_that_is_closed_in_a_poll_handler_leaves_when_the_poll_ends() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let (mut subscription, _log) = subscribed(&mut driver, &aeron);
    let mut handle = Some(aeron);
    let fragments = subscription.poll(10, |payload, _| {
        handle.take().unwrap().close();
        assert!(driver.try_command().is_none(), "the publisher may come round onto {payload:?}");
    });
    assert_eq!(fragments, 1, "nothing is read after the close");
    assert!(is_close(&mut driver));
    assert!(subscription.is_closed() && driver.try_command().is_none());
}

#[test]
fn a_client_that_another_thread_closes_leaves_when_the_poll_ends() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let (mut subscription, _log) = subscribed(&mut driver, &aeron);
    let reader = SlowReader::start(subscription.take_image(SessionId(77)).unwrap());
    aeron.close();
    assert!(subscription.is_closed());
    assert!(driver.try_command().is_none());
    assert_eq!(reader.end(), 1);
    assert!(is_close(&mut driver));
    assert!(driver.try_command().is_none());
}

#[test]
fn a_subscription_that_is_dropped_leaves_when_the_poll_of_its_taken_image_ends() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let (mut subscription, _log) = subscribed(&mut driver, &aeron);
    let id = subscription.registration_id();
    let reader = SlowReader::start(subscription.take_image(SessionId(77)).unwrap());
    drop(subscription);
    aeron.invoke();
    assert!(driver.try_command().is_none());
    assert_eq!(reader.end(), 1);
    let command = driver.command();
    assert!(matches!(command.get(), Command::RemoveSubscription { registration_id, .. } if registration_id == id));
}

#[test]
fn a_client_waits_for_the_images_of_subscriptions_that_were_dropped_before_it() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let (mut subscription, _log) = subscribed(&mut driver, &aeron);
    let reader = SlowReader::start(subscription.take_image(SessionId(77)).unwrap());
    drop(subscription);
    aeron.close();
    assert!(driver.try_command().is_none());
    assert_eq!(reader.end(), 1);
    assert!(is_close(&mut driver));
    assert!(driver.try_command().is_none(), "the subscription goes with its client");
}

#[test]
fn a_handler_that_panics_after_the_close_holds_nothing_up() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let (mut subscription, _log) = subscribed(&mut driver, &aeron);
    let mut image = subscription.take_image(SessionId(77)).unwrap();
    let mut subscription = Some(subscription);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        image.block_poll(1 << 20, |_, _, _| {
            drop(subscription.take());
            assert!(driver.try_command().is_none());
            panic!("in a handler");
        })
    }));
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"in a handler"));
    assert!(matches!(driver.command().get(), Command::RemoveSubscription { .. }));
}

#[test]
fn a_commit_of_a_handler_that_closed_the_image_moves_nothing() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let (mut subscription, _log) = subscribed(&mut driver, &aeron);
    let position = aeron.counters_reader().counter(subscription.images()[0].subscriber_position_id()).unwrap();
    let mut handle = Some(aeron);
    let fragments = subscription.controlled_poll(10, |_, _| {
        handle.take().unwrap().close();
        Action::Commit
    });
    assert_eq!((fragments, position.get()), (1, 0), "the counter may be another's by now");
}
