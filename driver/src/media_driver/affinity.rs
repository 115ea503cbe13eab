//! Which core each thread is bound to. `[any]`
//!
//! Mirrors `aeron_driver_validate_and_apply_affinity_configuration`: cores may be counted within those that the process
//! is allowed, and settings that are questionable are warnings, or errors where the operator wants them to be. The
//! topology of caches and dies is not looked at.

use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;

use super::DriverError;
use crate::config::{ConfigError, Context};

/// The cores of the threads that there are, and what to tell the operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Affinity {
    pub(super) conductor: Option<usize>,
    pub(super) native_resource_agent: Option<usize>,
    pub(super) warnings: Vec<String>,
}

/// Reads the settings. A thread that is shared with the conductor is the conductor's.
pub(super) fn resolve(context: &Context, is_shared: bool) -> Result<Affinity, DriverError> {
    let allowed = allowed_cores();
    resolve_within(context, is_shared, &allowed)
}

fn resolve_within(context: &Context, is_shared: bool, allowed: &[usize]) -> Result<Affinity, DriverError> {
    let mut affinity = Affinity::default();
    for (name, setting, core) in [
        ("conductor", context.conductor_cpu_affinity, &mut affinity.conductor),
        ("native_resource_agent", context.native_resource_agent_cpu_affinity, &mut affinity.native_resource_agent),
    ] {
        // −1 is any core.
        let Ok(setting) = usize::try_from(setting) else { continue };
        if context.thread_affinity_use_cpuset_offsets {
            let Some(resolved) = allowed.get(setting) else {
                let message = format!(
                    "{name} cpu affinity offset {setting} is not below {}, the count of cores that this process may use",
                    allowed.len()
                );
                return Err(ConfigError::Invalid(message).into());
            };
            *core = Some(*resolved);
        } else {
            if !allowed.is_empty() && !allowed.contains(&setting) {
                affinity
                    .warnings
                    .push(format!("WARN: {name} has cpu affinity={setting}, which this process may not use"));
            }
            *core = Some(setting);
        }
    }
    if is_shared {
        affinity.native_resource_agent = None;
    } else if let (Some(one), Some(other)) = (affinity.conductor, affinity.native_resource_agent)
        && one == other
    {
        affinity.warnings.push(format!("WARN: conductor and native_resource_agent are sharing cpu affinity={one}"));
    }
    if context.thread_affinity_fail_on_validation_errors && !affinity.warnings.is_empty() {
        return Err(ConfigError::Invalid(affinity.warnings.join("; ")).into());
    }
    Ok(affinity)
}

/// The cores that this process may use, by rising number; none where the system does not tell.
fn allowed_cores() -> Vec<usize> {
    let Ok(cores) = sched_getaffinity(Pid::from_raw(0)) else { return Vec::new() };
    (0..CpuSet::count()).filter(|core| cores.is_set(*core).unwrap_or(false)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(conductor: i32, native_resource_agent: i32) -> Context {
        Context {
            conductor_cpu_affinity: conductor,
            native_resource_agent_cpu_affinity: native_resource_agent,
            ..Context::default()
        }
    }

    #[test]
    fn cores_are_taken_as_they_are_or_counted_within_those_allowed() {
        let mut context = context(3, -1);
        let affinity = resolve_within(&context, false, &[2, 3, 5]).unwrap();
        assert_eq!(affinity, Affinity { conductor: Some(3), ..Affinity::default() });
        context.thread_affinity_use_cpuset_offsets = true;
        assert!(resolve_within(&context, false, &[2, 3, 5]).is_err(), "there is no fourth core");
        context.conductor_cpu_affinity = 2;
        assert_eq!(resolve_within(&context, false, &[2, 3, 5]).unwrap().conductor, Some(5));
    }

    #[test]
    fn a_shared_core_is_a_warning_or_an_error() {
        let mut context = context(1, 1);
        let affinity = resolve_within(&context, false, &[0, 1]).unwrap();
        assert_eq!(affinity.warnings, ["WARN: conductor and native_resource_agent are sharing cpu affinity=1"]);
        assert_eq!(resolve_within(&context, true, &[0, 1]).unwrap().warnings.len(), 0, "one thread, one core");
        context.thread_affinity_fail_on_validation_errors = true;
        assert!(resolve_within(&context, false, &[0, 1]).is_err());
    }

    #[test]
    fn a_core_that_may_not_be_used_is_a_warning() {
        let affinity = resolve_within(&context(7, -1), false, &[0, 1]).unwrap();
        assert_eq!(affinity.warnings, ["WARN: conductor has cpu affinity=7, which this process may not use"]);
    }
}
