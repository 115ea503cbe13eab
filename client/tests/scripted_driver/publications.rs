//! Publications, against a driver that the test plays.

use std::time::Duration;

use crate::fake_driver::{CHANNEL, FakeDriver, STREAM, eventually, resolve};
use gannet::{Aeron, ErrorCode, OfferError, Position, RegistrationError, StreamId, Why};
use gannet_core::command::{Command, Response};
use gannet_core::log::{LogType, reader};

const OPEN: i64 = 64 * 1024;

#[test]
fn a_publication_is_what_the_driver_says_it_is() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let mut pending = aeron.async_add_publication(CHANNEL, STREAM).unwrap();
    let command = driver.command();
    let Command::AddPublication { client_id, correlation_id, stream_id, channel } = command.get() else {
        panic!("{:?}", command.get())
    };
    assert_eq!((client_id, stream_id, channel), (aeron.client_id(), StreamId(STREAM), CHANNEL));
    assert!(pending.poll().unwrap().is_none());

    let log = driver.log(correlation_id, LogType::ConcurrentPublication);
    driver.publication_ready(correlation_id, &log, false);
    let publication = resolve(&mut pending);
    assert_eq!(publication.registration_id(), pending.registration_id());
    assert_eq!(publication.session_id(), log.session_id);
    assert_eq!(publication.stream_id(), StreamId(STREAM));
    assert_eq!(publication.channel(), CHANNEL);
    assert_eq!(publication.position_limit_id(), log.limit.id());
    assert_eq!(publication.max_payload_length(), 1408 - 32);
    assert_eq!(publication.max_message_length(), 8192);
    assert!(publication.is_original() && !publication.is_closed() && !publication.is_connected());
    assert!(matches!(pending.poll(), Err(RegistrationError::AlreadyTaken)));
}

#[test]
fn offers_tell_all_cases_apart() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let (publication, log) = driver.add_publication(&aeron);

    assert_eq!(publication.offer(b"x"), Err(OfferError::NotConnected));
    log.log.metadata().set_is_connected(true);
    assert_eq!(publication.offer(b"x"), Err(OfferError::BackPressured));
    log.limit.set(OPEN);
    assert_eq!(publication.offer(b"x"), Ok(Position(64)));
    assert_eq!(publication.offer(&vec![0; 8193]), Err(OfferError::MessageTooLong { length: 8193, max: 8192 }));
    assert_eq!(
        publication.try_claim(1377).map(|claim| claim.position()).unwrap_err(),
        OfferError::MessageTooLong { length: 1377, max: 1376 }
    );
    let clone = publication.clone();
    publication.close();
    assert_eq!(clone.offer(b"x"), Err(OfferError::Closed));
    assert_eq!(clone.try_claim(1).map(|claim| claim.position()).unwrap_err(), OfferError::Closed);
    assert_eq!(clone.position(), Position(64));
}

#[test]
fn messages_are_in_the_log_as_they_were_offered() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let (publication, log) = driver.add_publication(&aeron);
    log.limit.set(OPEN);

    publication.offer(b"offered").unwrap();
    publication.offer_vectored(&[b"in ", b"", b"pieces"]).unwrap();
    publication.offer_with_reserved_value(b"reserved", |frame| i64::try_from(frame.len()).unwrap()).unwrap();
    let mut claim = publication.try_claim(7).unwrap();
    claim.data_mut().copy_from_slice(b"claimed");
    claim.commit().unwrap();
    drop(publication.try_claim(100).unwrap());
    publication.offer(b"last").unwrap();

    let mut messages = Vec::new();
    let mut reserved = Vec::new();
    let polled = reader::poll(&log.log, Position(0), 100, |payload, header| {
        messages.push(String::from_utf8(payload.to_vec()).unwrap());
        reserved.push(header.reserved_value());
    });
    assert_eq!(messages, ["offered", "in pieces", "reserved", "claimed", "last"]);
    assert_eq!(reserved, [0, 0, 40, 0, 0]);
    assert_eq!(polled.position, publication.position());
}

