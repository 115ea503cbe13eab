//! What every frame begins with, and which frames are worth a look. `[any]`
//!
//! Mirrors `aeron_udp_protocol.h` and `HeaderFlyweight`; wire.md §1.
//!
//! ```text
//!  0 frame_length  i32   header and payload, not aligned; 0 on a heartbeat
//!  4 version       u8    0
//!  5 flags         u8    by type
//!  6 type          u16
//! ```

use core::fmt;

use zerocopy::little_endian::{I32, U16};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::layout::assert_layout;

/// The only version of the protocol.
pub const VERSION: u8 = 0;

/// Length of the part that all frames share.
pub const HEADER_LENGTH: usize = 8;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameType {
    /// 0x00: a stretch of a term without a message.
    Pad,
    /// 0x01: a message or a fragment of one.
    Data,
    /// 0x02: a receiver misses a range.
    Nak,
    /// 0x03: a receiver's status message: how far it is and how far it lets the sender go.
    StatusMessage,
    /// 0x04: a receiver refuses a stream.
    Error,
    /// 0x05: what a receiver needs to know to join a stream.
    Setup,
    /// 0x06: a measurement of the round-trip time.
    RttMeasurement,
    /// 0x07: names of drivers and their addresses.
    Resolution,
    /// 0x08: as `Data`, of Aeron's transport security, which no open-source driver has.
    AtsData,
    /// 0x09: as `Setup`, of transport security.
    AtsSetup,
    /// 0x0A: as `StatusMessage`, of transport security.
    AtsStatusMessage,
    /// 0x0B: tells a requester which session answers it.
    ResponseSetup,
    /// 0xFFFF: for extensions; never sent.
    Extension,
}

impl FrameType {
    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            FrameType::Pad => 0x00,
            FrameType::Data => 0x01,
            FrameType::Nak => 0x02,
            FrameType::StatusMessage => 0x03,
            FrameType::Error => 0x04,
            FrameType::Setup => 0x05,
            FrameType::RttMeasurement => 0x06,
            FrameType::Resolution => 0x07,
            FrameType::AtsData => 0x08,
            FrameType::AtsSetup => 0x09,
            FrameType::AtsStatusMessage => 0x0A,
            FrameType::ResponseSetup => 0x0B,
            FrameType::Extension => 0xFFFF,
        }
    }

    /// The type of a number from the wire.
    #[must_use]
    pub const fn from_code(code: u16) -> Option<FrameType> {
        Some(match code {
            0x00 => FrameType::Pad,
            0x01 => FrameType::Data,
            0x02 => FrameType::Nak,
            0x03 => FrameType::StatusMessage,
            0x04 => FrameType::Error,
            0x05 => FrameType::Setup,
            0x06 => FrameType::RttMeasurement,
            0x07 => FrameType::Resolution,
            0x08 => FrameType::AtsData,
            0x09 => FrameType::AtsSetup,
            0x0A => FrameType::AtsStatusMessage,
            0x0B => FrameType::ResponseSetup,
            0xFFFF => FrameType::Extension,
            _ => return None,
        })
    }
}

impl fmt::Display for FrameType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FrameType::Pad => "PAD",
            FrameType::Data => "DATA",
            FrameType::Nak => "NAK",
            FrameType::StatusMessage => "SM",
            FrameType::Error => "ERR",
            FrameType::Setup => "SETUP",
            FrameType::RttMeasurement => "RTTM",
            FrameType::Resolution => "RES",
            FrameType::AtsData => "ATS_DATA",
            FrameType::AtsSetup => "ATS_SETUP",
            FrameType::AtsStatusMessage => "ATS_SM",
            FrameType::ResponseSetup => "RSP_SETUP",
            FrameType::Extension => "EXT",
        })
    }
}

/// The part that all frames share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct FrameHeader {
    frame_length: I32,
    version: u8,
    flags: u8,
    frame_type: U16,
}
assert_layout!(FrameHeader, 8, frame_length = 0, version = 4, flags = 5, frame_type = 6);

impl FrameHeader {
    /// A header of the protocol's version.
    #[must_use]
    pub const fn new(frame_length: i32, flags: u8, frame_type: FrameType) -> FrameHeader {
        FrameHeader {
            frame_length: I32::new(frame_length),
            version: VERSION,
            flags,
            frame_type: U16::new(frame_type.code()),
        }
    }

    /// Header and payload in bytes, not aligned.
    #[must_use]
    pub const fn frame_length(&self) -> i32 {
        self.frame_length.get()
    }

    /// 0.
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.version
    }

    /// By type.
    #[must_use]
    pub const fn flags(&self) -> u8 {
        self.flags
    }

    /// As on the wire; [`FrameType::from_code`] names it.
    #[must_use]
    pub const fn type_code(&self) -> u16 {
        self.frame_type.get()
    }
}
frame_accessors!(FrameHeader);

impl fmt::Display for FrameHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match FrameType::from_code(self.type_code()) {
            Some(frame_type) => write!(f, "{frame_type}")?,
            None => write!(f, "type {:#04x}", self.type_code())?,
        }
        write!(f, " flags={:#010b} len={}", self.flags, self.frame_length)
    }
}

/// Why a datagram is dropped before anything is done about it; each counts as an invalid packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidFrame {
    /// The datagram is shorter than the frame's header.
    TooShort {
        /// Of the datagram.
        length: usize,
        /// Of the header.
        needed: usize,
    },
    /// The frame says that it is longer than the datagram.
    LongerThanDatagram {
        /// As the frame says; below 0 it is no length at all.
        frame_length: i32,
        /// Of the datagram.
        length: usize,
    },
    /// A version other than 0.
    Version(u8),
    /// A datagram of data whose length is no multiple of 32.
    Unaligned {
        /// Of the datagram.
        length: usize,
    },
    /// No frame of this type is ever received.
    Type(u16),
}

impl fmt::Display for InvalidFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidFrame::TooShort { length, needed } => {
                write!(f, "datagram of {length} bytes is shorter than a header of {needed} bytes")
            }
            InvalidFrame::LongerThanDatagram { frame_length, length } => {
                write!(f, "frame length {frame_length} does not fit a datagram of {length} bytes")
            }
            InvalidFrame::Version(version) => write!(f, "version {version} is not 0"),
            InvalidFrame::Unaligned { length } => write!(f, "data of {length} bytes is no multiple of 32"),
            InvalidFrame::Type(code) => write!(f, "frame type {code:#04x} is never received"),
        }
    }
}

impl core::error::Error for InvalidFrame {}
