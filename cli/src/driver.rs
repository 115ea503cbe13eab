//! `gannet driver`: a driver's process, its heartbeat, its end.

use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use gannet_core::cnc::semantic_version;
use gannet_core::command::Command;
use gannet_core::counters::CounterId;
use gannet_core::counters::system::SystemCounter;
use gannet_core::sync::Memory;

use crate::Failure;
use crate::cnc::{Driver, DriverDirectory, duration, printable, utc};

/// How often the end of a driver is looked for.
const TERMINATION_POLL: Duration = Duration::from_millis(10);

/// Show a driver's process and heartbeat, or ask it to terminate
#[derive(Args)]
#[command(after_help = "Examples:
  gannet driver                            all there is to say
  kill -TERM $(gannet driver pid)
  gannet driver heartbeat || systemctl restart gannetd
  gannet driver terminate                  ask it to end, and wait until it has
  gannet driver terminate --token secret   for a driver whose validator wants one

A driver ends only if its termination validator says so, and the default is to deny: start it with
AERON_DRIVER_TERMINATION_VALIDATOR=allow.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    driver: DriverDirectory,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Print the process id
    Pid,
    /// Print when the driver last gave a sign of life, and fail if it is dead
    Heartbeat,
    /// Ask the driver to end, and wait until it has
    Terminate {
        /// What the driver's termination validator wants to see
        #[arg(long, value_name = "TEXT", default_value = "")]
        token: String,
        /// How long to wait for its end: a number of ns, us, ms or s
        #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
        timeout: Duration,
    },
}

/// Answers, or asks the driver to end.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.action {
        None => describe(&arguments.driver.read()?),
        Some(Action::Pid) => {
            writeln!(io::stdout(), "{}", arguments.driver.read()?.cnc.config().pid)?;
            Ok(())
        }
        Some(Action::Heartbeat) => {
            let driver = arguments.driver.read()?;
            check_alive(&driver)?;
            writeln!(io::stdout(), "{}  {}", utc(driver.ring.consumer_heartbeat_ms()), driver.heartbeat())?;
            Ok(())
        }
        Some(Action::Terminate { token, timeout }) => terminate(&arguments.driver.write()?, token.as_bytes(), *timeout),
    }
}

fn check_alive<M: Memory>(driver: &Driver<M>) -> Result<(), Failure> {
    let heartbeat = driver.heartbeat();
    if heartbeat.is_alive() {
        return Ok(());
    }
    Err(format!("{}: {heartbeat}", driver.directory.path().display()).into())
}

fn describe<M: Memory>(driver: &Driver<M>) -> Result<(), Failure> {
    let (config, counters) = (driver.cnc.config(), driver.counters());
    let system = |counter: SystemCounter| counters.record(CounterId(counter as i32));
    let mut out = io::stdout().lock();
    writeln!(out, "directory         {}", driver.directory.path().display())?;
    writeln!(out, "pid               {}", config.pid)?;
    writeln!(out, "heartbeat         {}", driver.heartbeat())?;
    writeln!(out, "up since          {}", utc(config.start_timestamp_ms))?;
    if let Some(version) = system(SystemCounter::AeronVersion) {
        let label = version.label_text();
        let software = label.strip_prefix(SystemCounter::AeronVersion.label()).unwrap_or(label).trim_start();
        writeln!(out, "software          {}", printable(software))?;
    }
    if let Some(version) = system(SystemCounter::ControlProtocolVersion) {
        let is_known = version.value == i64::from(semantic_version(1, 0, 0));
        let [_, major, minor, patch] = i32::try_from(version.value).unwrap_or(0).to_be_bytes();
        let note = if is_known { "" } else { ", which is not the 1.0.0 that this tool knows" };
        writeln!(out, "control protocol  {major}.{minor}.{patch}{note}")?;
    }
    writeln!(
        out,
        "client liveness   {:?}",
        Duration::from_nanos(config.client_liveness_timeout_ns.max(0).unsigned_abs())
    )?;
    writeln!(out, "page size         {} bytes", config.file_page_size)?;
    if let Some(errors) = system(SystemCounter::Errors) {
        writeln!(out, "errors            {} (see `gannet errors`)", errors.value)?;
    }
    Ok(())
}

fn terminate<M: Memory>(driver: &Driver<M>, token: &[u8], timeout: Duration) -> Result<(), Failure> {
    check_alive(driver)?;
    let (ring, directory) = (&driver.ring, driver.directory.path().display());
    let command = Command::TerminateDriver {
        client_id: ring.next_correlation_id(),
        correlation_id: ring.next_correlation_id(),
        token,
    };
    let mut message = vec![0; command.encoded_length()];
    let length = command.encode(&mut message)?;
    ring.write(command.type_id(), &message[..length])?;

    // No answer comes; a driver that ends in order says so where its heartbeat was. Its file may be gone by then, its
    // memory is not.
    let deadline = Instant::now() + timeout;
    while ring.consumer_heartbeat_ms() != -1 {
        if Instant::now() >= deadline {
            return Err(format!(
                "the driver in {directory} (pid {}) has not ended within {timeout:?}. Its termination validator \
                 refuses, which is the default, or it is still busy.\n\
                 One started with AERON_DRIVER_TERMINATION_VALIDATOR=allow takes the request.",
                driver.cnc.config().pid
            )
            .into());
        }
        thread::sleep(TERMINATION_POLL);
    }
    writeln!(io::stdout(), "the driver in {directory} has ended")?;
    Ok(())
}
