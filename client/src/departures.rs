//! What leaves only when no handler reads it any more. `[any]`
//!
//! Once the driver has been told that a subscription or a client is gone, its positions bound nobody, and a publisher may
//! write over what a poll handler still holds. So a closed image that is being polled delays the command; whoever ends
//! the poll sends it. Nothing in Aeron's clients mirrors this (docs/adr/0007-closing-during-a-poll.md).

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::callbacks::lock;
use crate::driver_proxy::{DriverProxy, Removal};
use crate::image_view::ImageView;
use crate::removals::Removals;
use crate::sync::Barrier;

pub(crate) struct Departures {
    proxy: Arc<DriverProxy>,
    removals: Arc<Removals>,
    barrier: Barrier,
    waiting: Mutex<Vec<Departure>>,
}

/// Who leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    Subscription { registration_id: i64 },
    Client,
}

struct Departure {
    leaving: Leaving,
    /// Closed images that may still be polled.
    images: Vec<ImageView>,
    /// Whether an image that is being polled is sure to look so.
    is_known: bool,
    since: Instant,
}

/// How long after a barrier that did not work an image that looks idle is not believed: a processor holds a store back for
/// far less.
const DOUBT: Duration = Duration::from_millis(10);

impl Departures {
    pub(crate) fn new(proxy: Arc<DriverProxy>, removals: Arc<Removals>) -> Departures {
        Departures { proxy, removals, barrier: Barrier::of_process(), waiting: Mutex::default() }
    }

    pub(crate) fn barrier(&self) -> Barrier {
        self.barrier
    }

    /// Tells the driver that somebody leaves, at once or when the last of its images, all closed by now, is no longer
    /// polled.
    pub(crate) fn leave(&self, leaving: Leaving, mut images: Vec<ImageView>) {
        let mut waiting = lock(&self.waiting);
        if leaving == Leaving::Client {
            // It takes along what the subscriptions that left before still wait for.
            images.extend(waiting.drain(..).flat_map(|departure| departure.images));
        }
        let is_known = images.is_empty() || self.barrier.heavy();
        waiting.push(Departure { leaving, images, is_known, since: Instant::now() });
        drop(waiting);
        self.settle();
    }

    /// Sends what waits for nobody any more. By whoever leaves, whoever ended the poll of a closed image, and the conductor
    /// now and then.
    pub(crate) fn settle(&self) {
        let mut ready = Vec::new();
        lock(&self.waiting).retain_mut(|departure| {
            departure.is_known |= departure.since.elapsed() > DOUBT;
            if !departure.is_known {
                return true;
            }
            departure.images.retain(ImageView::is_polled);
            if departure.images.is_empty() {
                ready.push(departure.leaving);
            }
            !departure.images.is_empty()
        });
        for leaving in ready {
            self.send(leaving);
        }
    }

    fn send(&self, leaving: Leaving) {
        match leaving {
            Leaving::Subscription { registration_id } => {
                // Nothing is sent for a client that is gone: all of its subscriptions went with it.
                self.removals.give_back(Removal::Subscription { registration_id });
            }
            Leaving::Client => {
                // A ring that stays full is a driver that does not read: it will find out by the missing heartbeat.
                let _ = self.proxy.close();
            }
        }
    }
}
