//! Answers and notices to the clients, all through one broadcast buffer. `[conductor]`
//!
//! Mirrors `aeron_driver_conductor_client_transmit` and Java's `ClientProxy`. A client that reads slower than the driver
//! writes is overtaken and must close, whoever the answers were for. So answers are given out at a pace that leaves
//! every client time: when it is used up, commands wait in their ring. Notices are never held back.

use gannet_core::broadcast::Transmitter;
use gannet_core::command::Response;
use gannet_transport_ipc::Region;

/// In this time an eighth of the buffer may be filled by answers: official clients look every 16 ms.
const PACE_NS: i64 = 20_000_000;

/// The writer of the broadcast buffer.
#[derive(Debug)]
pub(super) struct ClientProxy {
    transmitter: Transmitter<Region>,
    message: Vec<u8>,
    budget: usize,
    left: usize,
    refill_at_ns: i64,
    failures: u64,
}

impl ClientProxy {
    pub(super) fn new(transmitter: Transmitter<Region>) -> Self {
        let budget = transmitter.capacity() / 8;
        ClientProxy { transmitter, message: Vec::new(), budget, left: budget, refill_at_ns: i64::MIN, failures: 0 }
    }

    /// Sends one response to all clients.
    pub(super) fn transmit(&mut self, response: &Response<'_>) {
        let length = response.encoded_length();
        self.message.resize(length.max(self.message.len()), 0);
        let sent = response
            .encode(&mut self.message)
            .ok()
            .and_then(|length| self.transmitter.transmit(response.type_id(), &self.message[..length]).ok());
        if sent.is_none() {
            self.failures += 1;
        }
        self.left = self.left.saturating_sub(length + 8);
    }

    /// Whether a command may be taken now, whose answer will take some of the pace.
    pub(super) fn has_time(&mut self, now_ns: i64) -> bool {
        if now_ns >= self.refill_at_ns {
            self.left = self.budget;
            self.refill_at_ns = now_ns.saturating_add(PACE_NS);
        }
        self.left > 0
    }

    /// Responses that did not fit, since the last time somebody asked.
    pub(super) fn take_failures(&mut self) -> u64 {
        std::mem::take(&mut self.failures)
    }
}
