//! The Aeron client: publications, subscriptions, images and counters over shared memory.
//!
//! A media driver, [`gannetd`](https://github.com/gannet-rs/gannet) or the official `aeronmd`, runs beside the
//! application. [`Aeron::connect`] finds it; [`Aeron::add_publication`] and [`Aeron::add_subscription`] ask it for
//! streams; from then on messages go through memory that both sides share, and no call of theirs enters the kernel.
//!
//! ```no_run
//! use gannet::{Aeron, Context};
//!
//! let aeron = Aeron::connect(Context::new())?;
//! let mut subscription = aeron.add_subscription("aeron:ipc", 1001)?;
//! let publication = aeron.add_publication("aeron:ipc", 1001)?;
//!
//! while let Err(error) = publication.offer(b"hello") {
//!     assert!(error.is_retryable(), "{error}");
//! }
//! while subscription.poll(1, |payload, _header| println!("{}", String::from_utf8_lossy(payload))) == 0 {}
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | to | use |
//! |---|---|
//! | publish from many threads or processes | [`Publication`] |
//! | publish as the only one, fastest | [`ExclusivePublication`] |
//! | receive | [`Subscription`], an [`Image`] for each session |
//! | receive messages longer than one frame | [`FragmentAssembler`] |
//! | show a number to operators | [`Counter`] |
//! | write a channel | [`ChannelUriStringBuilder`] |
//! | find out who holds a publication up | [`Publication::why`] |
//!
//! Handles close by being dropped. Dropping, publishing and polling never wait for the driver.
//!
//! # What does not compile
//! A claim that is forgotten while the next is made:
//! ```compile_fail,E0499
//! # fn publish(publication: &mut gannet::ExclusivePublication) -> Result<(), Box<dyn std::error::Error>> {
//! let one = publication.try_claim(8)?;
//! let two = publication.try_claim(8)?;
//! one.commit()?;
//! # two.commit()?;
//! # Ok(())
//! # }
//! ```
//! A message that is kept beyond its handler, when its memory may be another's:
//! ```compile_fail,E0521
//! # fn receive(subscription: &mut gannet::Subscription) {
//! let mut kept: Vec<&[u8]> = Vec::new();
//! subscription.poll(10, |payload, _header| kept.push(payload));
//! # }
//! ```
//! A subscription that two threads poll:
//! ```compile_fail,E0596
//! # fn receive(subscription: std::sync::Arc<gannet::Subscription>) {
//! subscription.poll(10, |_payload, _header| ());
//! # }
//! ```
#![deny(unsafe_code)]

mod aeron;
mod asynchronous;
mod buffer_builder;
mod callbacks;
mod channel_uri_string_builder;
mod client;
mod clock;
mod conductor;
mod connect;
mod context;
mod counter;
mod counters_reader;
mod departures;
mod destination;
mod driver_directory;
mod driver_proxy;
#[cfg(feature = "embedded-driver")]
mod embedded_driver;
mod error;
mod exclusive_publication;
mod fragment_assembler;
mod image;
mod image_view;
mod offer_error;
mod publication;
mod publication_accessors;
mod publication_error;
mod publication_state;
mod removals;
mod subscription;
mod subscription_state;
mod sync;
mod why;

pub use aeron::Aeron;
pub use asynchronous::{
    Async, AsyncAddCounter, AsyncAddExclusivePublication, AsyncAddPublication, AsyncAddSubscription, AsyncDestination,
    AsyncNextSessionId, Resource,
};
pub use channel_uri_string_builder::{ChannelUriError, ChannelUriStringBuilder, ControlMode};
pub use context::Context;
pub use counter::Counter;
pub use counters_reader::{CountersReader, ReadableCounter};
#[cfg(feature = "embedded-driver")]
pub use embedded_driver::EmbeddedDriver;
pub use error::{ClientError, ConnectError, RegistrationError};
pub use exclusive_publication::ExclusivePublication;
pub use fragment_assembler::{
    ControlledFragmentAssembler, FragmentAssembler, ImageControlledFragmentAssembler, ImageFragmentAssembler,
};
pub use image::{Image, PositionError};
pub use image_view::ImageView;
pub use offer_error::OfferError;
pub use publication::{Claim, Publication};
pub use publication_error::PublicationErrorFrame;
pub use subscription::{Subscription, SubscriptionHandlers};
pub use why::Why;

#[cfg(feature = "embedded-driver")]
pub use gannet_driver as driver;

pub use gannet_core::command::ErrorCode;
pub use gannet_core::counters::{CounterId, CounterRecord, RecordState};
pub use gannet_core::log::{Action, ClaimLost, Header};
pub use gannet_core::position::{Position, SessionId, StreamId, TermId, TermLength};
