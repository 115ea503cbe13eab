//! A child process under guard: killed by its own id when the test ends, its output kept. `[any]`

use crate::leash;
use crate::wait::wait_for;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read, Write};
use std::marker::PhantomData;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// A child whose output is collected line by line, and which does not outlive this value, nor the thread that started it:
/// it stays there.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    output: Arc<Mutex<Vec<String>>>,
    errors: Arc<Mutex<Vec<String>>>,
    readers: Vec<thread::JoinHandle<()>>,
    name: String,
    /// Not to be sent to another thread: the leash is tied to this one.
    _stays: PhantomData<MutexGuard<'static, ()>>,
}

impl Process {
    /// Starts `command` with piped input and output. It dies with the test process, however that ends.
    #[must_use]
    pub fn spawn(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self::spawn_unheard(command)
    }

    /// As [`Process::spawn`], and leaves the output where the command has it: nothing of that is collected.
    #[must_use]
    pub fn spawn_unheard(mut command: Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::piped());
        let mut child = leash::spawn(command).unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let output = Arc::default();
        let errors = Arc::default();
        let mut readers = Vec::new();
        readers.extend(child.stdout.take().map(|stream| collect(stream, Arc::clone(&output))));
        readers.extend(child.stderr.take().map(|stream| collect(stream, Arc::clone(&errors))));
        let stdin = child.stdin.take();
        Process { child, stdin, output, errors, readers, name, _stays: PhantomData }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"))
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap_or_else(|error| panic!("cannot send {signal} to {}: {error}", self.name));
    }

    /// Whether it has a handler for a signal, as the system tells.
    #[must_use]
    pub fn catches(&self, signal: Signal) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let mask = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        mask >> (signal as i32 - 1) & 1 == 1
    }

    /// Kills it with SIGKILL and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Writes a line to its input.
    pub fn tell(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("input is open");
        writeln!(stdin, "{line}").and_then(|()| stdin.flush()).unwrap_or_else(|error| {
            panic!("{} does not take \"{line}\": {error}\n{}", self.name, self.report());
        });
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Its end, and all output read.
    ///
    /// # Panics
    /// When it still runs after `patience`.
    #[track_caller]
    pub fn wait_exit(&mut self, patience: Duration) -> ExitStatus {
        let what = format!("{} (pid {}) ends", self.name, self.id());
        let status = wait_for(&what, patience, || self.child.try_wait().expect("a child can be waited for"));
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        status
    }

    /// The first output line from index `from` on that starts with `prefix`, and its index.
    ///
    /// # Panics
    /// When none came within `patience` or the process ended without it.
    #[track_caller]
    pub fn wait_line(&mut self, prefix: &str, from: usize, patience: Duration) -> (usize, String) {
        let what = format!("{} prints \"{prefix}…\"", self.name);
        let mut ended = false;
        wait_for(&what, patience, || {
            let found = self
                .output
                .lock()
                .unwrap()
                .iter()
                .enumerate()
                .skip(from)
                .find(|(_, line)| line.starts_with(prefix))
                .map(|(index, line)| (index, line.clone()));
            assert!(found.is_some() || !ended, "{what}, but it ended\n{}", self.report());
            if found.is_none() && !self.is_running() {
                for reader in self.readers.drain(..) {
                    let _ = reader.join();
                }
                ended = true;
            }
            found
        })
    }

    /// What it wrote to standard output so far, by line.
    #[must_use]
    pub fn output(&self) -> Vec<String> {
        self.output.lock().unwrap().clone()
    }

    /// What it wrote to standard error so far, by line.
    #[must_use]
    pub fn errors(&self) -> Vec<String> {
        self.errors.lock().unwrap().clone()
    }

    /// Both, for the message of a failed test.
    #[must_use]
    pub fn report(&self) -> String {
        format!("stdout: {:#?}\nstderr: {:#?}", self.output(), self.errors())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        if thread::panicking() {
            eprintln!("{} (pid {}) {}", self.name, self.id(), self.report());
        }
    }
}

/// The signal that ended a process, if one did.
#[must_use]
pub fn ended_by(status: ExitStatus) -> Option<Signal> {
    status.signal().and_then(|number| Signal::try_from(number).ok())
}

fn collect(stream: impl Read + Send + 'static, lines: Arc<Mutex<Vec<String>>>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|length| length > 0) {
            lines.lock().unwrap().push(String::from_utf8_lossy(bytes.trim_ascii_end()).into_owned());
            bytes.clear();
        }
    })
}
