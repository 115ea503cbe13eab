//! `gannet`: the operator's tools.
//!
//! Each subcommand is a file of its own. The tools that only look (`stat`, `errors`, `driver`) map a driver's files
//! read-only, and read the official driver's directory as well as ours; the others are clients.

mod check;
mod cnc;
mod demo;
mod driver;
mod errors;
mod idle;
mod interrupt;
mod latency;
mod ping;
mod publish;
mod stat;
mod stream;
mod subscribe;

use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tools for Aeron media drivers: Gannet's and the official one.
#[derive(Parser)]
#[command(name = "gannet", version, about, propagate_version = true, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Publish and receive a few million verified messages on a driver of its own
    Demo(demo::Arguments),
    /// Measure round trips against `gannet pong`
    Ping(ping::PingArguments),
    /// Send back whatever `gannet ping` sends
    Pong(ping::PongArguments),
    /// Publish messages: a text, the lines of standard input, or numbered and checksummed ones
    Pub(publish::Arguments),
    /// Receive messages and print or verify them
    Sub(subscribe::Arguments),
    /// Show a driver's counters
    Stat(stat::Arguments),
    /// Show a driver's error log
    Errors(errors::Arguments),
    /// Show a driver's process and heartbeat, or ask it to terminate
    Driver(driver::Arguments),
}

/// The exit code of a tool that was stopped before it had done its job: what shells give for SIGINT.
const INTERRUPTED: u8 = 130;

/// Why a subcommand could not do its job, in words for the operator.
type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Ping(arguments) => ping::ping(&arguments),
        Command::Pong(arguments) => ping::pong(&arguments),
        Command::Pub(arguments) => publish::run(&arguments),
        Command::Sub(arguments) => subscribe::run(&arguments),
        Command::Stat(arguments) => stat::run(&arguments),
        Command::Errors(arguments) => errors::run(&arguments),
        Command::Driver(arguments) => driver::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has gone away, as `| head` does: not worth a word.
        Err(failure) if is_broken_pipe(&*failure) => ExitCode::SUCCESS,
        Err(failure) if is_interrupt(&*failure) => ExitCode::from(INTERRUPTED),
        Err(failure) => {
            eprintln!("gannet: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(failure: &(dyn std::error::Error + 'static)) -> bool {
    failure.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn is_interrupt(failure: &(dyn std::error::Error + 'static)) -> bool {
    failure.is::<interrupt::Interrupted>() || matches!(failure.downcast_ref(), Some(stream::SendError::Interrupted(_)))
}
