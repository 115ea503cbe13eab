//! `gannet demo`: the main job, on a driver of its own: publish a few million messages, receive them, verify each.

use std::fmt;
use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use gannet::driver::config::Context as DriverContext;
use gannet::{Aeron, EmbeddedDriver, ExclusivePublication, FragmentAssembler, Subscription};
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};

use crate::Failure;
use crate::check::{self, Checker};
use crate::idle::Idle;
use crate::interrupt::{Interrupt, Interrupted};
use crate::latency::Latencies;
use crate::ping::{Trips, echo, round_trips};
use crate::stream::{SendError, await_connected, send};

/// The log of the data takes 12 MiB, those of the round trips 192 KiB each: with the driver's small profile all fits the
/// 64 MiB of shared memory that a container gets by default.
const DATA_CHANNEL: &str = "aeron:ipc?term-length=4m|alias=demo";
const PING_CHANNEL: &str = "aeron:ipc?term-length=64k|alias=demo";
const DATA_STREAM: i32 = 1001;
const PING_STREAM: i32 = 1002;
const PONG_STREAM: i32 = 1003;

/// Fragments taken in one poll.
const FRAGMENT_LIMIT: usize = 256;
/// Nothing arrives for this long, and the rest counts as lost.
const LOSS_TIMEOUT: Duration = Duration::from_secs(10);
/// Lengths of messages: mostly one small frame, some whole frames, a few in fragments.
const LENGTHS: [usize; 16] = [32, 32, 32, 32, 64, 32, 100, 32, 32, 256, 32, 1376, 32, 64, 32, LONGEST];
/// In four fragments at the default MTU.
const LONGEST: usize = 5000;
/// Length of a ping in bytes.
const PING_LENGTH: usize = 32;

/// Publish and receive a few million verified messages on a driver of its own
#[derive(Args)]
#[command(after_help = "Needs nothing: the driver runs in this process, in a directory of its own that goes with it.
The exit code is 1 if a message was lost, changed or out of order.

Examples:
  gannet demo
  gannet demo --messages 100000000 --round-trips 0")]
pub(crate) struct Arguments {
    /// Messages to publish, receive and verify
    #[arg(long, short = 'n', default_value_t = 4_000_000, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    messages: u64,
    /// Round trips to measure after that
    #[arg(long, default_value_t = 100_000, value_name = "COUNT")]
    round_trips: u64,
    /// Where the driver makes its directory [default: beside /dev/shm/aeron-<user>]
    #[arg(long, value_name = "PATH")]
    dir: Option<std::path::PathBuf>,
}

/// Runs the demo; an error is a lost, changed or reordered message, or a driver that cannot start.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let interrupt = Interrupt::install()?;
    let driver = launch(arguments)?;
    let mut out = io::stdout();
    writeln!(out, "driver in {}", driver.aeron_dir().display())?;

    let received = {
        let aeron = Aeron::connect(driver.context().client_name("gannet demo"))?;
        throughput(&aeron, arguments.messages, &interrupt)?
    };
    writeln!(out, "{received}")?;
    if arguments.round_trips > 0 {
        let aeron = Aeron::connect(driver.context().client_name("gannet demo"))?;
        let latencies = latency(&aeron, arguments.round_trips, &interrupt)?;
        writeln!(out, "{} round trips of {PING_LENGTH} bytes:\n{latencies}", HumanCount(latencies.count()))?;
    }
    driver.close()?;
    interrupt.check()?;
    Ok(())
}

/// A driver with the small profile. A directory that was asked for must not exist: it goes with the driver.
fn launch(arguments: &Arguments) -> Result<EmbeddedDriver, Failure> {
    if let Some(directory) = arguments.dir.as_ref().filter(|directory| directory.symlink_metadata().is_ok()) {
        return Err(format!(
            "{} exists, and the demo removes its directory at the end: name one that does not",
            directory.display()
        )
        .into());
    }
    Ok(EmbeddedDriver::launch_with(|context| {
        *context = DriverContext {
            directory: arguments.dir.clone().unwrap_or_else(|| context.directory.clone()),
            delete_directory_on_start: context.delete_directory_on_start && arguments.dir.is_none(),
            delete_directory_on_shutdown: context.delete_directory_on_shutdown,
            ..DriverContext::small()
        };
    })?)
}

/// What was received, all of it verified.
struct Received {
    messages: u64,
    bytes: u64,
    elapsed: Duration,
}

