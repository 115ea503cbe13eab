//! What a test asks of a client, whichever it is: the official one in C or ours. `[any]`

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Whose client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The C client 1.54.
    Official,
    /// The crate `gannet`.
    Ours,
}

impl Peer {
    /// Connects a client to a driver's directory.
    ///
    /// # Errors
    /// When no driver runs there.
    pub fn try_connect(self, directory: &Path, options: &Options) -> Result<Box<dyn Client>, Refused> {
        match self {
            Peer::Official => crate::official::connect(directory, options),
            Peer::Ours => crate::ours::connect(directory, options),
        }
    }

    /// Connects a client that must succeed.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    #[track_caller]
    pub fn connect(self, directory: &Path) -> Box<dyn Client> {
        self.try_connect(directory, &Options::default()).unwrap_or_else(|refused| panic!("{self:?} client: {refused}"))
    }
}

/// Settings of a client that tests change.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a driver may be silent, and how long a command may take.
    pub driver_timeout: Duration,
    /// Shown in the heartbeat counter's label.
    pub name: String,
    /// Touch every page of a log when mapping it.
    pub pre_touch: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { driver_timeout: Duration::from_secs(30), name: String::new(), pre_touch: false }
    }
}

/// A driver's or a client's refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The driver's error code (commands.md §3), or a client's own code.
    pub code: i32,
    /// In words.
    pub text: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused with code {}: {}", self.code, self.text)
    }
}

/// Why nothing was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// No subscriber.
    NotConnected,
    /// The limit is reached.
    BackPressured,
    /// A rotation is under way: try again.
    AdminAction,
    /// The publication or its client is closed.
    Closed,
    /// The end of the position range.
    MaxPositionExceeded,
    /// The caller's mistake, for instance a message that is too long.
    Error(String),
}

impl Stuck {
    /// Whether the same call may succeed a moment later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Stuck::NotConnected | Stuck::BackPressured | Stuck::AdminAction)
    }
}

/// What a client was told by its handlers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the fields are the handlers' arguments, named as Aeron names them
pub enum Event {
    /// `on_available_image`.
    AvailableImage { subscription: i64, correlation_id: i64, session_id: i32 },
    /// `on_unavailable_image`, with the image's position at that moment.
    UnavailableImage { subscription: i64, correlation_id: i64, session_id: i32, position: i64 },
    /// `on_available_counter`.
    AvailableCounter { registration_id: i64, counter_id: i32 },
    /// `on_unavailable_counter`.
    UnavailableCounter { registration_id: i64, counter_id: i32 },
    /// `on_publication_error`.
    PublicationError { registration_id: i64, session_id: i32, stream_id: i32, code: i32, text: String },
    /// The error handler.
    Error { code: i32, text: String },
    /// The close handler.
    Closed,
}

/// The events of one client, in order.
#[derive(Debug, Default)]
pub struct Events(Mutex<Vec<Event>>);

impl Events {
    /// Appends one.
    pub fn push(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }

    /// All of them so far.
    #[must_use]
    pub fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    /// The first that `pick` takes.
    pub fn find<T>(&self, pick: impl FnMut(&Event) -> Option<T>) -> Option<T> {
        self.0.lock().unwrap().iter().find_map(pick)
    }

    /// How many `pick` takes.
    pub fn count(&self, mut pick: impl FnMut(&Event) -> bool) -> usize {
        self.0.lock().unwrap().iter().filter(|event| pick(event)).count()
    }
}

/// The constants of a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicationConstants {
    /// As given.
    pub channel: String,
    /// As given.
    pub stream_id: i32,
    /// The driver's, or the channel's.
    pub session_id: i32,
    /// Of the log.
    pub initial_term_id: i32,
    /// Of this handle.
    pub registration_id: i64,
    /// Of the log: the first handle's.
    pub original_registration_id: i64,
    /// In bytes.
    pub term_length: usize,
    /// In bytes: what fits into one frame.
    pub max_payload_length: usize,
    /// In bytes: what may be offered.
    pub max_message_length: usize,
    /// 2^31 terms.
    pub max_possible_position: i64,
}

/// A shared or exclusive publication.
pub trait Publication: Send {
    /// Publishes a message.
    ///
    /// # Errors
    /// When it cannot be published now, or ever.
    fn offer(&mut self, message: &[u8]) -> Result<i64, Stuck>;
    /// Publishes a message that lies in parts.
    ///
    /// # Errors
    /// As [`Publication::offer`].
    fn offer_parts(&mut self, parts: &[&[u8]]) -> Result<i64, Stuck>;
    /// Publishes with a reserved value in each fragment's header.
    ///
    /// # Errors
    /// As [`Publication::offer`].
    fn offer_reserved(&mut self, message: &[u8], reserved_value: i64) -> Result<i64, Stuck>;
    /// Claims space, lets `write` fill it, and commits when that returns true, else aborts.
    ///
    /// # Errors
    /// As [`Publication::offer`].
    fn claim(&mut self, length: usize, write: &mut dyn FnMut(&mut [u8]) -> bool) -> Result<i64, Stuck>;
    /// Exclusive only: skips `length` bytes and a header.
    ///
    /// # Errors
    /// As [`Publication::offer`].
    fn append_padding(&mut self, length: usize) -> Result<i64, Stuck>;
    /// Exclusive only: appends finished frames.
    ///
    /// # Errors
    /// As [`Publication::offer`].
    fn offer_block(&mut self, frames: &[u8]) -> Result<i64, Stuck>;
    /// Its constants.
    fn constants(&self) -> PublicationConstants;
    /// Where the next message goes; nothing once closed.
    fn position(&self) -> Option<i64>;
    /// How far it may publish; nothing once closed.
    fn position_limit(&self) -> Option<i64>;
    /// Whether there are subscribers.
    fn is_connected(&self) -> bool;
    /// Whether it, or its client, is closed.
    fn is_closed(&self) -> bool;
    /// Ends it and everybody else's handle on it at once (exclusive only).
    fn revoke(self: Box<Self>);
    /// Ends it.
    fn close(self: Box<Self>);
}

