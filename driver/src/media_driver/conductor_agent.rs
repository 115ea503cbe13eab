//! The conductor as an agent: with a clock, a name and a core. `[conductor]`

use std::sync::mpsc::Sender;

use crate::agent::{Agent, Pace, thread};
use crate::clock::Clock;
use crate::conductor::DriverConductor;

/// Calls the conductor with the time.
#[derive(Debug)]
pub(super) struct ConductorAgent {
    conductor: DriverConductor,
    clock: Clock,
    // Dropped to tell that the driver shall end.
    terminate: Option<Sender<()>>,
    role_name: &'static str,
    cpu_affinity: Option<usize>,
}

impl ConductorAgent {
    pub(super) fn new(
        conductor: DriverConductor,
        clock: Clock,
        terminate: Sender<()>,
        role_name: &'static str,
        cpu_affinity: Option<usize>,
    ) -> Self {
        ConductorAgent { conductor, clock, terminate: Some(terminate), role_name, cpu_affinity }
    }

    /// Puts what the operator should hear where operators look.
    pub(super) fn report_warning(&mut self, warning: &dyn std::fmt::Display) {
        self.conductor.warn(warning);
    }
}

impl Agent for ConductorAgent {
    fn role_name(&self) -> &str {
        self.role_name
    }

    fn on_start(&mut self) {
        if let Some(cpu) = self.cpu_affinity
            && let Err(error) = thread::set_affinity(cpu)
        {
            let role_name = self.role_name;
            self.conductor.warn(&format_args!("WARNING: unable to apply affinity {cpu} to {role_name}: {error}"));
        }
    }

    fn do_work(&mut self) -> usize {
        let work_count = self.conductor.do_work(self.clock.now());
        if self.conductor.is_terminating() {
            self.terminate = None;
        }
        work_count
    }

    fn pace(&self) -> Pace {
        self.conductor.pace()
    }

    fn on_close(&mut self) {
        self.conductor.close();
    }
}
