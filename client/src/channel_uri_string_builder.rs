//! Writes channel URIs. `[any]`
//!
//! Mirrors Aeron's `ChannelUriStringBuilder`, all keys of section 4 of `uri.md`. What a driver checks is left to it:
//! here only text that would break the URI apart, and values that no driver takes, are refused.

use std::fmt;
use std::time::Duration;

use gannet_core::position::{Position, TermId, TermLength};
use gannet_core::uri::{ChannelUri, Media};

/// Aeron's `AERON_URI_MAX_LENGTH` less its terminator.
const MAX_LENGTH: usize = 4095;
/// The driver's range of `mtu`.
const MTU: std::ops::RangeInclusive<usize> = 64..=65_504;

/// Why no channel URI came out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelUriError {
    /// A key or value that is empty, or holds a character that separates.
    #[error("{key}={value}: keys and values may not be empty, nor hold `|` or a zero byte, nor a key `=`")]
    Text {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// A value that no driver takes.
    #[error("{key}={value}: accepted is {accepted}")]
    OutOfRange {
        /// The key.
        key: &'static str,
        /// The value.
        value: String,
        /// What is accepted.
        accepted: &'static str,
    },
    /// A text that is no channel.
    #[error("{0}")]
    Parse(String),
    /// The whole is longer than 4095 bytes.
    #[error("a channel of {0} bytes is longer than 4095")]
    TooLong(usize),
}

/// Writes a channel URI, key by key in the order in which they are set.
///
/// ```
/// use gannet::{ChannelUriStringBuilder, TermLength};
///
/// let channel = ChannelUriStringBuilder::ipc().term_length(TermLength::MIN).alias("orders").build()?;
/// assert_eq!(channel, "aeron:ipc?term-length=65536|alias=orders");
///
/// let channel = ChannelUriStringBuilder::udp().endpoint("239.0.1.1:20121").interface("eth0").ttl(4).build()?;
/// assert_eq!(channel, "aeron:udp?endpoint=239.0.1.1:20121|interface=eth0|ttl=4");
/// # Ok::<(), gannet::ChannelUriError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChannelUriStringBuilder {
    spy: bool,
    media: &'static str,
    parameters: Vec<(String, String)>,
    error: Option<ChannelUriError>,
}

/// The way a multi-destination channel learns its destinations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlMode {
    /// The application adds and removes them.
    Manual,
    /// Receivers announce themselves at the control address.
    Dynamic,
    /// The channel of an answer to another one's requests.
    Response,
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($key:literal, $type:ty) => $text:expr;)*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(self, value: $type) -> Self {
                let text: fn($type) -> String = $text;
                self.put($key, text(value))
            }
        )*
    };
}

impl ChannelUriStringBuilder {
    /// Shared memory of one host: `aeron:ipc`.
    #[must_use]
    pub fn ipc() -> Self {
        ChannelUriStringBuilder { spy: false, media: "ipc", parameters: Vec::new(), error: None }
    }

    /// UDP, unicast or multicast: `aeron:udp`.
    #[must_use]
    pub fn udp() -> Self {
        ChannelUriStringBuilder { media: "udp", ..Self::ipc() }
    }

    /// A subscription that reads a local publication's log on its way to the network: `aeron-spy:aeron:udp`.
    #[must_use]
    pub fn spy() -> Self {
        ChannelUriStringBuilder { spy: true, ..Self::udp() }
    }

    /// Begins with what a channel says already: keys that are set after that take their new values.
    ///
    /// ```
    /// use gannet::ChannelUriStringBuilder;
    ///
    /// let channel = ChannelUriStringBuilder::parse("aeron:ipc?alias=orders|mtu=8k")?.session_id(7).build()?;
    /// assert_eq!(channel, "aeron:ipc?alias=orders|mtu=8k|session-id=7");
    /// # Ok::<(), gannet::ChannelUriError>(())
    /// ```
    ///
    /// # Errors
    /// When it is no channel.
    pub fn parse(channel: &str) -> Result<Self, ChannelUriError> {
        let uri = ChannelUri::parse(channel).map_err(|error| ChannelUriError::Parse(error.to_string()))?;
        let builder = match uri.media() {
            Media::Ipc => Self::ipc(),
            Media::Udp => Self::udp(),
        };
        let builder = ChannelUriStringBuilder { spy: uri.is_spy(), ..builder };
        // Of keys that stand twice, the parser says which value counts.
        Ok(uri.params().fold(builder, |builder, (key, _)| match uri.get(key) {
            Some(value) => builder.put(key, value),
            None => builder,
        }))
    }

