//! Commands about the destinations of publications and subscriptions. `[any]`
//!
//! Mirrors Java's `DestinationMessageFlyweight` and `DestinationByIdMessageFlyweight`; commands.md §1.
//!
//! ```text
//! ADD_DESTINATION, REMOVE_DESTINATION,         REMOVE_DESTINATION_BY_ID
//! ADD_RCV_DESTINATION, REMOVE_RCV_DESTINATION    16 resource_registration_id     i64
//!   16 registration_id  i64                      24 destination_registration_id  i64
//!   24 channel_length   i32
//!   28 channel
//! ```

use zerocopy::little_endian::{I32, I64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::client::Correlated;
use super::codec::{Decoder, Encoder, length_of};
use super::{Command, CommandError};
use crate::layout::assert_layout;

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct DestinationLayout {
    correlated: Correlated,
    registration_id: I64,
    channel_length: I32,
}
assert_layout!(DestinationLayout, 28, correlated = 0, registration_id = 16, channel_length = 24);

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct DestinationByIdLayout {
    correlated: Correlated,
    resource_registration_id: I64,
    destination_registration_id: I64,
}
assert_layout!(
    DestinationByIdLayout,
    32,
    correlated = 0,
    resource_registration_id = 16,
    destination_registration_id = 24
);

/// Fields of the four commands that name a destination by its channel.
pub(super) struct Destination<'a> {
    pub(super) client_id: i64,
    pub(super) correlation_id: i64,
    pub(super) registration_id: i64,
    pub(super) channel: &'a str,
}

pub(super) fn parse(mut message: Decoder<'_>) -> Result<Destination<'_>, CommandError> {
    let fixed: &DestinationLayout = message.fixed()?;
    let correlation_id = fixed.correlated.correlation_id();
    Ok(Destination {
        client_id: fixed.correlated.client_id(),
        correlation_id,
        registration_id: fixed.registration_id.get(),
        channel: message.channel(fixed.channel_length, correlation_id)?,
    })
}

pub(super) fn write(to: &mut Encoder<'_>, client_id: i64, correlation_id: i64, registration_id: i64, channel: &str) {
    to.fixed(&DestinationLayout {
        correlated: Correlated::new(client_id, correlation_id),
        registration_id: I64::new(registration_id),
        channel_length: length_of(channel.as_bytes()),
    });
    to.bytes(channel.as_bytes());
}

pub(super) fn parse_remove_by_id(mut message: Decoder<'_>) -> Result<Command<'_>, CommandError> {
    let fixed: &DestinationByIdLayout = message.fixed()?;
    Ok(Command::RemoveDestinationById {
        client_id: fixed.correlated.client_id(),
        correlation_id: fixed.correlated.correlation_id(),
        resource_registration_id: fixed.resource_registration_id.get(),
        destination_registration_id: fixed.destination_registration_id.get(),
    })
}

pub(super) fn write_remove_by_id(
    to: &mut Encoder<'_>,
    client_id: i64,
    correlation_id: i64,
    resource_registration_id: i64,
    destination_registration_id: i64,
) {
    to.fixed(&DestinationByIdLayout {
        correlated: Correlated::new(client_id, correlation_id),
        resource_registration_id: I64::new(resource_registration_id),
        destination_registration_id: I64::new(destination_registration_id),
    });
}
