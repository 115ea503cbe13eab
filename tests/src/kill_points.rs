//! The moments at which a publisher may die, each as the steps that it had done by then. `[any]`

use crate::raw_log::{HEADER_LENGTH, RawLog};

/// A moment, and how the log lies then.
pub struct KillPoint {
    /// What the publisher had done, as a sentence.
    pub name: &'static str,
    /// How far from the end of its term the stream starts.
    pub room: i64,
    /// Does it.
    pub steps: fn(&RawLog),
}

const WHOLE: u8 = 0xc0;
const DATA: u16 = 1;
const PADDING: u16 = 0;

/// A message of 200 bytes with its header, and what it takes of the term.
const FRAME: i64 = 232;
const ALIGNED: i64 = 256;

/// The length of a full fragment, and of a message in three.
const MTU: i64 = 1408;
const THREE: i64 = 2 * MTU + ALIGNED;

/// Room enough for a stream that shall not come near the end.
const FAR: i64 = 60_000;
/// Room that a message of three fragments does not fit into, though a test's first messages do.
const NEAR: i64 = 1024;

/// Claims a frame and writes its header, all of it.
fn begin(log: &RawLog) -> crate::raw_log::ActiveTerm {
    let term = log.claim(ALIGNED);
    log.put_length(term, term.tail, -FRAME);
    log.put_header(term, term.tail, WHOLE, DATA);
    term
}

/// What is left of a term after the claim that passed its end, at the place where padding goes.
fn left(log: &RawLog, tail: i64) -> i64 {
    log.term_length - tail
}

/// Claims beyond the end of the term.
fn trip(log: &RawLog) -> (crate::raw_log::ActiveTerm, i64) {
    let term = log.claim(THREE);
    assert!(term.tail < log.term_length && term.tail + THREE > log.term_length, "the claim passes the end: {term:?}");
    (term, left(log, term.tail))
}

/// Claims what is left of the term.
fn fill(log: &RawLog) -> (crate::raw_log::ActiveTerm, i64) {
    let length = left(log, log.active_term().tail);
    (log.claim(length), length)
}

