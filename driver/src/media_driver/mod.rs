//! The driver put together: its files, its agents, its threads. `[any]`
//!
//! Mirrors `aeron_driver_init`, `_start` and `_close`, and Java's `MediaDriver`; driver.md §1, cnc.md §1. With no network
//! yet, the conductor and the native-resource agent are what runs: in threads of their own (DEDICATED,
//! SHARED_NETWORK), in one (SHARED), or on the caller's (INVOKER).

mod affinity;
mod conductor_agent;
mod error;
mod files;
mod settings;
mod shared_agent;

use std::sync::mpsc::{Receiver, TryRecvError, channel};

use crate::agent::{Agent, AgentRunner, IdleStrategy};
use crate::clock::Clock;
use crate::conductor::DriverConductor;
use crate::config::{Context, ThreadNaming, ThreadingMode};
use crate::console;
use crate::native_resource_agent::NativeResourceAgent;
use conductor_agent::ConductorAgent;
pub use error::DriverError;
use files::DriverFiles;
use shared_agent::SharedAgent;

/// An agent that somebody calls.
type BoxedAgent = Box<dyn Agent + Send>;

/// A driver in the process that embeds it, on threads of its own; it ends when it is closed or dropped.
///
/// ```no_run
/// use gannet_driver::MediaDriver;
/// use gannet_driver::config::Context;
///
/// let driver = MediaDriver::launch(Context::default())?;
/// // … clients of the same directory work …
/// driver.close()?;
/// # Ok::<(), gannet_driver::DriverError>(())
/// ```
#[derive(Debug)]
pub struct MediaDriver {
    threads: Threads,
    terminating: Receiver<()>,
    files: Option<DriverFiles>,
}

/// A driver whose conductor, or all of it, is called by whoever embeds it: `do_work` again and again, `idle` between.
pub struct InvokedDriver {
    primary: Option<BoxedAgent>,
    idle: IdleStrategy,
    resources: Option<AgentRunner<NativeResourceAgent>>,
    terminating: Receiver<()>,
    files: Option<DriverFiles>,
}

#[derive(Debug)]
struct Threads {
    primary: Option<AgentRunner<BoxedAgent>>,
    resources: Option<AgentRunner<NativeResourceAgent>>,
}

/// What both kinds of driver are made from.
struct Parts {
    primary: BoxedAgent,
    idle: IdleStrategy,
    resources: Option<(NativeResourceAgent, IdleStrategy)>,
    terminating: Receiver<()>,
    files: DriverFiles,
}

impl MediaDriver {
    /// Starts a driver.
    ///
    /// # Errors
    /// When the settings contradict each other, another driver lives in the directory, or files or threads cannot be
    /// had; and with INVOKER, which is for [`MediaDriver::launch_invoker`].
    pub fn launch(context: Context) -> Result<MediaDriver, DriverError> {
        if context.threading_mode == ThreadingMode::Invoker {
            return Err(DriverError::NeedsInvoker);
        }
        Self::start(assemble(context, &|| false)?)
    }

    fn start(parts: Parts) -> Result<MediaDriver, DriverError> {
        let Parts { primary, idle, resources, terminating, files } = parts;
        let mut driver = MediaDriver { threads: Threads::none(), terminating, files: Some(files) };
        if let Some((agent, idle)) = resources {
            driver.threads.resources = Some(AgentRunner::start(agent, idle)?);
        }
        driver.threads.primary = Some(AgentRunner::start(primary, idle)?);
        Ok(driver)
    }

    /// Sets up a driver whose conductor the caller calls; with SHARED and INVOKER all of the driver, otherwise the
    /// native-resource agent gets its own thread.
    ///
    /// # Errors
    /// As for [`MediaDriver::launch`].
    pub fn launch_invoker(context: Context) -> Result<InvokedDriver, DriverError> {
        Self::launch_invoker_unless(context, &|| false)
    }

    /// As [`MediaDriver::launch_invoker`], and gives up as soon as `is_stopped`, should it have to wait for another driver
    /// that began to start in the directory.
    ///
    /// # Errors
    /// As for [`MediaDriver::launch`]; and [`DirectoryError::Stopped`](gannet_transport_ipc::DirectoryError::Stopped).
    pub fn launch_invoker_unless(
        context: Context,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<InvokedDriver, DriverError> {
        InvokedDriver::start(assemble(context, is_stopped)?)
    }

    /// Whether a client asked for the driver to end, and was allowed to; or a thread of it is gone; or another driver took
    /// over its directory. It goes on until it is closed.
    #[must_use]
    pub fn is_terminating(&self) -> bool {
        is_terminating(&self.terminating) || self.threads.have_ended()
    }

    /// Ends the driver: its threads, its logs, its heartbeat, and the directory if the settings say so.
    ///
    /// # Errors
    /// When a thread had died, another driver took over the directory, or files cannot be written back or removed; the
    /// driver has ended all the same.
    pub fn close(mut self) -> Result<(), DriverError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), DriverError> {
        let Threads { primary, resources } = std::mem::replace(&mut self.threads, Threads::none());
        // All stop before any closes; the conductor closes last: it tells clients that the driver is gone.
        let stopped =
            [resources.map(|runner| stop(runner).map(|agent| Box::new(agent) as BoxedAgent)), primary.map(stop)];
        end(stopped.into_iter().flatten(), self.files.take())
    }
}

impl Drop for MediaDriver {
    fn drop(&mut self) {
        // Whoever wants to know what went wrong closes.
        let _ = self.end();
    }
}

