//! Children that die with the test process, be it by a signal. `[any]`

use nix::errno::Errno;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{getpid, getppid};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

/// Starts a command, whose process is killed when the calling thread ends, or the process around it: so is the signal
/// of Linux bound.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn spawn(mut command: Command) -> io::Result<Child> {
    let parent = getpid();
    let leash = move || {
        set_pdeathsig(Signal::SIGKILL)?;
        // The parent may have died before.
        if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
    };
    // SAFETY: between fork and exec only two system calls are made, which allocate nothing and take no lock.
    unsafe { command.pre_exec(leash) };
    command.spawn()
}
