//! What the operating system tells about a process and does to a thread: cores, CPU time, resident memory.

use std::io;
use std::mem::MaybeUninit;
use std::process::Child;
use std::time::{Duration, Instant};

/// The machine in a line: its processor, how many cores this process may use, and the kernel.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn describe() -> io::Result<String> {
    let processors = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism()?;
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let kernel = kernel.split(['-', '\n']).next().unwrap_or_default();
    Ok(format!("{model}, {cores} cores, Linux {kernel}"))
}

/// CPU time of a process.
#[derive(Clone, Copy, Debug, Default)]
pub struct CpuTime {
    /// In its own code.
    pub user: Duration,
    /// In the kernel on its behalf.
    pub system: Duration,
}

impl CpuTime {
    /// Both together.
    #[must_use]
    pub fn total(self) -> Duration {
        self.user + self.system
    }

    /// What was spent after `earlier`.
    #[must_use]
    pub fn since(self, earlier: CpuTime) -> CpuTime {
        CpuTime { user: self.user.saturating_sub(earlier.user), system: self.system.saturating_sub(earlier.system) }
    }

    fn of(usage: &libc::rusage) -> CpuTime {
        let duration = |time: libc::timeval| {
            Duration::from_secs(time.tv_sec.unsigned_abs()) + Duration::from_micros(time.tv_usec.unsigned_abs())
        };
        CpuTime { user: duration(usage.ru_utime), system: duration(usage.ru_stime) }
    }
}

/// What the whole machine did, and what a hypervisor took from it.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    at: Instant,
    busy: Duration,
    stolen: Duration,
    ours: Duration,
}

impl Load {
    /// Now; children count once they are waited for.
    ///
    /// # Errors
    /// When `/proc/stat` cannot be read.
    pub fn now() -> io::Result<Load> {
        let statistics = std::fs::read_to_string("/proc/stat")?;
        let ticks: Vec<u64> = statistics
            .lines()
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .filter_map(|field| field.parse().ok())
            .collect();
        let tick = |index: usize| Duration::from_millis(10 * ticks.get(index).copied().unwrap_or(0));
        // user, nice, system, irq, softirq; idle and waiting are left out.
        let busy = [0, 1, 2, 5, 6].into_iter().map(tick).sum();
        let ours = cpu_time().total() + usage(libc::RUSAGE_CHILDREN).total();
        Ok(Load { at: Instant::now(), busy, stolen: tick(7), ours })
    }

    /// Cores that others kept busy since `earlier`, what a hypervisor took included.
    #[must_use]
    pub fn foreign_since(&self, earlier: &Load) -> f64 {
        let busy = (self.busy + self.stolen).as_secs_f64() - (earlier.busy + earlier.stolen).as_secs_f64();
        let ours = self.ours.as_secs_f64() - earlier.ours.as_secs_f64();
        (busy - ours) / (self.at - earlier.at).as_secs_f64()
    }
}

/// Resident memory of a process in KiB, as `/proc/<pid>/status` has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resident {
    /// The most that it ever was (`VmHWM`).
    pub peak: u64,
    /// What is its own: heap, stacks, written data (`RssAnon`).
    pub anonymous: u64,
    /// Mapped files: code, libraries (`RssFile`).
    pub file: u64,
    /// Shared memory: the logs and the CnC file (`RssShmem`).
    pub shared: u64,
}

impl Resident {
    /// Reads that of a process.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn of(process: &str) -> io::Result<Resident> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
        let field = |name: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
                .unwrap_or(0)
        };
        Ok(Resident {
            peak: field("VmHWM:"),
            anonymous: field("RssAnon:"),
            file: field("RssFile:"),
            shared: field("RssShmem:"),
        })
    }
}

/// Pins the calling thread to one core.
///
/// # Errors
/// When the core does not exist or is not allowed.
pub fn pin_to_core(core: usize) -> io::Result<()> {
    // SAFETY: the set is plain bits, zeroed before use; the call reads it during the call only.
    let result = unsafe {
        let mut set = MaybeUninit::<libc::cpu_set_t>::zeroed().assume_init();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// CPU time of this process so far, all threads.
#[must_use]
pub fn cpu_time() -> CpuTime {
    usage(libc::RUSAGE_SELF)
}

fn usage(whose: libc::c_int) -> CpuTime {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the call fills the structure, which is plain numbers and valid zeroed too.
    let usage = unsafe {
        libc::getrusage(whose, usage.as_mut_ptr());
        usage.assume_init()
    };
    CpuTime::of(&usage)
}

/// Ends a child with SIGTERM, waits for it, and returns the CPU time of its whole life.
///
/// # Errors
/// When it cannot be waited for.
pub fn terminate(child: &Child) -> io::Result<CpuTime> {
    let Ok(pid) = libc::pid_t::try_from(child.id()) else {
        return Err(io::Error::other("a process id beyond pid_t"));
    };
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    let mut status = 0;
    // SAFETY: the pid is that of our own child, not yet waited for, so it cannot have been given to another; the
    // call fills the structure.
    let (result, usage) = unsafe {
        libc::kill(pid, libc::SIGTERM);
        let result = libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr());
        (result, usage.assume_init())
    };
    if result == pid { Ok(CpuTime::of(&usage)) } else { Err(io::Error::last_os_error()) }
}
