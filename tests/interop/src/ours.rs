//! The crate `gannet` behind the tests' common interface. `[any]`

use crate::block;
use crate::peer::{
    Client, Counter, CounterView, Event, Events, FragmentHeader, ImageState, Options, Publication,
    PublicationConstants, Refused, Stuck, Subscription, Way,
};
use gannet::{
    Action, Aeron, ConnectError, Context, ControlledFragmentAssembler, ExclusivePublication, FragmentAssembler, Header,
    ImageView, OfferError, Position, RegistrationError, SessionId, SubscriptionHandlers,
};
use std::path::Path;
use std::sync::Arc;

/// Connects, and starts the client's conductor thread.
///
/// # Errors
/// When no driver runs there.
pub fn connect(directory: &Path, options: &Options) -> Result<Box<dyn Client>, Refused> {
    let events = Arc::new(Events::default());
    let [errors, available, unavailable, publication_errors, closed] = std::array::from_fn(|_| Arc::clone(&events));
    let context = Context::defaults()
        .aeron_dir(directory)
        .client_name(options.name.clone())
        .driver_timeout(options.driver_timeout)
        .connect_timeout(options.driver_timeout)
        .pre_touch_mapped_memory(options.pre_touch)
        .error_handler(move |error| errors.push(Event::Error { code: error.code(), text: error.to_string() }))
        .available_counter_handler(move |_, registration_id, counter_id| {
            available.push(Event::AvailableCounter { registration_id, counter_id: counter_id.0 });
        })
        .unavailable_counter_handler(move |_, registration_id, counter_id| {
            unavailable.push(Event::UnavailableCounter { registration_id, counter_id: counter_id.0 });
        })
        .publication_error_handler(move |error| {
            publication_errors.push(Event::PublicationError {
                registration_id: error.registration_id,
                session_id: error.session_id.0,
                stream_id: error.stream_id.0,
                code: error.error_code.code(),
                text: error.message.clone(),
            });
        })
        .close_handler(move || closed.push(Event::Closed));
    match Aeron::connect(context) {
        Ok(aeron) => Ok(Box::new(OurClient { aeron, events })),
        Err(error) => Err(connect_refused(&error)),
    }
}

/// Asks the driver of a directory to end.
///
/// # Errors
/// When there is none, or its command ring is full.
pub fn request_driver_termination(directory: &Path, token: &[u8]) -> Result<(), Refused> {
    Aeron::request_driver_termination(directory, token).map_err(|error| connect_refused(&error))
}

/// A client that finds no living driver is what the C client calls a driver timeout.
fn connect_refused(error: &ConnectError) -> Refused {
    let code = match error {
        ConnectError::NoDriver { .. } | ConnectError::DriverGone { .. } => 1000,
        ConnectError::NotReady { .. } => 1001,
        _ => 11,
    };
    Refused { code, text: error.to_string() }
}

fn refused(error: RegistrationError) -> Refused {
    let text = error.to_string();
    match error {
        RegistrationError::Refused { code: refusal, .. } => Refused { code: refusal.code(), text },
        _ => Refused { code: 0, text },
    }
}

fn stuck(error: OfferError) -> Stuck {
    match error {
        OfferError::NotConnected => Stuck::NotConnected,
        OfferError::BackPressured => Stuck::BackPressured,
        OfferError::AdminAction => Stuck::AdminAction,
        OfferError::Closed => Stuck::Closed,
        OfferError::MaxPositionExceeded => Stuck::MaxPositionExceeded,
        other => Stuck::Error(other.to_string()),
    }
}

struct OurClient {
    aeron: Aeron,
    events: Arc<Events>,
}

impl Client for OurClient {
    fn add_publication(&self, channel: &str, stream_id: i32) -> Result<Box<dyn Publication>, Refused> {
        let publication = self.aeron.add_publication(channel, stream_id).map_err(refused)?;
        Ok(Box::new(publication))
    }

    fn add_exclusive_publication(&self, channel: &str, stream_id: i32) -> Result<Box<dyn Publication>, Refused> {
        let publication = self.aeron.add_exclusive_publication(channel, stream_id).map_err(refused)?;
        Ok(Box::new(publication))
    }

