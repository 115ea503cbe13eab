//! Round trips: one message at a time, and its echo.

use super::{Arguments, ECHO_STREAM, Idle, LAST, STREAM, wait_for_publisher, wait_for_subscriber};
use crate::case::Case;
use crate::client::{Client, Failure, Handler, Publish, Subscribe, WithPublication};
use crate::machine::{self, Resident};
use crate::measure::Measures;
use hdrhistogram::Histogram;
use std::time::Instant;

/// Round trips between two looks at whether the time is over.
const STRIDE: u32 = 64;

/// Keeps the last sequence number that came.
struct Latest(Option<u64>);

impl Handler for Latest {
    #[inline]
    fn on_message(&mut self, message: &[u8]) {
        self.0 = message.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    }
}

fn send(publication: &mut impl Publish, sequence: u64, idle: Idle) {
    while !publication.try_send(sequence) {
        idle.idle();
    }
}

pub(super) fn ping<C: Client>(client: &mut C, case: &Case, arguments: &Arguments) -> Result<Measures, Failure> {
    let echoes = client.subscribe(&case.channel(), ECHO_STREAM, false, Latest(None))?;
    client.with_publication(case.method, &case.channel(), STREAM, case.length, Ping { echoes, arguments })
}

struct Ping<'a, S> {
    echoes: S,
    arguments: &'a Arguments,
}

impl<S: Subscribe<Latest>> WithPublication for Ping<'_, S> {
    type Output = Measures;

    fn run<P: Publish>(mut self, mut publication: P) -> Result<Measures, Failure> {
        wait_for_subscriber(&publication)?;
        wait_for_publisher(&self.echoes)?;
        let idle = self.arguments.idle;
        let fragment_limit = self.arguments.fragment_limit;
        let mut histogram = Histogram::<u64>::new_with_bounds(1, 10_000_000_000, 3)?;
        let mut sequence = 0;
        let mut round_trips_until = |end: Instant, histogram: &mut Histogram<u64>| {
            let mut now = Instant::now();
            while now < end {
                for _ in 0..STRIDE {
                    send(&mut publication, sequence, idle);
                    while self.echoes.handler().0 != Some(sequence) {
                        if self.echoes.poll(fragment_limit) == 0 {
                            idle.idle();
                        }
                    }
                    sequence += 1;
                    // One look at the clock per round trip: its 21 ns are in every figure, on both sides.
                    let back = Instant::now();
                    let nanoseconds = u64::try_from((back - now).as_nanos()).unwrap_or(u64::MAX);
                    histogram.saturating_record(nanoseconds);
                    now = back;
                }
            }
        };
        let start = Instant::now();
        round_trips_until(start + self.arguments.warm_up(), &mut histogram);
        histogram.reset();
        let cpu = machine::cpu_time();
        round_trips_until(start + self.arguments.warm_up() + self.arguments.measure(), &mut histogram);
        let cpu = machine::cpu_time().since(cpu);
        let mut measures = Measures::default();
        #[allow(clippy::cast_precision_loss)] // figures for people
        {
            measures.set("messages", histogram.len() as f64);
            measures.set("total_messages", sequence as f64 * 2.0);
            for (name, quantile) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999), ("p9999", 0.9999)] {
                measures.set(name, histogram.value_at_quantile(quantile) as f64);
            }
            measures.set("max", histogram.max() as f64);
        }
        measures.set_process(cpu, Resident::of("self")?);
        send(&mut publication, LAST, idle);
        Ok(measures)
    }
}

pub(super) fn pong<C: Client>(client: &mut C, case: &Case, arguments: &Arguments) -> Result<Measures, Failure> {
    let pings = client.subscribe(&case.channel(), STREAM, false, Latest(None))?;
    client.with_publication(case.method, &case.channel(), ECHO_STREAM, case.length, Pong { pings, arguments })
}

struct Pong<'a, S> {
    pings: S,
    arguments: &'a Arguments,
}

impl<S: Subscribe<Latest>> WithPublication for Pong<'_, S> {
    type Output = Measures;

    fn run<P: Publish>(mut self, mut publication: P) -> Result<Measures, Failure> {
        wait_for_subscriber(&publication)?;
        wait_for_publisher(&self.pings)?;
        let idle = self.arguments.idle;
        let cpu = machine::cpu_time();
        let mut messages = 0_u64;
        loop {
            if self.pings.poll(self.arguments.fragment_limit) == 0 {
                idle.idle();
                continue;
            }
            // A poll may have passed padding only, at the end of a term.
            let Some(sequence) = self.pings.handler().0.take() else { continue };
            if sequence == LAST {
                break;
            }
            send(&mut publication, sequence, idle);
            messages += 1;
        }
        let mut measures = Measures::default();
        #[allow(clippy::cast_precision_loss)] // figures for people
        measures.set("messages", messages as f64);
        measures.set_process(machine::cpu_time().since(cpu), Resident::of("self")?);
        Ok(measures)
    }
}
