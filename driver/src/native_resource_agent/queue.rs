//! The bounded queues between the conductor and the native-resource agent. `[conductor]`
//!
//! Owned values both ways, nothing shared. Neither end ever waits: the conductor knows how many requests are under
//! way and asks for no more than fit, the agent holds a reply back until there is room. Mirrors
//! `aeron_driver_native_resource_agent_proxy.c` and its queue of 128 KiB.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use super::{Reply, Request, discard};

/// How many requests fit.
const CAPACITY: usize = 1024;
/// How many of them are kept for what a command may need before the conductor looks at the next one.
const RESERVE: usize = 16;

/// The conductor's end.
#[derive(Debug)]
pub struct NativeResourceAgentProxy {
    requests: SyncSender<Request>,
    replies: Receiver<Reply>,
    /// Requests that found the queue full: frees of logs, which must not be forgotten.
    waiting: VecDeque<Request>,
    under_way: usize,
}

/// The agent's end.
#[derive(Debug)]
pub(super) struct AgentQueue {
    requests: Receiver<Request>,
    replies: SyncSender<Reply>,
    held_back: VecDeque<Reply>,
}

/// Makes both ends.
pub(super) fn queues() -> (NativeResourceAgentProxy, AgentQueue) {
    let (request_sender, requests) = sync_channel(CAPACITY);
    let (reply_sender, replies) = sync_channel(CAPACITY);
    (
        NativeResourceAgentProxy { requests: request_sender, replies, waiting: VecDeque::new(), under_way: 0 },
        AgentQueue { requests, replies: reply_sender, held_back: VecDeque::new() },
    )
}

impl NativeResourceAgentProxy {
    /// Whether a client's command may be taken that needs the agent.
    #[must_use]
    pub fn is_accepting_commands(&self) -> bool {
        self.waiting.is_empty() && self.under_way + RESERVE <= CAPACITY
    }

    /// Whether a reservation may be asked for: those can wait.
    #[must_use]
    pub fn is_accepting_reservations(&self) -> bool {
        self.under_way + 2 * RESERVE <= CAPACITY
    }

    /// Asks for something; whether it went out at once. What finds the queue full goes out later, in order.
    pub fn request(&mut self, request: Request) -> bool {
        self.waiting.push_back(request);
        self.send_waiting();
        self.waiting.is_empty()
    }

    /// The next reply, if there is one.
    pub fn poll(&mut self) -> Option<Reply> {
        self.send_waiting();
        let reply = self.replies.try_recv().ok()?;
        if reply.is_last() {
            self.under_way = self.under_way.saturating_sub(1);
        }
        Some(reply)
    }

    fn send_waiting(&mut self) {
        while let Some(request) = self.waiting.pop_front() {
            match self.requests.try_send(request) {
                Ok(()) => self.under_way += 1,
                // The agent is gone, and what it would have done does not matter any more.
                Err(TrySendError::Disconnected(_)) => {}
                Err(TrySendError::Full(request)) => {
                    self.waiting.push_front(request);
                    return;
                }
            }
        }
    }
}

impl AgentQueue {
    /// The next request; none while a reply is held back, so that replies stay in order and bounded.
    pub(super) fn poll(&mut self) -> Option<Request> {
        if !self.send_held_back() {
            return None;
        }
        self.requests.try_recv().ok()
    }

    /// Whether all replies so far went out, and the next one will.
    pub(super) fn send_held_back(&mut self) -> bool {
        while let Some(reply) = self.held_back.pop_front() {
            match self.replies.try_send(reply) {
                Ok(()) => {}
                // A conductor that is gone needs no reply.
                Err(TrySendError::Disconnected(reply)) => discard_log_of(&reply),
                Err(TrySendError::Full(reply)) => {
                    self.held_back.push_front(reply);
                    return false;
                }
            }
        }
        true
    }

    /// Replies, at once or as soon as there is room.
    pub(super) fn reply(&mut self, reply: Reply) {
        self.held_back.push_back(reply);
        self.send_held_back();
    }

    /// The agent closes: nobody will be told what is held back.
    pub(super) fn give_up(&mut self) {
        for reply in self.held_back.drain(..) {
            discard_log_of(&reply);
        }
    }

    /// What is still asked for when the agent closes.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Request> + '_ {
        self.requests.try_iter()
    }
}

/// A log that nobody will hear of is nobody's.
fn discard_log_of(reply: &Reply) {
    if let Reply::LogCreated { result: Ok((_, region)), .. } = reply {
        discard(region);
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use gannet_core::log::LogProperties;
    use gannet_core::{SessionId, StreamId, TermId};
    use gannet_transport_ipc::{MappedFile, Sharing, Space};

    use super::*;

    fn freed(length: u64) -> Reply {
        Reply::LogFreed { length }
    }

    fn created(directory: &Path) -> (Reply, PathBuf) {
        let path = directory.join("log");
        let properties =
            LogProperties::ipc(1, SessionId(2), StreamId(3), TermId(4), gannet_core::TermLength::new(65_536).unwrap());
        let length = 3 * 65_536 + gannet_core::log::METADATA_LENGTH as u64;
        let region = MappedFile::create(&path, length, Space::Sparse, Sharing::Owner).unwrap();
        let log = crate::native_resource_agent::logs::initialise(&region, &properties, None).unwrap();
        (Reply::LogCreated { registration_id: 1, result: Ok((log, region)) }, path)
    }

    #[test]
    fn a_log_that_nobody_hears_of_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let (proxy, mut agent) = queues();
        for length in 0..CAPACITY as u64 {
            agent.reply(freed(length));
        }
        let (reply, path) = created(directory.path());
        agent.reply(reply);
        assert!(path.exists(), "it is held back");
        agent.give_up();
        assert!(!path.exists());

        drop(proxy);
        let (reply, path) = created(directory.path());
        agent.reply(reply);
        assert!(!path.exists(), "the conductor is gone");
    }

    #[test]
    fn replies_that_find_the_queue_full_are_held_back_in_order() {
        let (mut proxy, mut agent) = queues();
        for length in 0..CAPACITY as u64 + 3 {
            agent.reply(freed(length));
        }
        assert!(!agent.send_held_back());
        assert!(agent.poll().is_none(), "nothing is taken while a reply is held back");
        for length in 0..CAPACITY as u64 + 3 {
            agent.send_held_back();
            assert!(matches!(proxy.poll(), Some(Reply::LogFreed { length: freed }) if freed == length));
        }
        assert!(proxy.poll().is_none());
        assert!(agent.send_held_back());
    }
}
