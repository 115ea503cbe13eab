//! Aeron's C media driver as a process, run as its own `aeronmd` runs it, with settings from the environment.

use libaeron_driver_sys as c;
use std::ffi::{CStr, c_int, c_void};
use std::process::exit;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};

/// Relaxed: the only word that the handlers and the main thread share.
static RUNNING: AtomicBool = AtomicBool::new(true);

extern "C" fn on_signal(_signal: c_int) {
    RUNNING.store(false, Ordering::Relaxed);
}

unsafe extern "C" fn on_termination(_state: *mut c_void) {
    RUNNING.store(false, Ordering::Relaxed);
}

fn check(result: c_int, what: &str) {
    if result < 0 {
        // SAFETY: the message is a string of the calling thread, zero-terminated, alive until its next call.
        let message = unsafe { CStr::from_ptr(c::aeron_errmsg()) };
        eprintln!("{what}: {}", message.to_string_lossy());
        exit(1);
    }
}

fn main() {
    let handler: extern "C" fn(c_int) = on_signal;
    let mut context = null_mut();
    let mut driver = null_mut();
    // SAFETY: the handler only stores a word; then each call gets what the one before it made, in the order of the
    // driver's own main, and the driver is closed before its context.
    unsafe {
        libc::signal(libc::SIGTERM, handler as libc::sighandler_t);
        libc::signal(libc::SIGINT, handler as libc::sighandler_t);
        check(c::aeron_driver_context_init(&raw mut context), "context init");
        check(
            c::aeron_driver_context_set_driver_termination_hook(context, Some(on_termination), null_mut()),
            "termination hook",
        );
        check(c::aeron_driver_init(&raw mut driver, context), "driver init");
        check(c::aeron_driver_start(driver, true), "driver start");
        while RUNNING.load(Ordering::Relaxed) {
            c::aeron_driver_main_idle_strategy(driver, c::aeron_driver_main_do_work(driver));
        }
        check(c::aeron_driver_close(driver), "driver close");
        check(c::aeron_driver_context_close(context), "context close");
    }
}
