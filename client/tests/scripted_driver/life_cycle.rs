//! Connecting, staying alive, closing, and losing the driver.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gannet::{Aeron, ClientError, ConnectError, OfferError, RegistrationError, SessionId};
use gannet_core::command::{Command, Response};
use gannet_core::log::LogType;

use crate::fake_driver::{CHANNEL, FakeDriver, STREAM, eventually, now_ms, resolve};

const NO_TIME: Duration = Duration::ZERO;

#[test]
fn without_a_driver_the_error_says_where_and_how_to_start_one() {
    let empty = tempfile::tempdir().unwrap();
    let context = gannet::Context::defaults().aeron_dir(empty.path()).connect_timeout(NO_TIME);
    let error = Aeron::connect(context).unwrap_err();
    assert!(matches!(error, ConnectError::NoDriver { .. }));
    let text = error.to_string();
    for part in [empty.path().to_str().unwrap(), "`gannetd`", "`embedded-driver`", "AERON_DIR"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_dead_driver_an_unfinished_one_and_a_stopped_one_are_told_apart() {
    let driver = FakeDriver::unfinished();
    let connect = || Aeron::connect(driver.context().connect_timeout(NO_TIME)).unwrap_err();
    let error = connect();
    assert!(matches!(error, ConnectError::NotReady { .. }));
    for part in [driver.directory.path().to_str().unwrap(), "`gannetd`", "`embedded-driver`", "connect_timeout"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    driver.publish();
    assert!(matches!(connect(), ConnectError::NotReady { .. }), "it has no heartbeat yet");
    driver.heartbeat(now_ms() - 60_000);
    assert!(matches!(connect(), ConnectError::DriverGone { age: Some(age), .. } if age >= Duration::from_secs(60)));
    driver.heartbeat(-1);
    assert!(matches!(connect(), ConnectError::DriverGone { age: None, .. }));
}

#[test]
fn connecting_waits_for_the_driver_to_appear() {
    let driver = FakeDriver::unfinished();
    let context = driver.context();
    let client = std::thread::spawn(move || Aeron::connect(context));
    driver.heartbeat(now_ms());
    driver.publish();
    assert!(!client.join().unwrap().unwrap().is_closed());
}

#[test]
fn a_blocking_add_does_not_wait_for_the_conductors_sleep() {
    let mut driver = FakeDriver::new();
    let aeron = Aeron::connect(driver.context().idle_sleep_duration(Duration::from_secs(5))).unwrap();
    let start = Instant::now();
    let adding =
        std::thread::spawn(move || aeron.add_publication(CHANNEL, STREAM).map(|publication| (publication, aeron)));
    let id = driver.command().get().correlation_id();
    let log = driver.log(id, LogType::ConcurrentPublication);
    driver.publication_ready(id, &log, false);
    let (publication, _aeron) = adding.join().unwrap().unwrap();
    assert_eq!(publication.registration_id(), id);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_driver_that_does_not_answer_is_waited_for_as_long_as_its_timeout() {
    let driver = FakeDriver::new();
    let timeout = Duration::from_millis(50);
    let aeron = Aeron::connect(driver.context().driver_timeout(timeout)).unwrap();
    let error = aeron.add_publication(CHANNEL, STREAM).unwrap_err();
    assert!(matches!(error, RegistrationError::TimedOut { after } if after == timeout));
}

#[test]
fn the_client_keeps_its_heartbeat_and_writes_its_name_once() {
    let mut driver = FakeDriver::new();
    let context = driver.context().use_invoker().client_name("probe").keepalive_interval(NO_TIME);
    let aeron = Aeron::connect(context).unwrap();
    let heartbeat = driver.client_heartbeat(aeron.client_id());
    eventually("the heartbeat is written", || {
        aeron.invoke();
        heartbeat.get() > 0
    });
    let first = heartbeat.get();
    eventually("the heartbeat is written again", || {
        aeron.invoke();
        heartbeat.get() > first
    });
    let label = driver.counters.reader().record(heartbeat.id()).unwrap().label_text().to_owned();
    let start = format!("client-heartbeat: id={} name=probe version=", aeron.client_id());
    assert!(label.starts_with(&start), "{label}");
    assert_eq!(label.matches("name=").count(), 1, "{label}");
    assert!(driver.take_errors().is_empty());
}

/// A client whose timers are due at each invocation, with a publication.
fn lively_client(driver: &mut FakeDriver) -> (Aeron, gannet::Publication) {
    let context = driver.context().use_invoker().keepalive_interval(NO_TIME).driver_timeout(Duration::from_secs(2));
    let aeron = Aeron::connect(context).unwrap();
    let (publication, _log) = driver.add_publication(&aeron);
    (aeron, publication)
}

fn assert_closed_by(driver: &FakeDriver, aeron: &Aeron, publication: &gannet::Publication, code: i32) {
    eventually("the client closes", || {
        aeron.invoke();
        aeron.is_closed()
    });
    let errors = driver.take_errors();
    assert_eq!(errors.iter().map(ClientError::code).collect::<Vec<_>>(), [code], "{errors:?}");
    assert!(errors[0].is_fatal());
    assert_eq!(publication.offer(b"x"), Err(OfferError::Closed));
    let error = aeron.add_subscription(CHANNEL, STREAM).unwrap_err();
    assert!(matches!(&error, RegistrationError::ClientClosed { cause: Some(cause) } if **cause == errors[0]));
}

#[test]
fn a_driver_without_heartbeat_closes_everything() {
    let mut driver = FakeDriver::new();
    let (aeron, publication) = lively_client(&mut driver);
    driver.heartbeat(now_ms() - 3000);
    assert_closed_by(&driver, &aeron, &publication, 1000);
    assert!(driver.try_command().is_none(), "a dead driver is told nothing");
}

#[test]
fn a_driver_that_was_shut_down_closes_everything() {
    let mut driver = FakeDriver::new();
    let (aeron, publication) = lively_client(&mut driver);
    driver.heartbeat(-1);
    assert_closed_by(&driver, &aeron, &publication, 1000);
}

#[test]
fn a_driver_that_took_over_the_directory_is_noticed() {
    let mut driver = FakeDriver::new();
    let (aeron, publication) = lively_client(&mut driver);
    let path = driver.directory.path().join("cnc.dat");
    let other = driver.directory.path().join("other");
    std::fs::copy(&path, &other).unwrap();
    std::fs::rename(&other, &path).unwrap();
    eventually("the client closes", || {
        aeron.invoke();
        aeron.is_closed()
    });
    assert_eq!(driver.take_errors(), [ClientError::DriverRestarted]);
    assert_eq!(publication.offer(b"x"), Err(OfferError::Closed));
}

#[test]
fn a_client_that_the_driver_timed_out_is_closed() {
    let mut driver = FakeDriver::new();
    let (aeron, publication) = lively_client(&mut driver);
    driver.respond(&Response::ClientTimeout { client_id: aeron.client_id() + 1 });
    aeron.invoke();
    assert!(!aeron.is_closed());
    driver.respond(&Response::ClientTimeout { client_id: aeron.client_id() });
    assert_closed_by(&driver, &aeron, &publication, 1001);
}

#[test]
fn a_heartbeat_counter_that_was_freed_closes_the_client() {
    let mut driver = FakeDriver::new();
    let (aeron, publication) = lively_client(&mut driver);
    let heartbeat = driver.client_heartbeat(aeron.client_id());
    eventually("the heartbeat is written", || {
        aeron.invoke();
        heartbeat.get() > 0
    });
    driver.counters.free(heartbeat.id(), now_ms()).unwrap();
    assert_closed_by(&driver, &aeron, &publication, 1000);
}

#[test]
fn a_conductor_that_was_not_served_for_too_long_closes_and_tells_the_driver() {
    let timeout = Duration::from_millis(20);
    let mut driver = FakeDriver::with_client_liveness_timeout(timeout);
    driver.heartbeat(now_ms());
    driver.publish();
    let (aeron, publication) = lively_client(&mut driver);
    let start = Instant::now();
    eventually("the time is over", || start.elapsed() > 2 * timeout);
    assert_closed_by(&driver, &aeron, &publication, 1002);
    assert!(matches!(driver.command().get(), Command::ClientClose { .. }));
}

#[test]
fn a_client_that_is_lapped_is_closed_and_tells_the_driver() {
    let mut driver = FakeDriver::new();
    let (aeron, publication) = lively_client(&mut driver);
    for _ in 0..10_000 {
        driver.respond(&Response::OperationSuccess { correlation_id: 1 });
    }
    assert_closed_by(&driver, &aeron, &publication, 1006);
    assert!(matches!(driver.command().get(), Command::ClientClose { .. }));
}

#[test]
fn a_malformed_response_is_told_and_skipped() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    driver.responses.transmit(0x0F04, &[1, 2, 3]).unwrap();
    driver.responses.transmit(0x0FFF, &[1, 2, 3]).unwrap();
    aeron.invoke();
    assert_eq!(driver.take_errors(), [ClientError::MalformedResponse { type_id: 0x0F04, length: 3 }]);
    assert!(!aeron.is_closed());
}

#[test]
fn closing_closes_every_handle_and_tells_the_driver_once() {
    let mut driver = FakeDriver::new();
    let closes = Arc::new(Mutex::new(0));
    let count = Arc::clone(&closes);
    let context = driver.context().close_handler(move || {
        *count.lock().unwrap() += 1;
    });
    let aeron = Aeron::connect(context).unwrap();
    let (publication, _log) = driver.add_publication(&aeron);
    let subscription = driver.add_subscription(&aeron);
    let clone = aeron.clone();
    aeron.close();
    assert_eq!(*closes.lock().unwrap(), 1);
    assert!(clone.is_closed() && publication.is_closed() && subscription.is_closed());
    assert!(matches!(driver.command().get(), Command::ClientClose { client_id, .. } if client_id == clone.client_id()));
    drop((publication, subscription, clone));
    assert!(driver.try_command().is_none());
}

#[test]
fn handlers_hear_of_what_was_added() {
    let mut driver = FakeDriver::new();
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let (one, two, three) = (Arc::clone(&heard), Arc::clone(&heard), Arc::clone(&heard));
    let context = driver
        .context()
        .use_invoker()
        .on_new_publication(move |channel, stream, session, id| {
            one.lock().unwrap().push(format!("publication {channel} {stream} {session} {id}"));
        })
        .on_new_exclusive_publication(move |channel, stream, session, id| {
            two.lock().unwrap().push(format!("exclusive {channel} {stream} {session} {id}"));
        })
        .on_new_subscription(move |channel, stream, id| {
            three.lock().unwrap().push(format!("subscription {channel} {stream} {id}"));
        });
    let aeron = Aeron::connect(context).unwrap();
    let (publication, _log) = driver.add_publication(&aeron);
    let mut pending = aeron.async_add_exclusive_publication(CHANNEL, STREAM).unwrap();
    let id = driver.command().get().correlation_id();
    let log = driver.log(id, LogType::ExclusivePublication);
    driver.publication_ready(id, &log, true);
    let exclusive = resolve(&mut pending);
    let subscription = driver.add_subscription(&aeron);
    let refused = aeron.async_add_publication(CHANNEL, STREAM).unwrap();
    driver.respond(&Response::Error {
        offending_command_correlation_id: refused.registration_id(),
        error_code: gannet::ErrorCode::GenericError,
        error_message: b"no",
    });
    aeron.invoke();
    let expected = [
        format!("publication aeron:ipc 1001 77 {}", publication.registration_id()),
        format!("exclusive aeron:ipc 1001 77 {}", exclusive.registration_id()),
        format!("subscription aeron:ipc 1001 {}", subscription.registration_id()),
    ];
    assert_eq!(*heard.lock().unwrap(), expected);
}

#[test]
fn the_client_stays_open_for_the_last_of_its_handles() {
    let mut driver = FakeDriver::new();
    let aeron = Aeron::connect(driver.context()).unwrap();
    let subscription = driver.add_subscription(&aeron);
    drop(aeron);
    assert!(!subscription.is_closed());
    drop(subscription);
    assert!(matches!(driver.command().get(), Command::RemoveSubscription { .. }));
    assert!(matches!(driver.command().get(), Command::ClientClose { .. }));
}

#[test]
fn a_handler_may_add_and_drop_and_close() {
    let mut driver = FakeDriver::new();
    let aeron = Aeron::connect(driver.context()).unwrap();
    let added: Arc<Mutex<Option<Result<SessionId, RegistrationError>>>> = Arc::default();
    let (slot, inner) = (Arc::clone(&added), aeron.clone());
    aeron.add_available_counter_handler(move |_, _, _| {
        let result = inner.next_session_id(STREAM);
        inner.clone().close();
        *slot.lock().unwrap() = Some(result);
    });
    let id = driver.counter_of_type(2000, 0).id();
    driver.respond(&Response::CounterReady { correlation_id: 9, counter_id: id });
    let command = driver.command();
    let Command::GetNextAvailableSessionId { correlation_id, .. } = command.get() else {
        panic!("{:?}", command.get())
    };
    driver.respond(&Response::NextAvailableSessionId { correlation_id, next_session_id: SessionId(8) });
    eventually("the handler is through", || added.lock().unwrap().is_some());
    assert_eq!(added.lock().unwrap().take().unwrap().unwrap(), SessionId(8));
    assert!(aeron.is_closed());
}

#[test]
fn a_handler_that_panics_is_reported_and_the_client_goes_on() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    aeron.add_available_counter_handler(|_, _, _| panic!("oh no"));
    let id = driver.counter_of_type(2000, 0).id();
    driver.respond(&Response::CounterReady { correlation_id: 9, counter_id: id });
    aeron.invoke();
    assert_eq!(driver.take_errors(), [ClientError::HandlerPanicked { message: "oh no".to_owned() }]);
    let mut pending = aeron.async_next_session_id(STREAM).unwrap();
    let correlation_id = driver.command().get().correlation_id();
    driver.respond(&Response::NextAvailableSessionId { correlation_id, next_session_id: SessionId(3) });
    assert_eq!(resolve(&mut pending), SessionId(3));
}

#[test]
fn a_close_in_a_handler_of_an_invoked_client_reaches_its_close_handlers() {
    let mut driver = FakeDriver::new();
    let closes = Arc::new(Mutex::new(0));
    let count = Arc::clone(&closes);
    let aeron = driver.invoked_client();
    aeron.add_close_handler(move || *count.lock().unwrap() += 1);
    let handle = Mutex::new(Some(aeron.clone()));
    aeron.add_available_counter_handler(move |_, _, _| {
        if let Some(aeron) = handle.lock().unwrap().take() {
            aeron.close();
        }
    });
    let id = driver.counter_of_type(2000, 0).id();
    driver.respond(&Response::CounterReady { correlation_id: 9, counter_id: id });
    aeron.invoke();
    assert_eq!(*closes.lock().unwrap(), 1);
    // The handlers, and what they own, are gone with the last call.
    assert_eq!(Arc::strong_count(&closes), 1);
}

#[test]
fn whoever_closes_waits_for_the_last_call() {
    let driver = FakeDriver::new();
    let (is_inside, inside) = channel();
    let (go_on, may_go_on) = channel();
    let context = driver.context().close_handler(move || {
        is_inside.send(()).unwrap();
        may_go_on.recv_timeout(Duration::from_secs(10)).unwrap();
    });
    let aeron = Aeron::connect(context).unwrap();
    let second = aeron.clone();
    let first = std::thread::spawn(move || aeron.close());
    inside.recv_timeout(Duration::from_secs(10)).unwrap();
    let (is_closed, closed) = channel();
    let second = std::thread::spawn(move || {
        second.close();
        is_closed.send(()).unwrap();
    });
    assert!(closed.recv_timeout(Duration::from_millis(100)).is_err(), "the close handler is still at work");
    go_on.send(()).unwrap();
    closed.recv_timeout(Duration::from_secs(10)).unwrap();
    for closer in [first, second] {
        closer.join().unwrap();
    }
}

/// Panics when it is dropped.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[test]
fn a_handler_whose_destructor_panics_is_reported_and_the_client_goes_on() {
    let mut driver = FakeDriver::new();
    let aeron = Aeron::connect(driver.context()).unwrap();
    let grenade = Grenade;
    let handlers = gannet::SubscriptionHandlers::new().unavailable_image(move |_| {
        let _owned = &grenade;
    });
    let mut pending = aeron.async_add_subscription(CHANNEL, STREAM, handlers).unwrap();
    let id = driver.command().get().correlation_id();
    driver.subscription_ready(id);
    let subscription = resolve(&mut pending);
    let log = driver.log(1000, LogType::ExclusivePublication);
    driver.available_image(id, &log, gannet::Position(0));
    eventually("the image comes", || subscription.is_connected());
    // Another holder of the handler than the queued call would drop it first.
    drop(pending);
    let dropping = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(subscription)));
    eventually("the panic is heard of, here or by the error handler", || {
        dropping.is_err()
            || driver.errors.lock().unwrap().contains(&ClientError::HandlerPanicked { message: "dropped".to_owned() })
    });
    assert!(matches!(driver.command().get(), Command::RemoveSubscription { .. }));
    assert_goes_on(&mut driver, &aeron);
}

