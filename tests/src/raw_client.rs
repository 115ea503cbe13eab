//! A client that is nothing but bytes: it writes records into the command ring and reads the broadcast buffer with plain
//! file access. `[any]`
//!
//! Written from cnc.md and commands.md on its own, so that it can say what no decent client says. It must be the only
//! one that sends commands at the time: the ring's tail is moved without a compare-and-set. It sends no heartbeat.

use crate::cnc_snapshot::{i32_at, i64_at};
use crate::{PATIENCE, wait_for};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Command type ids, commands.md §1.
pub mod command {
    #![allow(missing_docs)] // named as Aeron names them
    pub const ADD_PUBLICATION: i32 = 0x01;
    pub const REMOVE_PUBLICATION: i32 = 0x02;
    pub const ADD_EXCLUSIVE_PUBLICATION: i32 = 0x03;
    pub const ADD_SUBSCRIPTION: i32 = 0x04;
    pub const REMOVE_SUBSCRIPTION: i32 = 0x05;
    pub const CLIENT_KEEPALIVE: i32 = 0x06;
    pub const ADD_DESTINATION: i32 = 0x07;
    pub const REMOVE_DESTINATION: i32 = 0x08;
    pub const ADD_COUNTER: i32 = 0x09;
    pub const REMOVE_COUNTER: i32 = 0x0a;
    pub const CLIENT_CLOSE: i32 = 0x0b;
    pub const ADD_RCV_DESTINATION: i32 = 0x0c;
    pub const REMOVE_RCV_DESTINATION: i32 = 0x0d;
    pub const TERMINATE_DRIVER: i32 = 0x0e;
    pub const ADD_STATIC_COUNTER: i32 = 0x0f;
    pub const REJECT_IMAGE: i32 = 0x10;
    pub const REMOVE_DESTINATION_BY_ID: i32 = 0x11;
    pub const GET_NEXT_AVAILABLE_SESSION_ID: i32 = 0x12;
}

/// The answer to [`command::GET_NEXT_AVAILABLE_SESSION_ID`].
const ON_NEXT_AVAILABLE_SESSION_ID: i32 = 0x0f0d;

const HEADER_LENGTH: u64 = 128;
const RING_TRAILER_LENGTH: u64 = 768;
const BROADCAST_TRAILER_LENGTH: u64 = 128;
const RECORD_HEADER_LENGTH: usize = 8;
const PADDING: i32 = -1;

/// A client on a CnC file.
#[derive(Debug)]
pub struct RawClient {
    file: File,
    ring_capacity: u64,
    broadcast_start: u64,
    broadcast_capacity: u64,
    next_record: i64,
    /// Goes into each command.
    pub client_id: i64,
}

