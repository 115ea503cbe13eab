//! What is given back to the driver, in the order in which it was given back. `[any]`
//!
//! A removal that finds the ring full waits here for the conductor, and every later one behind it: the driver sees a
//! destination go before its subscription.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use crate::callbacks::lock;
use crate::driver_proxy::{DriverProxy, Removal};

pub(crate) struct Removals {
    proxy: Arc<DriverProxy>,
    /// None once the client is closed: everything of it goes with it.
    unsent: Mutex<Option<VecDeque<Removal>>>,
}

impl Removals {
    pub(crate) fn new(proxy: Arc<DriverProxy>) -> Removals {
        Removals { proxy, unsent: Mutex::new(Some(VecDeque::new())) }
    }

    /// Gives a resource back to the driver: at once when its ring has room, else when it has.
    pub(crate) fn give_back(&self, removal: Removal) {
        if let Some(unsent) = &mut *lock(&self.unsent)
            && (!unsent.is_empty() || self.proxy.remove(&removal).is_err())
        {
            unsent.push_back(removal);
        }
    }

    /// Sends what waits, as far as the ring has room; how many.
    pub(crate) fn send(&self) -> usize {
        let mut sent = 0;
        if let Some(unsent) = &mut *lock(&self.unsent) {
            while let Some(removal) = unsent.front() {
                if self.proxy.remove(removal).is_err() {
                    break;
                }
                unsent.pop_front();
                sent += 1;
            }
        }
        sent
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.unsent).as_ref().is_none_or(VecDeque::is_empty)
    }

    /// Sends nothing from now on.
    pub(crate) fn close(&self) {
        lock(&self.unsent).take();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that cannot be set up has failed
mod tests {
    use gannet_core::ring::{self, ManyToOneRing};
    use gannet_transport_ipc::{MappedFile, Sharing, Space};

    use super::*;

    #[test]
    fn nothing_is_given_back_behind_the_close() {
        let directory = tempfile::tempdir().unwrap();
        let length = (1 << 12) + ring::TRAILER_LENGTH;
        let memory =
            MappedFile::create(&directory.path().join("ring"), length as u64, Space::Sparse, Sharing::Owner).unwrap();
        let ring = ManyToOneRing::new(memory).unwrap();
        let removals = Removals::new(Arc::new(DriverProxy::new(ring.clone())));
        let sent = || {
            let mut sent = 0;
            ring.consumer().read(100, &mut [0; 512], |_, _| sent += 1);
            sent
        };
        removals.give_back(Removal::Counter { registration_id: 1 });
        assert_eq!(sent(), 1);
        removals.close();
        removals.give_back(Removal::Counter { registration_id: 2 });
        assert_eq!((removals.send(), removals.is_empty(), sent()), (0, true, 0));
    }
}
