//! RES: names of drivers and their addresses. `[conductor]`
//!
//! A frame of this type is the common header and one or more entries. Mirrors `ResolutionEntryFlyweight` and
//! `aeron_driver_name_resolver.c`; wire.md §9. What is learned from an entry is the resolver's business.
//!
//! ```text
//! one entry, at a multiple of 8 from the first
//!  0 res_type   u8    1 IPv4, 2 IPv6          8 address      u8[4]      u8[16]
//!  1 flags      u8                           12 or 24 name_length  i16
//!  2 udp_port   u16                          14 or 26 name
//!  4 age_in_ms  i32                          padding to a multiple of 8
//! ```

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use zerocopy::little_endian::{I16, I32, U16};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{FrameHeader, FrameType, HEADER_LENGTH};
use crate::layout::assert_layout;
use crate::position::align;

/// The entry is its sender's own.
pub const FLAG_SELF: u8 = 0x80;

/// Fixed part of an entry with an IPv4 address.
pub const IPV4_ENTRY_HEADER_LENGTH: usize = size_of::<Ipv4Layout>();

const TYPE_IPV4: u8 = 1;
const TYPE_IPV6: u8 = 2;
const ENTRY_ALIGNMENT: usize = 8;

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct EntryLayout {
    res_type: u8,
    flags: u8,
    udp_port: U16,
    age_in_ms: I32,
}
assert_layout!(EntryLayout, 8, res_type = 0, flags = 1, udp_port = 2, age_in_ms = 4);

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Ipv4Layout {
    entry: EntryLayout,
    address: [u8; 4],
    name_length: I16,
}
assert_layout!(Ipv4Layout, 14, entry = 0, address = 8, name_length = 12);

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Ipv6Layout {
    entry: EntryLayout,
    address: [u8; 16],
    name_length: I16,
}
assert_layout!(Ipv6Layout, 26, entry = 0, address = 8, name_length = 24);

/// One name and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Whether it is its sender's own: [`FLAG_SELF`].
    pub is_self: bool,
    /// Where it is. Of a sender's own, a wildcard stands for the datagram's source.
    pub address: SocketAddr,
    /// How long ago its sender heard of it.
    pub age_ms: i32,
    /// Without a terminator.
    pub name: &'a [u8],
}

/// An entry that cannot be read, nor any behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidEntry {
    /// Neither IPv4 nor IPv6.
    Type(u8),
    /// The name's length is negative.
    NameLength(i16),
    /// It ends beyond the frame.
    TooShort {
        /// What is left of the frame.
        remaining: usize,
        /// What the entry takes, padding included.
        needed: usize,
    },
}

impl fmt::Display for InvalidEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidEntry::Type(res_type) => write!(f, "resolution type {res_type} is not 1 or 2"),
            InvalidEntry::NameLength(length) => write!(f, "name length {length} is negative"),
            InvalidEntry::TooShort { remaining, needed } => {
                write!(f, "entry of {needed} bytes does not fit the {remaining} bytes left")
            }
        }
    }
}

impl core::error::Error for InvalidEntry {}

impl<'a> Entry<'a> {
    /// What it takes in a frame, padding included.
    #[must_use]
    pub const fn length(&self) -> usize {
        let fixed = match self.address {
            SocketAddr::V4(_) => size_of::<Ipv4Layout>(),
            SocketAddr::V6(_) => size_of::<Ipv6Layout>(),
        };
        align(fixed + self.name.len(), ENTRY_ALIGNMENT)
    }

    /// Writes it to the beginning of `target` and tells how many bytes it took; `None` when it does not fit, or the
    /// name has over 32767 bytes.
    #[must_use]
    pub fn write(&self, target: &mut [u8]) -> Option<usize> {
        let name_length = I16::new(i16::try_from(self.name.len()).ok()?);
        let target = target.get_mut(..self.length())?;
        let entry = |res_type| EntryLayout {
            res_type,
            flags: if self.is_self { FLAG_SELF } else { 0 },
            udp_port: U16::new(self.address.port()),
            age_in_ms: I32::new(self.age_ms),
        };
        let after_fixed = match self.address.ip() {
            IpAddr::V4(address) => {
                let fixed = Ipv4Layout { entry: entry(TYPE_IPV4), address: address.octets(), name_length };
                fixed.write_to_prefix(target).ok()?;
                size_of::<Ipv4Layout>()
            }
            IpAddr::V6(address) => {
                let fixed = Ipv6Layout { entry: entry(TYPE_IPV6), address: address.octets(), name_length };
                fixed.write_to_prefix(target).ok()?;
                size_of::<Ipv6Layout>()
            }
        };
        let (name, padding) = target[after_fixed..].split_at_mut(self.name.len());
        name.copy_from_slice(self.name);
        padding.fill(0);
        Some(target.len())
    }

    /// The entry at the beginning of `bytes`, which end with the frame, and its length with its padding.
    ///
    /// # Errors
    /// When its type is unknown or it ends beyond `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<(Entry<'a>, usize), InvalidEntry> {
        let too_short = |needed| InvalidEntry::TooShort { remaining: bytes.len(), needed };
        let (fixed, _) = EntryLayout::ref_from_prefix(bytes).map_err(|_| too_short(size_of::<EntryLayout>()))?;
        let (address, name_length, after_fixed) = match fixed.res_type {
            TYPE_IPV4 => {
                let (ipv4, _) = Ipv4Layout::ref_from_prefix(bytes).map_err(|_| too_short(size_of::<Ipv4Layout>()))?;
                (IpAddr::V4(Ipv4Addr::from(ipv4.address)), ipv4.name_length.get(), size_of::<Ipv4Layout>())
            }
            TYPE_IPV6 => {
                let (ipv6, _) = Ipv6Layout::ref_from_prefix(bytes).map_err(|_| too_short(size_of::<Ipv6Layout>()))?;
                (IpAddr::V6(Ipv6Addr::from(ipv6.address)), ipv6.name_length.get(), size_of::<Ipv6Layout>())
            }
            res_type => return Err(InvalidEntry::Type(res_type)),
        };
        let name_end = after_fixed + usize::try_from(name_length).map_err(|_| InvalidEntry::NameLength(name_length))?;
        let length = align(name_end, ENTRY_ALIGNMENT);
        let whole = bytes.get(..length).ok_or(too_short(length))?;
        let entry = Entry {
            is_self: fixed.flags & FLAG_SELF != 0,
            address: SocketAddr::new(address, fixed.udp_port.get()),
            age_ms: fixed.age_in_ms.get(),
            name: &whole[after_fixed..name_end],
        };
        Ok((entry, length))
    }
}

/// The header of a frame with `entries_length` bytes of entries.
#[must_use]
pub fn header(entries_length: usize) -> Option<FrameHeader> {
    let frame_length = i32::try_from(entries_length.checked_add(HEADER_LENGTH)?).ok()?;
    Some(FrameHeader::new(frame_length, 0, FrameType::Resolution))
}

/// The entries of a datagram, up to the first that cannot be read. Like the C driver's, they end with the datagram,
/// whatever the frame's length says.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    rest: &'a [u8],
}

impl<'a> Entries<'a> {
    /// Of a datagram whose first frame is of type RES.
    #[must_use]
    pub fn of(datagram: &'a [u8]) -> Entries<'a> {
        Entries { rest: datagram.get(HEADER_LENGTH..).unwrap_or(&[]) }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, InvalidEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let parsed = Entry::parse(self.rest);
        self.rest = match &parsed {
            Ok((_, length)) => &self.rest[*length..],
            Err(_) => &[],
        };
        Some(parsed.map(|(entry, _)| entry))
    }
}
