//! Commands and responses about subscriptions. `[any]`
//!
//! Mirrors Java's `SubscriptionMessageFlyweight`, `RemoveSubscriptionFlyweight` and `SubscriptionReadyFlyweight`;
//! commands.md §1 and §2.
//!
//! ```text
//! ADD_SUBSCRIPTION                        REMOVE_SUBSCRIPTION          ON_SUBSCRIPTION_READY
//!   16 registration_correlation_id  i64     16 registration_id  i64      0 correlation_id               i64
//!   24 stream_id                    i32                                  8 channel_status_indicator_id  i32
//!   28 channel_length               i32
//!   32 channel
//! ```

use zerocopy::little_endian::{I32, I64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::client::Correlated;
use super::codec::{Decoder, Encoder, length_of};
use super::{Command, CommandError, Response};
use crate::StreamId;
use crate::counters::CounterId;
use crate::layout::assert_layout;

/// What the Java client writes where no driver looks.
const NO_REGISTRATION: i64 = -1;

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct AddSubscriptionLayout {
    correlated: Correlated,
    registration_correlation_id: I64,
    stream_id: I32,
    channel_length: I32,
}
assert_layout!(
    AddSubscriptionLayout,
    32,
    correlated = 0,
    registration_correlation_id = 16,
    stream_id = 24,
    channel_length = 28,
);

/// A command that names one registration and nothing else: REMOVE_SUBSCRIPTION, REMOVE_COUNTER.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RemoveLayout {
    correlated: Correlated,
    registration_id: I64,
}
assert_layout!(RemoveLayout, 24, correlated = 0, registration_id = 16);

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct SubscriptionReadyLayout {
    correlation_id: I64,
    channel_status_indicator_id: I32,
}
assert_layout!(SubscriptionReadyLayout, 12, correlation_id = 0, channel_status_indicator_id = 8);

pub(super) fn parse_add(mut message: Decoder<'_>) -> Result<Command<'_>, CommandError> {
    let fixed: &AddSubscriptionLayout = message.fixed()?;
    let correlation_id = fixed.correlated.correlation_id();
    Ok(Command::AddSubscription {
        client_id: fixed.correlated.client_id(),
        correlation_id,
        stream_id: StreamId(fixed.stream_id.get()),
        channel: message.channel(fixed.channel_length, correlation_id)?,
    })
}

pub(super) fn write_add(to: &mut Encoder<'_>, client_id: i64, correlation_id: i64, stream_id: StreamId, channel: &str) {
    to.fixed(&AddSubscriptionLayout {
        correlated: Correlated::new(client_id, correlation_id),
        registration_correlation_id: I64::new(NO_REGISTRATION),
        stream_id: I32::new(stream_id.0),
        channel_length: length_of(channel.as_bytes()),
    });
    to.bytes(channel.as_bytes());
}

/// The client, correlation and registration ids of a removal.
pub(super) fn parse_remove(mut message: Decoder<'_>) -> Result<(i64, i64, i64), CommandError> {
    let fixed: &RemoveLayout = message.fixed()?;
    Ok((fixed.correlated.client_id(), fixed.correlated.correlation_id(), fixed.registration_id.get()))
}

pub(super) fn write_remove(to: &mut Encoder<'_>, client_id: i64, correlation_id: i64, registration_id: i64) {
    to.fixed(&RemoveLayout {
        correlated: Correlated::new(client_id, correlation_id),
        registration_id: I64::new(registration_id),
    });
}

pub(super) fn parse_ready(mut message: Decoder<'_>) -> Result<Response<'_>, CommandError> {
    let fixed: &SubscriptionReadyLayout = message.fixed()?;
    Ok(Response::SubscriptionReady {
        correlation_id: fixed.correlation_id.get(),
        channel_status_indicator_id: CounterId(fixed.channel_status_indicator_id.get()),
    })
}

pub(super) fn write_ready(to: &mut Encoder<'_>, correlation_id: i64, channel_status_indicator_id: CounterId) {
    to.fixed(&SubscriptionReadyLayout {
        correlation_id: I64::new(correlation_id),
        channel_status_indicator_id: I32::new(channel_status_indicator_id.0),
    });
}
