//! Commands and responses about publications. `[any]`
//!
//! Mirrors Java's `PublicationMessageFlyweight`, `RemovePublicationFlyweight`, `PublicationBuffersReadyFlyweight` and
//! `PublicationErrorFrameFlyweight`; commands.md §1 and §2.
//!
//! ```text
//! ADD_PUBLICATION,             REMOVE_PUBLICATION           ON_PUBLICATION_READY,
//! ADD_EXCLUSIVE_PUBLICATION      16 registration_id  i64    ON_EXCLUSIVE_PUBLICATION_READY
//!   16 stream_id       i32       24 flags            u64       0 correlation_id               i64
//!   20 channel_length  i32          bit 0: revoke              8 registration_id              i64
//!   24 channel                                                16 session_id                   i32
//!                                                             20 stream_id                    i32
//! ON_PUBLICATION_ERROR                                        24 position_limit_counter_id    i32
//!    0 registration_id              i64                       28 channel_status_indicator_id  i32
//!    8 destination_registration_id  i64                       32 log_file_length              i32
//!   16 session_id                   i32                       36 log_file
//!   20 stream_id                    i32
//!   24 receiver_id                  i64      44 source_address        u8[16]
//!   32 group_tag                    i64      60 error_code            i32
//!   40 address_type                 i16      64 error_message_length  i32
//!   42 source_port                  u16      68 error_message
//! ```

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use zerocopy::little_endian::{I16, I32, I64, U16, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::client::Correlated;
use super::codec::{Decoder, Encoder, length_of};
use super::{Command, CommandError, ErrorCode, Response};
use crate::counters::CounterId;
use crate::layout::assert_layout;
use crate::{SessionId, StreamId};

/// Bit 0 of REMOVE_PUBLICATION's flags.
const FLAG_REVOKE: u64 = 1;

/// REMOVE_PUBLICATION as clients before the flags sent it.
const REMOVE_LENGTH_WITHOUT_FLAGS: usize = 24;

/// What the C client requires of an ON_PUBLICATION_ERROR, however short its text.
const PUBLICATION_ERROR_MIN_LENGTH: usize = 72;

const ADDRESS_TYPE_UNKNOWN: i16 = 0;
const ADDRESS_TYPE_IPV4: i16 = 1;
const ADDRESS_TYPE_IPV6: i16 = 2;

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct AddPublicationLayout {
    correlated: Correlated,
    stream_id: I32,
    channel_length: I32,
}
assert_layout!(AddPublicationLayout, 24, correlated = 0, stream_id = 16, channel_length = 20);

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RemovePublicationLayout {
    correlated: Correlated,
    registration_id: I64,
}
assert_layout!(RemovePublicationLayout, 24, correlated = 0, registration_id = 16);

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct PublicationReadyLayout {
    correlation_id: I64,
    registration_id: I64,
    session_id: I32,
    stream_id: I32,
    position_limit_counter_id: I32,
    channel_status_indicator_id: I32,
    log_file_length: I32,
}
assert_layout!(
    PublicationReadyLayout,
    36,
    correlation_id = 0,
    registration_id = 8,
    session_id = 16,
    stream_id = 20,
    position_limit_counter_id = 24,
    channel_status_indicator_id = 28,
    log_file_length = 32,
);

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct PublicationErrorLayout {
    registration_id: I64,
    destination_registration_id: I64,
    session_id: I32,
    stream_id: I32,
    receiver_id: I64,
    group_tag: I64,
    address_type: I16,
    source_port: U16,
    source_address: [u8; 16],
    error_code: I32,
    error_message_length: I32,
}
assert_layout!(
    PublicationErrorLayout,
    68,
    registration_id = 0,
    destination_registration_id = 8,
    session_id = 16,
    stream_id = 20,
    receiver_id = 24,
    group_tag = 32,
    address_type = 40,
    source_port = 42,
    source_address = 44,
    error_code = 60,
    error_message_length = 64,
);

/// What ON_PUBLICATION_READY and ON_EXCLUSIVE_PUBLICATION_READY tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicationReady<'a> {
    /// Of the command that asked.
    pub correlation_id: i64,
    /// Of the publication, which another command may have added first.
    pub registration_id: i64,
    /// Of the publication.
    pub session_id: SessionId,
    /// Of the publication.
    pub stream_id: StreamId,
    /// The counter that says how far the publisher may go.
    pub position_limit_counter_id: CounterId,
    /// The counter of the channel's status; none for IPC.
    pub channel_status_indicator_id: CounterId,
    /// Path of the log buffer's file, in the bytes of the driver's file system.
    pub log_file: &'a [u8],
}

/// What ON_PUBLICATION_ERROR tells: a receiver or subscriber refused the publication's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicationError<'a> {
    /// Of the publication.
    pub registration_id: i64,
    /// Of the destination that the receiver is; −1 for none.
    pub destination_registration_id: i64,
    /// Of the publication.
    pub session_id: SessionId,
    /// Of the publication.
    pub stream_id: StreamId,
    /// Who refused; −1 for a subscriber over IPC.
    pub receiver_id: i64,
    /// The receiver's group; −1 for none.
    pub group_tag: i64,
    /// Where the receiver is; `None` when the driver did not say.
    pub source: Option<SocketAddr>,
    /// 13, image rejected.
    pub error_code: ErrorCode,
    /// The reason that the receiver gave.
    pub error_message: &'a [u8],
}

/// Fields of ADD_PUBLICATION and ADD_EXCLUSIVE_PUBLICATION.
pub(super) struct AddPublication<'a> {
    pub(super) client_id: i64,
    pub(super) correlation_id: i64,
    pub(super) stream_id: StreamId,
    pub(super) channel: &'a str,
}

