//! One-way traffic: a producer that sends as fast as it can, a consumer that counts and times.

use super::{Arguments, Idle, LAST, STREAM, wait_for_publisher, wait_for_subscriber};
use crate::case::Case;
use crate::client::{Client, Failure, Handler, Publish, Subscribe, WithPublication};
use crate::machine::{self, Resident};
use crate::measure::Measures;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Messages between two looks at the producer's clock.
const CLOCK_STRIDE: u64 = 1024;
/// Polls between two looks at the consumer's clock.
const POLL_STRIDE: u32 = 32;
/// How long the producer goes on at least when it has measured.
const MARGIN: Duration = Duration::from_millis(50);
/// The line by which the consumer says that it has measured.
pub(crate) const MEASURED: &str = "measured";
/// The run is cut into slices of this length: within one process the two modes of small messages alternate.
const SLICE: Duration = Duration::from_millis(10);

pub(super) fn produce<C: Client>(client: &mut C, case: &Case, arguments: &Arguments) -> Result<Measures, Failure> {
    let producer = Producer { arguments, lap: case.messages_in_log() };
    client.with_publication(case.method, &case.channel(), STREAM, case.length, producer)
}

struct Producer<'a> {
    arguments: &'a Arguments,
    /// Messages in a pass over the whole log.
    lap: u64,
}

impl WithPublication for Producer<'_> {
    type Output = Measures;

    fn run<P: Publish>(self, publication: P) -> Result<Measures, Failure> {
        wait_for_subscriber(&publication)?;
        let told_to_end = told_to_end();
        let mut sender = Sender { publication, idle: self.arguments.idle, sequence: 0, refusals: 0 };
        let start = Instant::now();
        let warm = start + self.arguments.warm_up();
        sender.send_while(|sequence| Instant::now() < warm || sequence < self.lap);
        let cpu = machine::cpu_time();
        let from = Instant::now();
        let first = sender.sequence;
        sender.send_while(|_| from.elapsed() < self.arguments.measure());
        let elapsed = from.elapsed();
        let cpu = machine::cpu_time().since(cpu);
        let mut measures = rate(sender.sequence - first, elapsed);
        // The consumer measures later than we do: go on until it is done.
        let enough = Instant::now() + MARGIN;
        sender.send_while(|_| Instant::now() < enough || !told_to_end.load(Ordering::Relaxed));
        while !sender.publication.try_send(LAST) {
            sender.idle.idle();
        }
        #[allow(clippy::cast_precision_loss)] // figures for people
        {
            measures.set("refusals", sender.refusals as f64);
            measures.set("total_messages", sender.sequence as f64);
        }
        measures.set_process(cpu, Resident::of("self")?);
        Ok(measures)
    }
}

/// Set when the standard input ends, which tells the producer that the consumer has measured. Relaxed: nothing is
/// ordered by it.
fn told_to_end() -> Arc<AtomicBool> {
    let told = Arc::new(AtomicBool::new(false));
    let tell = Arc::clone(&told);
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        tell.store(true, Ordering::Relaxed);
    });
    told
}

struct Sender<P> {
    publication: P,
    idle: Idle,
    sequence: u64,
    refusals: u64,
}

impl<P: Publish> Sender<P> {
    /// Sends while `condition`, which gets the next sequence number, holds.
    fn send_while(&mut self, mut condition: impl FnMut(u64) -> bool) {
        let mut sequence = self.sequence;
        let mut refusals = 0;
        while condition(sequence) {
            // A refused attempt counts for the stride too: a stopped publisher looks at the clock as well.
            for _ in 0..CLOCK_STRIDE {
                if self.publication.try_send(sequence) {
                    sequence += 1;
                } else {
                    refusals += 1;
                    self.idle.idle();
                }
            }
        }
        self.sequence = sequence;
        self.refusals += refusals;
    }
}

#[allow(clippy::cast_precision_loss)] // figures for people
fn rate(messages: u64, elapsed: Duration) -> Measures {
    let mut measures = Measures::default();
    measures.set("messages", messages as f64);
    measures.set("elapsed_ns", elapsed.as_nanos() as f64);
    measures.set("rate", messages as f64 / elapsed.as_secs_f64());
    measures
}

