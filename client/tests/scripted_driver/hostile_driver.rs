//! A driver that says anything: the client may close, and never panics.

use gannet::{CounterId, ErrorCode, SessionId, StreamId};
use gannet_core::command::{AvailableImage, PublicationReady, Response};
use gannet_core::log::LogType;
use proptest::prelude::*;

use crate::fake_driver::{CHANNEL, FakeDriver, STREAM};

/// Ids that mean something to the client, and others.
fn id() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0_i64..8, 1 => any::<i64>()]
}

fn counter_id() -> impl Strategy<Value = CounterId> {
    prop_oneof![4 => (-2_i32..66).prop_map(CounterId), 1 => any::<i32>().prop_map(CounterId)]
}

#[derive(Clone, Debug)]
enum Said {
    Bytes(i32, Vec<u8>),
    Publication(bool, i64, i64, CounterId, bool),
    Subscription(i64, CounterId),
    Image(i64, i64, CounterId, bool),
    NoImage(i64, i64),
    Counter(bool, i64, CounterId),
    NoCounter(i64, CounterId),
    Success(i64),
    Error(i64, i32),
    SessionId(i64, i32),
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        (0x0EFF_i32..0x0F12, prop::collection::vec(any::<u8>(), 0..120)).prop_map(|(id, bytes)| Said::Bytes(id, bytes)),
        (any::<bool>(), id(), id(), counter_id(), any::<bool>())
            .prop_map(|(exclusive, one, two, limit, log)| Said::Publication(exclusive, one, two, limit, log)),
        (id(), counter_id()).prop_map(|(id, status)| Said::Subscription(id, status)),
        (id(), id(), counter_id(), any::<bool>()).prop_map(|(image, subscription, position, log)| Said::Image(
            image,
            subscription,
            position,
            log
        )),
        (id(), id()).prop_map(|(image, subscription)| Said::NoImage(image, subscription)),
        (any::<bool>(), id(), counter_id()).prop_map(|(is_static, id, counter)| Said::Counter(is_static, id, counter)),
        (id(), counter_id()).prop_map(|(id, counter)| Said::NoCounter(id, counter)),
        id().prop_map(Said::Success),
        (id(), -2_i32..20).prop_map(|(id, code)| Said::Error(id, code)),
        (id(), any::<i32>()).prop_map(|(id, session)| Said::SessionId(id, session)),
    ]
}

fn say(driver: &mut FakeDriver, said: &Said, log_path: &str) {
    let path = |is_there: bool| if is_there { log_path.as_bytes() } else { &b"/nowhere"[..] };
    match *said {
        Said::Bytes(type_id, ref bytes) => driver.responses.transmit(type_id, bytes).unwrap(),
        Said::Publication(exclusive, correlation_id, registration_id, limit, is_there) => {
            let ready = PublicationReady {
                correlation_id,
                registration_id,
                session_id: SessionId(1),
                stream_id: StreamId(STREAM),
                position_limit_counter_id: limit,
                channel_status_indicator_id: limit,
                log_file: path(is_there),
            };
            driver.respond(&if exclusive {
                Response::ExclusivePublicationReady(ready)
            } else {
                Response::PublicationReady(ready)
            });
        }
        Said::Subscription(correlation_id, channel_status_indicator_id) => {
            driver.respond(&Response::SubscriptionReady { correlation_id, channel_status_indicator_id });
        }
        Said::Image(correlation_id, subscription_registration_id, subscriber_position_id, is_there) => {
            driver.respond(&Response::AvailableImage(AvailableImage {
                correlation_id,
                session_id: SessionId(1),
                stream_id: StreamId(STREAM),
                subscription_registration_id,
                subscriber_position_id,
                log_file: path(is_there),
                source_identity: b"\xFF",
            }));
        }
        Said::NoImage(correlation_id, subscription_registration_id) => driver.respond(&Response::UnavailableImage {
            correlation_id,
            subscription_registration_id,
            stream_id: StreamId(STREAM),
            channel: CHANNEL.as_bytes(),
        }),
        Said::Counter(is_static, correlation_id, counter_id) => driver.respond(&if is_static {
            Response::StaticCounter { correlation_id, counter_id }
        } else {
            Response::CounterReady { correlation_id, counter_id }
        }),
        Said::NoCounter(correlation_id, counter_id) => {
            driver.respond(&Response::UnavailableCounter { correlation_id, counter_id });
        }
        Said::Success(correlation_id) => driver.respond(&Response::OperationSuccess { correlation_id }),
        Said::Error(offending_command_correlation_id, code) => driver.respond(&Response::Error {
            offending_command_correlation_id,
            error_code: ErrorCode::from_code(code),
            error_message: b"\xFE no",
        }),
        Said::SessionId(correlation_id, session) => {
            driver.respond(&Response::NextAvailableSessionId { correlation_id, next_session_id: SessionId(session) })
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_the_driver_says_the_client_does_not_panic(
        before in prop::collection::vec(said(), 0..30), after in prop::collection::vec(said(), 0..30),
    ) {
        let mut driver = FakeDriver::new();
        let aeron = driver.invoked_client(); // takes id 1; the requests take 2 to 7
        let log = driver.log(2, LogType::ConcurrentPublication);
        driver.counter_of_type(4, -64); // a position that no reader has
        let log_path = log.path.to_str().unwrap().to_owned();
        let mut publication = aeron.async_add_publication(CHANNEL, STREAM).unwrap();
        let mut exclusive = aeron.async_add_exclusive_publication(CHANNEL, STREAM).unwrap();
        let mut subscription = aeron.async_add_subscription(CHANNEL, STREAM, Default::default()).unwrap();
        let mut counter = aeron.async_add_counter(7, b"", "").unwrap();
        let mut fixed = aeron.async_add_static_counter(7, b"", "", 3).unwrap();
        let mut session = aeron.async_next_session_id(STREAM).unwrap();
        for said in &before {
            say(&mut driver, said, &log_path);
        }
        aeron.invoke();
        let (mut publication, mut exclusive) = (publication.poll().ok().flatten(), exclusive.poll().ok().flatten());
        let mut subscription = subscription.poll().ok().flatten();
        let counters = (counter.poll().ok().flatten(), fixed.poll().ok().flatten());
        let _ = session.poll();
        for said in &after {
            say(&mut driver, said, &log_path);
            aeron.invoke();
            if let Some(publication) = &mut publication {
                let _ = (publication.offer(b"x"), publication.why().to_string(), publication.channel_status());
            }
            if let Some(exclusive) = &mut exclusive {
                let _ = (exclusive.offer(b"x"), exclusive.position_limit());
            }
            if let Some(subscription) = &mut subscription {
                subscription.poll(10, |_, header| {
                    let _ = header.position();
                });
                for view in subscription.image_views() {
                    let _ = (view.position(), view.is_end_of_stream(), format!("{view:?}"));
                }
            }
            for counter in [&counters.0, &counters.1].into_iter().flatten() {
                counter.increment();
            }
        }
        let other = aeron.clone();
        aeron.close();
        prop_assert!(other.is_closed());
        prop_assert!(publication.is_none_or(|publication| publication.is_closed()));
    }
}
