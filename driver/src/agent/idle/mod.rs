//! How an agent waits between duty cycles. `[any]`
//!
//! Mirrors `aeron_agent.c` and Agrona's `IdleStrategy`, with the same init args. All but back-off behave as Aeron's do; back-off adds the agent's own pace (docs/adr/0004-parking.md).

mod backoff;

use std::time::Duration;

use gannet_core::uri::value::parse_duration_ns;

use super::Pace;
use crate::config::{IdleStrategyConfig, IdleStrategyName};
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

/// An idle strategy's init args that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdleStrategyError {
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
    /// The strategy that the operator chose, with init args where it has any.
    ///
    /// # Errors
    /// When it cannot be made from these args.
    pub fn load(config: &IdleStrategyConfig) -> Result<IdleStrategy, IdleStrategyError> {
        let init_args = config.init_args.as_deref();
        match config.name {
            IdleStrategyName::Noop => Ok(IdleStrategy::Noop),
            IdleStrategyName::BusySpinning => Ok(IdleStrategy::BusySpinning),
            IdleStrategyName::Yielding => Ok(IdleStrategy::Yielding),
            IdleStrategyName::Sleeping => {
                let Some(args) = init_args else { return Ok(IdleStrategy::Sleeping(Duration::from_nanos(1))) };
                let period = parse_duration_ns(args).map_err(|_| IdleStrategyError::SleepPeriod(args.to_owned()))?;
                Ok(IdleStrategy::Sleeping(Duration::from_nanos(period)))
            }
            IdleStrategyName::Backoff => {
                let backoff = match init_args {
                    None => Backoff::default(),
                    Some(args) => Backoff::parse(args).ok_or_else(|| IdleStrategyError::Backoff(args.to_owned()))?,
                };
                Ok(IdleStrategy::Backoff(backoff))
            }
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

    fn load(name: IdleStrategyName, init_args: Option<&str>) -> Result<IdleStrategy, IdleStrategyError> {
        IdleStrategy::load(&IdleStrategyConfig { name, init_args: init_args.map(str::to_owned) })
    }

    #[test]
    fn sleeping_takes_one_duration() {
        let strategy = load(IdleStrategyName::Sleeping, Some("1ms")).unwrap();
        assert!(matches!(strategy, IdleStrategy::Sleeping(period) if period == Duration::from_millis(1)));
        let strategy = load(IdleStrategyName::Sleeping, None).unwrap();
        assert!(matches!(strategy, IdleStrategy::Sleeping(period) if period == Duration::from_nanos(1)));
        assert_eq!(
            load(IdleStrategyName::Sleeping, Some("soon")).unwrap_err(),
            IdleStrategyError::SleepPeriod("soon".to_owned())
        );
    }

    #[test]
    fn back_off_takes_four_values_or_none() {
        assert!(matches!(load(IdleStrategyName::Backoff, None), Ok(IdleStrategy::Backoff(_))));
        assert!(matches!(load(IdleStrategyName::Backoff, Some("1-2-3us-4us")), Ok(IdleStrategy::Backoff(_))));
        assert_eq!(
            load(IdleStrategyName::Backoff, Some("1-2")).unwrap_err(),
            IdleStrategyError::Backoff("1-2".to_owned())
        );
    }

    #[test]
    fn strategies_without_args_ignore_them_as_the_peer_does() {
        assert!(matches!(load(IdleStrategyName::Noop, Some("x")), Ok(IdleStrategy::Noop)));
    }

    #[test]
    fn no_strategy_waits_after_work() {
        use IdleStrategyName::{Backoff, BusySpinning, Noop, Yielding};
        for name in [Noop, BusySpinning, Yielding, Backoff] {
            load(name, None).unwrap().idle(1, Pace::Idle);
        }
        let mut sleeping = load(IdleStrategyName::Sleeping, Some("3600s")).unwrap();
        sleeping.idle(1, Pace::Idle); // returns
    }
}
