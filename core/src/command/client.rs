//! Commands and responses about a client and its driver: keepalive, close, termination, success, errors. `[any]`
//!
//! Mirrors Java's `CorrelatedMessageFlyweight`, `TerminateDriverFlyweight`, `OperationSucceededFlyweight`,
//! `ErrorResponseFlyweight` and `ClientTimeoutFlyweight`; commands.md §1 and §2.
//!
//! ```text
//! every command             TERMINATE_DRIVER          ON_ERROR
//!   0 client_id        i64    16 token_length  i32       0 offending_command_correlation_id i64
//!   8 correlation_id   i64    20 token                   8 error_code                       i32
//!                                                       12 error_message_length             i32
//! ON_OPERATION_SUCCESS      ON_CLIENT_TIMEOUT           16 error_message
//!   0 correlation_id   i64     0 client_id     i64
//! ```

use zerocopy::little_endian::{I32, I64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::codec::{Decoder, Encoder, length_of};
use super::{Command, CommandError, ErrorCode, Response};
use crate::layout::assert_layout;

/// How every command begins.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Correlated {
    client_id: I64,
    correlation_id: I64,
}
assert_layout!(Correlated, 16, client_id = 0, correlation_id = 8);

impl Correlated {
    pub(super) fn new(client_id: i64, correlation_id: i64) -> Self {
        Correlated { client_id: I64::new(client_id), correlation_id: I64::new(correlation_id) }
    }

    pub(super) fn client_id(&self) -> i64 {
        self.client_id.get()
    }

    pub(super) fn correlation_id(&self) -> i64 {
        self.correlation_id.get()
    }
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct TerminateDriverLayout {
    correlated: Correlated,
    token_length: I32,
}
assert_layout!(TerminateDriverLayout, 20, correlated = 0, token_length = 16);

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct ErrorLayout {
    offending_command_correlation_id: I64,
    error_code: I32,
    error_message_length: I32,
}
assert_layout!(ErrorLayout, 16, offending_command_correlation_id = 0, error_code = 8, error_message_length = 12);

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct IdLayout {
    id: I64,
}
assert_layout!(IdLayout, 8, id = 0);

pub(super) fn parse_correlated(mut message: Decoder<'_>) -> Result<(i64, i64), CommandError> {
    let fixed: &Correlated = message.fixed()?;
    Ok((fixed.client_id(), fixed.correlation_id()))
}

pub(super) fn write_correlated(to: &mut Encoder<'_>, client_id: i64, correlation_id: i64) {
    to.fixed(&Correlated::new(client_id, correlation_id));
}

pub(super) fn parse_terminate_driver(mut message: Decoder<'_>) -> Result<Command<'_>, CommandError> {
    let fixed: &TerminateDriverLayout = message.fixed()?;
    Ok(Command::TerminateDriver {
        client_id: fixed.correlated.client_id(),
        correlation_id: fixed.correlated.correlation_id(),
        token: message.counted(fixed.token_length)?,
    })
}

pub(super) fn write_terminate_driver(to: &mut Encoder<'_>, client_id: i64, correlation_id: i64, token: &[u8]) {
    to.fixed(&TerminateDriverLayout {
        correlated: Correlated::new(client_id, correlation_id),
        token_length: length_of(token),
    });
    to.bytes(token);
}

pub(super) fn parse_error(mut message: Decoder<'_>) -> Result<Response<'_>, CommandError> {
    let fixed: &ErrorLayout = message.fixed()?;
    Ok(Response::Error {
        offending_command_correlation_id: fixed.offending_command_correlation_id.get(),
        error_code: ErrorCode::from_code(fixed.error_code.get()),
        error_message: message.counted(fixed.error_message_length)?,
    })
}

pub(super) fn write_error(to: &mut Encoder<'_>, correlation_id: i64, code: ErrorCode, text: &[u8]) {
    to.fixed(&ErrorLayout {
        offending_command_correlation_id: I64::new(correlation_id),
        error_code: I32::new(code.code()),
        error_message_length: length_of(text),
    });
    to.bytes(text);
}

/// The single id of ON_OPERATION_SUCCESS and ON_CLIENT_TIMEOUT.
pub(super) fn parse_id(mut message: Decoder<'_>) -> Result<i64, CommandError> {
    let fixed: &IdLayout = message.fixed()?;
    Ok(fixed.id.get())
}

pub(super) fn write_id(to: &mut Encoder<'_>, id: i64) {
    to.fixed(&IdLayout { id: I64::new(id) });
}
