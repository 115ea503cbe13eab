//! The cases: what is sent, how, through which log. Both sides run the same channel, so term length, MTU and window
//! are equal by construction.

use clap::ValueEnum;
use std::fmt;

/// How a message gets into the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// Exclusive publication, `try_claim`, written in place, committed.
    Claim,
    /// Exclusive publication, `offer`.
    Offer,
    /// Shared publication, `offer`.
    SharedOffer,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Method::Claim => "exclusive try_claim",
            Method::Offer => "exclusive offer",
            Method::SharedOffer => "shared offer",
        })
    }
}

/// What a case measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Messages per second from one producer to one consumer.
    Throughput,
    /// The time from a message to its echo.
    RoundTrip,
}

/// One line of the results.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The name on the command line and in the files.
    pub name: &'static str,
    /// What is measured.
    pub kind: Kind,
    /// How messages are sent.
    pub method: Method,
    /// Payload of a message in bytes.
    pub length: usize,
    /// Length of a term in bytes.
    pub term_length: u32,
    /// Longest frame in bytes.
    pub mtu: u32,
    /// The ratio to the official side that issue 2 asks for: a floor for throughput, a ceiling for the round trip.
    pub required: f64,
    /// Whether the two modes of small messages are told apart (see `docs/benchmarks/README.md`).
    pub bimodal: bool,
}

const KIB: u32 = 1024;
const MIB: u32 = 1024 * 1024;

/// The term length of the cases that are not about it: Aeron's default, `AERON_IPC_TERM_BUFFER_LENGTH`.
const TERM_LENGTH: u32 = 64 * MIB;

/// Aeron's default MTU, `AERON_IPC_MTU_LENGTH`.
const MTU: u32 = 1408;

const fn throughput(name: &'static str, method: Method, length: usize, required: f64) -> Case {
    Case {
        name,
        kind: Kind::Throughput,
        method,
        length,
        term_length: TERM_LENGTH,
        mtu: MTU,
        required,
        bimodal: length <= 32,
    }
}

const fn small_terms(name: &'static str, term_length: u32) -> Case {
    Case { term_length, ..throughput(name, Method::Offer, 1024, 3.0) }
}

/// All cases of issue 2, in the order of the report.
pub const CASES: &[Case] = &[
    throughput("claim-32", Method::Claim, 32, 1.1),
    throughput("offer-32", Method::Offer, 32, 1.1),
    throughput("shared-32", Method::SharedOffer, 32, 1.2),
    throughput("offer-256", Method::Offer, 256, 1.1),
    throughput("offer-1k", Method::Offer, 1024, 1.1),
    throughput("offer-4k", Method::Offer, 4096, 1.1),
    Case { mtu: 8 * KIB, ..throughput("offer-4k-mtu-8k", Method::Offer, 4096, 1.1) },
    small_terms("offer-1k-term-64k", 64 * KIB),
    small_terms("offer-1k-term-256k", 256 * KIB),
    small_terms("offer-1k-term-1m", MIB),
    Case {
        name: "round-trip-32",
        kind: Kind::RoundTrip,
        method: Method::Offer,
        length: 32,
        term_length: TERM_LENGTH,
        mtu: MTU,
        required: 1.0,
        bimodal: false,
    },
];

/// The name of [`Case::small`].
const SMALL: &str = "small";
/// The term length of our driver's small profile, which that case does not ask for but gets.
const SMALL_TERM_LENGTH: u32 = 4 * MIB;

impl Case {
    /// The case of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Case> {
        if name == SMALL {
            return Some(Case::small());
        }
        CASES.iter().find(|case| case.name == name).copied()
    }

    /// A plain `aeron:ipc`, as a driver with the small profile serves it.
    #[must_use]
    pub fn small() -> Case {
        Case { term_length: SMALL_TERM_LENGTH, ..throughput(SMALL, Method::Offer, 32, 0.0) }
    }

    /// The channel that both sides use.
    #[must_use]
    pub fn channel(&self) -> String {
        if self.name == SMALL {
            return "aeron:ipc".to_owned();
        }
        format!("aeron:ipc?term-length={}|mtu={}", self.term_length, self.mtu)
    }

    /// Whether the case is about the pace of the driver rather than of the clients.
    #[must_use]
    pub fn has_small_terms(&self) -> bool {
        self.term_length < TERM_LENGTH
    }

    /// How many messages fill the log once, all three terms.
    #[must_use]
    pub fn messages_in_log(&self) -> u64 {
        let payload = self.mtu as usize - 32;
        let rest = self.length % payload;
        let whole = self.length / payload * self.mtu as usize;
        let frames = whole + if rest > 0 || self.length == 0 { (rest + 32).next_multiple_of(32) } else { 0 };
        3 * u64::from(self.term_length) / frames as u64
    }

    /// Whether a message takes several frames, which the subscriber then assembles.
    #[must_use]
    pub fn is_fragmented(&self) -> bool {
        self.length + 32 > self.mtu as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_takes_its_frames_with_their_headers() {
        let messages = |name| Case::named(name).map(|case| case.messages_in_log());
        assert_eq!(messages("claim-32"), Some(3 * 64 * 1024 * 1024 / 64));
        // Two frames of an MTU, and one of 4096 − 2 · 1376 = 1344 bytes and its header.
        assert_eq!(messages("offer-4k"), Some(3 * 64 * 1024 * 1024 / (2 * 1408 + 1376)));
    }
}