    /// Sets any key, also one that Aeron does not know. A key that is set again keeps its place and takes the new
    /// value.
    #[must_use]
    pub fn put(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let (key, value) = (key.into(), value.into());
        if key.is_empty() || key.contains(['=', '|', '\0']) || value.is_empty() || value.contains(['|', '\0']) {
            return self.fail(ChannelUriError::Text { key, value });
        }
        match self.parameters.iter_mut().find(|(existing, _)| *existing == key) {
            Some((_, existing)) => *existing = value,
            None => self.parameters.push((key, value)),
        }
        self
    }

    fn fail(mut self, error: ChannelUriError) -> Self {
        self.error.get_or_insert(error);
        self
    }

    setters! {
        /// Where data goes to, or is received: `host:port`.
        endpoint("endpoint", &str) => str::to_owned;
        /// The network interface: an address with an optional prefix length, or a name.
        interface("interface", &str) => str::to_owned;
        /// The address at which a publication is controlled: `host:port`.
        control("control", &str) => str::to_owned;
        /// How a multi-destination channel learns its destinations.
        control_mode("control-mode", ControlMode) => |mode| match mode {
            ControlMode::Manual => "manual".to_owned(),
            ControlMode::Dynamic => "dynamic".to_owned(),
            ControlMode::Response => "response".to_owned(),
        };
        /// How many routers a multicast datagram may pass; 0 leaves it to the system.
        ttl("ttl", u8) => number;
        /// The channel's tag, and after a comma the publication's.
        tags("tags", &str) => str::to_owned;
        /// A name for people; the driver ignores it.
        alias("alias", &str) => str::to_owned;
        /// The publication's session, or the only one that a subscription wants.
        session_id("session-id", i32) => number;
        /// The session, MTU and term length of the publication with this tag.
        session_id_of_tag("session-id", i64) => |tag| format!("tag:{tag}");
        /// The length of a term.
        term_length("term-length", TermLength) => number;
        /// How long a publication's log stays after its end, for late receivers.
        linger("linger", Duration) => nanoseconds;
        /// Whether the log takes memory only where it is written.
        sparse("sparse", bool) => number;
        /// Whether a publication's end is announced to its receivers.
        eos("eos", bool) => number;
        /// Whether a spy alone makes a publication connected.
        spies_simulate_connection("ssc", bool) => number;
        /// How far, in bytes, a publication may run ahead of its slowest subscriber.
        publication_window_length("pub-wnd", usize) => number;
        /// A flow control strategy with its options.
        flow_control("fc", &str) => str::to_owned;
        /// The image to which this publication is the answer.
        response_correlation_id("response-correlation-id", i64) => number;
        /// Where an archive's client wants its answers; no driver's key.
        response_endpoint("response-endpoint", &str) => str::to_owned;
        /// Whether Aeron's transport security is wanted; only the premium driver has it.
        ats("ats", bool) => number;
        /// After how long beyond the window an untethered subscription loses its image.
        untethered_window_limit_timeout("untethered-window-limit-timeout", Duration) => nanoseconds;
        /// For how long an untethered subscription that lost its image still holds the publication back.
        untethered_linger_timeout("untethered-linger-timeout", Duration) => nanoseconds;
        /// After how long an untethered subscription that lost its image gets it back.
        untethered_resting_timeout("untethered-resting-timeout", Duration) => nanoseconds;
        /// Whether lost datagrams are asked for again; if not, gaps are skipped.
        reliable("reliable", bool) => number;
        /// Whether the subscription holds the publication back when it is slow.
        tether("tether", bool) => number;
        /// Whether an image that was lost is taken up again.
        rejoin("rejoin", bool) => number;
        /// Whether the receivers are a group, as on multicast.
        group("group", bool) => number;
        /// The receiver's congestion control: `static` or `cubic`.
        congestion_control("cc", &str) => str::to_owned;
        /// The receiver's tag in its group.
        group_tag("gtag", i64) => number;
        /// The receiver's window in bytes.
        receiver_window_length("rcv-wnd", usize) => number;
        /// How long a receiver waits before it asks for a gap to be filled.
        nak_delay("nak-delay", Duration) => nanoseconds;
        /// The socket's send buffer in bytes.
        socket_sndbuf_length("so-sndbuf", usize) => number;
        /// The socket's receive buffer in bytes.
        socket_rcvbuf_length("so-rcvbuf", usize) => number;
        /// The type-of-service byte of each datagram.
        socket_tos("so-tos", u8) => number;
        /// Where in a message the time of its arrival at the network card is written: an offset or `reserved`.
        media_receive_timestamp_offset("media-rcv-ts-offset", &str) => str::to_owned;
        /// Where in a message the time of its arrival at the driver is written: an offset or `reserved`.
        channel_receive_timestamp_offset("channel-rcv-ts-offset", &str) => str::to_owned;
        /// Where in a message the time of its sending is written: an offset or `reserved`.
        channel_send_timestamp_offset("channel-snd-ts-offset", &str) => str::to_owned;
        /// A stream id, for tools that take it from the channel.
        stream_id("stream-id", i32) => number;
        /// Which of Gannet's transports carries the channel: `udp`, `uring` or `xdp`. Other drivers ignore it.
        transport("transport", &str) => str::to_owned;
    }

