//! `gannetd`, the media driver as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    gannet_driver::gannetd::run()
}
