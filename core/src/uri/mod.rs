//! Channel URIs: what an application says about a channel, in one line of text. `[any]`
//!
//! ```text
//! channel = ["aeron-spy:"] "aeron:" ("udp" "?" | "ipc" ["?"]) [ param *( "|" param ) ]      param = key "=" value
//! ```
//!
//! [`ChannelUri`] borrows its text: the grammar is checked once, values are looked up and read when asked for. The
//! accessors accept and reject what the C driver does, with its error codes, and leave defaults and all that needs
//! the driver's state (which session a tag names, say) to the caller. Unknown keys are ignored. Mirrors `aeron_uri.c`
//! and `aeron_driver_uri.c`; uri.md.
//!
//! Addresses are handed on as text; resolving them needs a name service.

pub mod key;
pub mod value;

mod channel;
mod error;
mod publication;
mod subscription;
#[cfg(test)]
mod tests;

pub use channel::{ControlMode, TimestampOffset, Transport};
pub use error::UriError;
pub use publication::{InitialPosition, PublicationSessionId, ResponseCorrelationId};
pub use subscription::CongestionControl;

use value::ValueError;

/// Longest URI that a driver takes, in bytes.
pub const MAX_LENGTH: usize = 4095;

/// What stands before the URI of a spy subscription.
pub const SPY_PREFIX: &str = "aeron-spy:";

const SCHEME: &str = "aeron:";

/// What carries a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// Datagrams.
    Udp,
    /// Shared memory of one host.
    Ipc,
}

/// A channel URI whose grammar is sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelUri<'a> {
    text: &'a str,
    is_spy: bool,
    media: Media,
    /// What follows the `?`.
    params: &'a str,
}

impl<'a> ChannelUri<'a> {
    /// Checks the grammar. As to the C driver, a NUL ends the text.
    ///
    /// # Errors
    /// When it is too long, names no known media, or a parameter has no key or no value; all are code 1.
    pub fn parse(text: &'a str) -> Result<ChannelUri<'a>, UriError<'a>> {
        let is_spy = text.starts_with(SPY_PREFIX);
        let uri = if is_spy { &text[SPY_PREFIX.len()..] } else { text };
        if uri.len() > MAX_LENGTH {
            return Err(UriError::TooLong { length: uri.len() });
        }
        let uri = uri.split_once('\0').map_or(uri, |(before, _)| before);
        let unknown = UriError::UnknownMedia { uri };
        let rest = uri.strip_prefix(SCHEME).ok_or(unknown)?;
        let (media, params) = if let Some(params) = rest.strip_prefix("udp?") {
            (Media::Udp, params)
        } else if let Some(params) = rest.strip_prefix("ipc?") {
            (Media::Ipc, params)
        } else if rest == "ipc" {
            (Media::Ipc, "")
        } else {
            return Err(unknown);
        };
        check_params(uri, params)?;
        Ok(ChannelUri { text: uri, is_spy, media, params })
    }

    /// The URI, without the spy prefix.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// What carries the channel.
    #[must_use]
    pub fn media(&self) -> Media {
        self.media
    }

    /// Whether it is `aeron:ipc`.
    #[must_use]
    pub fn is_ipc(&self) -> bool {
        self.media == Media::Ipc
    }

    /// Whether it is `aeron:udp`.
    #[must_use]
    pub fn is_udp(&self) -> bool {
        self.media == Media::Udp
    }

    /// Whether it has the spy prefix, which makes sense for subscriptions and their destinations only.
    #[must_use]
    pub fn is_spy(&self) -> bool {
        self.is_spy
    }

    /// All parameters as they stand, duplicates and unknown keys included.
    pub fn params(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        // The grammar is checked: what has no '=' is a key that ends with the text, and is ignored.
        self.params.split('|').filter_map(|param| param.split_once('='))
    }

    /// The value that counts for a key: of a duplicate the last for those of the addresses, of `control-mode`, `ttl`
    /// and `tags`, and the first for all others.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a str> {
        let mut values = self.params().filter(|(name, _)| *name == key).map(|(_, value)| value);
        let last_wins = match key {
            key::TAGS | key::CONTROL_MODE => true,
            key::ENDPOINT | key::INTERFACE | key::CONTROL | key::TTL => self.is_udp(),
            _ => false,
        };
        if last_wins { values.last() } else { values.next() }
    }

    /// Reads the value of a key, if it is there.
    fn read<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&'a str) -> Result<T, ValueError>,
    ) -> Result<Option<T>, UriError<'a>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match parse(value) {
            Ok(read) => Ok(Some(read)),
            Err(ValueError { accepts }) => Err(UriError::InvalidValue { key, value, accepts }),
        }
    }
}

/// Every parameter but an unfinished last one has a key and a value.
fn check_params<'a>(uri: &'a str, params: &'a str) -> Result<(), UriError<'a>> {
    let mut rest = params;
    loop {
        let Some(end_of_key) = rest.find(['=', '|']) else { return Ok(()) };
        let (key, after) = (&rest[..end_of_key], &rest[end_of_key + 1..]);
        if rest.as_bytes()[end_of_key] == b'|' {
            return Err(UriError::UnfinishedKey { key, uri });
        }
        if key.is_empty() {
            return Err(UriError::EmptyKey { uri });
        }
        let (value, next) = after.split_once('|').unwrap_or((after, ""));
        if value.is_empty() {
            return Err(UriError::EmptyValue { key, uri });
        }
        rest = next;
    }
}
