//! Saving the errors that a dead driver recorded, before its files go. `[any]`
//!
//! Mirrors `aeron_report_existing_errors` of the C driver: the file's name and its form are what operators know.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use gannet_core::error_log::entries;
use gannet_core::sync::Memory;

use crate::datestamp::datestamp;
use crate::sharing::Sharing;

/// What became of a dead driver's errors.
#[derive(Debug)]
pub enum SavedErrors {
    /// They stand in a file beside the directory.
    Saved {
        /// `<directory>-<date>-error.log`.
        path: PathBuf,
        /// How many distinct ones.
        distinct: usize,
    },
    /// The file could not be written; somebody else should show the text.
    NotSaved {
        /// The file that was tried.
        path: PathBuf,
        /// Why not.
        source: io::Error,
        /// The errors as the file would have held them.
        text: String,
    },
}

/// Saves the errors of a log beside its driver's directory, if there are any.
pub(super) fn save(directory: &Path, log: &impl Memory, now_ms: i64) -> Option<SavedErrors> {
    let (text, distinct) = report(log);
    if distinct == 0 {
        return None;
    }
    let mut name = OsString::from(directory);
    name.push(format!("-{}-error.log", datestamp(now_ms).replace(':', "-")));
    let path = PathBuf::from(name);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(Sharing::Owner.file_mode())
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    Some(match written {
        Ok(()) => SavedErrors::Saved { path, distinct },
        Err(source) => SavedErrors::NotSaved { path, source, text },
    })
}

/// The errors of a log as text, and how many there are.
fn report(log: &impl Memory) -> (String, usize) {
    let mut report = String::new();
    let mut distinct = 0;
    for entry in entries(log) {
        let mut text = vec![0; entry.text_length()];
        // Writing to a string cannot fail.
        let _ = write!(
            report,
            "***\n{} observations from {} to {} for:\n {}\n",
            entry.observation_count(),
            datestamp(entry.first_observation_ms()),
            datestamp(entry.last_observation_ms()),
            String::from_utf8_lossy(entry.text(&mut text)),
        );
        distinct += 1;
    }
    let _ = write!(report, "\n{distinct} distinct errors observed.\n");
    (report, distinct)
}
