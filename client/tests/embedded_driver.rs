//! The client on a driver of ours, in one process: feature `embedded-driver`.
#![allow(clippy::unwrap_used)] // a test that cannot be set up has failed

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use gannet::driver::MediaDriver;
use gannet::driver::config::{Context as DriverContext, ThreadingMode};
use gannet::{
    Aeron, ChannelUriStringBuilder, ClientError, Context, EmbeddedDriver, FragmentAssembler, OfferError, Position,
    Subscription, SubscriptionHandlers, TermLength, Why,
};

const PATIENCE: Duration = Duration::from_secs(30);
const STREAM: i32 = 1001;

/// A driver with the small profile, the only one at a time: many at once do not fit the 64 MiB of shared memory that a
/// container gets by default.
struct Driver {
    driver: EmbeddedDriver,
    _alone: MutexGuard<'static, ()>,
}

impl Driver {
    fn context(&self) -> Context {
        self.driver.context()
    }

    fn close(self) {
        self.driver.close().unwrap();
    }
}

fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    // A test that failed has dropped its driver all the same.
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn driver() -> Driver {
    let alone = alone();
    let driver = EmbeddedDriver::launch_with(|context| {
        *context = DriverContext {
            directory: context.directory.clone(),
            delete_directory_on_start: true,
            delete_directory_on_shutdown: true,
            threading_mode: ThreadingMode::Shared,
            ..DriverContext::small()
        };
    });
    Driver { driver: driver.unwrap(), _alone: alone }
}

fn small_terms() -> String {
    ChannelUriStringBuilder::ipc().term_length(TermLength::MIN).build().unwrap()
}

fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "it never happened: {what}");
        thread::yield_now();
    }
}

/// Offers until it is taken.
fn publish(mut offer: impl FnMut() -> Result<Position, OfferError>) {
    eventually("a message is taken", || match offer() {
        Ok(_) => true,
        Err(error) => {
            assert!(error.is_retryable(), "{error}");
            false
        }
    });
}

fn receive(subscription: &mut Subscription, assembler: &mut FragmentAssembler) -> Vec<u8> {
    let mut message = None;
    eventually("a message arrives", || {
        subscription.poll(1, assembler.assemble(|payload, _| message = Some(payload.to_vec())));
        message.is_some()
    });
    message.unwrap()
}

#[test]
fn messages_of_every_length_arrive_as_they_were_sent() {
    let driver = driver();
    let aeron = Aeron::connect(driver.context()).unwrap();
    let mut exclusive = aeron.add_exclusive_publication(&small_terms(), STREAM).unwrap();
    let mut subscription = aeron.add_subscription("aeron:ipc", STREAM).unwrap();
    let mut assembler = FragmentAssembler::new();
    for length in [0, 1, 31, 32, 33, 1376, 1377, 2752, 8191, 8192] {
        let message: Vec<u8> = (0..length).map(|index| u8::try_from((index * 7 + length) % 251).unwrap()).collect();
        for _ in 0..10 {
            publish(|| exclusive.offer(&message));
            assert_eq!(receive(&mut subscription, &mut assembler), message);
            let (one, two) = message.split_at(length / 3);
            publish(|| exclusive.offer_vectored(&[one, two]));
            assert_eq!(receive(&mut subscription, &mut assembler), message);
        }
    }
}

#[test]
fn publishers_on_many_threads_lose_nothing_and_keep_their_order() {
    const PUBLISHERS: u64 = 3;
    const MESSAGES: u64 = 20_000;
    let driver = driver();
    let aeron = Aeron::connect(driver.context()).unwrap();
    let publication = aeron.add_publication(&small_terms(), STREAM).unwrap();
    let mut subscription = aeron.add_subscription("aeron:ipc", STREAM).unwrap();
    let publishers: Vec<_> = (0..PUBLISHERS)
        .map(|publisher| {
            let publication = publication.clone();
            thread::spawn(move || {
                for number in 0..MESSAGES {
                    let message = (publisher << 32 | number).to_le_bytes();
                    if number % 2 == 0 {
                        publish(|| publication.offer(&message));
                    } else {
                        publish(|| {
                            let mut claim = publication.try_claim(message.len())?;
                            claim.data_mut().copy_from_slice(&message);
                            Ok(claim.commit().unwrap())
                        });
                    }
                }
            })
        })
        .collect();
    let mut next = [0; PUBLISHERS as usize];
    eventually("all messages arrive", || {
        subscription.poll(100, |payload, _| {
            let message = u64::from_le_bytes(payload.try_into().unwrap());
            let publisher = usize::try_from(message >> 32).unwrap();
            assert_eq!(message & 0xFFFF_FFFF, next[publisher]);
            next[publisher] += 1;
        });
        next.iter().all(|count| *count == MESSAGES)
    });
    for publisher in publishers {
        publisher.join().unwrap();
    }
}

