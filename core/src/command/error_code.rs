//! The codes by which a driver says why it refused. `[any]`
//!
//! Mirrors `aeron_client_error.h` and `io.aeron.ErrorCode`; commands.md §3. Codes that exist only inside a client
//! (1000 and above) are the client's own.

use core::fmt;

/// Why a driver refused a command, or why a publication got a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// −1: a code that its sender could not name.
    UnknownCodeValue,
    /// 0: never sent.
    Unused,
    /// 1: the channel's URI is malformed or contradicts itself or an existing publication.
    InvalidChannel,
    /// 2: no subscription has that registration id.
    UnknownSubscription,
    /// 3: no publication has that registration id.
    UnknownPublication,
    /// 4: a channel endpoint failed later on. The offending id is a channel status counter's.
    ChannelEndpointError,
    /// 5: no counter has that registration id.
    UnknownCounter,
    /// 6: no command has that type id.
    UnknownCommandTypeId,
    /// 7: the command is shorter than its fields say.
    MalformedCommand,
    /// 8: known, but not supported by this driver.
    NotSupported,
    /// 9: a host name did not resolve.
    UnknownHost,
    /// 10: a resource is being closed: ask again later.
    ResourceTemporarilyUnavailable,
    /// 11: everything else; the text tells.
    GenericError,
    /// 12: the file system has no room for the log buffer.
    StorageSpace,
    /// 13: a subscriber rejected the image.
    ImageRejected,
    /// 14: the publication was revoked.
    PublicationRevoked,
    /// A code that Aeron 1.54 does not know.
    Other(i32),
}

impl ErrorCode {
    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            ErrorCode::UnknownCodeValue => -1,
            ErrorCode::Unused => 0,
            ErrorCode::InvalidChannel => 1,
            ErrorCode::UnknownSubscription => 2,
            ErrorCode::UnknownPublication => 3,
            ErrorCode::ChannelEndpointError => 4,
            ErrorCode::UnknownCounter => 5,
            ErrorCode::UnknownCommandTypeId => 6,
            ErrorCode::MalformedCommand => 7,
            ErrorCode::NotSupported => 8,
            ErrorCode::UnknownHost => 9,
            ErrorCode::ResourceTemporarilyUnavailable => 10,
            ErrorCode::GenericError => 11,
            ErrorCode::StorageSpace => 12,
            ErrorCode::ImageRejected => 13,
            ErrorCode::PublicationRevoked => 14,
            ErrorCode::Other(code) => code,
        }
    }

    /// The code of a number from the wire.
    #[must_use]
    pub const fn from_code(code: i32) -> ErrorCode {
        match code {
            -1 => ErrorCode::UnknownCodeValue,
            0 => ErrorCode::Unused,
            1 => ErrorCode::InvalidChannel,
            2 => ErrorCode::UnknownSubscription,
            3 => ErrorCode::UnknownPublication,
            4 => ErrorCode::ChannelEndpointError,
            5 => ErrorCode::UnknownCounter,
            6 => ErrorCode::UnknownCommandTypeId,
            7 => ErrorCode::MalformedCommand,
            8 => ErrorCode::NotSupported,
            9 => ErrorCode::UnknownHost,
            10 => ErrorCode::ResourceTemporarilyUnavailable,
            11 => ErrorCode::GenericError,
            12 => ErrorCode::StorageSpace,
            13 => ErrorCode::ImageRejected,
            14 => ErrorCode::PublicationRevoked,
            other => ErrorCode::Other(other),
        }
    }

    /// Aeron's name of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            ErrorCode::UnknownCodeValue => "UNKNOWN_CODE_VALUE",
            ErrorCode::Unused => "UNUSED",
            ErrorCode::InvalidChannel => "INVALID_CHANNEL",
            ErrorCode::UnknownSubscription => "UNKNOWN_SUBSCRIPTION",
            ErrorCode::UnknownPublication => "UNKNOWN_PUBLICATION",
            ErrorCode::ChannelEndpointError => "CHANNEL_ENDPOINT_ERROR",
            ErrorCode::UnknownCounter => "UNKNOWN_COUNTER",
            ErrorCode::UnknownCommandTypeId => "UNKNOWN_COMMAND_TYPE_ID",
            ErrorCode::MalformedCommand => "MALFORMED_COMMAND",
            ErrorCode::NotSupported => "NOT_SUPPORTED",
            ErrorCode::UnknownHost => "UNKNOWN_HOST",
            ErrorCode::ResourceTemporarilyUnavailable => "RESOURCE_TEMPORARILY_UNAVAILABLE",
            ErrorCode::GenericError => "GENERIC_ERROR",
            ErrorCode::StorageSpace => "STORAGE_SPACE",
            ErrorCode::ImageRejected => "IMAGE_REJECTED",
            ErrorCode::PublicationRevoked => "PUBLICATION_REVOKED",
            ErrorCode::Other(_) => "UNKNOWN",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_one_code_and_back() {
        for number in (-3..20).chain([i32::MIN, i32::MAX]) {
            assert_eq!(ErrorCode::from_code(number).code(), number);
        }
        assert_eq!(ErrorCode::from_code(12), ErrorCode::StorageSpace);
        assert_eq!(ErrorCode::from_code(15), ErrorCode::Other(15));
    }
}