    fn add_subscription(&self, channel: &str, stream_id: i32) -> Result<Box<dyn Subscription>, Refused> {
        let [available, unavailable] = std::array::from_fn(|_| Arc::clone(&self.events));
        let handlers = SubscriptionHandlers::new()
            .available_image(move |image| {
                available.push(Event::AvailableImage {
                    subscription: image.subscription_registration_id(),
                    correlation_id: image.correlation_id(),
                    session_id: image.session_id().0,
                });
            })
            .unavailable_image(move |image| {
                unavailable.push(Event::UnavailableImage {
                    subscription: image.subscription_registration_id(),
                    correlation_id: image.correlation_id(),
                    session_id: image.session_id().0,
                    position: image.position().0,
                });
            });
        let subscription = self.aeron.add_subscription_with(channel, stream_id, handlers).map_err(refused)?;
        Ok(Box::new(OurSubscription {
            subscription,
            assembler: FragmentAssembler::new(),
            controlled_assembler: ControlledFragmentAssembler::new(),
            calls: 0,
            aborted: false,
        }))
    }

    fn add_counter(&self, type_id: i32, key: &[u8], label: &str) -> Result<Box<dyn Counter>, Refused> {
        let counter = self.aeron.add_counter(type_id, key, label).map_err(refused)?;
        Ok(Box::new(counter))
    }

    fn add_static_counter(
        &self,
        type_id: i32,
        key: &[u8],
        label: &str,
        registration_id: i64,
    ) -> Result<Box<dyn Counter>, Refused> {
        let counter = self.aeron.add_static_counter(type_id, key, label, registration_id).map_err(refused)?;
        Ok(Box::new(counter))
    }

    fn next_session_id(&self, stream_id: i32) -> Result<i32, Refused> {
        Ok(self.aeron.next_session_id(stream_id).map_err(refused)?.0)
    }

    fn counters(&self) -> Vec<CounterView> {
        self.aeron
            .counters_reader()
            .iter()
            .map(|record| CounterView {
                id: record.id.0,
                type_id: record.type_id,
                value: record.value,
                key: record.key.to_vec(),
                label: record.label_text().to_owned(),
                registration_id: record.registration_id,
                owner_id: record.owner_id,
            })
            .collect()
    }

    fn client_id(&self) -> i64 {
        self.aeron.client_id()
    }

    fn is_closed(&self) -> bool {
        self.aeron.is_closed()
    }

    fn events(&self) -> Arc<Events> {
        Arc::clone(&self.events)
    }

    fn close(self: Box<Self>) {
        self.aeron.close();
    }
}

/// What both kinds of publication answer alike.
macro_rules! accessors {
    () => {
        fn constants(&self) -> PublicationConstants {
            PublicationConstants {
                channel: self.channel().to_owned(),
                stream_id: self.stream_id().0,
                session_id: self.session_id().0,
                initial_term_id: self.initial_term_id().0,
                registration_id: self.registration_id(),
                original_registration_id: self.original_registration_id(),
                term_length: self.term_length().as_usize(),
                max_payload_length: self.max_payload_length(),
                max_message_length: self.max_message_length(),
                max_possible_position: self.max_possible_position().0,
            }
        }

        fn position(&self) -> Option<i64> {
            (!self.is_closed()).then(|| self.position().0)
        }

        fn position_limit(&self) -> Option<i64> {
            (!self.is_closed()).then(|| self.position_limit().0)
        }

        fn is_connected(&self) -> bool {
            self.is_connected()
        }

        fn is_closed(&self) -> bool {
            self.is_closed()
        }

        fn revoke(self: Box<Self>) {
            (*self).revoke();
        }

        fn close(self: Box<Self>) {
            (*self).close();
        }

        fn offer(&mut self, message: &[u8]) -> Result<i64, Stuck> {
            Ok(Self::offer(self, message).map_err(stuck)?.0)
        }

        fn offer_parts(&mut self, parts: &[&[u8]]) -> Result<i64, Stuck> {
            Ok(self.offer_vectored(parts).map_err(stuck)?.0)
        }

        fn offer_reserved(&mut self, message: &[u8], reserved_value: i64) -> Result<i64, Stuck> {
            Ok(self.offer_with_reserved_value(message, |_| reserved_value).map_err(stuck)?.0)
        }

        fn claim(&mut self, length: usize, write: &mut dyn FnMut(&mut [u8]) -> bool) -> Result<i64, Stuck> {
            let mut claim = self.try_claim(length).map_err(stuck)?;
            let position = claim.position().0;
            if write(claim.data_mut()) {
                claim.commit().map_err(|lost| Stuck::Error(lost.to_string()))?;
            } else {
                claim.abort();
            }
            Ok(position)
        }
    };
}

impl Publication for gannet::Publication {
    accessors!();

    fn append_padding(&mut self, _length: usize) -> Result<i64, Stuck> {
        panic!("padding needs an exclusive publication")
    }

