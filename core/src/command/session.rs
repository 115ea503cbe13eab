//! Asking the driver for a session id. `[any]`
//!
//! Mirrors Java's `GetNextAvailableSessionIdMessageFlyweight` and `NextAvailableSessionIdFlyweight`; commands.md §1 and
//! §2.
//!
//! ```text
//! GET_NEXT_AVAILABLE_SESSION_ID   ON_NEXT_AVAILABLE_SESSION_ID
//!   16 stream_id  i32                0 correlation_id   i64
//!                                    8 next_session_id  i32
//! ```

use zerocopy::little_endian::{I32, I64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::client::Correlated;
use super::codec::{Decoder, Encoder};
use super::{Command, CommandError, Response};
use crate::layout::assert_layout;
use crate::{SessionId, StreamId};

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct GetNextLayout {
    correlated: Correlated,
    stream_id: I32,
}
assert_layout!(GetNextLayout, 20, correlated = 0, stream_id = 16);

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct NextLayout {
    correlation_id: I64,
    next_session_id: I32,
}
assert_layout!(NextLayout, 12, correlation_id = 0, next_session_id = 8);

pub(super) fn parse_get_next(mut message: Decoder<'_>) -> Result<Command<'_>, CommandError> {
    let fixed: &GetNextLayout = message.fixed()?;
    Ok(Command::GetNextAvailableSessionId {
        client_id: fixed.correlated.client_id(),
        correlation_id: fixed.correlated.correlation_id(),
        stream_id: StreamId(fixed.stream_id.get()),
    })
}

pub(super) fn write_get_next(to: &mut Encoder<'_>, client_id: i64, correlation_id: i64, stream_id: StreamId) {
    to.fixed(&GetNextLayout {
        correlated: Correlated::new(client_id, correlation_id),
        stream_id: I32::new(stream_id.0),
    });
}

pub(super) fn parse_next(mut message: Decoder<'_>) -> Result<Response<'_>, CommandError> {
    let fixed: &NextLayout = message.fixed()?;
    Ok(Response::NextAvailableSessionId {
        correlation_id: fixed.correlation_id.get(),
        next_session_id: SessionId(fixed.next_session_id.get()),
    })
}

pub(super) fn write_next(to: &mut Encoder<'_>, correlation_id: i64, next_session_id: SessionId) {
    to.fixed(&NextLayout { correlation_id: I64::new(correlation_id), next_session_id: I32::new(next_session_id.0) });
}