#[test]
fn an_exclusive_publication_publishes_and_moves_on() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let mut pending = aeron.async_add_exclusive_publication(CHANNEL, STREAM).unwrap();
    let id = driver.command().get().correlation_id();
    let log = driver.log(id, LogType::ExclusivePublication);
    driver.publication_ready(id, &log, true);
    let mut publication = resolve(&mut pending);
    log.limit.set(OPEN);

    publication.offer(b"offered").unwrap();
    assert_eq!(publication.append_padding(32), Ok(Position(128)));
    let mut claim = publication.try_claim(7).unwrap();
    claim.data_mut().copy_from_slice(b"claimed");
    claim.commit().unwrap();
    assert_eq!(publication.position(), Position(192));
    assert_eq!(publication.offer_block(&[0; 64]), Err(OfferError::InvalidBlock));

    let mut messages = Vec::new();
    let _ = reader::poll(&log.log, Position(0), 100, |payload, _| messages.push(payload.to_vec()));
    assert_eq!(messages, [b"offered", b"claimed"]);
}

#[test]
fn the_last_clone_that_is_dropped_tells_the_driver() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let (publication, log) = driver.add_publication(&aeron);
    let clone = publication.clone();
    drop(publication);
    assert!(driver.try_command().is_none());
    drop(clone);
    let command = driver.command();
    let Command::RemovePublication { registration_id, revoke, .. } = command.get() else {
        panic!("{:?}", command.get())
    };
    assert_eq!((registration_id, revoke), (log.registration_id, false));
    assert!(driver.try_command().is_none());
}

#[test]
fn revoking_says_so_in_the_command() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let (publication, _log) = driver.add_publication(&aeron);
    publication.revoke();
    assert!(matches!(driver.command().get(), Command::RemovePublication { revoke: true, .. }));
}

#[test]
fn a_full_command_ring_delays_the_removal() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let (publication, log) = driver.add_publication(&aeron);
    driver.fill_ring();
    drop(publication);
    eventually("the removal is sent when the ring has room", || {
        aeron.invoke();
        match driver.try_command() {
            Some(command) => matches!(
                Command::parse(command.type_id(), command.bytes()),
                Ok(Command::RemovePublication { registration_id, .. }) if registration_id == log.registration_id
            ),
            None => false,
        }
    });
}

#[test]
fn what_is_given_back_is_given_back_before_more_is_asked_for() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let (publication, log) = driver.add_publication(&aeron);
    driver.fill_ring();
    drop(publication);
    assert!(matches!(aeron.async_add_publication(CHANNEL, STREAM), Err(RegistrationError::DriverBufferFull)));
    while driver.try_command().is_some() {}
    let _pending = aeron.async_add_publication(CHANNEL, STREAM).unwrap();
    assert!(matches!(
        driver.command().get(),
        Command::RemovePublication { registration_id, .. } if registration_id == log.registration_id
    ));
    assert!(matches!(driver.command().get(), Command::AddPublication { .. }));
}

#[test]
fn an_answer_to_a_request_that_timed_out_unseen_is_given_back() {
    let mut driver = FakeDriver::new();
    let context = driver.context().use_invoker().driver_timeout(Duration::from_millis(20));
    let aeron = Aeron::connect(context.keepalive_interval(Duration::from_secs(60))).unwrap();
    let mut pending = aeron.async_add_publication(CHANNEL, STREAM).unwrap();
    let id = driver.command().get().correlation_id();
    let log = driver.log(id, LogType::ConcurrentPublication);
    eventually("the request times out, the only work there is", || aeron.invoke() > 0);
    driver.publication_ready(id, &log, false);
    aeron.invoke();
    aeron.invoke();
    assert!(
        matches!(driver.command().get(), Command::RemovePublication { registration_id, .. } if registration_id == id)
    );
    assert!(matches!(pending.poll(), Err(RegistrationError::TimedOut { .. })));
    drop(pending);
    aeron.invoke();
    assert!(driver.try_command().is_none());
}

#[test]
fn a_destination_whose_request_was_dropped_is_taken_back() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let (publication, log) = driver.add_publication(&aeron);
    for answered_first in [true, false] {
        let mut pending = Some(publication.async_add_destination("aeron:udp?endpoint=localhost:1").unwrap());
        let id = driver.command().get().correlation_id();
        if !answered_first {
            pending.take();
        }
        driver.respond(&Response::OperationSuccess { correlation_id: id });
        aeron.invoke();
        drop(pending);
        aeron.invoke();
        let command = driver.command();
        let Command::RemoveDestinationById { resource_registration_id, destination_registration_id, .. } =
            command.get()
        else {
            panic!("{:?}", command.get())
        };
        assert_eq!((resource_registration_id, destination_registration_id), (log.registration_id, id));
    }
    // Nothing is to be undone of a removal.
    drop(publication.async_remove_destination("aeron:udp?endpoint=localhost:1").unwrap());
    let correlation_id = driver.command().get().correlation_id();
    driver.respond(&Response::OperationSuccess { correlation_id });
    aeron.invoke();
    aeron.invoke();
    assert!(driver.try_command().is_none());
}

