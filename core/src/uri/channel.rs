//! What a URI says about the channel itself: addresses, tags, sockets, timestamps. `[any]`
//!
//! Mirrors the first half of `aeron_udp_channel.c`; uri.md §1, §3 and §4.

use super::value::{self, ValueError};
use super::{ChannelUri, Media, UriError, key};
use crate::StreamId;

/// Who decides where a multi-destination or response channel sends to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlMode {
    /// The application, by adding destinations.
    Manual,
    /// The receivers, by asking at `control`.
    Dynamic,
    /// The request that is answered.
    Response,
}

/// Where in a message the driver writes a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampOffset {
    /// Into the header's reserved value.
    Reserved,
    /// This many bytes into the payload.
    At(i32),
}

/// The number that stands for the reserved value where an offset is recorded.
const RESERVED_VALUE_OFFSET: i32 = -8;
/// The number that stands for no offset.
const UNSET_OFFSET: i32 = -1;

/// What moves the datagrams of a UDP channel; a key of Gannet's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Sockets.
    Udp,
    /// Sockets through io_uring.
    Uring,
    /// AF_XDP.
    Xdp,
}

impl<'a> ChannelUri<'a> {
    /// `endpoint`: where data goes to, or comes in. UDP only.
    #[must_use]
    pub fn endpoint(&self) -> Option<&'a str> {
        self.udp(key::ENDPOINT)
    }

    /// `interface`: the local interface. UDP only.
    #[must_use]
    pub fn interface(&self) -> Option<&'a str> {
        self.udp(key::INTERFACE)
    }

    /// `control`: where receivers are told about streams. UDP only.
    #[must_use]
    pub fn control(&self) -> Option<&'a str> {
        self.udp(key::CONTROL)
    }

    /// `control-mode`; an unknown one is none.
    #[must_use]
    pub fn control_mode(&self) -> Option<ControlMode> {
        match self.get(key::CONTROL_MODE)? {
            "manual" => Some(ControlMode::Manual),
            "dynamic" => Some(ControlMode::Dynamic),
            "response" => Some(ControlMode::Response),
            _ => None,
        }
    }

    /// Whether it is a channel of responses.
    #[must_use]
    pub fn is_response(&self) -> bool {
        self.control_mode() == Some(ControlMode::Response)
    }

    /// `ttl` of multicast, up to 255; what is no number is 0, and 0 is none. UDP only.
    #[must_use]
    pub fn ttl(&self) -> Option<u8> {
        let ttl = value::parse_u64_prefix(self.udp(key::TTL)?).unwrap_or(0);
        u8::try_from(ttl.min(255)).ok().filter(|ttl| *ttl != 0)
    }

    /// The text of the first part of `tags`.
    #[must_use]
    pub fn channel_tag_text(&self) -> Option<&'a str> {
        let tags = self.get(key::TAGS)?;
        Some(tags.split_once(',').map_or(tags, |(channel, _)| channel)).filter(|tag| !tag.is_empty())
    }

    /// The first part of `tags`: channels with the same tag share an endpoint. The C driver reads it on UDP only.
    ///
    /// # Errors
    /// Code 1 when it does not begin with a number, or is −1.
    pub fn channel_tag(&self) -> Result<Option<i64>, UriError<'a>> {
        let Some(value) = self.channel_tag_text() else { return Ok(None) };
        match value::parse_decimal_u64_prefix(value).map(u64::cast_signed) {
            Ok(tag) if tag != -1 => Ok(Some(tag)),
            _ => Err(UriError::InvalidChannelTag { value }),
        }
    }

    /// The second part of `tags`, by which other channels name this publication.
    ///
    /// # Errors
    /// Code 11 when it is no decimal 64-bit integer.
    pub fn entity_tag(&self) -> Result<Option<i64>, UriError<'a>> {
        // A later `tags` without a comma leaves the entity tag of an earlier one.
        let tag = self.params().filter(|(name, _)| *name == key::TAGS).filter_map(|(_, tags)| tags.split_once(','));
        let Some(value) = tag.last().map(|(_, entity)| entity).filter(|entity| !entity.is_empty()) else {
            return Ok(None);
        };
        match value::parse_decimal_i64(value) {
            Ok(tag) => Ok(Some(tag)),
            Err(ValueError { accepts }) => Err(UriError::InvalidValue { key: key::TAGS, value, accepts }),
        }
    }

    /// Refuses a UDP channel that has no address and no other way to get one.
    ///
    /// # Errors
    /// Code 1 when `control-mode=dynamic` has no `control`, or when there is neither `endpoint`, `control`, a channel
    /// tag, nor a `control-mode` of `manual` or `response`.
    pub fn check_addresses(&self) -> Result<(), UriError<'a>> {
        if self.media() != Media::Udp {
            return Ok(());
        }
        let mode = self.control_mode();
        if mode == Some(ControlMode::Dynamic) && self.control().is_none() {
            return Err(UriError::NoControlAddress);
        }
        let is_distinguished =
            self.endpoint().is_some() || self.control().is_some() || self.channel_tag_text().is_some();
        if is_distinguished || matches!(mode, Some(ControlMode::Manual | ControlMode::Response)) {
            Ok(())
        } else {
            Err(UriError::NoAddress)
        }
    }

    /// `alias`: a name for people; no driver reads it.
    #[must_use]
    pub fn alias(&self) -> Option<&'a str> {
        self.get(key::ALIAS)
    }

    /// `transport`: what moves the datagrams. UDP only.
    ///
    /// # Errors
    /// Code 1 when it is not `udp`, `uring` or `xdp`.
    pub fn transport(&self) -> Result<Option<Transport>, UriError<'a>> {
        match self.udp(key::TRANSPORT) {
            None => Ok(None),
            Some("udp") => Ok(Some(Transport::Udp)),
            Some("uring") => Ok(Some(Transport::Uring)),
            Some("xdp") => Ok(Some(Transport::Xdp)),
            Some(value) => Err(UriError::UnknownTransport { value }),
        }
    }

    /// `so-sndbuf`: SO_SNDBUF in bytes.
    ///
    /// # Errors
    /// Code 11 when it is no size.
    pub fn socket_sndbuf(&self) -> Result<Option<u64>, UriError<'a>> {
        self.read(key::SOCKET_SNDBUF, value::parse_size)
    }

    /// `so-rcvbuf`: SO_RCVBUF in bytes.
    ///
    /// # Errors
    /// Code 11 when it is no size.
    pub fn socket_rcvbuf(&self) -> Result<Option<u64>, UriError<'a>> {
        self.read(key::SOCKET_RCVBUF, value::parse_size)
    }

    /// `so-tos`: the type of service of IP headers.
    ///
    /// # Errors
    /// Code 11 when it is not from 0 to 255.
    pub fn socket_tos(&self) -> Result<Option<u8>, UriError<'a>> {
        self.read(key::SOCKET_TOS, |text| {
            let tos = value::parse_i32(text).ok().and_then(|tos| u8::try_from(tos).ok());
            tos.ok_or(ValueError { accepts: "an integer from 0 to 255" })
        })
    }

    /// `media-rcv-ts-offset`: where the network card's receive time goes. UDP only.
    ///
    /// # Errors
    /// Code 11 when it is neither a number nor `reserved`.
    pub fn media_rcv_timestamp_offset(&self) -> Result<Option<TimestampOffset>, UriError<'a>> {
        self.timestamp_offset(key::MEDIA_RCV_TIMESTAMP_OFFSET)
    }

    /// `channel-rcv-ts-offset`: where the driver's receive time goes. UDP only.
    ///
    /// # Errors
    /// Code 11 when it is neither a number nor `reserved`.
    pub fn channel_rcv_timestamp_offset(&self) -> Result<Option<TimestampOffset>, UriError<'a>> {
        self.timestamp_offset(key::CHANNEL_RCV_TIMESTAMP_OFFSET)
    }

    /// `channel-snd-ts-offset`: where the driver's send time goes. UDP only.
    ///
    /// # Errors
    /// Code 11 when it is neither a number nor `reserved`.
    pub fn channel_snd_timestamp_offset(&self) -> Result<Option<TimestampOffset>, UriError<'a>> {
        self.timestamp_offset(key::CHANNEL_SND_TIMESTAMP_OFFSET)
    }

    fn timestamp_offset(&self, key: &'static str) -> Result<Option<TimestampOffset>, UriError<'a>> {
        if !self.is_udp() {
            return Ok(None);
        }
        let read = self.read(key, |text| {
            if text == "reserved" {
                return Ok(RESERVED_VALUE_OFFSET);
            }
            // What lies outside 32 bits is cut off, as in C, not refused.
            #[allow(clippy::cast_possible_truncation)]
            let offset = value::parse_i64_saturating(text).map(|offset| offset as i32);
            offset.map_err(|_| ValueError { accepts: "an offset in bytes, nor 'reserved'" })
        })?;
        Ok(match read {
            None | Some(UNSET_OFFSET) => None,
            Some(RESERVED_VALUE_OFFSET) => Some(TimestampOffset::Reserved),
            Some(offset) => Some(TimestampOffset::At(offset)),
        })
    }

    /// `ats`: transport security, which no open-source driver has.
    ///
    /// # Errors
    /// Code 11 when it is no boolean.
    pub fn ats(&self) -> Result<Option<bool>, UriError<'a>> {
        self.read(key::ATS, value::parse_bool)
    }

    /// `stream-id`: for clients and tools; no driver reads it.
    ///
    /// # Errors
    /// Code 11 when it is no 32-bit integer.
    pub fn stream_id(&self) -> Result<Option<StreamId>, UriError<'a>> {
        Ok(self.read(key::STREAM_ID, value::parse_i32)?.map(StreamId))
    }

    /// `response-endpoint`: for clients of the archive; no driver reads it.
    #[must_use]
    pub fn response_endpoint(&self) -> Option<&'a str> {
        self.get(key::RESPONSE_ENDPOINT)
    }

    /// `sparse`: whether log buffers take space only where they are written.
    ///
    /// # Errors
    /// Code 11 when it is no boolean.
    pub fn sparse(&self) -> Result<Option<bool>, UriError<'a>> {
        self.read(key::SPARSE, value::parse_bool)
    }

    /// `untethered-window-limit-timeout`: how long an untethered subscription may hold back a publication.
    ///
    /// # Errors
    /// Code 11 when it is no duration.
    pub fn untethered_window_limit_timeout_ns(&self) -> Result<Option<u64>, UriError<'a>> {
        self.read(key::UNTETHERED_WINDOW_LIMIT_TIMEOUT, value::parse_duration_ns)
    }

    /// `untethered-linger-timeout`: how long it then lingers; 0 is none.
    ///
    /// # Errors
    /// Code 11 when it is no duration.
    pub fn untethered_linger_timeout_ns(&self) -> Result<Option<u64>, UriError<'a>> {
        Ok(self.read(key::UNTETHERED_LINGER_TIMEOUT, value::parse_duration_ns)?.filter(|timeout| *timeout != 0))
    }

    /// `untethered-resting-timeout`: how long it then rests before it may join again.
    ///
    /// # Errors
    /// Code 11 when it is no duration.
    pub fn untethered_resting_timeout_ns(&self) -> Result<Option<u64>, UriError<'a>> {
        self.read(key::UNTETHERED_RESTING_TIMEOUT, value::parse_duration_ns)
    }

    fn udp(&self, key: &str) -> Option<&'a str> {
        if self.is_udp() { self.get(key) } else { None }
    }
}
