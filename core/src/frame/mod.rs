//! Frames: what drivers send each other, and what stands in a log buffer. `[any]`
//!
//! Each frame is a zerocopy type without alignment, so a datagram is read where it lies and a header is written as
//! bytes. Multi-byte fields are little-endian. [`validate`] says whether a datagram is worth a look; what its fields
//! mean for a stream is the receiver's and sender's business. Mirrors `aeron_udp_protocol.h` and `io.aeron.protocol`;
//! wire.md §1 to §9.
//!
//! The types' `parse` gives `None` when there are fewer bytes than the fixed part; bytes behind it are the payload's.

/// Reading and writing that every fixed part has.
macro_rules! frame_accessors {
    ($frame:ident) => {
        impl $frame {
            /// Length of the fixed part in bytes.
            pub const LENGTH: usize = size_of::<$frame>();

            /// The fixed part at the beginning of `bytes`, or `None` when they are fewer.
            #[must_use]
            pub fn parse(bytes: &[u8]) -> Option<&$frame> {
                zerocopy::FromBytes::ref_from_prefix(bytes).ok().map(|(frame, _)| frame)
            }

            /// As it goes out.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                zerocopy::IntoBytes::as_bytes(self)
            }
        }
    };
}

/// Access to the part that all frames share.
macro_rules! frame_header_accessors {
    ($frame:ident) => {
        frame_accessors!($frame);

        impl $frame {
            /// The part that all frames share.
            #[must_use]
            pub const fn header(&self) -> &FrameHeader {
                &self.header
            }

            /// The flags, which constants of this type name.
            #[must_use]
            pub const fn flags(&self) -> u8 {
                self.header.flags()
            }
        }
    };
}

pub mod data;
pub mod error;
pub mod header;
pub mod nak;
pub mod resolution;
pub mod response_setup;
pub mod rttm;
pub mod setup;
pub mod status_message;
#[cfg(test)]
mod tests;

pub use data::DataHeader;
pub use error::ErrorFrame;
pub use header::{FrameHeader, FrameType, HEADER_LENGTH, InvalidFrame};
pub use nak::Nak;
pub use response_setup::ResponseSetup;
pub use rttm::RttMeasurement;
pub use setup::Setup;
pub use status_message::StatusMessage;

use header::VERSION;

/// Frames in a log buffer, and datagrams of data, are aligned to 32 bytes.
pub const FRAME_ALIGNMENT: usize = 32;

/// The longest UDP payload, and so the greatest MTU.
pub const MAX_UDP_PAYLOAD_LENGTH: usize = 65_504;

/// The test that a datagram passes before it is dispatched: a known type and a version, a whole header, and a length
/// that the datagram bears out. Only the first frame of a datagram is looked at; wire.md §1.
///
/// # Errors
/// The first rule that it breaks.
pub fn validate(datagram: &[u8]) -> Result<FrameType, InvalidFrame> {
    let length = datagram.len();
    let header = FrameHeader::parse(datagram).ok_or(InvalidFrame::TooShort { length, needed: HEADER_LENGTH })?;
    let frame_length = header.frame_length();
    // Negative: greater than any datagram.
    let claimed = usize::try_from(frame_length).unwrap_or(usize::MAX);
    if frame_length < 0 {
        return Err(InvalidFrame::LongerThanDatagram { frame_length, length });
    }
    if header.version() != VERSION {
        return Err(InvalidFrame::Version(header.version()));
    }
    let unknown = InvalidFrame::Type(header.type_code());
    let frame_type = FrameType::from_code(header.type_code()).ok_or(unknown)?;
    let needed = match frame_type {
        FrameType::Data | FrameType::Pad => DataHeader::LENGTH,
        FrameType::Nak => Nak::LENGTH,
        FrameType::StatusMessage | FrameType::AtsStatusMessage => StatusMessage::LENGTH,
        FrameType::Error => ErrorFrame::LENGTH,
        FrameType::Setup => Setup::LENGTH,
        FrameType::RttMeasurement => RttMeasurement::LENGTH,
        FrameType::Resolution => HEADER_LENGTH + resolution::IPV4_ENTRY_HEADER_LENGTH,
        FrameType::ResponseSetup => ResponseSetup::LENGTH,
        FrameType::AtsData | FrameType::AtsSetup | FrameType::Extension => return Err(unknown),
    };
    if length < needed {
        return Err(InvalidFrame::TooShort { length, needed });
    }
    match frame_type {
        // A padding frame covers more than it carries; whether the frames fit their term is seen when they are placed.
        FrameType::Data | FrameType::Pad => {
            if !length.is_multiple_of(FRAME_ALIGNMENT) {
                return Err(InvalidFrame::Unaligned { length });
            }
        }
        // Transport security appends to it, and says so in the length.
        FrameType::Setup => {}
        _ => {
            if claimed > length {
                return Err(InvalidFrame::LongerThanDatagram { frame_length, length });
            }
        }
    }
    Ok(frame_type)
}
