//! The parts that the client processes play, written once over [`Client`].

mod counted;
mod echo;
pub(crate) mod stream;

use crate::case::Case;
use crate::client::{Client, Failure, Publish, Subscribe};
use crate::machine;
use clap::{Parser, ValueEnum};
use std::hint::spin_loop;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A part to play.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Sends as fast as the log takes messages.
    Producer,
    /// Receives and counts.
    Consumer,
    /// Sends one message at a time and times its echo.
    Ping,
    /// Echoes.
    Pong,
    /// Publishes and polls in one thread, for counting instructions.
    Counted,
}

/// What a busy thread does when there was nothing to do: the same on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Idle {
    /// Tries again at once.
    Noop,
    /// A spin-loop hint, as Aeron's busy-spin strategy does.
    Spin,
    /// Gives the core away, as Aeron's yielding strategy does.
    Yield,
}

impl Idle {
    #[inline]
    fn idle(self) {
        match self {
            Idle::Noop => {}
            Idle::Spin => spin_loop(),
            Idle::Yield => std::thread::yield_now(),
        }
    }
}

/// The command line of a role's process.
#[derive(Clone, Debug, Parser)]
pub struct Arguments {
    /// The part to play.
    #[arg(value_enum)]
    pub role: Role,
    /// The driver's directory.
    #[arg(long)]
    pub directory: PathBuf,
    /// The case, by name.
    #[arg(long)]
    pub case: String,
    /// The core to pin the busy thread to.
    #[arg(long)]
    pub core: usize,
    /// Not measured at the start, in milliseconds.
    #[arg(long, default_value_t = 300)]
    pub warm_up_ms: u64,
    /// Measured, in milliseconds.
    #[arg(long, default_value_t = 1000)]
    pub measure_ms: u64,
    /// What a busy thread does when there was nothing to do.
    #[arg(long, value_enum, default_value_t = Idle::Spin)]
    pub idle: Idle,
    /// The most fragments that one poll takes.
    #[arg(long, default_value_t = 256)]
    pub fragment_limit: usize,
    /// Another term length than the case's, in bytes.
    #[arg(long)]
    pub term_length: Option<u32>,
}

impl Arguments {
    fn warm_up(&self) -> Duration {
        Duration::from_millis(self.warm_up_ms)
    }

    fn measure(&self) -> Duration {
        Duration::from_millis(self.measure_ms)
    }
}

/// Stream of the messages, and of the pings.
const STREAM: i32 = 1001;
/// Stream of the echoes.
const ECHO_STREAM: i32 = 1002;
/// The sequence number of the last message, which ends the other process.
const LAST: u64 = u64::MAX;
/// How long to wait for the other process.
const DEADLINE: Duration = Duration::from_secs(20);

/// Plays a role and prints what it measured.
///
/// # Errors
/// When the case is unknown, the driver refuses, or the other process does not come.
pub fn run<C: Client>(arguments: &Arguments) -> Result<(), Failure> {
    let mut case = Case::named(&arguments.case).ok_or_else(|| format!("no case is named {}", arguments.case))?;
    if let Some(term_length) = arguments.term_length {
        case.term_length = term_length;
    }
    let mut client = C::connect(&arguments.directory)?;
    // After the client has made its conductor's thread, which thereby floats.
    machine::pin_to_core(arguments.core)?;
    let measures = match arguments.role {
        Role::Producer => stream::produce(&mut client, &case, arguments)?,
        Role::Consumer => stream::consume(&mut client, &case, arguments)?,
        Role::Ping => echo::ping(&mut client, &case, arguments)?,
        Role::Counted => counted::count(&mut client, &case, arguments)?,
        Role::Pong => echo::pong(&mut client, &case, arguments)?,
    };
    print!("{}", measures.to_lines());
    Ok(())
}

fn wait_for(what: &str, mut condition: impl FnMut() -> bool) -> Result<(), Failure> {
    let start = Instant::now();
    while !condition() {
        if start.elapsed() > DEADLINE {
            return Err(format!("{what} did not come within {DEADLINE:?}").into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn wait_for_subscriber(publication: &impl Publish) -> Result<(), Failure> {
    wait_for("the subscriber", || publication.is_connected())
}

fn wait_for_publisher<H>(subscription: &impl Subscribe<H>) -> Result<(), Failure> {
    wait_for("the publisher", || subscription.is_connected())
}
