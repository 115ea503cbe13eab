//! All agents of a driver in one duty cycle: SHARED and INVOKER. `[any]`
//!
//! Mirrors `aeron_driver_shared_do_work` and its like, in their order.

use super::conductor_agent::ConductorAgent;
use crate::agent::{Agent, Pace};
use crate::native_resource_agent::NativeResourceAgent;

/// The agents of a driver that share a thread.
#[derive(Debug)]
pub(super) struct SharedAgent {
    conductor: ConductorAgent,
    resources: NativeResourceAgent,
}

impl SharedAgent {
    pub(super) fn new(conductor: ConductorAgent, resources: NativeResourceAgent) -> Self {
        SharedAgent { conductor, resources }
    }
}

impl Agent for SharedAgent {
    fn role_name(&self) -> &str {
        self.conductor.role_name()
    }

    fn on_start(&mut self) {
        // The conductor's core is that of the thread.
        self.conductor.on_start();
    }

    fn do_work(&mut self) -> usize {
        self.resources.do_work() + self.conductor.do_work()
    }

    fn pace(&self) -> Pace {
        self.conductor.pace()
    }

    fn on_close(&mut self) {
        self.resources.on_close();
        self.conductor.on_close();
    }
}
