//! The counters that a driver shows: type ids, keys, labels. `[any]`
//!
//! Mirrors `aeron_counters.h`, `aeron_position.c` and the allocations of `aeron_driver_conductor.c`; cnc.md §4. Each
//! function makes a [`NewCounter`] for `CountersManager::allocate_counter`; `…Key` types read keys of any driver.

mod key;
mod label;
pub mod type_id;

pub use key::{ChannelKey, LocalAddressKey, StreamKey, heartbeat_client_id};
pub use label::Label;

use core::fmt;

use super::{CounterId, MAX_KEY_LENGTH};
use crate::{Position, SessionId, StreamId};

/// The owner of counters that belong to the driver itself, `AERON_NULL_VALUE`.
pub const NULL_OWNER: i64 = -1;

/// Value of a channel's status while it is being set up.
pub const CHANNEL_INITIALIZING: i64 = 0;
/// Value of a channel's status after an error.
pub const CHANNEL_ERRORED: i64 = -1;
/// Value of a channel's status, and of a local address, in use.
pub const CHANNEL_ACTIVE: i64 = 1;
/// Value of a channel's status while it closes.
pub const CHANNEL_CLOSING: i64 = 2;

/// A counter to be allocated.
#[derive(Clone, Debug)]
pub struct NewCounter {
    /// Its type, one of [`type_id`]'s for the driver's own.
    pub type_id: i32,
    /// Its key, zeroes behind it.
    pub key: [u8; MAX_KEY_LENGTH],
    /// Its label.
    pub label: Label,
    /// What it belongs to; 0 for nothing.
    pub registration_id: i64,
    /// The client that it belongs to; [`NULL_OWNER`] or 0 for none.
    pub owner_id: i64,
    /// What it refers to; 0 for nothing.
    pub reference_id: i64,
    /// Its first value.
    pub value: i64,
}

impl NewCounter {
    /// A counter with this type, key and label, and everything else 0. What is too long is cut off.
    #[must_use]
    pub fn new(type_id: i32, key: &[u8], label: impl fmt::Display) -> Self {
        let mut whole_key = [0; MAX_KEY_LENGTH];
        let length = key.len().min(MAX_KEY_LENGTH);
        whole_key[..length].copy_from_slice(&key[..length]);
        NewCounter {
            type_id,
            key: whole_key,
            label: Label::from_display(label),
            registration_id: 0,
            owner_id: 0,
            reference_id: 0,
            value: 0,
        }
    }

    /// The same, with this first value.
    #[must_use]
    pub fn with_value(mut self, value: i64) -> Self {
        self.value = value;
        self
    }
}

/// What the counters of a publication or an image have in common.
#[derive(Clone, Copy, Debug)]
pub struct Stream<'a> {
    /// Registration id of the publication; correlation id of the image; for a subscriber's position, of its subscription.
    pub registration_id: i64,
    /// Its session.
    pub session_id: SessionId,
    /// Its stream.
    pub stream_id: StreamId,
    /// The channel as the client gave it.
    pub channel: &'a str,
}

impl Stream<'_> {
    fn counter(&self, type_id: i32, name: &str, owner_id: i64) -> NewCounter {
        let Stream { registration_id, session_id, stream_id, channel } = self;
        let label = format_args!("{name}: {registration_id} {session_id} {stream_id} {channel}");
        NewCounter {
            registration_id: *registration_id,
            owner_id,
            ..NewCounter::new(type_id, &StreamKey::encode(self), label)
        }
    }

    /// `pub-lmt`: up to where a publication may write.
    #[must_use]
    pub fn publisher_limit(&self, client_id: i64) -> NewCounter {
        self.counter(type_id::PUBLISHER_LIMIT, "pub-lmt", client_id)
    }

    /// `pub-pos (concurrent)` or `pub-pos (exclusive)`: up to where a publication has written, as the driver samples it.
    #[must_use]
    pub fn publisher_position(&self, client_id: i64, is_exclusive: bool) -> NewCounter {
        let name = if is_exclusive { "pub-pos (exclusive)" } else { "pub-pos (concurrent)" };
        self.counter(type_id::PUBLISHER_POSITION, name, client_id)
    }

    /// `snd-pos`: up to where the sender has sent.
    #[must_use]
    pub fn sender_position(&self, client_id: i64) -> NewCounter {
        self.counter(type_id::SENDER_POSITION, "snd-pos", client_id)
    }

    /// `snd-lmt`: up to where the sender may send.
    #[must_use]
    pub fn sender_limit(&self, client_id: i64) -> NewCounter {
        self.counter(type_id::SENDER_LIMIT, "snd-lmt", client_id)
    }

    /// `snd-bpe`: how often flow control held the sender.
    #[must_use]
    pub fn sender_back_pressure_events(&self, client_id: i64) -> NewCounter {
        self.counter(type_id::SENDER_BPE, "snd-bpe", client_id)
    }

    /// `snd-naks-received`.
    #[must_use]
    pub fn sender_naks_received(&self, client_id: i64) -> NewCounter {
        self.counter(type_id::SENDER_NAKS_RECEIVED, "snd-naks-received", client_id)
    }

    /// `fc-receivers`: how many receivers flow control knows.
    #[must_use]
    pub fn flow_control_receivers(&self) -> NewCounter {
        self.counter(type_id::FLOW_CONTROL_RECEIVERS, "fc-receivers", NULL_OWNER)
    }

    /// `sub-pos`: up to where a subscriber has read an image or publication, whose registration id is `image_id`.
    #[must_use]
    pub fn subscriber_position(&self, client_id: i64, image_id: i64, join: Position) -> NewCounter {
        let mut counter = self.counter(type_id::SUBSCRIBER_POSITION, "sub-pos", client_id);
        counter.label.append(format_args!(" @{join}"));
        NewCounter { reference_id: image_id, ..counter }.with_value(join.0)
    }

    /// `rcv-hwm`: the highest position that an image has seen.
    #[must_use]
    pub fn receiver_high_water_mark(&self, client_id: i64) -> NewCounter {
        self.counter(type_id::RECEIVER_HWM, "rcv-hwm", client_id)
    }

    /// `rcv-pos`: up to where an image is complete.
    #[must_use]
    pub fn receiver_position(&self, client_id: i64) -> NewCounter {
        self.counter(type_id::RECEIVER_POSITION, "rcv-pos", client_id)
    }

    /// `rcv-naks-sent`.
    #[must_use]
    pub fn receiver_naks_sent(&self, client_id: i64) -> NewCounter {
        self.counter(type_id::RECEIVER_NAKS_SENT, "rcv-naks-sent", client_id)
    }

    /// `rcv-cc-cubic-rtt`: CUBIC's round-trip time in nanoseconds.
    #[must_use]
    pub fn cubic_rtt(&self) -> NewCounter {
        self.counter(type_id::PER_IMAGE, "rcv-cc-cubic-rtt", NULL_OWNER)
    }

    /// `rcv-cc-cubic-wnd`: CUBIC's window in bytes.
    #[must_use]
    pub fn cubic_window(&self) -> NewCounter {
        self.counter(type_id::PER_IMAGE, "rcv-cc-cubic-wnd", NULL_OWNER)
    }
}

