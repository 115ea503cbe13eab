//! A short time slice for an agent's thread. `[any]`
//!
//! Linux from 6.12 on lets a thread of the ordinary policy ask for a slice of its own: one with a shorter slice than the
//! running thread's gets the core as soon as it wakes, instead of after the other's slice, some milliseconds. So an
//! agent that parks for microseconds really is back in microseconds, though publishers and consumers spin on all
//! cores. Older kernels ignore the wish. The peer has no such thing (docs/adr/0004-parking.md).

/// The shortest slice that Linux grants, 0.1 ms.
const SLICE_NS: u64 = 100_000;

/// Asks for the shortest slice for the calling thread, if it has the ordinary policy; its niceness stays.
pub(super) fn shorten_slice() {
    let size = size_of::<libc::sched_attr>();
    let Ok(length) = u32::try_from(size) else { return };
    let mut attributes = libc::sched_attr {
        size: length,
        sched_policy: 0,
        sched_flags: 0,
        sched_nice: 0,
        sched_priority: 0,
        sched_runtime: 0,
        sched_deadline: 0,
        sched_period: 0,
    };
    // SAFETY: the call writes at most `length` bytes to a structure of that size, which lives here; 0 is this thread.
    let got = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attributes, length, 0) };
    if got != 0 || i64::from(attributes.sched_policy) != i64::from(libc::SCHED_OTHER) {
        return;
    }
    attributes.size = length;
    attributes.sched_runtime = SLICE_NS;
    // SAFETY: the call reads `size` bytes of a structure of that size, which lives here; 0 is this thread.
    // A kernel that refuses leaves things as they were.
    unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
}