#[test]
fn why_names_a_subscriber_that_does_not_read() {
    let driver = driver();
    let aeron = Aeron::connect(driver.context()).unwrap();
    let mut publication = aeron.add_exclusive_publication(&small_terms(), STREAM).unwrap();
    assert_eq!(publication.why(), Why::NotConnected);
    let lazy = aeron.add_subscription("aeron:ipc", STREAM).unwrap();
    eventually("the publication is held up", || {
        while publication.offer(&[0; 1000]).is_ok() {}
        matches!(publication.why(), Why::Subscriber { .. })
    });
    let Why::Subscriber { registration_id, client_id, label, position, behind, .. } = publication.why() else {
        panic!("{}", publication.why())
    };
    assert_eq!((registration_id, client_id), (lazy.registration_id(), aeron.client_id()));
    assert_eq!((position, behind), (Position(0), publication.position().0));
    assert!(label.starts_with("sub-pos: "), "{label}");
}

#[test]
fn a_message_stays_as_it_is_while_its_handler_reads_it_though_its_subscription_is_dropped() {
    let driver = driver();
    let aeron = Aeron::connect(driver.context()).unwrap();
    let mut publication = aeron.add_exclusive_publication(&small_terms(), STREAM).unwrap();
    let mut slow = aeron.add_subscription("aeron:ipc", STREAM).unwrap();
    let mut fast = aeron.add_subscription("aeron:ipc", STREAM).unwrap();
    eventually("both have an image", || slow.is_connected() && fast.is_connected());
    publish(|| publication.offer(&[1; 1000]));
    let mut image = slow.take_image(publication.session_id()).unwrap();
    let (is_inside, inside) = channel();
    let (go_on, may_go_on) = channel();
    let reader = thread::spawn(move || {
        eventually("the message arrives", || {
            image.poll(1, |payload, _| {
                is_inside.send(()).unwrap();
                may_go_on.recv_timeout(PATIENCE).unwrap();
                assert!(payload.iter().all(|byte| *byte == 1), "the publisher has come round");
            }) > 0
        });
    });
    inside.recv_timeout(PATIENCE).unwrap();
    let slow_id = slow.registration_id();
    drop(slow);
    // With its answer the driver has read every command that was sent before.
    aeron.next_session_id(STREAM).unwrap();
    eventually("the publication waits for the reader", || {
        assert!(publication.position() < Position(2 * i64::from(TermLength::MIN.bytes())));
        while publication.offer(&[2; 1000]).is_ok() {}
        fast.poll(100, |_, _| ());
        matches!(publication.why(), Why::Subscriber { registration_id, .. } if registration_id == slow_id)
    });
    go_on.send(()).unwrap();
    reader.join().unwrap();
    let position = publication.position();
    eventually("the publication goes on", || {
        fast.poll(100, |_, _| ());
        publication.offer(&[2; 1000]).is_ok() && publication.position() > position
    });
}

#[test]
fn handlers_hear_of_the_end_of_a_stream() {
    let driver = driver();
    let aeron = Aeron::connect(driver.context()).unwrap();
    let calls: Arc<Mutex<Vec<String>>> = Arc::default();
    let (came, went) = (Arc::clone(&calls), Arc::clone(&calls));
    let handlers = SubscriptionHandlers::new()
        .available_image(move |image| came.lock().unwrap().push(format!("{} came", image.session_id())))
        .unavailable_image(move |image| {
            went.lock().unwrap().push(format!("{} went, end {}", image.session_id(), image.is_end_of_stream()));
        });
    let mut subscription = aeron.add_subscription_with("aeron:ipc", STREAM, handlers).unwrap();
    let publication = aeron.add_publication(&small_terms(), STREAM).unwrap();
    let session = publication.session_id();
    publish(|| publication.offer(b"last words"));
    drop(publication);
    let mut assembler = FragmentAssembler::new();
    assert_eq!(receive(&mut subscription, &mut assembler), b"last words");
    eventually("the image goes", || calls.lock().unwrap().len() == 2);
    assert_eq!(*calls.lock().unwrap(), [format!("{session} came"), format!("{session} went, end true")]);
}

#[test]
fn counters_are_seen_by_other_clients() {
    let driver = driver();
    let aeron = Aeron::connect(driver.context().client_name("owner")).unwrap();
    let other = Aeron::connect(driver.context()).unwrap();
    let counter = aeron.add_counter(2000, b"key", "orders").unwrap();
    counter.set(42);
    let seen = other.counters_reader().record(counter.id()).unwrap();
    assert_eq!((seen.label_text(), seen.value, seen.owner_id), ("orders", 42, aeron.client_id()));
    let registration_id = counter.registration_id();
    drop(counter);
    eventually("the counter goes", || {
        other.counters_reader().find_by_type_and_registration(2000, registration_id).is_none()
    });
    let fixed = aeron.add_static_counter(2001, b"key", "fixed", 7).unwrap();
    let same = other.add_static_counter(2001, b"key", "fixed", 7).unwrap();
    assert_eq!((fixed.id(), fixed.registration_id()), (same.id(), 7));
}

