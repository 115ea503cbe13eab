//! The official media driver as a process, as its own main runs it: settings from the environment, `-Dname=value` and
//! property files as arguments, an orderly end on SIGTERM, SIGINT and an accepted termination request.

use libaeron_driver_sys as c;
use libaeron_sys as client;
use std::ffi::{CStr, CString, c_int, c_void};
use std::process::exit;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicI32, Ordering};

const RUNNING: i32 = -1;

/// How the process ends: a signal's number, or 0 after a termination request. Relaxed throughout: it is the only word.
static EXIT_STATUS: AtomicI32 = AtomicI32::new(RUNNING);

extern "C" fn on_signal(signal: c_int) {
    EXIT_STATUS.store(signal, Ordering::Relaxed);
}

unsafe extern "C" fn on_termination(_state: *mut c_void) {
    EXIT_STATUS.store(0, Ordering::Relaxed);
}

fn main() {
    for argument in std::env::args().skip(1) {
        let Ok(text) = CString::new(argument.strip_prefix("-D").unwrap_or(&argument)) else { exit(1) };
        // SAFETY: the text ends with a zero and is read during the call.
        let result = unsafe {
            if argument.starts_with("-D") {
                client::aeron_properties_buffer_load(text.as_ptr())
            } else {
                client::aeron_properties_load(text.as_ptr())
            }
        };
        check(result, "properties");
    }
    let handler: extern "C" fn(c_int) = on_signal;
    // SAFETY: the handler only stores a word.
    unsafe {
        libc::signal(libc::SIGTERM, handler as libc::sighandler_t);
        libc::signal(libc::SIGINT, handler as libc::sighandler_t);
    }
    let mut context = null_mut();
    let mut driver = null_mut();
    // SAFETY: each call gets what the one before it made, in the order of the driver's own main; the driver is closed
    // before its context.
    unsafe {
        check(c::aeron_driver_context_init(&raw mut context), "context init");
        check(
            c::aeron_driver_context_set_driver_termination_hook(context, Some(on_termination), null_mut()),
            "termination hook",
        );
        check(c::aeron_driver_init(&raw mut driver, context), "driver init");
        check(c::aeron_driver_start(driver, true), "driver start");
        while EXIT_STATUS.load(Ordering::Relaxed) == RUNNING {
            c::aeron_driver_main_idle_strategy(driver, c::aeron_driver_main_do_work(driver));
        }
        println!("Shutting down driver...");
        check(c::aeron_driver_close(driver), "driver close");
        check(c::aeron_driver_context_close(context), "context close");
    }
    exit(EXIT_STATUS.load(Ordering::Relaxed));
}

fn check(result: c_int, what: &str) {
    if result < 0 {
        // SAFETY: both read thread-local state of the library; the text is copied at once.
        let (code, text) = unsafe { (client::aeron_errcode(), CStr::from_ptr(client::aeron_errmsg())) };
        eprintln!("ERROR: {what} ({code}) {}", text.to_string_lossy());
        exit(1);
    }
}