/// All of them, for a publication that others share.
pub const SHARED: &[KillPoint] = &[
    KillPoint {
        name: "it had moved the tail",
        room: FAR,
        steps: |log| {
            let _ = log.claim(ALIGNED);
        },
    },
    KillPoint {
        name: "it had moved the tail three times",
        room: FAR,
        steps: |log| {
            for _ in 0..3 {
                let _ = log.claim(ALIGNED);
            }
        },
    },
    KillPoint {
        name: "it had several claims open",
        room: FAR,
        steps: |log| {
            for _ in 0..5 {
                begin(log);
            }
        },
    },
    KillPoint {
        name: "it had claims open between messages that it had committed",
        room: FAR,
        steps: |log| {
            for is_committed in [false, true, false, true, false] {
                let term = begin(log);
                if is_committed {
                    log.put_length(term, term.tail, FRAME);
                }
            }
        },
    },
    KillPoint {
        name: "it had written the length",
        room: FAR,
        steps: |log| {
            let term = log.claim(ALIGNED);
            log.put_length(term, term.tail, -FRAME);
        },
    },
    KillPoint {
        name: "it had written half of the header",
        room: FAR,
        steps: |log| {
            let term = log.claim(ALIGNED);
            log.put_length(term, term.tail, -FRAME);
            log.put(term, term.tail + 4, &[0, WHOLE, 1, 0]);
        },
    },
    KillPoint {
        name: "it had written the header",
        room: FAR,
        steps: |log| {
            begin(log);
        },
    },
    KillPoint {
        name: "it had written half of the message",
        room: FAR,
        steps: |log| {
            let term = begin(log);
            log.put(term, term.tail + HEADER_LENGTH as i64, &[0xab; 100]);
        },
    },
    KillPoint {
        name: "it had written all but the commit",
        room: FAR,
        steps: |log| {
            let term = begin(log);
            log.put(term, term.tail + HEADER_LENGTH as i64, &[0xab; 200]);
        },
    },
    KillPoint {
        name: "it had moved the tail for three fragments",
        room: FAR,
        steps: |log| {
            let _ = log.claim(THREE);
        },
    },
    KillPoint {
        name: "it had begun the first fragment of three",
        room: FAR,
        steps: |log| {
            let term = log.claim(THREE);
            log.put_length(term, term.tail, -MTU);
            log.put_header(term, term.tail, 0x80, DATA);
        },
    },
    KillPoint {
        name: "it had written one fragment of three and begun the second",
        room: FAR,
        steps: |log| {
            let term = log.claim(THREE);
            log.put_length(term, term.tail, -MTU);
            log.put_header(term, term.tail, 0x80, DATA);
            log.put_length(term, term.tail, MTU);
            log.put_length(term, term.tail + MTU, -MTU);
            log.put_header(term, term.tail + MTU, 0, DATA);
        },
    },
    KillPoint {
        name: "it had written one fragment of three",
        room: FAR,
        steps: |log| {
            let term = log.claim(THREE);
            log.put_length(term, term.tail, -MTU);
            log.put_header(term, term.tail, 0x80, DATA);
            log.put_length(term, term.tail, MTU);
        },
    },
    KillPoint {
        name: "it had written two fragments of three and begun the last",
        room: FAR,
        steps: |log| {
            let term = log.claim(THREE);
            for (offset, flags) in [(0, 0x80), (MTU, 0)] {
                log.put_length(term, term.tail + offset, -MTU);
                log.put_header(term, term.tail + offset, flags, DATA);
                log.put_length(term, term.tail + offset, MTU);
            }
            log.put_length(term, term.tail + 2 * MTU, -FRAME);
            log.put_header(term, term.tail + 2 * MTU, 0x40, DATA);
        },
    },
    KillPoint {
        name: "it had claimed the rest of the term",
        room: NEAR,
        steps: |log| {
            let _ = fill(log);
        },
    },
    KillPoint {
        name: "it had begun a message that fills the term",
        room: NEAR,
        steps: |log| {
            let (term, length) = fill(log);
            log.put_length(term, term.tail, -length);
            log.put_header(term, term.tail, WHOLE, DATA);
        },
    },
    KillPoint {
        name: "it had passed the end of the term",
        room: NEAR,
        steps: |log| {
            let _ = trip(log);
        },
    },
    KillPoint {
        name: "it had begun the padding at the end of the term",
        room: NEAR,
        steps: |log| {
            let (term, length) = trip(log);
            log.put_length(term, term.tail, -length);
        },
    },
    KillPoint {
        name: "it had written the padding but for the commit",
        room: NEAR,
        steps: |log| {
            let (term, length) = trip(log);
            log.put_length(term, term.tail, -length);
            log.put_header(term, term.tail, WHOLE, PADDING);
        },
    },
    KillPoint {
        name: "it had committed the padding and not rotated",
        room: NEAR,
        steps: |log| {
            let (term, length) = trip(log);
            log.put_length(term, term.tail, -length);
            log.put_header(term, term.tail, WHOLE, PADDING);
            log.put_length(term, term.tail, length);
        },
    },
    KillPoint {
        name: "it had set the next tail and not the count",
        room: NEAR,
        steps: |log| {
            let (term, length) = trip(log);
            log.put_length(term, term.tail, -length);
            log.put_header(term, term.tail, WHOLE, PADDING);
            log.put_length(term, term.tail, length);
            log.put_next_tail(term);
        },
    },
    KillPoint {
        name: "it had rotated",
        room: NEAR,
        steps: |log| {
            let (term, length) = trip(log);
            log.put_length(term, term.tail, -length);
            log.put_header(term, term.tail, WHOLE, PADDING);
            log.put_length(term, term.tail, length);
            log.put_next_tail(term);
            log.put_next_count(term);
        },
    },
    KillPoint {
        name: "it had rotated, with the end of the old term left unwritten",
        room: NEAR,
        steps: |log| {
            let (term, _) = trip(log);
            log.put_next_tail(term);
            log.put_next_count(term);
        },
    },
    KillPoint {
        name: "it had rotated and claimed in the new term",
        room: NEAR,
        steps: |log| {
            let (term, length) = trip(log);
            log.put_length(term, term.tail, -length);
            log.put_header(term, term.tail, WHOLE, PADDING);
            log.put_length(term, term.tail, length);
            log.put_next_tail(term);
            log.put_next_count(term);
            let next = log.claim(ALIGNED);
            log.put_length(next, next.tail, -FRAME);
        },
    },
];

impl KillPoint {
    /// The channel whose stream begins that far from the end of its second term.
    #[must_use]
    pub fn channel(&self) -> String {
        let offset = 65536 - (self.room / 32) * 32;
        format!("aeron:ipc?term-length=64k|init-term-id=6|term-id=7|term-offset={offset}")
    }
}
