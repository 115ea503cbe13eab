//! What a subscription shares with the conductor: its images as they come and go. `[client]`
//!
//! Mirrors the image lists of `aeron_subscription.c`, with ownership in place of change numbers: the conductor leaves
//! each new [`Image`] here, the subscription takes it over at its next poll. The list stands behind a lock that the
//! poll takes only when its version has changed.

use std::sync::{Arc, Mutex};

use gannet_core::counters::CounterId;
use gannet_core::position::StreamId;

use crate::callbacks::{Event, ImageHandler, SharedHandler, lock};
use crate::image::Image;
use crate::image_view::ImageView;
use crate::sync::{Flag, Version};

/// Whom to tell of images.
#[derive(Clone, Default)]
pub(crate) struct ImageHandlers {
    pub(crate) available: Option<SharedHandler<ImageHandler>>,
    pub(crate) unavailable: Option<SharedHandler<ImageHandler>>,
}

/// One available image, and until the subscription takes it over, the right to read it.
pub(crate) struct ImageSlot {
    pub(crate) view: ImageView,
    pub(crate) image: Option<Image>,
}

pub struct SubscriptionState {
    pub(crate) registration_id: i64,
    pub(crate) stream_id: StreamId,
    pub(crate) channel: String,
    pub(crate) channel_status_id: CounterId,
    pub(crate) handlers: ImageHandlers,
    pub(crate) slots: Mutex<Vec<ImageSlot>>,
    pub(crate) version: Version,
    pub(crate) closed: Flag,
    /// The images that it had when it was closed.
    left: Mutex<Vec<ImageView>>,
}

/// What is left of a subscription that closes.
pub(crate) struct Closing {
    /// To be dropped outside of the conductor's lock; for the first who closes it.
    pub(crate) slots: Vec<ImageSlot>,
    /// The calls to make; for the first who closes it.
    pub(crate) events: Vec<Event>,
    /// Its images, all closed, which may still be polled: whoever tells the driver waits for them.
    pub(crate) images: Vec<ImageView>,
}

impl SubscriptionState {
    pub(crate) fn new(
        registration_id: i64,
        stream_id: StreamId,
        channel: String,
        channel_status_id: CounterId,
        handlers: ImageHandlers,
    ) -> SubscriptionState {
        SubscriptionState {
            registration_id,
            stream_id,
            channel,
            channel_status_id,
            handlers,
            slots: Mutex::default(),
            version: Version::default(),
            closed: Flag::default(),
            left: Mutex::default(),
        }
    }

    /// Leaves a new image for the subscription; the call to make, if somebody wants to hear of it.
    pub(crate) fn add_image(&self, image: Image) -> Option<Event> {
        let view = image.view().clone();
        let mut slots = lock(&self.slots);
        if self.closed.is_set() {
            drop(slots);
            return None;
        }
        slots.push(ImageSlot { view: view.clone(), image: Some(image) });
        self.version.bump();
        drop(slots);
        self.handlers.available.clone().map(|handler| Event::Image(handler, view))
    }

    /// Closes an image; the slot (to be dropped outside of the conductor's lock) and the call to make.
    pub(crate) fn remove_image(&self, correlation_id: i64) -> Option<(ImageSlot, Option<Event>)> {
        let mut slots = lock(&self.slots);
        let index = slots.iter().position(|slot| slot.view.correlation_id() == correlation_id)?;
        let slot = slots.remove(index);
        slot.view.close();
        self.version.bump();
        drop(slots);
        let event = self.handlers.unavailable.clone().map(|handler| Event::Image(handler, slot.view.clone()));
        Some((slot, event))
    }

    /// Closes every image, because the subscription or the client closes.
    pub(crate) fn close(&self) -> Closing {
        let mut listed = lock(&self.slots);
        let mut left = lock(&self.left);
        self.closed.set();
        let slots: Vec<ImageSlot> = std::mem::take(&mut *listed);
        self.version.bump();
        let mut events = Vec::new();
        for slot in &slots {
            slot.view.close();
            left.push(slot.view.clone());
            if let Some(handler) = &self.handlers.unavailable {
                events.push(Event::Image(Arc::clone(handler), slot.view.clone()));
            }
        }
        Closing { slots, events, images: left.clone() }
    }

    /// The images that are available now.
    pub(crate) fn views(&self) -> Vec<ImageView> {
        lock(&self.slots).iter().map(|slot| slot.view.clone()).collect()
    }
}