    /// The longest datagram, headers included: a multiple of 32 from 64 to 65,504 bytes.
    #[must_use]
    pub fn mtu(self, length: usize) -> Self {
        if MTU.contains(&length) && length.is_multiple_of(32) {
            self.put("mtu", number(length))
        } else {
            let accepted = "a multiple of 32 from 64 to 65504";
            self.fail(ChannelUriError::OutOfRange { key: "mtu", value: number(length), accepted })
        }
    }

    /// How many gaps a publication repeats at a time for a group: 1 to 256.
    #[must_use]
    pub fn max_resend(self, count: u16) -> Self {
        if (1..=256).contains(&count) {
            self.put("max-resend", number(count))
        } else {
            self.fail(ChannelUriError::OutOfRange { key: "max-resend", value: number(count), accepted: "1 to 256" })
        }
    }

    /// Makes a response channel's publication before its image is known: `response-correlation-id=prototype`.
    #[must_use]
    pub fn response_prototype(self) -> Self {
        self.put("response-correlation-id", "prototype")
    }

    /// Starts a publication at a position: `init-term-id`, `term-id`, `term-offset` and `term-length`.
    #[must_use]
    pub fn initial_position(self, position: Position, initial_term_id: TermId, term_length: TermLength) -> Self {
        if position.0 < 0 || position.0 % 32 != 0 || position >= term_length.max_possible_position() {
            let accepted = "a multiple of 32 from 0 to less than 2^31 terms";
            return self.fail(ChannelUriError::OutOfRange { key: "term-offset", value: number(position), accepted });
        }
        self.put("init-term-id", number(initial_term_id))
            .put("term-id", number(position.term_id(term_length, initial_term_id)))
            .put("term-offset", number(position.term_offset(term_length)))
            .term_length(term_length)
    }

    /// The URI.
    ///
    /// # Errors
    /// The first wrong value that was set, or a URI beyond 4095 bytes.
    pub fn build(&self) -> Result<String, ChannelUriError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let mut uri = String::from(if self.spy { "aeron-spy:aeron:" } else { "aeron:" });
        uri.push_str(self.media);
        for (index, (key, value)) in self.parameters.iter().enumerate() {
            uri.push(if index == 0 { '?' } else { '|' });
            uri.push_str(key);
            uri.push('=');
            uri.push_str(value);
        }
        if uri.len() > MAX_LENGTH { Err(ChannelUriError::TooLong(uri.len())) } else { Ok(uri) }
    }
}

fn number(value: impl fmt::Display) -> String {
    value.to_string()
}

fn nanoseconds(duration: Duration) -> String {
    format!("{}ns", duration.as_nanos())
}

#[cfg(test)]
mod tests;