/// What the handler keeps: messages are checked to be the next ones, of the right length.
struct Tally {
    next: u64,
    length: usize,
    last: bool,
}

impl Handler for Tally {
    #[inline]
    fn on_message(&mut self, message: &[u8]) {
        let sequence = match message.first_chunk() {
            Some(bytes) if message.len() == self.length => u64::from_le_bytes(*bytes),
            _ => wrong(message.len(), self.length),
        };
        if sequence == self.next {
            self.next += 1;
        } else if sequence == LAST {
            self.last = true;
        } else {
            lost(sequence, self.next);
        }
    }
}

#[cold]
#[inline(never)]
fn wrong(length: usize, expected: usize) -> ! {
    panic!("a message of {length} bytes came instead of {expected}")
}

#[cold]
#[inline(never)]
fn lost(sequence: u64, expected: u64) -> ! {
    panic!("message {sequence} came instead of {expected}")
}

pub(super) fn consume<C: Client>(client: &mut C, case: &Case, arguments: &Arguments) -> Result<Measures, Failure> {
    let tally = Tally { next: 0, length: case.length, last: false };
    let subscription = client.subscribe(&case.channel(), STREAM, case.is_fragmented(), tally)?;
    Consumer { subscription, arguments, lap: case.messages_in_log(), polls: 0, empty: 0 }.run()
}

struct Consumer<'a, S> {
    subscription: S,
    arguments: &'a Arguments,
    /// Messages in a pass over the whole log.
    lap: u64,
    polls: u64,
    empty: u64,
}

impl<S: Subscribe<Tally>> Consumer<'_, S> {
    fn run(mut self) -> Result<Measures, Failure> {
        wait_for_publisher(&self.subscription)?;
        while self.subscription.handler().next == 0 {
            self.poll();
        }
        let start = Instant::now();
        // The first pass over the log meets memory that nobody touched yet, and is told apart.
        while self.subscription.handler().next < self.lap && !self.subscription.handler().last {
            self.poll();
        }
        let first_pass = start.elapsed();
        self.poll_until(start + self.arguments.warm_up());
        let cpu = machine::cpu_time();
        let from = Instant::now();
        let first = self.subscription.handler().next;
        (self.polls, self.empty) = (0, 0);
        let mut slices = Vec::new();
        let mut batches = Vec::new();
        let mut slice_polls = 0;
        let mut slice_start = (from, first);
        for slice in 1.. {
            let end = from + SLICE * slice;
            if end > from + self.arguments.measure() {
                break;
            }
            let now = self.poll_until(end);
            let next = self.subscription.handler().next;
            let productive = self.polls - self.empty;
            #[allow(clippy::cast_precision_loss)] // figures for people
            {
                slices.push((next - slice_start.1) as f64 / (now - slice_start.0).as_secs_f64());
                batches.push((next - slice_start.1) as f64 / (productive - slice_polls) as f64);
            }
            slice_polls = productive;
            slice_start = (now, next);
        }
        let cpu = machine::cpu_time().since(cpu);
        let (now, next) = slice_start;
        if self.subscription.handler().last {
            return Err("the producer ended before the measurement".into());
        }
        let mut measures = rate(next - first, now - from);
        #[allow(clippy::cast_precision_loss)] // figures for people
        {
            measures.set("first_pass_ns", first_pass.as_nanos() as f64);
            measures.set("polls", self.polls as f64);
            measures.set("empty_polls", self.empty as f64);
        }
        measures.set_list("slices", slices);
        measures.set_list("fragments_per_poll", batches);
        println!("{MEASURED}");
        io::stdout().flush()?;
        while !self.subscription.handler().last {
            self.poll();
        }
        measures.set_process(cpu, Resident::of("self")?);
        Ok(measures)
    }

    #[inline]
    fn poll(&mut self) {
        self.polls += 1;
        if self.subscription.poll(self.arguments.fragment_limit) == 0 {
            self.empty += 1;
            self.arguments.idle.idle();
        }
    }

    /// Polls until `end`, or a little later, and returns when that was.
    fn poll_until(&mut self, end: Instant) -> Instant {
        loop {
            for _ in 0..POLL_STRIDE {
                self.poll();
            }
            let now = Instant::now();
            if now >= end || self.subscription.handler().last {
                return now;
            }
        }
    }
}