impl InvokedDriver {
    fn start(parts: Parts) -> Result<InvokedDriver, DriverError> {
        let Parts { mut primary, idle, resources, terminating, files } = parts;
        let resources = match resources {
            Some((agent, idle)) => Some(AgentRunner::start(agent, idle)?),
            None => None,
        };
        primary.on_start();
        Ok(InvokedDriver { primary: Some(primary), idle, resources, terminating, files: Some(files) })
    }

    /// One duty cycle; how much was done.
    pub fn do_work(&mut self) -> usize {
        self.primary.as_mut().map_or(0, |primary| primary.do_work())
    }

    /// Waits as the driver's idle strategy does after a duty cycle that did `work_count`.
    pub fn idle(&mut self, work_count: usize) {
        let pace = self.primary.as_ref().map_or(crate::agent::Pace::Idle, |primary| primary.pace());
        self.idle.idle(work_count, pace);
    }

    /// Whether a client asked for the driver to end, and was allowed to; or its other thread is gone, without which it
    /// serves nobody; or another driver took over its directory. It goes on until it is closed.
    #[must_use]
    pub fn is_terminating(&self) -> bool {
        is_terminating(&self.terminating) || self.resources.as_ref().is_some_and(AgentRunner::has_ended)
    }

    /// The name that the calling thread would have, were it the driver's own.
    #[must_use]
    pub fn role_name(&self) -> &str {
        self.primary.as_ref().map_or("", |primary| primary.role_name())
    }

    /// Ends the driver: its logs, its heartbeat, and the directory if the settings say so.
    ///
    /// # Errors
    /// As for [`MediaDriver::close`].
    pub fn close(mut self) -> Result<(), DriverError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), DriverError> {
        let resources = self.resources.take().map(|runner| stop(runner).map(|agent| Box::new(agent) as BoxedAgent));
        // What panicked in the middle of its work is not asked to do more.
        let primary = self.primary.take().filter(|_| !std::thread::panicking());
        end(resources.into_iter().chain(primary.map(Ok)), self.files.take())
    }
}

impl Drop for InvokedDriver {
    fn drop(&mut self) {
        // Whoever wants to know what went wrong closes.
        let _ = self.end();
    }
}

impl std::fmt::Debug for InvokedDriver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InvokedDriver").field("role_name", &self.role_name()).finish_non_exhaustive()
    }
}

impl Threads {
    const fn none() -> Self {
        Threads { primary: None, resources: None }
    }

    fn have_ended(&self) -> bool {
        self.primary.as_ref().is_some_and(AgentRunner::has_ended)
            || self.resources.as_ref().is_some_and(AgentRunner::has_ended)
    }
}

fn stop<A: Agent + Send + 'static>(runner: AgentRunner<A>) -> Result<A, DriverError> {
    let role_name = runner.role_name().to_owned();
    runner.stop().ok_or(DriverError::ThreadDied { role_name })
}

/// Closes agents that have stopped, those that live, and then the files, which no other driver can take meanwhile.
fn end(
    agents: impl Iterator<Item = Result<BoxedAgent, DriverError>>,
    files: Option<DriverFiles>,
) -> Result<(), DriverError> {
    let Some(mut files) = files else { return Ok(()) };
    files.hold();
    let mut result = Ok(());
    for agent in agents {
        match agent {
            Ok(mut agent) => agent.on_close(),
            Err(error) => result = Err(error),
        }
    }
    files.close().and(result)
}

fn is_terminating(terminating: &Receiver<()>) -> bool {
    // The conductor tells by closing its end.
    matches!(terminating.try_recv(), Err(TryRecvError::Disconnected))
}

fn assemble(context: Context, is_stopped: &dyn Fn() -> bool) -> Result<Parts, DriverError> {
    context.validate()?;
    let is_shared = matches!(context.threading_mode, ThreadingMode::Shared | ThreadingMode::Invoker);
    // Whatever can be refused is refused before the directory is touched.
    let idle =
        IdleStrategy::load(if is_shared { &context.shared_idle_strategy } else { &context.conductor_idle_strategy })?;
    let resources_idle = IdleStrategy::load(&context.native_resource_agent_idle_strategy)?;

    let affinity = affinity::resolve(&context, is_shared)?;

    let (mut files, counters) = DriverFiles::create(&context, is_stopped)?;
    let (resources, proxy) = NativeResourceAgent::new(settings::native_resources(
        &context,
        files.cnc().memory().clone(),
        affinity.native_resource_agent,
    ));
    let mut clock = Clock::new();
    let settings = settings::conductor(&context)?;
    let conductor = DriverConductor::new(settings, files.cnc(), counters, proxy, files::seed(), clock.now())?;
    let (terminate, terminating) = channel();
    let role_name = role_name(&context, is_shared);
    let mut conductor = ConductorAgent::new(conductor, clock, terminate, role_name, affinity.conductor);
    for warning in &affinity.warnings {
        console::complain(warning);
        conductor.report_warning(warning);
    }
    for warning in context.warnings.iter().filter(|warning| warning.is_about_value) {
        conductor.report_warning(warning);
    }
    files.publish()?;
    Ok(if is_shared {
        Parts { primary: Box::new(SharedAgent::new(conductor, resources)), idle, resources: None, terminating, files }
    } else {
        Parts { primary: Box::new(conductor), idle, resources: Some((resources, resources_idle)), terminating, files }
    })
}

/// Aeron's names, `AERON_DRIVER_AGENT_ROLE_NAME_*`.
fn role_name(context: &Context, is_shared: bool) -> &'static str {
    match (context.thread_naming, is_shared) {
        (ThreadNaming::Classic, false) => "conductor",
        (ThreadNaming::Classic, true) => "[conductor, sender, receiver]",
        (ThreadNaming::New, false) => "aeron-md-cnd",
        (ThreadNaming::New, true) => "aeron-md-shd",
    }
}

#[cfg(test)]
mod tests;
