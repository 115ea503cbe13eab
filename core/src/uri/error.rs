//! What can be wrong with a channel URI. `[any]`

use core::fmt;

use crate::TermLength;
use crate::command::ErrorCode;

/// A channel URI, or one of its values, that the driver refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriError<'a> {
    /// Longer than [`super::MAX_LENGTH`].
    TooLong {
        /// In bytes.
        length: usize,
    },
    /// Does not begin with `aeron:udp?`, or is not `aeron:ipc` with parameters or without.
    UnknownMedia {
        /// The whole URI.
        uri: &'a str,
    },
    /// A parameter begins with `=`.
    EmptyKey {
        /// The whole URI.
        uri: &'a str,
    },
    /// A key ends without a `=`.
    UnfinishedKey {
        /// As far as it goes; empty for `||`.
        key: &'a str,
        /// The whole URI.
        uri: &'a str,
    },
    /// A key has no value.
    EmptyValue {
        /// Which.
        key: &'a str,
        /// The whole URI.
        uri: &'a str,
    },
    /// The channel tag is no number.
    InvalidChannelTag {
        /// As written.
        value: &'a str,
    },
    /// A UDP channel that says neither where it is nor whom to ask.
    NoAddress,
    /// `control-mode=dynamic` without `control`.
    NoControlAddress,
    /// `transport` names none that Gannet knows.
    UnknownTransport {
        /// As written.
        value: &'a str,
    },
    /// A value that cannot be read or is out of range.
    InvalidValue {
        /// Of which key.
        key: &'static str,
        /// As written.
        value: &'a str,
        /// What would do, as the end of a sentence.
        accepts: &'static str,
    },
    /// Some of `init-term-id`, `term-id` and `term-offset`, but not all three.
    IncompletePosition,
    /// `term-id` lies before `init-term-id`, or 2^31 terms or more after it.
    TermIdOutOfRange {
        /// As written.
        initial_term_id: i32,
        /// As written.
        term_id: i32,
    },
    /// `term-offset` lies beyond the term.
    TermOffsetBeyondTerm {
        /// As written.
        term_offset: u64,
        /// Of this channel or the driver's default.
        term_length: TermLength,
    },
    /// `pub-wnd` is less than the MTU or more than half a term.
    WindowOutOfRange {
        /// As written.
        window: u64,
        /// The least that would do: the MTU.
        min: u64,
        /// The most that would do: half the term.
        max: u64,
    },
}

impl UriError<'_> {
    /// The code with which the C driver answers.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            UriError::TooLong { .. }
            | UriError::UnknownMedia { .. }
            | UriError::EmptyKey { .. }
            | UriError::UnfinishedKey { .. }
            | UriError::EmptyValue { .. }
            | UriError::InvalidChannelTag { .. }
            | UriError::NoAddress
            | UriError::NoControlAddress
            | UriError::UnknownTransport { .. } => ErrorCode::InvalidChannel,
            UriError::InvalidValue { .. }
            | UriError::IncompletePosition
            | UriError::TermIdOutOfRange { .. }
            | UriError::TermOffsetBeyondTerm { .. }
            | UriError::WindowOutOfRange { .. } => ErrorCode::GenericError,
        }
    }
}

impl fmt::Display for UriError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UriError::TooLong { length } => {
                write!(f, "URI length ({length}) exceeds max supported length ({})", super::MAX_LENGTH)
            }
            UriError::UnknownMedia { uri } => {
                write!(f, "invalid URI scheme or transport, neither 'aeron:udp?…' nor 'aeron:ipc': {uri}")
            }
            UriError::EmptyKey { uri } => write!(f, "empty key not allowed: {uri}"),
            UriError::UnfinishedKey { key, uri } => write!(f, "invalid end of key, '{key}' has no '=': {uri}"),
            UriError::EmptyValue { key, uri } => write!(f, "empty value not allowed, {key}=: {uri}"),
            UriError::InvalidChannelTag { value } => {
                write!(f, "could not parse channel tag, tags={value} does not begin with a number")
            }
            UriError::NoAddress => {
                f.write_str("URIs for UDP must specify endpoint, control, tags, or control-mode=manual/response")
            }
            UriError::NoControlAddress => f.write_str("control-mode=dynamic needs an explicit control=address:port"),
            UriError::UnknownTransport { value } => write!(f, "transport={value} is not udp, uring or xdp"),
            UriError::InvalidValue { key, value, accepts } => {
                write!(f, "could not use {key}={value} in URI: it is not {accepts}")
            }
            UriError::IncompletePosition => {
                f.write_str("params: init-term-id term-id term-offset must be used as a complete set")
            }
            UriError::TermIdOutOfRange { initial_term_id, term_id } => {
                write!(f, "term-id={term_id} does not follow init-term-id={initial_term_id} by 0 to 2147483647 terms")
            }
            UriError::TermOffsetBeyondTerm { term_offset, term_length } => {
                write!(f, "term-offset={term_offset} is beyond term-length={term_length}")
            }
            UriError::WindowOutOfRange { window, min, max } => {
                write!(f, "pub-wnd={window} is not from mtu={min} to half the term, {max}")
            }
        }
    }
}

impl core::error::Error for UriError<'_> {}
