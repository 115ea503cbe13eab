//! Keys of the driver's counters. `[any]`
//!
//! Mirrors the `…_key_layout_t` of `aeron_counters_manager.h`. Reading survives any bytes: a length that does not fit is
//! cut to what is there.
//!
//! ```text
//!    stream            0 registration id i64 | 8 session i32 | 12 stream i32 | 16 channel length i32 | 20 channel, 92
//!    channel           0 channel length i32 | 4 channel, 108
//!    local address     0 channel status id i32 | 4 address length i32 | 8 address, 104, with a zero after it
//!    client heartbeat  0 client id i64
//! ```

use super::super::{CounterId, MAX_KEY_LENGTH};
use super::Stream;
use crate::{SessionId, StreamId};

type Key = [u8; MAX_KEY_LENGTH];

const STREAM_CHANNEL_OFFSET: usize = 20;
const CHANNEL_OFFSET: usize = 4;
const ADDRESS_OFFSET: usize = 8;

fn i32_at(key: &Key, offset: usize) -> i32 {
    let mut le = [0; 4];
    le.copy_from_slice(&key[offset..offset + 4]);
    i32::from_le_bytes(le)
}

fn put(key: &mut Key, offset: usize, bytes: &[u8]) {
    key[offset..offset + bytes.len()].copy_from_slice(bytes);
}

/// Puts as much text as fits before `end` at `offset`, and its length before it.
fn put_text(key: &mut Key, offset: usize, end: usize, text: &str) {
    let text = &text.as_bytes()[..text.len().min(end - offset)];
    put(key, offset - 4, &(text.len() as i32).to_le_bytes()); // at most 108
    put(key, offset, text);
}

fn text(key: &Key, offset: usize) -> &[u8] {
    let length = usize::try_from(i32_at(key, offset - 4)).unwrap_or(0);
    &key[offset..][..length.min(MAX_KEY_LENGTH - offset)]
}

/// The key of a publication's, image's or subscriber's counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamKey<'a> {
    /// Registration id of the publication or subscription, correlation id of the image.
    pub registration_id: i64,
    /// Its session.
    pub session_id: SessionId,
    /// Its stream.
    pub stream_id: StreamId,
    /// The first 92 bytes of its channel.
    pub channel: &'a [u8],
}

impl<'a> StreamKey<'a> {
    /// Reads a key.
    #[must_use]
    pub fn parse(key: &'a Key) -> Self {
        StreamKey {
            registration_id: heartbeat_client_id(key),
            session_id: SessionId(i32_at(key, 8)),
            stream_id: StreamId(i32_at(key, 12)),
            channel: text(key, STREAM_CHANNEL_OFFSET),
        }
    }

    pub(super) fn encode(stream: &Stream<'_>) -> Key {
        let mut key = [0; MAX_KEY_LENGTH];
        put(&mut key, 0, &stream.registration_id.to_le_bytes());
        put(&mut key, 8, &stream.session_id.0.to_le_bytes());
        put(&mut key, 12, &stream.stream_id.0.to_le_bytes());
        put_text(&mut key, STREAM_CHANNEL_OFFSET, MAX_KEY_LENGTH, stream.channel);
        key
    }
}

/// The key of a channel's counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelKey<'a> {
    /// The first 108 bytes of the channel.
    pub channel: &'a [u8],
}

impl<'a> ChannelKey<'a> {
    /// Reads a key.
    #[must_use]
    pub fn parse(key: &'a Key) -> Self {
        ChannelKey { channel: text(key, CHANNEL_OFFSET) }
    }

    pub(super) fn encode(channel: &str) -> Key {
        let mut key = [0; MAX_KEY_LENGTH];
        put_text(&mut key, CHANNEL_OFFSET, MAX_KEY_LENGTH, channel);
        key
    }
}

/// The key of a local address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalAddressKey<'a> {
    /// The channel's status.
    pub channel_status: CounterId,
    /// The first 103 bytes of the address.
    pub address: &'a [u8],
}

impl<'a> LocalAddressKey<'a> {
    /// Reads a key.
    #[must_use]
    pub fn parse(key: &'a Key) -> Self {
        LocalAddressKey { channel_status: CounterId(i32_at(key, 0)), address: text(key, ADDRESS_OFFSET) }
    }

    pub(super) fn encode(channel_status: CounterId, address: &str) -> Key {
        let mut key = [0; MAX_KEY_LENGTH];
        put(&mut key, 0, &channel_status.0.to_le_bytes());
        put_text(&mut key, ADDRESS_OFFSET, MAX_KEY_LENGTH - 1, address);
        key
    }
}

/// The client whose heartbeat has this key.
#[must_use]
pub fn heartbeat_client_id(key: &Key) -> i64 {
    let mut le = [0; 8];
    le.copy_from_slice(&key[..8]);
    i64::from_le_bytes(le)
}
