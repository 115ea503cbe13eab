//! The thread of an agent. `[any]`
//!
//! Mirrors `AgentRunner` and `aeron_agent_start`, `_stop` and `_close`.

use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;

use super::{Agent, IdleStrategy, thread};

/// A thread could not be started.
#[derive(Debug, thiserror::Error)]
#[error("could not start the thread '{role_name}': {source}")]
pub struct StartError {
    role_name: String,
    source: std::io::Error,
}

/// An agent at work on a thread of its own, until it is stopped or dropped.
#[derive(Debug)]
pub struct AgentRunner<A> {
    role_name: String,
    // Closing this end of the channel tells the thread to stop.
    running: Option<Sender<()>>,
    thread: Option<JoinHandle<A>>,
}

impl<A: Agent + Send + 'static> AgentRunner<A> {
    /// Starts the thread, named after the agent's role.
    ///
    /// # Errors
    /// When the system has no thread to give; the agent is dropped then.
    pub fn start(mut agent: A, mut idle: IdleStrategy) -> Result<Self, StartError> {
        let (running, stop) = channel();
        let role_name = agent.role_name().to_owned();
        let started = std::thread::Builder::new().name(thread::truncate_name(&role_name)).spawn(move || {
            thread::wake_promptly();
            agent.on_start();
            while !is_stopped(&stop) {
                let work_count = agent.do_work();
                idle.idle(work_count, agent.pace());
            }
            agent
        });
        match started {
            Ok(thread) => Ok(AgentRunner { role_name, running: Some(running), thread: Some(thread) }),
            Err(source) => Err(StartError { role_name, source }),
        }
    }

    /// The agent's.
    #[must_use]
    pub fn role_name(&self) -> &str {
        &self.role_name
    }

    /// Stops the duty cycles and hands back the agent, not yet closed; `None` if its thread panicked.
    #[must_use]
    pub fn stop(mut self) -> Option<A> {
        drop(self.running.take());
        self.thread.take().and_then(|thread| thread.join().ok())
    }

    /// Whether the thread has ended by itself, which only a panic can cause.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl<A> Drop for AgentRunner<A> {
    fn drop(&mut self) {
        drop(self.running.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn is_stopped(stop: &Receiver<()>) -> bool {
    matches!(stop.try_recv(), Err(TryRecvError::Disconnected))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::SyncSender;

    #[derive(Debug)]
    struct Counting {
        cycles: usize,
        told: SyncSender<String>,
        worked: SyncSender<usize>,
    }

    impl Agent for Counting {
        fn role_name(&self) -> &str {
            "[conductor, sender, receiver]"
        }

        fn on_start(&mut self) {
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            self.told.send(name).unwrap();
        }

        fn do_work(&mut self) -> usize {
            self.cycles += 1;
            // Nobody listens to the later ones.
            let _ = self.worked.try_send(self.cycles);
            0
        }
    }

    #[test]
    fn an_agent_works_on_a_thread_named_after_its_role_until_it_is_stopped() {
        let (told, name) = std::sync::mpsc::sync_channel(1);
        let (worked, cycles) = std::sync::mpsc::sync_channel(2);
        let runner = AgentRunner::start(Counting { cycles: 0, told, worked }, IdleStrategy::Yielding).unwrap();
        assert_eq!(name.recv().unwrap(), "[conductor, sen");
        assert_eq!((cycles.recv().unwrap(), cycles.recv().unwrap()), (1, 2));
        assert!(!runner.has_ended());
        let agent = runner.stop().unwrap();
        assert!(agent.cycles >= 2, "it is handed back as it was");
    }
}
