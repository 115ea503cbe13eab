//! What a thread asks of the system: its name, its cores, its timer slack. `[any]`
//!
//! Mirrors `aeron_thread_set_name` and `aeron_thread_set_affinity` of `aeron_thread.c`; how it wakes is ours
//! (docs/adr/0004-parking.md).

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

use super::scheduling;

/// What Linux keeps of a thread's name.
const MAX_NAME_LENGTH: usize = 15;

/// The part of a role name that Linux keeps, so that the whole of a longer one is not refused.
#[must_use]
pub fn truncate_name(role_name: &str) -> String {
    role_name.chars().filter(|c| *c != '\0').take(MAX_NAME_LENGTH).collect()
}

/// Names the calling thread.
pub fn set_name(role_name: &str) {
    if let Ok(name) = std::ffi::CString::new(truncate_name(role_name)) {
        // A name is a convenience: a kernel that refuses it does no harm.
        let _ = nix::sys::prctl::set_name(&name);
    }
}

/// Lets the calling thread's short sleeps be short: by default Linux adds up to 50 µs to each, and lets whoever has
/// the core finish its time slice first. For the driver's own threads, not for one that an embedder lends.
pub fn wake_promptly() {
    // Without it the driver still works, only its parks are longer.
    let _ = nix::sys::prctl::set_timerslack(1);
    scheduling::shorten_slice();
}

/// Binds the calling thread to one core.
///
/// # Errors
/// When the core does not exist or may not be used.
pub fn set_affinity(cpu: usize) -> std::io::Result<()> {
    let mut cores = CpuSet::new();
    cores.set(cpu)?;
    sched_setaffinity(Pid::from_raw(0), &cores)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_role_name_is_cut_to_what_linux_keeps() {
        assert_eq!(truncate_name("[conductor, sender, receiver]"), "[conductor, sen");
        assert_eq!(truncate_name("aeron-md-nra"), "aeron-md-nra");
    }

    #[test]
    fn a_core_that_does_not_exist_is_an_error() {
        assert!(set_affinity(CpuSet::count() - 1).is_err());
        assert!(set_affinity(CpuSet::count() + 1).is_err());
    }
}
