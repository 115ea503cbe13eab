//! Counters.

use std::sync::{Arc, Mutex};

use gannet::RegistrationError;
use gannet_core::command::{Command, Response};
use gannet_core::counters::CounterId;
use gannet_core::counters::layout::NewCounter;

use crate::fake_driver::{FakeDriver, resolve};

#[test]
fn a_counter_is_written_and_given_back() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let mut pending = aeron.async_add_counter(2000, b"key", "orders").unwrap();
    let command = driver.command();
    let Command::AddCounter { client_id, correlation_id, type_id, key, label } = command.get() else {
        panic!("{:?}", command.get())
    };
    assert_eq!((client_id, type_id, key, label), (aeron.client_id(), 2000, &b"key"[..], &b"orders"[..]));
    let cell = driver.counter(&NewCounter::new(type_id, key, "orders"));
    driver.respond(&Response::CounterReady { correlation_id, counter_id: cell.id() });
    let counter = resolve(&mut pending);
    assert_eq!(
        (counter.id(), counter.registration_id(), counter.label().as_str()),
        (cell.id(), correlation_id, "orders")
    );
    counter.set(5);
    counter.increment();
    assert!(counter.propose_max(10) && !counter.propose_max(9));
    assert_eq!((cell.get(), counter.get()), (10, 10));
    drop(counter.clone());
    assert!(driver.try_command().is_none());
    drop(counter);
    assert!(
        matches!(driver.command().get(), Command::RemoveCounter { registration_id, .. } if registration_id == correlation_id)
    );
}

#[test]
fn a_static_counter_is_not_given_back() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let mut pending = aeron.async_add_static_counter(2000, b"key", "orders", 4711).unwrap();
    let command = driver.command();
    let Command::AddStaticCounter { correlation_id, registration_id, .. } = command.get() else {
        panic!("{:?}", command.get())
    };
    assert_eq!(registration_id, 4711);
    let cell = driver.counter(&NewCounter::new(2000, b"key", "orders"));
    driver.respond(&Response::StaticCounter { correlation_id, counter_id: cell.id() });
    let counter = resolve(&mut pending);
    assert!(counter.is_static());
    assert_eq!(counter.registration_id(), 4711);
    drop(counter);
    assert!(driver.try_command().is_none());
}

#[test]
fn handlers_hear_of_everybodys_counters() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (came, went) = (Arc::clone(&calls), Arc::clone(&calls));
    let first = aeron.add_available_counter_handler(move |counters, registration_id, id| {
        assert!(counters.counter(id).is_some());
        came.lock().unwrap().push(("came", registration_id, id.0));
    });
    aeron.add_unavailable_counter_handler(move |_, registration_id, id| {
        went.lock().unwrap().push(("went", registration_id, id.0));
    });
    let id = driver.counter_of_type(2000, 0).id();
    driver.respond(&Response::CounterReady { correlation_id: 9, counter_id: id });
    driver.respond(&Response::UnavailableCounter { correlation_id: 9, counter_id: id });
    aeron.invoke();
    assert!(aeron.remove_handler(first) && !aeron.remove_handler(first));
    driver.respond(&Response::CounterReady { correlation_id: 9, counter_id: id });
    aeron.invoke();
    assert_eq!(*calls.lock().unwrap(), [("came", 9, id.0), ("went", 9, id.0)]);
}

#[test]
fn keys_and_labels_that_do_not_fit_are_refused() {
    let driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let error = aeron.async_add_counter(2000, &[0; 113], "").unwrap_err();
    assert!(matches!(error, RegistrationError::ArgumentTooLong { length: 113, max: 112, .. }));
    assert!(aeron.async_add_counter(2000, &[0; 112], &"x".repeat(381)).is_err());
}

#[test]
fn a_counter_that_does_not_exist_is_an_error() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let mut pending = aeron.async_add_counter(2000, b"", "").unwrap();
    let correlation_id = driver.command().get().correlation_id();
    driver.respond(&Response::CounterReady { correlation_id, counter_id: gannet::CounterId(4000) });
    aeron.invoke();
    assert!(matches!(pending.poll(), Err(RegistrationError::NoSuchCounter(gannet::CounterId(4000)))));
}

#[test]
fn a_counter_that_does_not_exist_is_given_back() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let mut pending = aeron.async_add_counter(1, b"", "counter").unwrap();
    let id = driver.command().get().correlation_id();
    driver.respond(&Response::CounterReady { correlation_id: id, counter_id: CounterId(1 << 20) });
    aeron.invoke();
    assert!(matches!(pending.poll(), Err(RegistrationError::NoSuchCounter(CounterId(0x10_0000)))));
    assert!(
        matches!(driver.command().get(), Command::RemoveCounter { registration_id, .. } if registration_id == id),
        "the driver may keep it all the same"
    );
}
