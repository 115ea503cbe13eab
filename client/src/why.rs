//! Why a publication does not take messages, in a sentence. `[any]`
//!
//! Nothing of Aeron's mirrors this: it reads the position counters that every driver keeps (section 4 of `cnc.md`)
//! and names the one that holds the publication back.

use std::fmt;
use std::time::Duration;

use gannet_core::counters::CounterId;
use gannet_core::counters::layout::type_id;
use gannet_core::position::Position;

use crate::counters_reader::Counters;

/// Why a publication does, or does not, take messages at this moment. Its `Display` is the sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// It takes messages.
    Free {
        /// How many bytes it takes before somebody has to catch up.
        room: i64,
    },
    /// It has no subscriber.
    NotConnected,
    /// A subscriber of this host holds it up.
    Subscriber {
        /// The subscription's registration id.
        registration_id: i64,
        /// The client that the subscription belongs to.
        client_id: i64,
        /// The counter of its position.
        counter_id: CounterId,
        /// That counter's label.
        label: String,
        /// How far it has read.
        position: Position,
        /// By how many bytes it is behind the publication.
        behind: i64,
        /// For how long offers have been refused at the publication's position; none when nothing was offered there.
        refused_for: Option<Duration>,
        /// For how long the subscriber has been seen at this position. Looks begin when offers are refused, once in each
        /// idle sleep of the conductor (16 ms), and with each call of `why`: it may have stood there for longer.
        unmoved_for: Duration,
    },
    /// The driver's sender has not sent far enough: the receivers' windows, or the network, hold it up.
    Sender {
        /// The counter of its position.
        counter_id: CounterId,
        /// That counter's label.
        label: String,
        /// How far it has sent.
        position: Position,
        /// By how many bytes it is behind the publication.
        behind: i64,
        /// For how long offers have been refused at the publication's position; none when nothing was offered there.
        refused_for: Option<Duration>,
        /// For how long the sender has been seen at this position, counted as a subscriber's.
        unmoved_for: Duration,
    },
    /// Everybody has caught up, and the driver has yet to move the limit.
    Limit {
        /// Where the publication stands.
        position: Position,
        /// The limit.
        limit: Position,
        /// For how long offers have been refused at the publication's position; none when nothing was offered there.
        refused_for: Option<Duration>,
    },
    /// The session has reached the end of its position range.
    MaxPositionExceeded {
        /// Where the publication stands.
        position: Position,
    },
    /// The publication or its client is closed.
    Closed,
}

/// Somebody whose position bounds a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) counter_id: CounterId,
    pub(crate) position: i64,
    is_sender: bool,
}

/// A holder, and since when it has been seen at this position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sighting {
    pub(crate) holder: Holder,
    pub(crate) since_ns: i64,
}

impl Holder {
    /// The subscriber or sender that is furthest behind in a publication's stream, among those that still count: the
    /// limit never lies more than a window beyond anybody who does, so who is left behind further, an untethered
    /// subscriber at rest, holds up nobody.
    pub(crate) fn find(counters: &Counters, publication_registration_id: i64, counts_from: i64) -> Option<Holder> {
        let mut slowest: Option<Holder> = None;
        for record in counters.iter() {
            let is_sender = match record.type_id {
                type_id::SUBSCRIBER_POSITION if record.reference_id == publication_registration_id => false,
                type_id::SENDER_POSITION if record.registration_id == publication_registration_id => true,
                _ => continue,
            };
            if record.value >= counts_from && slowest.is_none_or(|slowest| record.value < slowest.position) {
                slowest = Some(Holder { counter_id: record.id, position: record.value, is_sender });
            }
        }
        slowest
    }
}

impl Why {
    pub(crate) fn held_up(
        counters: &Counters,
        holder: Holder,
        at: Position,
        limit: Position,
        refused_for: Option<Duration>,
        unmoved_for: Duration,
    ) -> Why {
        let Holder { counter_id, position, is_sender } = holder;
        let position = Position(position);
        let behind = at.since(position);
        let Some(record) = counters.record(counter_id).filter(|_| behind > 0) else {
            return Why::Limit { position: at, limit, refused_for };
        };
        let label = record.label_text().to_owned();
        if is_sender {
            Why::Sender { counter_id, label, position, behind, refused_for, unmoved_for }
        } else {
            Why::Subscriber {
                registration_id: record.registration_id,
                client_id: record.owner_id,
                counter_id,
                label,
                position,
                behind,
                refused_for,
                unmoved_for,
            }
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Free { room } => write!(f, "not held up: it takes {room} more bytes before anybody has to catch up"),
            Why::NotConnected => f.write_str("not connected: it has no subscriber"),
            Why::Subscriber {
                registration_id,
                client_id,
                counter_id,
                label,
                position,
                behind,
                refused_for,
                unmoved_for,
            } => {
                write!(
                    f,
                    "held up by subscription {registration_id} of client {client_id}: its position {position} \
                     (counter {}, {label}) is {behind} bytes behind and has not moved for {unmoved_for:.1?}",
                    counter_id.0
                )?;
                write_refused(f, *refused_for)
            }
            Why::Sender { counter_id, label, position, behind, refused_for, unmoved_for } => {
                write!(
                    f,
                    "held up by its receivers or the network: the sender's position {position} (counter {}, {label}) \
                     is {behind} bytes behind and has not moved for {unmoved_for:.1?}",
                    counter_id.0
                )?;
                write_refused(f, *refused_for)
            }
            Why::Limit { position, limit, refused_for } => {
                write!(
                    f,
                    "held up at {position} by its limit {limit}: everybody has caught up, and the driver has yet to \
                     raise it"
                )?;
                write_refused(f, *refused_for)
            }
            Why::MaxPositionExceeded { position } => {
                write!(f, "at the end of its position range ({position}): only a new publication can go on")
            }
            Why::Closed => f.write_str("closed"),
        }
    }
}

fn write_refused(f: &mut fmt::Formatter<'_>, refused_for: Option<Duration>) -> fmt::Result {
    match refused_for {
        Some(refused_for) => write!(f, "; offers have been refused for {refused_for:.1?}"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_names_the_subscriber_and_by_how_much_and_since_when() {
        let why = Why::Subscriber {
            registration_id: 7,
            client_id: 3,
            counter_id: CounterId(52),
            label: "sub-pos: 7 12 1001 aeron:ipc @0".to_owned(),
            position: Position(4096),
            behind: 32_768,
            refused_for: Some(Duration::from_millis(2300)),
            unmoved_for: Duration::from_millis(2100),
        };
        assert_eq!(
            why.to_string(),
            "held up by subscription 7 of client 3: its position 4096 (counter 52, sub-pos: 7 12 1001 aeron:ipc @0) is \
             32768 bytes behind and has not moved for 2.1s; offers have been refused for 2.3s"
        );
    }
}
