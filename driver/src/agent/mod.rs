//! An agent does its work in duty cycles; a runner calls it from a thread of its own. `[any]`
//!
//! Mirrors Agrona's `Agent` and `AgentRunner` and `aeron_agent.c`; driver.md §1. What an agent does stands with it;
//! how a runner waits between cycles stands in [`idle`].

pub mod duty_cycle;
pub mod idle;
mod runner;
mod scheduling;
pub mod thread;

pub use duty_cycle::DutyCycleStallTracker;
pub use idle::{IdleStrategy, IdleStrategyError};
pub use runner::{AgentRunner, StartError};

impl<A: Agent + ?Sized> Agent for Box<A> {
    fn role_name(&self) -> &str {
        (**self).role_name()
    }

    fn on_start(&mut self) {
        (**self).on_start();
    }

    fn do_work(&mut self) -> usize {
        (**self).do_work()
    }

    fn pace(&self) -> Pace {
        (**self).pace()
    }

    fn on_close(&mut self) {
        (**self).on_close();
    }
}

/// How soon an agent that found no work wants its next duty cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Nothing moves: the idle strategy decides.
    Idle,
    /// Streams move, and in about this many nanoseconds one of them will need the agent.
    Within(u64),
}

impl Pace {
    /// The sooner of two.
    #[must_use]
    #[inline]
    pub fn sooner(self, other: Pace) -> Pace {
        match (self, other) {
            (Pace::Within(one), Pace::Within(two)) => Pace::Within(one.min(two)),
            (Pace::Idle, pace) | (pace, Pace::Idle) => pace,
        }
    }
}

/// Something that works in duty cycles on a thread of its own or a shared one.
pub trait Agent: std::fmt::Debug {
    /// The thread's name, Aeron's role name.
    fn role_name(&self) -> &str;

    /// Called once on the agent's thread before the first duty cycle.
    fn on_start(&mut self) {}

    /// One bounded piece of work; how much was done, 0 for none.
    fn do_work(&mut self) -> usize;

    /// How soon after this cycle the next one is wanted.
    fn pace(&self) -> Pace {
        Pace::Idle
    }

    /// Called once on the agent's thread after the last duty cycle.
    fn on_close(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sooner_of_two_paces_wins_and_any_pace_beats_none() {
        assert_eq!(Pace::Within(5).sooner(Pace::Within(3)), Pace::Within(3));
        assert_eq!(Pace::Idle.sooner(Pace::Within(3)), Pace::Within(3));
        assert_eq!(Pace::Within(3).sooner(Pace::Idle), Pace::Within(3));
        assert_eq!(Pace::Idle.sooner(Pace::Idle), Pace::Idle);
    }
}