impl fmt::Display for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.elapsed.as_secs_f64().max(1e-9);
        write!(
            f,
            "{} messages, {} in {seconds:.2} s: complete, in order and unchanged\n{:.2} million messages/s, {:.0} MB/s",
            HumanCount(self.messages),
            HumanBytes(self.bytes),
            self.messages as f64 / seconds / 1e6,
            self.bytes as f64 / seconds / 1e6
        )
    }
}

fn throughput(aeron: &Aeron, messages: u64, interrupt: &Interrupt) -> Result<Received, Failure> {
    let mut subscription = aeron.add_subscription(DATA_CHANNEL, DATA_STREAM)?;
    let mut publication = aeron.add_exclusive_publication(DATA_CHANNEL, DATA_STREAM)?;
    // If one side fails, the other ends.
    let stop = interrupt.child();
    thread::scope(|scope| {
        let publishing = scope.spawn(|| publish(&mut publication, messages, &stop).inspect_err(|_| stop.raise()));
        let received = receive(&mut subscription, messages, &stop).inspect_err(|_| stop.raise());
        match publishing.join() {
            // What was published in part was received in part: the cause counts, not that.
            Ok(Err(error @ SendError::Offer(_))) => Err(error.into()),
            Ok(_) => received,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn publish(publication: &mut ExclusivePublication, messages: u64, stop: &Interrupt) -> Result<(), SendError> {
    await_connected(publication, stop)?;
    let mut scratch = [0; LONGEST];
    let mut idle = Idle::busy();
    for (number, length) in (0..messages).zip(LENGTHS.into_iter().cycle()) {
        let message = &mut scratch[..length];
        check::write(number, message);
        send(publication, message, &mut idle, stop)?;
    }
    Ok(())
}

fn receive(subscription: &mut Subscription, messages: u64, stop: &Interrupt) -> Result<Received, Failure> {
    let progress = ProgressBar::new(messages);
    progress.set_style(ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} messages, {per_sec}")?);
    let (mut checker, mut assembler, mut idle) = (Checker::default(), FragmentAssembler::new(), Idle::busy());
    let (mut bytes, mut fault) = (0, None);
    let (mut started, mut last) = (None, Instant::now());
    while checker.received() < messages {
        let fragments = subscription.poll(
            FRAGMENT_LIMIT,
            assembler.assemble(|message, _| {
                bytes += message.len() as u64;
                if fault.is_none() {
                    fault = checker.check(message).err();
                }
            }),
        );
        if let Some(fault) = fault {
            return Err(fault.into());
        }
        idle.idle(fragments);
        if fragments > 0 {
            last = Instant::now();
            started.get_or_insert(last);
            progress.set_position(checker.received());
        } else if stop.is_raised() {
            return Err(Interrupted.into());
        } else if last.elapsed() > LOSS_TIMEOUT {
            return Err(
                format!("message {} has not come within {LOSS_TIMEOUT:?}: it is lost", checker.received()).into()
            );
        }
    }
    progress.finish_and_clear();
    let elapsed = started.map_or(Duration::ZERO, |started| started.elapsed());
    Ok(Received { messages, bytes, elapsed })
}

fn latency(aeron: &Aeron, count: u64, interrupt: &Interrupt) -> Result<Latencies, Failure> {
    let mut pings_in = aeron.add_subscription(PING_CHANNEL, PING_STREAM)?;
    let mut pongs_in = aeron.add_subscription(PING_CHANNEL, PONG_STREAM)?;
    let mut pings_out = aeron.add_exclusive_publication(PING_CHANNEL, PING_STREAM)?;
    let mut pongs_out = aeron.add_exclusive_publication(PING_CHANNEL, PONG_STREAM)?;
    await_connected(&pings_out, interrupt)?;
    await_connected(&pongs_out, interrupt)?;
    let done = interrupt.child();
    thread::scope(|scope| {
        let echoing = scope.spawn(|| echo(&mut pings_in, &mut pongs_out, Idle::busy(), &done));
        let trips = Trips { warmup: count / 10, count, length: PING_LENGTH };
        let latencies = round_trips(&mut pings_out, &mut pongs_in, &trips, interrupt);
        done.raise();
        match echoing.join() {
            Ok(echoed) => echoed?,
            Err(panic) => std::panic::resume_unwind(panic),
        }
        latencies
    })
}
