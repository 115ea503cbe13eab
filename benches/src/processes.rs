//! The processes of a round: a driver in a directory of its own, and the roles.

use crate::client::Failure;
use crate::machine::{self, CpuTime, Resident};
use crate::measure::Measures;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(10);

/// A running driver; ended and its directory removed when dropped.
pub struct Driver {
    child: Child,
    directory: PathBuf,
    ended: bool,
}

impl Driver {
    /// Starts one in a fresh directory under `root` and waits until it serves.
    ///
    /// # Errors
    /// When it does not start or does not come up in time.
    pub fn start(
        program: &Path,
        arguments: &[String],
        settings: &[(String, String)],
        root: &Path,
    ) -> Result<Driver, Failure> {
        let directory = root.join(format!("gannet-bench-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        let child = Command::new(program)
            .args(arguments)
            .env("AERON_DIR", &directory)
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .spawn()?;
        let mut driver = Driver { child, directory, ended: false };
        let start = Instant::now();
        while !driver.is_ready() {
            if let Some(status) = driver.child.try_wait()? {
                driver.ended = true;
                return Err(format!("{} ended at once: {status}", program.display()).into());
            }
            if start.elapsed() > DEADLINE {
                return Err(format!("{} did not come up within {DEADLINE:?}", program.display()).into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(driver)
    }

    /// Whether the CnC file says its version, which the driver writes last.
    fn is_ready(&self) -> bool {
        let mut version = [0; 4];
        fs::File::open(self.directory.join("cnc.dat")).is_ok_and(|mut file| file.read_exact(&mut version).is_ok())
            && version != [0; 4]
    }

    /// Its directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// CPU time so far in nanoseconds, all threads that live.
    #[must_use]
    pub fn cpu_ns(&self) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).into_iter().flatten().flatten();
        tasks
            .filter_map(|task| {
                let line = fs::read_to_string(task.path().join("schedstat")).ok()?;
                line.split_whitespace().next()?.parse::<u64>().ok()
            })
            .sum()
    }

    /// Its resident memory.
    ///
    /// # Errors
    /// When it is gone.
    pub fn resident(&self) -> Result<Resident, Failure> {
        Ok(Resident::of(&self.child.id().to_string())?)
    }

    /// Bytes on the disk of its directory, which is shared memory: what a full file system would be filled with.
    #[must_use]
    pub fn storage(&self) -> u64 {
        allocated(&self.directory)
    }

    /// Ends it and returns the CPU time of its whole life.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn end(mut self) -> Result<CpuTime, Failure> {
        self.ended = true;
        Ok(machine::terminate(&self.child)?)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn allocated(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let below: u64 = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| allocated(&entry.path())).sum();
    below + fs::symlink_metadata(path).map_or(0, |metadata| metadata.blocks() * 512)
}

/// A running role; killed when dropped before it ended.
pub struct Role {
    child: Child,
    output: BufReader<ChildStdout>,
    lines: String,
    name: String,
    ended: bool,
}

impl Role {
    /// Starts one, its standard input open.
    ///
    /// # Errors
    /// When the program does not start.
    pub fn start(program: &Path, arguments: &[String]) -> Result<Role, Failure> {
        let mut child = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("a pipe that is not there")?;
        let name = format!("{} {}", program.display(), arguments.join(" "));
        Ok(Role { child, output: BufReader::new(output), lines: String::new(), name, ended: false })
    }

    /// Waits until it writes `line`, or ends.
    ///
    /// # Errors
    /// When its output cannot be read.
    pub fn wait_for(&mut self, line: &str) -> Result<(), Failure> {
        loop {
            let begin = self.lines.len();
            if self.output.read_line(&mut self.lines)? == 0 || self.lines[begin..].trim_end() == line {
                return Ok(());
            }
        }
    }

    /// Tells it, by the end of its standard input, that it may end; waits for that and reads what it measured.
    ///
    /// # Errors
    /// When it failed.
    pub fn finish(mut self) -> Result<Measures, Failure> {
        drop(self.child.stdin.take());
        self.output.read_to_string(&mut self.lines)?;
        let status = self.child.wait()?;
        self.ended = true;
        if status.success() {
            Ok(Measures::from_lines(&self.lines))
        } else {
            Err(format!("{}: {status}", self.name).into())
        }
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
