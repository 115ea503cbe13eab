//! What can be wrong with a command or a response, and with the room for one. `[any]`

use core::fmt;

use super::ErrorCode;

/// A message in the command ring or the broadcast buffer that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// No command, or no response, has this type id.
    UnknownType {
        /// As it stands in the ring's record.
        type_id: i32,
    },
    /// The message ends before its fields do.
    TooShort {
        /// Which command or response.
        type_id: i32,
        /// Of the message, in bytes.
        length: usize,
        /// By the lengths inside it, in bytes.
        needed: usize,
    },
    /// A length inside the message is negative.
    NegativeLength {
        /// Which command or response.
        type_id: i32,
        /// Of the message, in bytes.
        length: usize,
        /// As it stands in the message.
        field: i32,
    },
    /// The channel is not UTF-8. All fixed fields are there, so the client can be answered.
    ChannelNotText {
        /// Which command.
        type_id: i32,
        /// Of the command.
        correlation_id: i64,
    },
}

impl CommandError {
    /// The code that a driver logs or answers it with.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            CommandError::UnknownType { .. } => ErrorCode::UnknownCommandTypeId,
            CommandError::TooShort { .. } | CommandError::NegativeLength { .. } => ErrorCode::MalformedCommand,
            CommandError::ChannelNotText { .. } => ErrorCode::InvalidChannel,
        }
    }

    /// Whom to answer. `None` where the C driver only logs the error, because the fixed fields cannot be trusted.
    #[must_use]
    pub const fn correlation_id(&self) -> Option<i64> {
        match *self {
            CommandError::ChannelNotText { correlation_id, .. } => Some(correlation_id),
            _ => None,
        }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::UnknownType { type_id } => write!(f, "command={type_id} unknown"),
            CommandError::TooShort { type_id, length, needed } => {
                write!(f, "command={type_id} too short: length={length}, needed={needed}")
            }
            CommandError::NegativeLength { type_id, length, field } => {
                write!(f, "command={type_id} malformed: length={length}, inner length={field}")
            }
            CommandError::ChannelNotText { type_id, .. } => write!(f, "command={type_id} channel is not UTF-8"),
        }
    }
}

impl core::error::Error for CommandError {}

/// The room for an encoded command or response is too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeError {
    /// What the message takes, in bytes.
    pub needed: usize,
    /// What there is, in bytes.
    pub capacity: usize,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message of {} bytes does not fit into {} bytes", self.needed, self.capacity)
    }
}

impl core::error::Error for EncodeError {}
