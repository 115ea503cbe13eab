//! What the tools that are clients have in common: a connection, a channel, a send that waits.

use std::time::{Duration, Instant};

use clap::Args;
use gannet::{Aeron, Context, ExclusivePublication, OfferError};

use crate::Failure;
use crate::cnc::DriverDirectory;
use crate::idle::Idle;
use crate::interrupt::{Interrupt, Interrupted};

/// An operator at a terminal wants to hear at once that no driver runs.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// So long without a subscriber, and the tool says what it waits for.
const PATIENCE: Duration = Duration::from_secs(1);

impl DriverDirectory {
    /// Connects a client to the driver.
    pub(crate) fn connect(&self, name: &str) -> Result<Aeron, Failure> {
        let context =
            Context::new().aeron_dir(self.directory().path()).client_name(name).connect_timeout(CONNECT_TIMEOUT);
        Ok(Aeron::connect(context)?)
    }
}

/// Which stream of which channel.
#[derive(Args)]
pub(crate) struct StreamArguments {
    /// The channel
    #[arg(long, short, default_value = "aeron:ipc", value_name = "URI")]
    pub(crate) channel: String,
    /// The stream in the channel
    #[arg(long, short, default_value_t = 1001, value_name = "ID", allow_negative_numbers = true)]
    pub(crate) stream: i32,
}

/// Waits until somebody subscribes to the publication; after a while says for what it waits.
pub(crate) fn await_connected(publication: &ExclusivePublication, interrupt: &Interrupt) -> Result<(), Interrupted> {
    let (mut idle, started, mut told) = (Idle::patient(), Instant::now(), false);
    while !publication.is_connected() {
        interrupt.check()?;
        if !told && started.elapsed() > PATIENCE {
            eprintln!(
                "waiting for a subscriber on {}, stream {}",
                crate::cnc::printable(publication.channel()),
                publication.stream_id()
            );
            told = true;
        }
        idle.idle(0);
    }
    Ok(())
}

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    #[error("cannot publish: {0}")]
    Offer(#[from] OfferError),
}

/// Sends one message, and waits for as long as the subscribers have to catch up.
///
/// # Errors
/// When the user interrupts, the subscribers went away, the publication closed or ended, or the message does not fit.
pub(crate) fn send(
    publication: &mut ExclusivePublication,
    message: &[u8],
    idle: &mut Idle,
    interrupt: &Interrupt,
) -> Result<(), SendError> {
    loop {
        match publication.offer(message) {
            Ok(_) => {
                idle.idle(1);
                return Ok(());
            }
            Err(OfferError::BackPressured | OfferError::AdminAction) => {
                interrupt.check()?;
                idle.idle(0);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Keeps a loop to a rate; it makes up for at most a second of delay.
pub(crate) struct Pace {
    interval: Option<Duration>,
    next: Instant,
}

impl Pace {
    /// `rate` per second, or as fast as it goes.
    pub(crate) fn new(rate: Option<f64>) -> Pace {
        Pace { interval: rate.map(|rate| Duration::from_secs_f64(rate.recip())), next: Instant::now() }
    }

    /// Waits until it is time for the next one.
    pub(crate) fn wait(&mut self, interrupt: &Interrupt) -> Result<(), Interrupted> {
        let Some(interval) = self.interval else { return Ok(()) };
        loop {
            interrupt.check()?;
            let now = Instant::now();
            let Some(left) = self.next.checked_duration_since(now).filter(|left| !left.is_zero()) else {
                let earliest = now.checked_sub(Duration::from_secs(1)).unwrap_or(now);
                self.next = self.next.max(earliest) + interval;
                return Ok(());
            };
            // A signal is noticed within this time.
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
    }
}
