//! Commands and responses about counters. `[any]`
//!
//! Mirrors Java's `CounterMessageFlyweight`, `StaticCounterMessageFlyweight`, `CounterUpdateFlyweight` and
//! `StaticCounterFlyweight`; commands.md §1 and §2. REMOVE_COUNTER is laid out as REMOVE_SUBSCRIPTION.
//!
//! ```text
//! ADD_COUNTER           ADD_STATIC_COUNTER          ON_COUNTER_READY, ON_UNAVAILABLE_COUNTER, ON_STATIC_COUNTER
//!   16 type_id     i32    16 registration_id  i64      0 correlation_id  i64
//!   20 key_length  i32    24 type_id          i32      8 counter_id      i32
//!   24 key                28 key_length       i32
//!                         32 key
//!   and then, at the next multiple of 4:  label_length i32, label
//! ```

use zerocopy::little_endian::{I32, I64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::client::Correlated;
use super::codec::{Decoder, Encoder, length_of};
use super::{Command, CommandError};
use crate::counters::CounterId;
use crate::layout::assert_layout;

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct AddCounterLayout {
    correlated: Correlated,
    type_id: I32,
    key_length: I32,
}
assert_layout!(AddCounterLayout, 24, correlated = 0, type_id = 16, key_length = 20);

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct AddStaticCounterLayout {
    correlated: Correlated,
    registration_id: I64,
    type_id: I32,
    key_length: I32,
}
assert_layout!(AddStaticCounterLayout, 32, correlated = 0, registration_id = 16, type_id = 24, key_length = 28);

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct CounterUpdateLayout {
    correlation_id: I64,
    counter_id: I32,
}
assert_layout!(CounterUpdateLayout, 12, correlation_id = 0, counter_id = 8);

/// The key, the padding and the label.
fn key_and_label<'a>(message: &mut Decoder<'a>, key_length: I32) -> Result<(&'a [u8], &'a [u8]), CommandError> {
    let key = message.counted(key_length)?;
    message.align4()?;
    let label_length: &I32 = message.fixed()?;
    Ok((key, message.counted(*label_length)?))
}

fn write_key_and_label(to: &mut Encoder<'_>, key: &[u8], label: &[u8]) {
    to.bytes(key);
    to.align4();
    to.fixed(&length_of(label));
    to.bytes(label);
}

pub(super) fn parse_add(mut message: Decoder<'_>) -> Result<Command<'_>, CommandError> {
    let fixed: &AddCounterLayout = message.fixed()?;
    let (key, label) = key_and_label(&mut message, fixed.key_length)?;
    Ok(Command::AddCounter {
        client_id: fixed.correlated.client_id(),
        correlation_id: fixed.correlated.correlation_id(),
        type_id: fixed.type_id.get(),
        key,
        label,
    })
}

pub(super) fn write_add(
    to: &mut Encoder<'_>,
    client_id: i64,
    correlation_id: i64,
    type_id: i32,
    key: &[u8],
    label: &[u8],
) {
    to.fixed(&AddCounterLayout {
        correlated: Correlated::new(client_id, correlation_id),
        type_id: I32::new(type_id),
        key_length: length_of(key),
    });
    write_key_and_label(to, key, label);
}

pub(super) fn parse_add_static(mut message: Decoder<'_>) -> Result<Command<'_>, CommandError> {
    let fixed: &AddStaticCounterLayout = message.fixed()?;
    let (key, label) = key_and_label(&mut message, fixed.key_length)?;
    Ok(Command::AddStaticCounter {
        client_id: fixed.correlated.client_id(),
        correlation_id: fixed.correlated.correlation_id(),
        registration_id: fixed.registration_id.get(),
        type_id: fixed.type_id.get(),
        key,
        label,
    })
}

pub(super) fn write_add_static(
    to: &mut Encoder<'_>,
    (client_id, correlation_id): (i64, i64),
    registration_id: i64,
    type_id: i32,
    key: &[u8],
    label: &[u8],
) {
    to.fixed(&AddStaticCounterLayout {
        correlated: Correlated::new(client_id, correlation_id),
        registration_id: I64::new(registration_id),
        type_id: I32::new(type_id),
        key_length: length_of(key),
    });
    write_key_and_label(to, key, label);
}

pub(super) fn parse_update(mut message: Decoder<'_>) -> Result<(i64, CounterId), CommandError> {
    let fixed: &CounterUpdateLayout = message.fixed()?;
    Ok((fixed.correlation_id.get(), CounterId(fixed.counter_id.get())))
}

pub(super) fn write_update(to: &mut Encoder<'_>, correlation_id: i64, counter_id: CounterId) {
    to.fixed(&CounterUpdateLayout { correlation_id: I64::new(correlation_id), counter_id: I32::new(counter_id.0) });
}
