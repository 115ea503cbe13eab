//! Answers and notices to the clients, all through one broadcast buffer. `[conductor]`
//!
//! Mirrors `aeron_driver_conductor_client_transmit` and Java's `ClientProxy`. A client that reads slower than the driver
//! writes is overtaken and must close, whoever the answers were for. So what is said goes out at a pace that leaves every
//! client time. What is beyond it waits in its order, such as the notices of a client that goes with thousands of counters;
//! commands wait in their ring meanwhile.

use std::collections::VecDeque;

use gannet_core::broadcast::Transmitter;
use gannet_core::command::Response;
use gannet_transport_ipc::Region;

/// In this time an eighth of the buffer may be filled: official clients look every 16 ms.
const PACE_NS: i64 = 20_000_000;

/// The writer of the broadcast buffer.
#[derive(Debug)]
pub(super) struct ClientProxy {
    transmitter: Transmitter<Region>,
    message: Vec<u8>,
    /// What is to be said later, by its type.
    waiting: VecDeque<(i32, Box<[u8]>)>,
    budget: usize,
    left: usize,
    refill_at_ns: i64,
    failures: u64,
}

impl ClientProxy {
    pub(super) fn new(transmitter: Transmitter<Region>) -> Self {
        let budget = transmitter.capacity() / 8;
        ClientProxy {
            transmitter,
            message: Vec::new(),
            waiting: VecDeque::new(),
            budget,
            left: budget,
            refill_at_ns: i64::MIN,
            failures: 0,
        }
    }

    /// Sends one response to all clients, behind all that wait.
    pub(super) fn transmit(&mut self, response: &Response<'_>) {
        let length = response.encoded_length();
        self.message.resize(length.max(self.message.len()), 0);
        let Ok(length) = response.encode(&mut self.message) else {
            self.failures += 1;
            return;
        };
        let message = &self.message[..length];
        if self.waiting.is_empty() && self.left > 0 {
            let is_sent = self.transmitter.transmit(response.type_id(), message).is_ok();
            self.account(length, is_sent);
        } else {
            self.waiting.push_back((response.type_id(), message.into()));
        }
    }

    fn account(&mut self, length: usize, is_sent: bool) {
        self.failures += u64::from(!is_sent);
        self.left = self.left.saturating_sub(length + 8);
    }

    /// Sends what waits, as much as the pace allows; how many.
    pub(super) fn send_waiting(&mut self, now_ns: i64) -> usize {
        if now_ns >= self.refill_at_ns {
            self.left = self.budget;
            self.refill_at_ns = now_ns.saturating_add(PACE_NS);
        }
        let mut count = 0;
        while self.left > 0
            && let Some((type_id, message)) = self.waiting.pop_front()
        {
            let is_sent = self.transmitter.transmit(type_id, &message).is_ok();
            self.account(message.len(), is_sent);
            count += 1;
        }
        count
    }

    /// Whether something waits to be said.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether a command may be taken now, whose answer will take some of the pace.
    pub(super) fn has_time(&self) -> bool {
        self.left > 0 && self.waiting.is_empty()
    }

    /// Responses that did not fit, since the last time somebody asked.
    pub(super) fn take_failures(&mut self) -> u64 {
        std::mem::take(&mut self.failures)
    }
}
