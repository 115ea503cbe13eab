//! The official C client behind the tests' common interface. `[any]`
//!
//! The only unsafe code of this crate, beside the driver's main: every call into C is here. Callbacks get a pointer to
//! the client's [`Events`], which live until `aeron_close` has returned.

mod client;
mod cnc;
mod publication;
mod subscription;

pub use client::{connect, request_driver_termination};
pub use cnc::{count_losses, read_cnc, read_error_log};

use crate::peer::Refused;
use libaeron_sys as c;
use std::ffi::{CStr, c_char};

/// Text that C owns, copied.
///
/// # Safety
/// `text` is null or points to a string that ends with a zero and does not change during the call.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: by the caller's contract.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// The error of the last failed call on this thread. The client stores a driver's code negated.
fn last_error() -> Refused {
    // SAFETY: both read thread-local state of the client; the text is copied at once.
    unsafe { Refused { code: -c::aeron_errcode(), text: text(c::aeron_errmsg()) } }
}