/// The side of a channel's endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Of publications.
    Send,
    /// Of subscriptions.
    Receive,
}

/// `snd-channel` or `rcv-channel`: the status of a channel's endpoint, by the command that created it.
///
/// Its label gains the bound address by [`channel_status_label`].
#[must_use]
pub fn channel_status(side: Side, registration_id: i64, channel: &str) -> NewCounter {
    let (type_id, name) = match side {
        Side::Send => (type_id::SEND_CHANNEL_STATUS, "snd-channel"),
        Side::Receive => (type_id::RECEIVE_CHANNEL_STATUS, "rcv-channel"),
    };
    let counter = NewCounter::new(type_id, &ChannelKey::encode(channel), format_args!("{name}: {channel}"));
    NewCounter { registration_id, ..counter }
}

/// The whole label of a channel's status once its socket is bound; `address` is empty for a multi-destination subscription.
#[must_use]
pub fn channel_status_label(side: Side, channel: &str, address: &str) -> Label {
    let name = if side == Side::Send { "snd-channel" } else { "rcv-channel" };
    Label::from_display(format_args!("{name}: {channel} {address}"))
}

/// `mdc-num-dest`: how many destinations a multi-destination publication has.
#[must_use]
pub fn destination_count(registration_id: i64, channel: &str) -> NewCounter {
    let label = format_args!("mdc-num-dest: {channel}");
    let counter = NewCounter::new(type_id::CHANNEL_NUM_DESTINATIONS, &ChannelKey::encode(channel), label);
    NewCounter { registration_id, ..counter }
}

/// `snd-local-sockaddr` or `rcv-local-sockaddr`: an address that a channel is bound to, while its value is
/// [`CHANNEL_ACTIVE`].
#[must_use]
pub fn local_address(side: Side, registration_id: i64, channel_status: CounterId, address: &str) -> NewCounter {
    let name = if side == Side::Send { "snd-local-sockaddr" } else { "rcv-local-sockaddr" };
    let key = LocalAddressKey::encode(channel_status, address);
    let label = format_args!("{name}: {channel_status} {address}");
    NewCounter { registration_id, ..NewCounter::new(type_id::LOCAL_SOCKADDR, &key, label) }
}

/// `client-heartbeat`: when a client was last alive, in epoch milliseconds.
#[must_use]
pub fn client_heartbeat(client_id: i64) -> NewCounter {
    let label = format_args!("client-heartbeat: id={client_id}");
    let counter = NewCounter::new(type_id::CLIENT_HEARTBEAT_TIMESTAMP, &client_id.to_le_bytes(), label);
    NewCounter { registration_id: client_id, owner_id: client_id, ..counter }
}

/// What a client appends to its heartbeat's label: who it is.
#[must_use]
pub fn client_information(name: &str, version: &str, commit: &str) -> Label {
    Label::from_display(format_args!(" name={name} version={version} commit={commit}"))
}

/// `Resolver neighbors`: how many drivers the name resolver, bound to this address, knows.
#[must_use]
pub fn resolver_neighbors(address: &str) -> NewCounter {
    NewCounter::new(type_id::NAME_RESOLVER_NEIGHBORS, &[], format_args!("Resolver neighbors: bound {address}"))
}

/// `Resolver cache entries`: how many names the resolver of this name has cached.
#[must_use]
pub fn resolver_cache_entries(name: &str) -> NewCounter {
    NewCounter::new(type_id::NAME_RESOLVER_CACHE_ENTRIES, &[], format_args!("Resolver cache entries: name={name}"))
}

/// `Bootstrap neighbor`: whether the resolver's neighbour of this index and name is connected, and where.
#[must_use]
pub fn bootstrap_neighbor(index: i32, name: &str, resolved: &str) -> NewCounter {
    let label = format_args!("Bootstrap neighbor: name={name} resolved={resolved}");
    NewCounter::new(type_id::NAME_RESOLVER_BOOTSTRAP_NEIGHBOR, &index.to_le_bytes(), label)
}
