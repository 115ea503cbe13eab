//! `gannet ping` and `gannet pong`: round trips over two streams.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use clap::Args;
use gannet::{ExclusivePublication, OfferError, Subscription};
use indicatif::{ProgressBar, ProgressStyle};

use crate::Failure;
use crate::cnc::DriverDirectory;
use crate::idle::Idle;
use crate::interrupt::Interrupt;
use crate::latency::Latencies;
use crate::stream::{SendError, await_connected, send};

/// A ping without an answer for this long is lost: far above any scheduling delay.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The two streams, as Aeron's own samples have them.
#[derive(Args)]
struct Streams {
    /// Channel of both directions
    #[arg(long, short, default_value = "aeron:ipc", value_name = "URI")]
    channel: String,
    /// Stream from ping to pong
    #[arg(long, default_value_t = 1002, value_name = "ID", allow_negative_numbers = true)]
    ping_stream: i32,
    /// Stream from pong to ping
    #[arg(long, default_value_t = 1003, value_name = "ID", allow_negative_numbers = true)]
    pong_stream: i32,
}

/// Measure round trips against `gannet pong`
#[derive(Args)]
#[command(after_help = "Start `gannet pong` first, in another terminal. Ctrl-C prints what was measured until then.

Examples:
  gannet ping
  gannet ping --messages 100000 --length 1024
  gannet ping --channel 'aeron:ipc?term-length=64k'     and the same channel for `gannet pong`")]
pub(crate) struct PingArguments {
    #[command(flatten)]
    driver: DriverDirectory,
    #[command(flatten)]
    streams: Streams,
    /// Round trips to measure
    #[arg(long, short = 'n', default_value_t = 1_000_000, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    messages: u64,
    /// Round trips before that
    #[arg(long, default_value_t = 10_000, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(..1 << 62))]
    warmup: u64,
    /// Length of a message in bytes
    #[arg(long, short, default_value_t = 32, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(8..=1376))]
    length: u64,
}

/// Send back whatever `gannet ping` sends
#[derive(Args)]
#[command(after_help = "Goes on until it is interrupted, and serves one `gannet ping` after the other.

Examples:
  gannet pong
  gannet pong --dir /dev/shm/aeron-other")]
pub(crate) struct PongArguments {
    #[command(flatten)]
    driver: DriverDirectory,
    #[command(flatten)]
    streams: Streams,
}

/// Measures round trips and prints their distribution.
pub(crate) fn ping(arguments: &PingArguments) -> Result<(), Failure> {
    let interrupt = Interrupt::install()?;
    let aeron = arguments.driver.connect("gannet ping")?;
    let streams = &arguments.streams;
    let mut pongs = aeron.add_subscription(&streams.channel, streams.pong_stream)?;
    let mut pings = aeron.add_exclusive_publication(&streams.channel, streams.ping_stream)?;
    await_connected(&pings, &interrupt)?;
    let trips =
        Trips { warmup: arguments.warmup, count: arguments.messages, length: usize::try_from(arguments.length)? };
    let latencies = round_trips(&mut pings, &mut pongs, &trips, &interrupt)?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{} round trips of {} bytes over {}:\n{latencies}",
        latencies.count(),
        arguments.length,
        streams.channel
    )?;
    Ok(())
}

/// How many round trips of what.
pub(crate) struct Trips {
    /// Not measured, to warm up.
    pub(crate) warmup: u64,
    /// Measured.
    pub(crate) count: u64,
    /// Length of a message in bytes, at least 8.
    pub(crate) length: usize,
}

/// Sends, awaits the answer, and so on: the distribution of what was measured until the end or the interrupt.
pub(crate) fn round_trips(
    pings: &mut ExclusivePublication,
    pongs: &mut Subscription,
    trips: &Trips,
    interrupt: &Interrupt,
) -> Result<Latencies, Failure> {
    let progress = ProgressBar::new(trips.count);
    progress.set_style(ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} round trips")?);
    let mut latencies = Latencies::new()?;
    let mut message = vec![0; trips.length];
    for number in 0..trips.warmup.saturating_add(trips.count) {
        message[..8].copy_from_slice(&number.to_le_bytes());
        let sent = Instant::now();
        match round_trip(pings, pongs, &message, number, sent, interrupt) {
            Ok(()) => {}
            Err(TripError::Send(SendError::Interrupted(_))) => break,
            Err(error) => return Err(error.into()),
        }
        if number >= trips.warmup {
            latencies.record(sent.elapsed());
            if number.is_multiple_of(4096) {
                progress.set_position(number - trips.warmup);
            }
        }
    }
    progress.finish_and_clear();
    Ok(latencies)
}

/// Why a round trip failed.
#[derive(Debug, thiserror::Error)]
enum TripError {
    #[error(transparent)]
    Send(#[from] SendError),
    #[error("the answer to ping {number} was {answer:?}: does another ping run?")]
    Other { number: u64, answer: Option<u64> },
    #[error("no answer to ping {number} within {ANSWER_TIMEOUT:?}: does `gannet pong` still run?")]
    None { number: u64 },
}

fn round_trip(
    pings: &mut ExclusivePublication,
    pongs: &mut Subscription,
    message: &[u8],
    number: u64,
    sent: Instant,
    interrupt: &Interrupt,
) -> Result<(), TripError> {
    let mut idle = Idle::busy();
    send(pings, message, &mut idle, interrupt)?;
    let mut answer = None;
    while pongs.poll(1, |payload, _| answer = payload.first_chunk().map(|head| u64::from_le_bytes(*head))) == 0 {
        interrupt.check().map_err(SendError::from)?;
        if sent.elapsed() > ANSWER_TIMEOUT {
            return Err(TripError::None { number });
        }
        idle.idle(0);
    }
    if answer == Some(number) { Ok(()) } else { Err(TripError::Other { number, answer }) }
}

/// Sends back whatever comes, until interrupted.
pub(crate) fn pong(arguments: &PongArguments) -> Result<(), Failure> {
    let interrupt = Interrupt::install()?;
    let aeron = arguments.driver.connect("gannet pong")?;
    let streams = &arguments.streams;
    let mut pings = aeron.add_subscription(&streams.channel, streams.ping_stream)?;
    let mut pongs = aeron.add_exclusive_publication(&streams.channel, streams.pong_stream)?;
    echo(&mut pings, &mut pongs, Idle::patient(), &interrupt)?;
    Ok(())
}

/// Sends back whatever comes, until interrupted. A ping that nobody waits for any more is not answered.
pub(crate) fn echo(
    pings: &mut Subscription,
    pongs: &mut ExclusivePublication,
    mut idle: Idle,
    interrupt: &Interrupt,
) -> Result<(), SendError> {
    let mut waiting = Idle::busy();
    let mut result = Ok(());
    while !interrupt.is_raised() {
        let fragments = pings.poll(1, |payload, _| result = send(pongs, payload, &mut waiting, interrupt));
        match result {
            Ok(()) | Err(SendError::Offer(OfferError::NotConnected)) => result = Ok(()),
            Err(SendError::Interrupted(_)) => break,
            Err(error) => return Err(error),
        }
        idle.idle(fragments);
    }
    Ok(())
}