pub(super) fn parse_add(mut message: Decoder<'_>) -> Result<AddPublication<'_>, CommandError> {
    let fixed: &AddPublicationLayout = message.fixed()?;
    let correlation_id = fixed.correlated.correlation_id();
    Ok(AddPublication {
        client_id: fixed.correlated.client_id(),
        correlation_id,
        stream_id: StreamId(fixed.stream_id.get()),
        channel: message.channel(fixed.channel_length, correlation_id)?,
    })
}

pub(super) fn write_add(to: &mut Encoder<'_>, client_id: i64, correlation_id: i64, stream_id: StreamId, channel: &str) {
    to.fixed(&AddPublicationLayout {
        correlated: Correlated::new(client_id, correlation_id),
        stream_id: I32::new(stream_id.0),
        channel_length: length_of(channel.as_bytes()),
    });
    to.bytes(channel.as_bytes());
}

pub(super) fn parse_remove(mut message: Decoder<'_>) -> Result<Command<'_>, CommandError> {
    let length = message.length();
    let fixed: &RemovePublicationLayout = message.fixed()?;
    let flags = if length == REMOVE_LENGTH_WITHOUT_FLAGS { 0 } else { message.fixed::<U64>()?.get() };
    Ok(Command::RemovePublication {
        client_id: fixed.correlated.client_id(),
        correlation_id: fixed.correlated.correlation_id(),
        registration_id: fixed.registration_id.get(),
        revoke: flags & FLAG_REVOKE != 0,
    })
}

pub(super) fn write_remove(
    to: &mut Encoder<'_>,
    client_id: i64,
    correlation_id: i64,
    registration_id: i64,
    revoke: bool,
) {
    to.fixed(&RemovePublicationLayout {
        correlated: Correlated::new(client_id, correlation_id),
        registration_id: I64::new(registration_id),
    });
    to.fixed(&U64::new(if revoke { FLAG_REVOKE } else { 0 }));
}

pub(super) fn parse_ready(mut message: Decoder<'_>) -> Result<PublicationReady<'_>, CommandError> {
    let fixed: &PublicationReadyLayout = message.fixed()?;
    Ok(PublicationReady {
        correlation_id: fixed.correlation_id.get(),
        registration_id: fixed.registration_id.get(),
        session_id: SessionId(fixed.session_id.get()),
        stream_id: StreamId(fixed.stream_id.get()),
        position_limit_counter_id: CounterId(fixed.position_limit_counter_id.get()),
        channel_status_indicator_id: CounterId(fixed.channel_status_indicator_id.get()),
        log_file: message.counted(fixed.log_file_length)?,
    })
}

pub(super) fn write_ready(to: &mut Encoder<'_>, ready: &PublicationReady<'_>) {
    to.fixed(&PublicationReadyLayout {
        correlation_id: I64::new(ready.correlation_id),
        registration_id: I64::new(ready.registration_id),
        session_id: I32::new(ready.session_id.0),
        stream_id: I32::new(ready.stream_id.0),
        position_limit_counter_id: I32::new(ready.position_limit_counter_id.0),
        channel_status_indicator_id: I32::new(ready.channel_status_indicator_id.0),
        log_file_length: length_of(ready.log_file),
    });
    to.bytes(ready.log_file);
}

pub(super) fn parse_publication_error(mut message: Decoder<'_>) -> Result<Response<'_>, CommandError> {
    let fixed: &PublicationErrorLayout = message.fixed()?;
    Ok(Response::PublicationError(PublicationError {
        registration_id: fixed.registration_id.get(),
        destination_registration_id: fixed.destination_registration_id.get(),
        session_id: SessionId(fixed.session_id.get()),
        stream_id: StreamId(fixed.stream_id.get()),
        receiver_id: fixed.receiver_id.get(),
        group_tag: fixed.group_tag.get(),
        source: source(fixed),
        error_code: ErrorCode::from_code(fixed.error_code.get()),
        error_message: message.counted(fixed.error_message_length)?,
    }))
}

fn source(fixed: &PublicationErrorLayout) -> Option<SocketAddr> {
    let [a, b, c, d, ..] = fixed.source_address;
    let address = match fixed.address_type.get() {
        ADDRESS_TYPE_IPV4 => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        ADDRESS_TYPE_IPV6 => IpAddr::V6(Ipv6Addr::from(fixed.source_address)),
        _ => return None,
    };
    Some(SocketAddr::new(address, fixed.source_port.get()))
}

pub(super) fn write_publication_error(to: &mut Encoder<'_>, error: &PublicationError<'_>) {
    let mut source_address = [0; 16];
    let address_type = match error.source.map(|source| source.ip()) {
        None => ADDRESS_TYPE_UNKNOWN,
        Some(IpAddr::V4(address)) => {
            source_address[..4].copy_from_slice(&address.octets());
            ADDRESS_TYPE_IPV4
        }
        Some(IpAddr::V6(address)) => {
            source_address = address.octets();
            ADDRESS_TYPE_IPV6
        }
    };
    to.fixed(&PublicationErrorLayout {
        registration_id: I64::new(error.registration_id),
        destination_registration_id: I64::new(error.destination_registration_id),
        session_id: I32::new(error.session_id.0),
        stream_id: I32::new(error.stream_id.0),
        receiver_id: I64::new(error.receiver_id),
        group_tag: I64::new(error.group_tag),
        address_type: I16::new(address_type),
        source_port: U16::new(error.source.map_or(0, |source| source.port())),
        source_address,
        error_code: I32::new(error.error_code.code()),
        error_message_length: length_of(error.error_message),
    });
    to.bytes(error.error_message);
    to.pad_to(PUBLICATION_ERROR_MIN_LENGTH);
}
