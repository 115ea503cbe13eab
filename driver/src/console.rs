//! What the driver says to whoever started it. `[any]`
//!
//! A reader that is gone, a closed pipe for instance, never stops the driver: what cannot be written is dropped.

use std::fmt::Display;
use std::io::{Write, stderr, stdout};

/// Writes a line to standard output.
pub fn say(line: impl Display) {
    let _ = writeln!(stdout().lock(), "{line}");
}

/// Writes a line to standard error.
pub fn complain(line: impl Display) {
    let _ = writeln!(stderr().lock(), "{line}");
}
