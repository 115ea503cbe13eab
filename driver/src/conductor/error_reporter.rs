//! Errors, where operators find them: the CnC file's error log, and counter 15. `[conductor]`
//!
//! Mirrors `aeron_driver_conductor_log_explicit_error`; cnc.md §5. The log is searched for a text that it has, so a
//! client that sends ever new nonsense would make each error dearer than the last: texts are remembered by hash, and
//! beyond a number of different ones only counted.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::hash::{BuildHasher, RandomState};

use gannet_core::command::ErrorCode;
use gannet_core::counters::Counter;
use gannet_core::error_log::{DistinctErrorLog, EntryId, Full};
use gannet_transport_ipc::Region;

/// The longest text of an entry, in bytes; the peer's `AERON_ERROR_MAX_TOTAL_LENGTH` is of this size too.
pub(super) const MAX_TEXT_LENGTH: usize = 8192;

/// The writer of the error log.
#[derive(Debug)]
pub(super) struct ErrorReporter {
    log: DistinctErrorLog<Region>,
    errors: Counter<Region>,
    known: HashMap<u64, EntryId>,
    hasher: RandomState,
    text: String,
    is_full: bool,
}

impl ErrorReporter {
    pub(super) fn new(log: DistinctErrorLog<Region>, errors: Counter<Region>) -> Self {
        ErrorReporter {
            log,
            errors,
            known: HashMap::new(),
            hasher: RandomState::new(),
            text: String::new(),
            is_full: false,
        }
    }

    /// Records one more observation of an error.
    pub(super) fn report(&mut self, code: ErrorCode, message: &dyn fmt::Display, now_ms: i64) {
        self.errors.add(1);
        self.record(&format_args!("{code}: {message}"), now_ms);
    }

    /// Records a warning, which is no error: in the log alone, and as it stands.
    pub(super) fn warn(&mut self, message: &dyn fmt::Display, now_ms: i64) {
        self.record(&format_args!("{message}"), now_ms);
    }

    fn record(&mut self, text: &dyn fmt::Display, now_ms: i64) {
        self.text.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{text}");
        truncate(&mut self.text, MAX_TEXT_LENGTH);
        let hash = self.hasher.hash_one(&self.text);
        if let Some(entry) = self.known.get(&hash) {
            self.log.observe(*entry, now_ms);
            return;
        }
        if self.is_full {
            return;
        }
        match self.log.append(&self.text, now_ms) {
            Ok(entry) => {
                self.known.insert(hash, entry);
            }
            Err(Full) => {
                self.is_full = true;
                crate::console::complain(format_args!(
                    "gannetd: the error log is full, further new errors are only counted: {}",
                    self.text
                ));
            }
        }
    }
}

/// Cuts a text, at a character's end.
pub(super) fn truncate(text: &mut String, max: usize) {
    if text.len() > max {
        let end = (0..=max).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
    }
}
