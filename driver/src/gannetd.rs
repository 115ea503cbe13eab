//! `gannetd`: the driver as a process. `[any]`
//!
//! Mirrors `aeronmd.c`: its arguments, its words on standard output and error, its exit status. The conductor, or the
//! whole driver with SHARED, runs on the main thread, as the peer's does.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gannet_transport_ipc::DirectoryError;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::agent::thread;
use crate::config::{CommandLine, Configuration, Sources, ThreadNaming};
use crate::console;
use crate::media_driver::{DriverError, InvokedDriver, MediaDriver};

/// No signal so far.
const NO_SIGNAL: usize = 0;

/// Runs the driver until a signal or a client ends it; the status for the shell.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = match CommandLine::read(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help on standard output, what is not understood on standard error.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    if arguments.version {
        console::say(format_args!("gannetd <{}> Aeron 1.54.0", env!("CARGO_PKG_VERSION")));
        return ExitCode::SUCCESS;
    }
    let configuration = match arguments.configure(Sources::environment()) {
        Ok(configuration) => configuration,
        Err(error) => return refuse("context init", &error),
    };
    if arguments.print_config {
        return match configuration.print(&mut io::stdout().lock()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    match serve(configuration) {
        Ok(status) => status,
        Err(error) => refuse("driver init", &error),
    }
}

fn serve(configuration: Configuration) -> Result<ExitCode, DriverError> {
    let signal = Arc::new(AtomicUsize::new(NO_SIGNAL));
    for number in [SIGINT, SIGTERM] {
        let value = usize::try_from(number).unwrap_or(NO_SIGNAL);
        signal_hook::flag::register_usize(number, Arc::clone(&signal), value).map_err(DriverError::Signals)?;
    }
    for warning in &configuration.context.warnings {
        console::say(warning);
    }
    if configuration.context.print_configuration {
        // A reader that is gone is no reason not to serve.
        let _ = configuration.print(&mut io::stdout().lock());
    }
    let naming = configuration.context.thread_naming;
    let is_stopped = || told(&signal).is_some();
    let mut driver = match MediaDriver::launch_invoker_unless(configuration.context, &is_stopped) {
        Err(DriverError::Directory(DirectoryError::Stopped { .. })) => {
            return Ok(ExitCode::from(told(&signal).unwrap_or_default()));
        }
        launched => launched?,
    };
    if naming == ThreadNaming::New {
        thread::set_name(driver.role_name());
    }
    thread::wake_promptly();
    let status = run_until_told(&mut driver, &signal);

    console::say("Shutting down driver...");
    let _ = io::stdout().flush();
    match driver.close() {
        Ok(()) => Ok(ExitCode::from(status)),
        Err(error) => Ok(refuse("driver close", &error)),
    }
}

/// The duty cycles of the driver; the number of the signal that ends it, or 0 when a client did.
fn run_until_told(driver: &mut InvokedDriver, signal: &AtomicUsize) -> u8 {
    loop {
        let work_count = driver.do_work();
        if let Some(number) = told(signal) {
            return number;
        }
        if driver.is_terminating() {
            return 0;
        }
        driver.idle(work_count);
    }
}

/// The number of the signal that came, if one did.
fn told(signal: &AtomicUsize) -> Option<u8> {
    // Nothing is handed over with the number, so nothing is ordered by it.
    let number = signal.load(Ordering::Relaxed);
    (number != NO_SIGNAL).then(|| u8::try_from(number).unwrap_or(u8::MAX))
}

fn refuse(doing: &str, error: &dyn std::error::Error) -> ExitCode {
    console::complain(format_args!("ERROR: {doing}: {error}"));
    ExitCode::FAILURE
}
