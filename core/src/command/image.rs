//! Commands and responses about images. `[any]`
//!
//! Mirrors Java's `RejectImageFlyweight`, `ImageBuffersReadyFlyweight` and `ImageMessageFlyweight`; commands.md §1
//! and §2.
//!
//! ```text
//! REJECT_IMAGE                     ON_AVAILABLE_IMAGE                       ON_UNAVAILABLE_IMAGE
//!   16 image_correlation_id  i64      0 correlation_id                i64      0 correlation_id                i64
//!   24 position              i64      8 session_id                    i32      8 subscription_registration_id  i64
//!   32 reason_length         i32     12 stream_id                     i32     16 stream_id                     i32
//!   36 reason                        16 subscription_registration_id  i64     20 channel_length                i32
//!                                    24 subscriber_position_id        i32     24 channel
//!                                    28 log_file_length               i32
//!                                    32 log_file
//!                                    and then, at the next multiple of 4:
//!                                       source_identity_length i32, source_identity
//! ```

use zerocopy::little_endian::{I32, I64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::client::Correlated;
use super::codec::{Decoder, Encoder, length_of};
use super::{Command, CommandError, Response};
use crate::counters::CounterId;
use crate::layout::assert_layout;
use crate::{Position, SessionId, StreamId};

/// The C driver drops a REJECT_IMAGE shorter than its structure, which ends in one byte of text and three of padding.
const REJECT_IMAGE_MIN_LENGTH: usize = 40;

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RejectImageLayout {
    correlated: Correlated,
    image_correlation_id: I64,
    position: I64,
    reason_length: I32,
}
assert_layout!(RejectImageLayout, 36, correlated = 0, image_correlation_id = 16, position = 24, reason_length = 32);

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct AvailableImageLayout {
    correlation_id: I64,
    session_id: I32,
    stream_id: I32,
    subscription_registration_id: I64,
    subscriber_position_id: I32,
    log_file_length: I32,
}
assert_layout!(
    AvailableImageLayout,
    32,
    correlation_id = 0,
    session_id = 8,
    stream_id = 12,
    subscription_registration_id = 16,
    subscriber_position_id = 24,
    log_file_length = 28,
);

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct UnavailableImageLayout {
    correlation_id: I64,
    subscription_registration_id: I64,
    stream_id: I32,
    channel_length: I32,
}
assert_layout!(
    UnavailableImageLayout,
    24,
    correlation_id = 0,
    subscription_registration_id = 8,
    stream_id = 16,
    channel_length = 20,
);

/// What ON_AVAILABLE_IMAGE tells: a subscription can read one more session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvailableImage<'a> {
    /// Of the image: over IPC the publication's registration id.
    pub correlation_id: i64,
    /// Of the publication.
    pub session_id: SessionId,
    /// Of the publication.
    pub stream_id: StreamId,
    /// The subscription that gains the image.
    pub subscription_registration_id: i64,
    /// The counter in which the subscriber says how far it has read.
    pub subscriber_position_id: CounterId,
    /// Path of the log buffer's file, in the bytes of the driver's file system.
    pub log_file: &'a [u8],
    /// Where the stream comes from: `ip:port`, `[ip]:port`, or `aeron:ipc`.
    pub source_identity: &'a [u8],
}

pub(super) fn parse_reject(mut message: Decoder<'_>) -> Result<Command<'_>, CommandError> {
    // The Java driver's rule, 36 bytes and the reason: it takes what either client sends, while the C driver's 40
    // would drop a Java client's command whose reason has less than four bytes.
    let fixed: &RejectImageLayout = message.fixed()?;
    Ok(Command::RejectImage {
        client_id: fixed.correlated.client_id(),
        correlation_id: fixed.correlated.correlation_id(),
        image_correlation_id: fixed.image_correlation_id.get(),
        position: Position(fixed.position.get()),
        reason: message.counted(fixed.reason_length)?,
    })
}

pub(super) fn write_reject(
    to: &mut Encoder<'_>,
    (client_id, correlation_id): (i64, i64),
    image_correlation_id: i64,
    position: Position,
    reason: &[u8],
) {
    to.fixed(&RejectImageLayout {
        correlated: Correlated::new(client_id, correlation_id),
        image_correlation_id: I64::new(image_correlation_id),
        position: I64::new(position.0),
        reason_length: length_of(reason),
    });
    to.bytes(reason);
    to.pad_to(REJECT_IMAGE_MIN_LENGTH);
}

pub(super) fn parse_available(mut message: Decoder<'_>) -> Result<Response<'_>, CommandError> {
    let fixed: &AvailableImageLayout = message.fixed()?;
    let log_file = message.counted(fixed.log_file_length)?;
    message.align4()?;
    let source_identity_length: &I32 = message.fixed()?;
    Ok(Response::AvailableImage(AvailableImage {
        correlation_id: fixed.correlation_id.get(),
        session_id: SessionId(fixed.session_id.get()),
        stream_id: StreamId(fixed.stream_id.get()),
        subscription_registration_id: fixed.subscription_registration_id.get(),
        subscriber_position_id: CounterId(fixed.subscriber_position_id.get()),
        log_file,
        source_identity: message.counted(*source_identity_length)?,
    }))
}

pub(super) fn write_available(to: &mut Encoder<'_>, image: &AvailableImage<'_>) {
    to.fixed(&AvailableImageLayout {
        correlation_id: I64::new(image.correlation_id),
        session_id: I32::new(image.session_id.0),
        stream_id: I32::new(image.stream_id.0),
        subscription_registration_id: I64::new(image.subscription_registration_id),
        subscriber_position_id: I32::new(image.subscriber_position_id.0),
        log_file_length: length_of(image.log_file),
    });
    to.bytes(image.log_file);
    to.align4();
    to.fixed(&length_of(image.source_identity));
    to.bytes(image.source_identity);
}

pub(super) fn parse_unavailable(mut message: Decoder<'_>) -> Result<Response<'_>, CommandError> {
    let fixed: &UnavailableImageLayout = message.fixed()?;
    Ok(Response::UnavailableImage {
        correlation_id: fixed.correlation_id.get(),
        subscription_registration_id: fixed.subscription_registration_id.get(),
        stream_id: StreamId(fixed.stream_id.get()),
        channel: message.counted(fixed.channel_length)?,
    })
}

pub(super) fn write_unavailable(
    to: &mut Encoder<'_>,
    correlation_id: i64,
    subscription_registration_id: i64,
    stream_id: StreamId,
    channel: &[u8],
) {
    to.fixed(&UnavailableImageLayout {
        correlation_id: I64::new(correlation_id),
        subscription_registration_id: I64::new(subscription_registration_id),
        stream_id: I32::new(stream_id.0),
        channel_length: length_of(channel),
    });
    to.bytes(channel);
}
