//! A subscriber of one publication: its position, and how it is tied to the stream. `[conductor]`
//!
//! Mirrors `aeron_tetherable_position_t` and `aeron_subscribable_t` of `aeron_driver_common.h`.

use gannet_core::Position;
use gannet_core::counters::Counter;
use gannet_transport_ipc::Region;

use super::ipc_publication::BlockedWatch;
use super::subscriptions::LinkId;
use super::untethered::Tether;

/// One subscription link's place in a stream.
#[derive(Debug)]
pub(super) struct Subscriber {
    /// The link that it belongs to.
    pub(super) link: LinkId,
    /// The subscription that its notices name.
    pub(super) subscription_registration_id: i64,
    /// The counter of its position; none once its untethered subscription is closed.
    pub(super) counter: Option<Counter<Region>>,
    /// Its state.
    pub(super) tether: Tether,
    /// Whether it waits for a claim that is not committed.
    pub(super) blocked: BlockedWatch,
}

impl Subscriber {
    /// How far it has read, as its client says, if it holds the publisher back.
    #[inline]
    pub(super) fn working_position(&self) -> Option<Position> {
        if self.tether.is_working() { self.position() } else { None }
    }

    /// How far it has read, as its client says.
    #[inline]
    pub(super) fn position(&self) -> Option<Position> {
        self.counter.as_ref().map(|position| Position(position.get()))
    }
}