    fn offer_block(&mut self, _frames: &[u8]) -> Result<i64, Stuck> {
        panic!("a block needs an exclusive publication")
    }
}

impl Publication for ExclusivePublication {
    accessors!();

    fn append_padding(&mut self, length: usize) -> Result<i64, Stuck> {
        Ok(self.append_padding(length).map_err(stuck)?.0)
    }

    fn offer_block(&mut self, frames: &[u8]) -> Result<i64, Stuck> {
        Ok(self.offer_block(frames).map_err(stuck)?.0)
    }
}

struct OurSubscription {
    subscription: gannet::Subscription,
    assembler: FragmentAssembler,
    controlled_assembler: ControlledFragmentAssembler,
    calls: usize,
    aborted: bool,
}

fn fragment_header(header: Header<'_>) -> FragmentHeader {
    FragmentHeader {
        position: header.position().0,
        session_id: header.session_id().0,
        stream_id: header.stream_id().0,
        term_id: header.term_id().0,
        term_offset: header.term_offset(),
        flags: header.flags(),
        reserved_value: header.reserved_value(),
    }
}

impl OurSubscription {
    fn poll_controlled(&mut self, limit: usize, handler: &mut dyn FnMut(&[u8], &FragmentHeader)) -> usize {
        let (calls, aborted) = (&mut self.calls, &mut self.aborted);
        let control = |payload: &[u8], header: Header<'_>| {
            if *calls % 3 == 2 && !*aborted {
                *aborted = true;
                return Action::Abort;
            }
            *aborted = false;
            *calls += 1;
            handler(payload, &fragment_header(header));
            match *calls % 5 {
                0 => Action::Break,
                2 => Action::Commit,
                _ => Action::Continue,
            }
        };
        self.subscription.controlled_poll(limit, self.controlled_assembler.assemble(control))
    }
}

impl Subscription for OurSubscription {
    fn poll(&mut self, way: Way, limit: usize, handler: &mut dyn FnMut(&[u8], &FragmentHeader)) -> usize {
        let mut deliver = |payload: &[u8], header: Header<'_>| handler(payload, &fragment_header(header));
        match way {
            Way::Assembled => self.subscription.poll(limit, self.assembler.assemble(deliver)),
            Way::Fragments => self.subscription.poll(limit, deliver),
            Way::Controlled => self.poll_controlled(limit, handler),
            Way::Bounded => {
                let assembler = &mut self.assembler;
                let images = self.subscription.images().iter_mut();
                images
                    .map(|image| {
                        let bound = Position(image.position().0 + 2048);
                        image.bounded_poll(bound, limit, assembler.assemble(&mut deliver))
                    })
                    .sum()
            }
            Way::Block => self.subscription.block_poll(limit * 1408, |frames, session_id, term_id| {
                block::for_each_frame(frames, |payload, header| {
                    assert_eq!((header.session_id, header.term_id), (session_id.0, term_id.0));
                    handler(payload, header);
                });
            }),
        }
    }

    fn images(&self) -> Vec<ImageState> {
        let state = |image: &ImageView| ImageState {
            correlation_id: image.correlation_id(),
            session_id: image.session_id().0,
            join_position: image.join_position().0,
            position: image.position().0,
            initial_term_id: image.initial_term_id().0,
            source_identity: image.source_identity().to_owned(),
            subscriber_position_id: image.subscriber_position_id().0,
            is_end_of_stream: image.is_end_of_stream(),
            is_publication_revoked: image.is_publication_revoked(),
        };
        self.subscription.image_views().iter().map(state).collect()
    }

    fn reject(&mut self, session_id: i32, reason: &str) -> Result<(), Refused> {
        match self.subscription.image_by_session_id(SessionId(session_id)) {
            Some(image) => image.reject(reason).map(drop).map_err(refused),
            None => Err(Refused { code: 0, text: format!("no image of session {session_id}") }),
        }
    }

    fn registration_id(&self) -> i64 {
        self.subscription.registration_id()
    }

    fn is_connected(&self) -> bool {
        self.subscription.is_connected()
    }

    fn is_closed(&self) -> bool {
        self.subscription.is_closed()
    }

    fn close(self: Box<Self>) {
        self.subscription.close();
    }
}

impl Counter for gannet::Counter {
    fn id(&self) -> i32 {
        self.id().0
    }

    fn registration_id(&self) -> i64 {
        self.registration_id()
    }

    fn set(&self, value: i64) {
        self.set(value);
    }

    fn value(&self) -> i64 {
        self.get()
    }

    fn close(self: Box<Self>) {}
}
