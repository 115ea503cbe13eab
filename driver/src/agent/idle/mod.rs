//! How an agent waits between duty cycles. `[any]`
//!
//! Mirrors `aeron_agent.c` and Agrona's `IdleStrategy`: the same names, short and in full, and the same init args. All
//! but back-off behave as Aeron's do; back-off adds the agent's own pace (docs/adr/0004-parking.md).

mod backoff;

use std::time::Duration;

use gannet_core::uri::value::parse_duration_ns;

use super::Pace;
pub use backoff::Backoff;

/// What an agent does after a duty cycle without work.
#[derive(Debug)]
pub enum IdleStrategy {
    /// Nothing at all.
    Noop,
    /// Tells the core that this is a spin loop.
    BusySpinning,
    /// Gives the core to another thread that wants it.
    Yielding,
    /// Sleeps.
    Sleeping(Duration),
    /// Spins, then yields, then parks for longer and longer.
    Backoff(Backoff),
}

/// An idle strategy's name or init args that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdleStrategyError {
    /// No strategy has this name.
    #[error("could not find idle strategy '{0}': accepted are backoff, sleeping, sleep-ns, yield, spin, noop")]
    UnknownName(String),
    /// Sleeping needs one duration.
    #[error("idle strategy init args '{0}' are not a duration, as in 1us or 1ms")]
    SleepPeriod(String),
    /// Back-off needs four values.
    #[error(
        "idle strategy init args '{0}' are malformed: 4 values required, as in 10-20-1us-1ms \
         (spins, yields, shortest and longest park)"
    )]
    Backoff(String),
}

impl IdleStrategy {
    /// The strategy of a name, Aeron's short one or that of its C symbol, and init args where it has any.
    ///
    /// # Errors
    /// When there is no such strategy, or it cannot be made from these args.
    pub fn load(name: &str, init_args: Option<&str>) -> Result<IdleStrategy, IdleStrategyError> {
        match name {
            "noop" | "aeron_idle_strategy_noop" => Ok(IdleStrategy::Noop),
            "spin" | "aeron_idle_strategy_busy_spinning" => Ok(IdleStrategy::BusySpinning),
            "yield" | "aeron_idle_strategy_yielding" => Ok(IdleStrategy::Yielding),
            "sleeping" | "sleep-ns" | "aeron_idle_strategy_sleeping" => {
                let Some(args) = init_args else { return Ok(IdleStrategy::Sleeping(Duration::from_nanos(1))) };
                let period = parse_duration_ns(args).map_err(|_| IdleStrategyError::SleepPeriod(args.to_owned()))?;
                Ok(IdleStrategy::Sleeping(Duration::from_nanos(period)))
            }
            "backoff" | "aeron_idle_strategy_backoff" => {
                let backoff = match init_args {
                    None => Backoff::default(),
                    Some(args) => Backoff::parse(args).ok_or_else(|| IdleStrategyError::Backoff(args.to_owned()))?,
                };
                Ok(IdleStrategy::Backoff(backoff))
            }
            _ => Err(IdleStrategyError::UnknownName(name.to_owned())),
        }
    }

    /// Waits as fits a duty cycle that did `work_count` and an agent that asks for `pace`.
    #[inline]
    pub fn idle(&mut self, work_count: usize, pace: Pace) {
        match self {
            IdleStrategy::Backoff(backoff) => backoff.idle(work_count, pace),
            _ if work_count > 0 => {}
            IdleStrategy::Noop => {}
            IdleStrategy::BusySpinning => std::hint::spin_loop(),
            IdleStrategy::Yielding => std::thread::yield_now(),
            IdleStrategy::Sleeping(period) => std::thread::sleep(*period),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_short_name_and_every_c_symbol_finds_its_strategy() {
        for (names, wanted) in [
            (["noop", "aeron_idle_strategy_noop"], "Noop"),
            (["spin", "aeron_idle_strategy_busy_spinning"], "BusySpinning"),
            (["yield", "aeron_idle_strategy_yielding"], "Yielding"),
            (["sleeping", "aeron_idle_strategy_sleeping"], "Sleeping(1ns)"),
            (["sleep-ns", "aeron_idle_strategy_sleeping"], "Sleeping(1ns)"),
            (["backoff", "aeron_idle_strategy_backoff"], "Backoff"),
        ] {
            for name in names {
                let loaded = format!("{:?}", IdleStrategy::load(name, None).unwrap());
                assert!(loaded.starts_with(wanted), "{name}: {loaded}");
            }
        }
        assert_eq!(
            IdleStrategy::load("sleepy", None).unwrap_err(),
            IdleStrategyError::UnknownName("sleepy".to_owned())
        );
    }

    #[test]
    fn sleeping_takes_one_duration() {
        let strategy = IdleStrategy::load("sleep-ns", Some("1ms")).unwrap();
        assert!(matches!(strategy, IdleStrategy::Sleeping(period) if period == Duration::from_millis(1)));
        assert_eq!(
            IdleStrategy::load("sleep-ns", Some("soon")).unwrap_err(),
            IdleStrategyError::SleepPeriod("soon".to_owned())
        );
    }

    #[test]
    fn strategies_without_args_ignore_them_as_the_peer_does() {
        assert!(matches!(IdleStrategy::load("noop", Some("x")), Ok(IdleStrategy::Noop)));
    }

    #[test]
    fn no_strategy_waits_after_work() {
        for name in ["noop", "spin", "yield", "backoff"] {
            IdleStrategy::load(name, None).unwrap().idle(1, Pace::Idle);
        }
        let mut sleeping = IdleStrategy::load("sleeping", Some("3600s")).unwrap();
        sleeping.idle(1, Pace::Idle); // returns
    }
}
