//! Publisher and subscriber in one thread, in batches, for counting instructions: callgrind collects inside
//! [`publish_batch`] or [`poll_batch`] alone, so what depends on the driver's pace or the machine's load is left out.

use super::{Arguments, STREAM, wait_for, wait_for_publisher, wait_for_subscriber};
use crate::case::Case;
use crate::client::{Client, Failure, Handler, Publish, Subscribe, WithPublication};
use crate::measure::Measures;

/// Bytes of frames in a batch at most: far inside the window of any log that is counted.
const BATCH_BYTES: usize = 32 * 1024;
/// Batches in a run: 100 MiB of frames, so that term rotations weigh as they do in earnest.
const BATCHES: u64 = 3200;

/// Counts messages; its own instructions are in the figures of both sides.
struct Count(u64);

impl Handler for Count {
    #[inline]
    fn on_message(&mut self, message: &[u8]) {
        self.0 += u64::from(message.len() >= 8);
    }
}

#[inline(never)]
fn publish_batch<P: Publish>(publication: &mut P, first: u64, messages: u64) {
    for sequence in first..first + messages {
        while !publication.try_send(sequence) {}
    }
}

#[inline(never)]
fn poll_batch<S: Subscribe<Count>>(subscription: &mut S, total: u64, fragment_limit: usize) {
    while subscription.handler().0 < total {
        subscription.poll(fragment_limit);
    }
}

pub(super) fn count<C: Client>(client: &mut C, case: &Case, arguments: &Arguments) -> Result<Measures, Failure> {
    let subscription = client.subscribe(&case.channel(), STREAM, case.is_fragmented(), Count(0))?;
    let counted = Counted { subscription, case, arguments };
    client.with_publication(case.method, &case.channel(), STREAM, case.length, counted)
}

struct Counted<'a, S> {
    subscription: S,
    case: &'a Case,
    arguments: &'a Arguments,
}

impl<S: Subscribe<Count>> WithPublication for Counted<'_, S> {
    type Output = Measures;

    fn run<P: Publish>(mut self, mut publication: P) -> Result<Measures, Failure> {
        wait_for_subscriber(&publication)?;
        wait_for_publisher(&self.subscription)?;
        let frame = (self.case.length + 32).next_multiple_of(32);
        let messages = (BATCH_BYTES / frame) as u64;
        for batch in 0..BATCHES {
            let needed = i64::try_from(BATCH_BYTES * 2)?;
            wait_for("room in the log", || publication.available_window() > needed)?;
            publish_batch(&mut publication, batch * messages, messages);
            poll_batch(&mut self.subscription, (batch + 1) * messages, self.arguments.fragment_limit);
        }
        let mut measures = Measures::default();
        #[allow(clippy::cast_precision_loss)] // figures for people
        measures.set("messages", (BATCHES * messages) as f64);
        Ok(measures)
    }
}
