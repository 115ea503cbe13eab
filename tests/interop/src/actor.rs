//! A client in a process of its own, for tests that kill or stop it. `[any]`

use crate::Peer;
use gannet_tests::{PATIENCE, Process, gannetd};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A running `actor`.
#[derive(Debug)]
pub struct Actor {
    /// Its process, to be signalled.
    pub process: Process,
    /// Its client id.
    pub client_id: i64,
    seen: usize,
}

impl Actor {
    /// Starts one and waits until its client is connected.
    ///
    /// # Panics
    /// When it cannot connect.
    #[must_use]
    #[track_caller]
    pub fn launch(peer: Peer, directory: &Path) -> Self {
        static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
        let program = PROGRAM.get_or_init(|| gannetd::build("gannet-interop", "actor"));
        let mut command = Command::new(program);
        command.arg(if peer == Peer::Official { "official" } else { "ours" }).arg(directory);
        let mut actor = Actor { process: Process::spawn(command), client_id: 0, seen: 0 };
        actor.client_id = actor.answer("client ")[0];
        actor
    }

    /// Gives a command and waits for the line that answers it; returns the numbers after `prefix`.
    #[track_caller]
    pub fn ask(&mut self, command: &str, prefix: &str) -> Vec<i64> {
        self.process.tell(command);
        self.answer(prefix)
    }

    #[track_caller]
    fn answer(&mut self, prefix: &str) -> Vec<i64> {
        let (index, line) = self.process.wait_line(prefix, self.seen, PATIENCE);
        self.seen = index + 1;
        line[prefix.len()..].split(' ').filter_map(|word| word.parse().ok()).collect()
    }
}