impl RawClient {
    /// Opens a published CnC file and takes a client id. Hears what the driver says from now on.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn connect(directory: &Path) -> Self {
        let file = OpenOptions::new().read(true).write(true).open(directory.join("cnc.dat")).expect("a CnC file");
        let mut header = [0; 20];
        file.read_exact_at(&mut header, 0).expect("a header");
        let length = |offset| u64::try_from(i32_at(&header, offset)).expect("a length");
        let ring_capacity = length(4) - RING_TRAILER_LENGTH;
        let broadcast_start = HEADER_LENGTH + length(4);
        let broadcast_capacity = length(8) - BROADCAST_TRAILER_LENGTH;
        let mut client =
            RawClient { file, ring_capacity, broadcast_start, broadcast_capacity, next_record: 0, client_id: 0 };
        client.client_id = client.correlation_id();
        client.next_record = client.word(broadcast_start + broadcast_capacity + 8);
        client
    }

    /// A new correlation id.
    pub fn correlation_id(&mut self) -> i64 {
        let id = self.ring_word(512);
        self.set_next_correlation_id(id + 1);
        id
    }

    /// Lets correlation ids go on from here, for this client and all others.
    pub fn set_next_correlation_id(&self, id: i64) {
        self.write(HEADER_LENGTH + self.ring_capacity + 512, &id.to_le_bytes());
    }

    fn word(&self, offset: u64) -> i64 {
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes, offset).expect("a word of the CnC file");
        i64_at(&bytes, 0)
    }

    fn ring_word(&self, offset: u64) -> i64 {
        self.word(HEADER_LENGTH + self.ring_capacity + offset)
    }

    fn write(&self, offset: u64, bytes: &[u8]) {
        self.file.write_all_at(bytes, offset).expect("the CnC file can be written");
    }

    /// Where clients write, in bytes since the driver's start.
    #[must_use]
    pub fn producer_position(&self) -> i64 {
        self.ring_word(128)
    }

    /// Where the driver reads.
    #[must_use]
    pub fn consumer_position(&self) -> i64 {
        self.ring_word(384)
    }

    /// Writes one record; whether there was room.
    pub fn send(&self, type_id: i32, body: &[u8]) -> bool {
        self.send_as(type_id, body, i32::try_from(RECORD_HEADER_LENGTH + body.len()).expect("a record's length"))
    }

    /// The ring's capacity in bytes.
    ///
    /// # Panics
    /// When it is longer than a position can tell.
    #[must_use]
    pub fn ring_capacity(&self) -> i64 {
        i64::try_from(self.ring_capacity).expect("a capacity")
    }

    /// Writes one record whose length word may lie: the space it takes is that of its body.
    pub fn send_as(&self, type_id: i32, body: &[u8], length: i32) -> bool {
        let Some(index) = self.reserve(RECORD_HEADER_LENGTH + body.len()) else { return false };
        let mut record = type_id.to_le_bytes().to_vec();
        record.extend_from_slice(body);
        self.write(HEADER_LENGTH + index + 4, &record);
        self.write(HEADER_LENGTH + index, &length.to_le_bytes());
        true
    }

    /// Moves the tail for a record of `length` bytes and writes nothing, as a client that dies then; whether there was
    /// room.
    #[must_use]
    pub fn claim(&self, length: usize) -> bool {
        self.reserve(length).is_some()
    }

    /// Moves the tail, over padding to the end of the ring if need be; where the record goes.
    fn reserve(&self, length: usize) -> Option<u64> {
        let tail = self.producer_position();
        // The driver may be past what this client saw: another one's tail.
        let used = u64::try_from(tail - self.consumer_position()).expect("the tail is ahead");
        let aligned = length.next_multiple_of(8) as u64;
        let index = u64::try_from(tail).expect("a position") % self.ring_capacity;
        let to_end = self.ring_capacity - index;
        let padding = if aligned > to_end { to_end } else { 0 };
        if used + padding + aligned > self.ring_capacity {
            return None;
        }
        let advanced = tail + i64::try_from(padding + aligned).expect("a position");
        self.write(HEADER_LENGTH + self.ring_capacity + 128, &advanced.to_le_bytes());
        if padding == 0 {
            return Some(index);
        }
        self.write(HEADER_LENGTH + index + 4, &PADDING.to_le_bytes());
        self.write(HEADER_LENGTH + index, &i32::try_from(padding).expect("a length").to_le_bytes());
        Some(0)
    }

    /// What the driver broadcast since the last call: type id and body of each message.
    ///
    /// # Panics
    /// When the driver lapped this reader.
    pub fn responses(&mut self) -> Vec<(i32, Vec<u8>)> {
        let trailer = self.broadcast_start + self.broadcast_capacity;
        let tail = self.word(trailer + 8);
        let mut responses = Vec::new();
        while self.next_record < tail {
            let index = u64::try_from(self.next_record).expect("a position") % self.broadcast_capacity;
            let mut header = [0; RECORD_HEADER_LENGTH];
            self.file.read_exact_at(&mut header, self.broadcast_start + index).expect("a record");
            let (length, type_id) = (i32_at(&header, 0), i32_at(&header, 4));
            let length = usize::try_from(length).expect("a record's length");
            if type_id != PADDING {
                let mut body = vec![0; length - RECORD_HEADER_LENGTH];
                self.file
                    .read_exact_at(&mut body, self.broadcast_start + index + RECORD_HEADER_LENGTH as u64)
                    .expect("a record");
                responses.push((type_id, body));
            }
            self.next_record += i64::try_from(length.next_multiple_of(8)).expect("a length");
        }
        let intent = self.word(trailer);
        let lag = u64::try_from(intent - self.next_record).expect("the driver is ahead");
        assert!(lag <= self.broadcast_capacity, "the driver lapped this reader");
        responses
    }

    /// Skips what was broadcast so far.
    pub fn skip_responses(&mut self) {
        self.next_record = self.word(self.broadcast_start + self.broadcast_capacity + 8);
    }

    /// Waits until the driver has done all that was sent, and returns its answers. Sends one more command to know, whose
    /// answer is left out.
    #[track_caller]
    pub fn settle(&mut self) -> Vec<(i32, Vec<u8>)> {
        let correlation_id = self.correlation_id();
        let mut body = self.header(correlation_id);
        body.extend_from_slice(&i32::MIN.to_le_bytes());
        wait_for("there is room in the command ring", PATIENCE, || {
            self.send(command::GET_NEXT_AVAILABLE_SESSION_ID, &body).then_some(())
        });
        let mut responses = Vec::new();
        wait_for("the driver answers the last command", PATIENCE, || {
            responses.extend(self.responses());
            let last = |(type_id, body): &(i32, Vec<u8>)| {
                *type_id == ON_NEXT_AVAILABLE_SESSION_ID && i64_at(body, 0) == correlation_id
            };
            let found = responses.iter().position(last);
            found.map(|index| responses.remove(index))
        });
        responses
    }

    /// Client id and correlation id, with which every command begins.
    #[must_use]
    pub fn header(&self, correlation_id: i64) -> Vec<u8> {
        let mut body = self.client_id.to_le_bytes().to_vec();
        body.extend_from_slice(&correlation_id.to_le_bytes());
        body
    }

    /// The body of a command that ends in a channel, with a new correlation id: a publication's add, or with
    /// `registration_id` any of the others.
    pub fn channel_command(&mut self, fields: &[u8], channel: &str) -> Vec<u8> {
        let correlation_id = self.correlation_id();
        let mut body = self.header(correlation_id);
        body.extend_from_slice(fields);
        text(&mut body, channel.as_bytes());
        body
    }

    /// Adds a publication.
    pub fn add_publication(&mut self, exclusive: bool, channel: &str, stream_id: i32) -> i64 {
        let body = self.channel_command(&stream_id.to_le_bytes(), channel);
        let type_id = if exclusive { command::ADD_EXCLUSIVE_PUBLICATION } else { command::ADD_PUBLICATION };
        assert!(self.send(type_id, &body), "the command ring is full");
        i64_at(&body, 8)
    }

    /// Adds a subscription.
    pub fn add_subscription(&mut self, channel: &str, stream_id: i32) -> i64 {
        let mut fields = (-1_i64).to_le_bytes().to_vec();
        fields.extend_from_slice(&stream_id.to_le_bytes());
        let body = self.channel_command(&fields, channel);
        assert!(self.send(command::ADD_SUBSCRIPTION, &body), "the command ring is full");
        i64_at(&body, 8)
    }

    /// Sends a command with these bytes after the header; returns its correlation id.
    pub fn send_fields(&mut self, type_id: i32, fields: &[u8]) -> i64 {
        let correlation_id = self.correlation_id();
        let mut body = self.header(correlation_id);
        body.extend_from_slice(fields);
        assert!(self.send(type_id, &body), "the command ring is full");
        correlation_id
    }
}

