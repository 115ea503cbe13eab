//! `gannetd`, the media driver as a process.
// As in the library.
#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

fn main() -> ExitCode {
    gannet_driver::gannetd::run()
}
