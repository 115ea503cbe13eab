//! The crate `gannet` behind the tests' common interface. `[any]`

use crate::peer::{Client, Options, Refused};
use std::path::Path;

/// Connects.
///
/// # Errors
/// When no driver runs there.
pub fn connect(_directory: &Path, _options: &Options) -> Result<Box<dyn Client>, Refused> {
    Err(Refused { code: 0, text: "not yet".to_owned() })
}

/// Asks the driver of a directory to end.
///
/// # Errors
/// When there is none, or its command ring is full.
pub fn request_driver_termination(_directory: &Path, _token: &[u8]) -> Result<(), Refused> {
    Err(Refused { code: 0, text: "not yet".to_owned() })
}