/// Appends a length and the bytes.
pub fn text(body: &mut Vec<u8>, bytes: &[u8]) {
    body.extend_from_slice(&i32::try_from(bytes.len()).expect("a length").to_le_bytes());
    body.extend_from_slice(bytes);
}

/// The fields of an add of a counter: type, key, label.
#[must_use]
pub fn counter_fields(type_id: i32, key: &[u8], label: &[u8]) -> Vec<u8> {
    let mut fields = type_id.to_le_bytes().to_vec();
    text(&mut fields, key);
    fields.resize(fields.len().next_multiple_of(4), 0);
    text(&mut fields, label);
    fields
}

/// A response in words, without what differs between two runs of the same commands: session ids that the driver chose
/// are told as `?`, the driver's directory as `<dir>`, the text of an error not at all.
#[must_use]
pub fn describe(type_id: i32, body: &[u8], directory: &Path) -> String {
    let word = |offset| i32_at(body, offset);
    let long = |offset| i64_at(body, offset);
    let session = |offset| if (0..=1000).contains(&word(offset)) { word(offset).to_string() } else { "?".to_owned() };
    let text = |offset: usize| {
        let length = usize::try_from(word(offset)).expect("a length");
        let bytes = &body[offset + 4..offset + 4 + length];
        String::from_utf8_lossy(bytes).replace(&*directory.to_string_lossy(), "<dir>")
    };
    match type_id {
        0x0f01 => format!("ON_ERROR {} code {}", long(0), word(8)),
        0x0f02 => {
            let log = text(28);
            let source = (32 + usize::try_from(word(28)).expect("a length")).next_multiple_of(4);
            let source = String::from_utf8_lossy(
                &body[source + 4..source + 4 + usize::try_from(i32_at(body, source)).expect("a length")],
            )
            .into_owned();
            format!(
                "ON_AVAILABLE_IMAGE {} session {} stream {} subscription {} position counter {} log {log} source {source}",
                long(0),
                session(8),
                word(12),
                long(16),
                word(24),
            )
        }
        0x0f03 | 0x0f06 => format!(
            "{} {} of {} session {} stream {} limit counter {} status counter {} log {}",
            if type_id == 0x0f03 { "ON_PUBLICATION_READY" } else { "ON_EXCLUSIVE_PUBLICATION_READY" },
            long(0),
            long(8),
            session(16),
            word(20),
            word(24),
            word(28),
            text(32),
        ),
        0x0f04 => format!("ON_OPERATION_SUCCESS {}", long(0)),
        0x0f05 => {
            format!("ON_UNAVAILABLE_IMAGE {} subscription {} stream {} {}", long(0), long(8), word(16), text(20))
        }
        0x0f07 => format!("ON_SUBSCRIPTION_READY {} status counter {}", long(0), word(8)),
        0x0f08 => format!("ON_COUNTER_READY {} counter {}", long(0), word(8)),
        0x0f09 => format!("ON_UNAVAILABLE_COUNTER {} counter {}", long(0), word(8)),
        0x0f0a => format!("ON_CLIENT_TIMEOUT {}", long(0)),
        0x0f0b => format!("ON_STATIC_COUNTER {} counter {}", long(0), word(8)),
        0x0f0c => format!(
            "ON_PUBLICATION_ERROR {} destination {} session {} stream {} receiver {} group {} address type {} port {} code {} {}",
            long(0),
            long(8),
            session(16),
            word(20),
            long(24),
            long(32),
            i16::from_le_bytes([body[40], body[41]]),
            u16::from_le_bytes([body[42], body[43]]),
            word(60),
            text(64),
        ),
        0x0f0d => format!("ON_NEXT_AVAILABLE_SESSION_ID {} session {}", long(0), session(8)),
        other => format!("unknown response {other:#x} of {} bytes", body.len()),
    }
}
