//! `gannetd`: the media driver as a process. `[any]`
//!
//! Mirrors `aeronmd.c`: its arguments, its words on standard output and error, its exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    gannetd::run()
}