#[test]
fn a_long_refusal_that_was_cut_short_is_told_as_far_as_it_came() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let mut pending = aeron.async_add_publication(&format!("aeron:ipc?alias=x{}", "é".repeat(1000)), STREAM).unwrap();
    let command = driver.command();
    let Command::AddPublication { correlation_id, channel, .. } = command.get() else { panic!("{:?}", command.get()) };
    // A peer cuts its text at 1023 bytes, in the middle of a letter.
    let text = format!("no such channel: {channel}");
    assert!(!text.is_char_boundary(1023));
    driver.respond(&Response::Error {
        offending_command_correlation_id: correlation_id,
        error_code: ErrorCode::InvalidChannel,
        error_message: &text.as_bytes()[..1023],
    });
    aeron.invoke();
    let Err(RegistrationError::Refused { code, message }) = pending.poll() else { panic!("it was refused") };
    assert_eq!((code, message), (ErrorCode::InvalidChannel, format!("{}\u{FFFD}", &text[..1022])));
    assert!(driver.take_errors().is_empty() && !aeron.is_closed());
}

#[test]
fn the_drivers_refusal_is_told_in_its_words() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let mut pending = aeron.async_add_publication("aeron:ipc?mtu=7", STREAM).unwrap();
    let id = driver.command().get().correlation_id();
    driver.respond(&Response::Error {
        offending_command_correlation_id: id,
        error_code: ErrorCode::StorageSpace,
        error_message: b"no room",
    });
    let error = loop {
        match pending.poll() {
            Ok(None) => {}
            Ok(Some(_)) => panic!("there is no publication"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.to_string(), "the driver refused (STORAGE_SPACE (12)): no room");
}

#[test]
fn a_log_that_is_not_there_is_an_error_and_the_publication_is_given_back() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let mut pending = aeron.async_add_publication(CHANNEL, STREAM).unwrap();
    let id = driver.command().get().correlation_id();
    let log = driver.log(id, LogType::ConcurrentPublication);
    std::fs::remove_file(&log.path).unwrap();
    driver.publication_ready(id, &log, false);
    eventually("the request fails", || match pending.poll() {
        Ok(None) => false,
        Err(RegistrationError::LogBuffers { path, .. }) => path == log.path,
        other => panic!("{other:?}"),
    });
    aeron.invoke();
    assert!(
        matches!(driver.command().get(), Command::RemovePublication { registration_id, .. } if registration_id == id)
    );
}

#[test]
fn an_exclusive_publication_is_the_only_one_over_its_log() {
    for (first, second) in [(true, true), (true, false), (false, true)] {
        let mut driver = FakeDriver::new();
        let aeron = driver.invoked_client();
        let mut shared = Vec::new();
        let mut exclusive = Vec::new();
        let mut ask = |driver: &mut FakeDriver, is_exclusive| {
            if is_exclusive {
                exclusive.push(aeron.async_add_exclusive_publication(CHANNEL, STREAM).unwrap());
            } else {
                shared.push(aeron.async_add_publication(CHANNEL, STREAM).unwrap());
            }
            driver.command().get().correlation_id()
        };
        let (one, two) = (ask(&mut driver, first), ask(&mut driver, second));
        let log = driver.log(one, LogType::ExclusivePublication);
        driver.publication_ready(one, &log, first);
        driver.publication_ready(two, &log, second);
        aeron.invoke();
        let mut refusals = Vec::new();
        let mut made = 0;
        for result in exclusive.iter_mut().map(|pending| pending.poll().map(|made| made.is_some())) {
            result.map_or_else(|error| refusals.push(error), |is_made| made += usize::from(is_made));
        }
        for result in shared.iter_mut().map(|pending| pending.poll().map(|made| made.is_some())) {
            result.map_or_else(|error| refusals.push(error), |is_made| made += usize::from(is_made));
        }
        assert_eq!(made, 1, "{refusals:?}");
        let [RegistrationError::LogBuffers { reason, .. }] = &refusals[..] else { panic!("{refusals:?}") };
        assert!(reason.contains("one of the two is exclusive"), "{reason}");
        aeron.invoke();
        let given_back = |command: &Command<'_>| matches!(command, Command::RemovePublication { registration_id, .. } if *registration_id == two);
        assert!(given_back(&driver.command().get()));
    }
}