#[test]
fn a_driver_agent_that_panics_is_reported_once_and_the_client_goes_on() {
    let mut driver = FakeDriver::new();
    let calls = Arc::new(Mutex::new(0));
    let count = Arc::clone(&calls);
    let context = driver.context().driver_agent_invoker(move || {
        *count.lock().unwrap() += 1;
        panic!("the driver is broken")
    });
    let aeron = Aeron::connect(context).unwrap();
    assert_goes_on(&mut driver, &aeron);
    let panicked = ClientError::HandlerPanicked { message: "the driver is broken".to_owned() };
    eventually("the panic is reported", || !driver.errors.lock().unwrap().is_empty());
    assert_eq!(driver.take_errors(), [panicked]);
    assert_eq!(Arc::strong_count(&calls), 1, "it is not kept");
}

/// Its conductor thread reads what the driver says, and calls handlers.
fn assert_goes_on(driver: &mut FakeDriver, aeron: &Aeron) {
    let (hears, heard) = channel();
    aeron.add_available_counter_handler(move |_, _, _| hears.send(()).unwrap());
    let id = driver.counter_of_type(2000, 0).id();
    driver.respond(&Response::CounterReady { correlation_id: 9, counter_id: id });
    heard.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(!aeron.is_closed());
}

#[test]
fn a_handler_that_owns_the_last_handle_does_not_hang_the_client() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let inner = aeron.clone();
    let handlers = gannet::SubscriptionHandlers::new().available_image(move |_| assert!(!inner.is_closed()));
    let pending = aeron.async_add_subscription(CHANNEL, STREAM, handlers).unwrap();
    driver.command();
    drop(aeron);
    drop(pending);
    assert!(matches!(driver.command().get(), Command::ClientClose { .. }));
}

#[test]
fn a_driver_is_asked_to_end() {
    let mut driver = FakeDriver::new();
    Aeron::request_driver_termination(driver.directory.path(), b"please").unwrap();
    let command = driver.command();
    assert!(matches!(command.get(), Command::TerminateDriver { token: b"please", .. }), "{:?}", command.get());
}

#[test]
fn a_client_name_that_does_not_fit_is_refused() {
    let driver = FakeDriver::new();
    let error = Aeron::connect(driver.context().client_name("x".repeat(101))).unwrap_err();
    assert!(matches!(error, ConnectError::ClientNameTooLong { length: 101 }));
}

#[test]
fn handles_go_to_other_threads_as_aerons_do() {
    fn is_shared<T: Send + Sync + Clone>() {}
    fn is_moved<T: Send>() {}
    is_shared::<Aeron>();
    is_shared::<gannet::Publication>();
    is_shared::<gannet::Counter>();
    is_shared::<gannet::ImageView>();
    is_moved::<gannet::ExclusivePublication>();
    is_moved::<gannet::Subscription>();
    is_moved::<gannet::Image>();
    is_moved::<gannet::AsyncAddPublication>();
}