/// What a fragment says beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentHeader {
    /// Position after the fragment.
    pub position: i64,
    /// Its session.
    pub session_id: i32,
    /// Its stream.
    pub stream_id: i32,
    /// Its term.
    pub term_id: i32,
    /// Its place in the term, in bytes.
    pub term_offset: i32,
    /// Begin 0x80, end 0x40.
    pub flags: u8,
    /// Application data.
    pub reserved_value: i64,
}

/// A way to poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `poll` with a fragment assembler.
    Assembled,
    /// `poll` without.
    Fragments,
    /// `controlled_poll` with an assembler; every third call is aborted once, and commit, continue and break alternate.
    Controlled,
    /// Each image's `bounded_poll` with an assembler, up to its own next 2 KiB.
    Bounded,
    /// `block_poll`, taken apart into fragments by the test.
    Block,
}

/// The constants and the state of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageState {
    /// The log's registration id.
    pub correlation_id: i64,
    /// The publication's.
    pub session_id: i32,
    /// Where it began.
    pub join_position: i64,
    /// Where it is.
    pub position: i64,
    /// Of the log.
    pub initial_term_id: i32,
    /// `aeron:ipc` here.
    pub source_identity: String,
    /// Its position counter.
    pub subscriber_position_id: i32,
    /// Whether all was read.
    pub is_end_of_stream: bool,
    /// Whether the publication was revoked.
    pub is_publication_revoked: bool,
}

/// A subscription.
pub trait Subscription: Send {
    /// Polls for at most `limit` fragments (bytes, for blocks: `limit` × 1408), and returns what the client returned.
    fn poll(&mut self, way: Way, limit: usize, handler: &mut dyn FnMut(&[u8], &FragmentHeader)) -> usize;
    /// Its images now.
    fn images(&self) -> Vec<ImageState>;
    /// Rejects the image of a session.
    ///
    /// # Errors
    /// When the command cannot be sent.
    fn reject(&mut self, session_id: i32, reason: &str) -> Result<(), Refused>;
    /// Of the command that made it.
    fn registration_id(&self) -> i64;
    /// Whether it has images.
    fn is_connected(&self) -> bool;
    /// Whether it, or its client, is closed.
    fn is_closed(&self) -> bool;
    /// Ends it.
    fn close(self: Box<Self>);
}

/// A counter that this client added.
pub trait Counter: Send {
    /// Its index.
    fn id(&self) -> i32;
    /// Of the command that made it, or of a static counter.
    fn registration_id(&self) -> i64;
    /// Sets its value.
    fn set(&self, value: i64);
    /// Its value.
    fn value(&self) -> i64;
    /// Ends it.
    fn close(self: Box<Self>);
}

/// A counter as a client's reader shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterView {
    /// Its index.
    pub id: i32,
    /// See cnc.md §4.
    pub type_id: i32,
    /// Its value.
    pub value: i64,
    /// All 112 bytes.
    pub key: Vec<u8>,
    /// Its label.
    pub label: String,
    /// Of the command that made it.
    pub registration_id: i64,
    /// The client that owns it.
    pub owner_id: i64,
}

/// A connected client.
pub trait Client: Send {
    /// Adds a shared publication and waits for it.
    ///
    /// # Errors
    /// As the driver answers.
    fn add_publication(&self, channel: &str, stream_id: i32) -> Result<Box<dyn Publication>, Refused>;
    /// Adds an exclusive publication and waits for it.
    ///
    /// # Errors
    /// As the driver answers.
    fn add_exclusive_publication(&self, channel: &str, stream_id: i32) -> Result<Box<dyn Publication>, Refused>;
    /// Adds a subscription and waits for it.
    ///
    /// # Errors
    /// As the driver answers.
    fn add_subscription(&self, channel: &str, stream_id: i32) -> Result<Box<dyn Subscription>, Refused>;
    /// Adds a counter and waits for it.
    ///
    /// # Errors
    /// As the driver answers.
    fn add_counter(&self, type_id: i32, key: &[u8], label: &str) -> Result<Box<dyn Counter>, Refused>;
    /// Adds a static counter, or finds it, and waits for it.
    ///
    /// # Errors
    /// As the driver answers.
    fn add_static_counter(
        &self,
        type_id: i32,
        key: &[u8],
        label: &str,
        registration_id: i64,
    ) -> Result<Box<dyn Counter>, Refused>;
    /// Asks the driver for a session id that the stream does not use.
    ///
    /// # Errors
    /// As the driver answers.
    fn next_session_id(&self, stream_id: i32) -> Result<i32, Refused>;
    /// All allocated counters, as this client's reader shows them.
    fn counters(&self) -> Vec<CounterView>;
    /// Its id.
    fn client_id(&self) -> i64;
    /// Whether it is closed, or was closed by the driver.
    fn is_closed(&self) -> bool;
    /// What its handlers were told.
    fn events(&self) -> Arc<Events>;
    /// Ends it.
    fn close(self: Box<Self>);
}

impl dyn Client {
    /// A publication, shared or exclusive.
    ///
    /// # Errors
    /// As the driver answers.
    pub fn publish(&self, exclusive: bool, channel: &str, stream_id: i32) -> Result<Box<dyn Publication>, Refused> {
        if exclusive {
            self.add_exclusive_publication(channel, stream_id)
        } else {
            self.add_publication(channel, stream_id)
        }
    }
}
