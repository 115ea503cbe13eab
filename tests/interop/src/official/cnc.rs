//! `aeron_cnc_t`: what the official tools read of a driver's directory.

use super::client::c_string;
use super::last_error;
use crate::peer::Refused;
use libaeron_sys as c;
use std::ffi::{c_char, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null_mut;

const TIMEOUT_MS: i64 = 5_000;

struct Cnc(*mut c::aeron_cnc_t);

impl Cnc {
    fn open(directory: &Path) -> Result<Self, Refused> {
        let path = c_string(directory.as_os_str().as_bytes());
        let mut cnc = null_mut();
        // SAFETY: the path ends with a zero and is read during the call.
        if unsafe { c::aeron_cnc_init(&raw mut cnc, path.as_ptr(), TIMEOUT_MS) } < 0 {
            return Err(last_error());
        }
        Ok(Cnc(cnc))
    }
}

impl Drop for Cnc {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once.
        unsafe { c::aeron_cnc_close(self.0) };
    }
}

/// The driver's process id and heartbeat.
///
/// # Errors
/// When there is no CnC file.
pub fn read_cnc(directory: &Path) -> Result<(i64, i64), Refused> {
    let cnc = Cnc::open(directory)?;
    // SAFETY: the CnC is open; the constants are plain data, filled by the call.
    unsafe {
        let mut constants: c::aeron_cnc_constants_t = std::mem::zeroed();
        c::aeron_cnc_constants(cnc.0, &raw mut constants);
        Ok((constants.pid, c::aeron_cnc_to_driver_heartbeat(cnc.0)))
    }
}

/// The entries of the error log: how often each was observed, and its text.
///
/// # Errors
/// When there is no CnC file.
pub fn read_error_log(directory: &Path) -> Result<Vec<(i32, String)>, Refused> {
    let cnc = Cnc::open(directory)?;
    let mut entries: Vec<(i32, String)> = Vec::new();
    // SAFETY: the callback gets the vector, alone, during the call.
    unsafe { c::aeron_cnc_error_log_read(cnc.0, Some(on_entry), (&raw mut entries).cast(), 0) };
    Ok(entries)
}

/// How many entries the loss report has.
///
/// # Errors
/// When there is no CnC file or no loss report.
pub fn count_losses(directory: &Path) -> Result<i32, Refused> {
    let cnc = Cnc::open(directory)?;
    // SAFETY: the callback does nothing and needs no state.
    let count = unsafe { c::aeron_cnc_loss_reporter_read(cnc.0, Some(on_loss), null_mut()) };
    if count < 0 { Err(last_error()) } else { Ok(count) }
}

unsafe extern "C" fn on_loss(
    _state: *mut c_void,
    _observation_count: i64,
    _bytes: i64,
    _first_ms: i64,
    _last_ms: i64,
    _session_id: i32,
    _stream_id: i32,
    _channel: *const c_char,
    _channel_length: i32,
    _source: *const c_char,
    _source_length: i32,
) {
}

unsafe extern "C" fn on_entry(
    observation_count: i32,
    _first_ms: i64,
    _last_ms: i64,
    error: *const c_char,
    length: usize,
    state: *mut c_void,
) {
    // SAFETY: `state` is the vector of `read_error_log`, and the text has that length.
    unsafe {
        let text = String::from_utf8_lossy(std::slice::from_raw_parts(error.cast(), length)).into_owned();
        (*state.cast::<Vec<(i32, String)>>()).push((observation_count, text));
    }
}