#[test]
fn two_shared_publications_have_one_log() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let (one, log) = driver.add_publication(&aeron);
    let mut pending = aeron.async_add_publication(CHANNEL, STREAM).unwrap();
    let id = driver.command().get().correlation_id();
    driver.publication_ready(id, &log, false);
    let two = resolve(&mut pending);
    log.limit.set(OPEN);
    one.offer(b"one").unwrap();
    assert_eq!(two.offer(b"two"), Ok(Position(128)));
}

#[test]
fn what_was_made_for_a_cancelled_request_is_given_back() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let pending = aeron.async_add_publication(CHANNEL, STREAM).unwrap();
    let id = driver.command().get().correlation_id();
    drop(pending);
    let log = driver.log(id, LogType::ConcurrentPublication);
    driver.publication_ready(id, &log, false);
    aeron.invoke();
    aeron.invoke();
    assert!(
        matches!(driver.command().get(), Command::RemovePublication { registration_id, .. } if registration_id == id)
    );
}

#[test]
fn why_names_the_subscriber_that_holds_the_publication_up() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let (publication, log) = driver.add_publication(&aeron);
    assert_eq!(publication.why(), Why::NotConnected);

    log.log.metadata().set_is_connected(true);
    log.limit.set(128);
    assert_eq!(publication.why(), Why::Free { room: 128 });
    let fast = driver.available_image(5, &log, Position(64));
    let slow = driver.available_image(6, &log, Position(0));
    publication.offer(&[0; 32]).unwrap();
    publication.offer(&[0; 32]).unwrap();
    assert_eq!(publication.offer(&[0; 32]), Err(OfferError::BackPressured));
    let Why::Subscriber { registration_id, counter_id, behind, label, .. } = publication.why() else {
        panic!("{}", publication.why())
    };
    assert_eq!((registration_id, counter_id, behind, label.as_str()), (6, slow.id(), 128, "sub-pos: 6"));

    slow.set(128);
    fast.set(128);
    assert!(matches!(publication.why(), Why::Limit { position: Position(128), limit: Position(128), .. }));
    let sentence = publication.why().to_string();
    assert!(sentence.starts_with("held up at 128 by its limit 128"), "{sentence}");
    let clone = publication.clone();
    publication.close();
    assert_eq!(clone.why(), Why::Closed);
}

#[test]
fn why_names_nobody_whom_the_limit_has_left_behind() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let mut pending = aeron.async_add_publication(CHANNEL, STREAM).unwrap();
    let id = driver.command().get().correlation_id();
    let log = driver.log_with_window(id, LogType::ConcurrentPublication, 128);
    driver.publication_ready(id, &log, false);
    let publication = resolve(&mut pending);
    log.log.metadata().set_is_connected(true);
    // An untethered subscriber came to rest at 64; the limit follows the one at 128.
    let _resting = driver.available_image(5, &log, Position(64));
    let active = driver.available_image(6, &log, Position(128));
    log.limit.set(128 + 128);
    while publication.offer(&[0; 32]).is_ok() {}
    let Why::Subscriber { registration_id, counter_id, position, behind, .. } = publication.why() else {
        panic!("{}", publication.why())
    };
    assert_eq!((registration_id, counter_id, position, behind), (6, active.id(), Position(128), 128));
}

#[test]
fn why_counts_from_the_first_look_at_a_position() {
    let mut driver = FakeDriver::new();
    let aeron = driver.invoked_client();
    let (publication, log) = driver.add_publication(&aeron);
    log.log.metadata().set_is_connected(true);
    let slow = driver.available_image(6, &log, Position(0));
    log.limit.set(64);
    while publication.offer(&[0; 32]).is_ok() {}
    let unmoved_for = || match publication.why() {
        Why::Subscriber { unmoved_for, refused_for, .. } => {
            assert!(refused_for.unwrap() >= unmoved_for);
            unmoved_for
        }
        why => panic!("{why}"),
    };
    assert_eq!(unmoved_for(), Duration::ZERO);
    eventually("time passes", || unmoved_for() >= Duration::from_millis(1));
    slow.set(32);
    assert_eq!(unmoved_for(), Duration::ZERO);
}