#[test]
fn threads_that_add_and_drop_at_once_leave_nothing_behind() {
    let driver = driver();
    let errors: Arc<Mutex<Vec<ClientError>>> = Arc::default();
    let heard = Arc::clone(&errors);
    let aeron =
        Aeron::connect(driver.context().error_handler(move |error| heard.lock().unwrap().push(error.clone()))).unwrap();
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let aeron = aeron.clone();
            thread::spawn(move || {
                for round in 0..25 {
                    let stream = 2000 + thread;
                    let mut subscription = aeron.add_subscription("aeron:ipc", stream).unwrap();
                    let mut publication = aeron.add_exclusive_publication(&small_terms(), stream).unwrap();
                    let counter = aeron.add_counter(2000, b"", "busy").unwrap();
                    let cancelled = aeron.async_add_publication(&small_terms(), stream).unwrap();
                    publish(|| publication.offer(&[thread.try_into().unwrap(), round]));
                    counter.increment();
                    drop(cancelled);
                    eventually("the message arrives", || {
                        subscription.poll(10, |payload, _| assert_eq!(payload, [thread.try_into().unwrap(), round])) > 0
                    });
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(*errors.lock().unwrap(), []);
    // What is left of this client is its heartbeat.
    let client_id = aeron.client_id();
    eventually("everything is given back", || {
        aeron.counters_reader().iter().filter(|counter| counter.owner_id == client_id).count() == 1
    });
}

#[test]
fn session_ids_that_are_handed_out_are_free() {
    let driver = driver();
    let aeron = Aeron::connect(driver.context()).unwrap();
    let session_id = aeron.next_session_id(STREAM).unwrap();
    let channel = ChannelUriStringBuilder::ipc().session_id(session_id.0).term_length(TermLength::MIN);
    let publication = aeron.add_publication(&channel.build().unwrap(), STREAM).unwrap();
    assert_eq!(publication.session_id(), session_id);
    assert_ne!(aeron.next_session_id(STREAM).unwrap(), session_id);
}

#[test]
fn a_driver_that_ends_closes_its_clients() {
    let driver = driver();
    let errors: Arc<Mutex<Vec<ClientError>>> = Arc::default();
    let heard = Arc::clone(&errors);
    let context = driver
        .context()
        .keepalive_interval(Duration::ZERO)
        .error_handler(move |error| heard.lock().unwrap().push(error.clone()));
    let aeron = Aeron::connect(context).unwrap();
    let publication = aeron.add_publication(&small_terms(), STREAM).unwrap();
    driver.close();
    eventually("the client closes", || aeron.is_closed());
    assert_eq!(publication.offer(b"x"), Err(OfferError::Closed));
    eventually("the error handler hears", || !errors.lock().unwrap().is_empty());
    assert_eq!(*errors.lock().unwrap(), [ClientError::DriverShutdown]);
}

#[test]
fn one_thread_can_be_driver_client_and_application() {
    let _alone = alone();
    let directory = tempfile::Builder::new().prefix("gannet-client-").tempdir_in("/dev/shm").unwrap();
    let driver_context = DriverContext {
        directory: directory.path().join("driver"),
        threading_mode: ThreadingMode::Invoker,
        ..DriverContext::small()
    };
    let mut driver = MediaDriver::launch_invoker(driver_context).unwrap();
    let context = Context::defaults()
        .aeron_dir(directory.path().join("driver"))
        .use_invoker()
        .driver_agent_invoker(move || driver.do_work());
    let aeron = Aeron::connect(context).unwrap();
    let mut publication = aeron.add_exclusive_publication(&small_terms(), STREAM).unwrap();
    let mut subscription = aeron.add_subscription("aeron:ipc", STREAM).unwrap();
    let mut received = 0;
    for number in 0..5000_u64 {
        let message = [u8::try_from(number % 251).unwrap(); 100];
        publish(|| {
            aeron.invoke();
            publication.offer(&message)
        });
        eventually("the message arrives", || {
            aeron.invoke();
            subscription.poll(10, |payload, _| {
                assert_eq!(payload, message);
                received += 1;
            }) > 0
        });
    }
    assert_eq!(received, 5000);
    aeron.close();
}

#[test]
fn a_claim_that_outlives_its_publication_is_lost_and_not_lent_to_readers() {
    let driver = driver();
    let aeron = Aeron::connect(driver.context()).unwrap();
    let channel = small_terms();
    let mut subscription = aeron.add_subscription(&channel, STREAM).unwrap();
    let publication = aeron.add_publication(&channel, STREAM).unwrap();
    let other = publication.clone();
    let deadline = Instant::now() + PATIENCE;
    let mut claim = loop {
        match publication.try_claim(64) {
            Ok(claim) => break claim,
            Err(error) => assert!(error.is_retryable() && Instant::now() < deadline, "{error}"),
        }
        thread::yield_now();
    };
    other.close();
    let mut lent = 0;
    let mut bytes = 0;
    eventually("the driver pads the claim", || {
        bytes += subscription.block_poll(1 << 16, |block, _, _| {
            // Nothing of what its holder may still write.
            claim.data_mut().fill(5);
            lent += block.len();
        });
        bytes > 0
    });
    assert_eq!((lent, bytes), (32, 96), "the header only");
    assert!(claim.commit().is_err());
    aeron.close();
    driver.close();
}
