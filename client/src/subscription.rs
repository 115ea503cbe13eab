//! A subscription: the images of every session that publishes to a stream. `[any]`
//!
//! Mirrors `aeron_subscription.c` and `Subscription.java`.

use std::fmt;
use std::sync::Arc;

use gannet_core::command::Command;
use gannet_core::counters::CounterId;
use gannet_core::log::{Action, Header};
use gannet_core::position::{SessionId, StreamId, TermId};

use crate::asynchronous::AsyncDestination;
use crate::callbacks::{ImageHandler, SharedHandler, lock};
use crate::client::ClientHandle;
use crate::conductor::registration::Added;
use crate::counter::{NO_CHANNEL_STATUS, channel_status, local_socket_addresses};
use crate::departures::Leaving;
use crate::destination::destination;
use crate::error::RegistrationError;
use crate::image::Image;
use crate::image_view::ImageView;
use crate::subscription_state::{Closing, ImageHandlers, SubscriptionState};

/// Receives the messages of a stream from every session that publishes to it.
///
/// A subscription has one reader: polling takes `&mut self`. It may move to another thread. Images come and go by
/// themselves, between polls; a poll looks at one word to learn that nothing changed. Dropping it tells the driver.
///
/// ```no_run
/// use gannet::{Aeron, Context};
///
/// let aeron = Aeron::connect(Context::new())?;
/// let mut subscription = aeron.add_subscription("aeron:ipc", 1001)?;
/// loop {
///     let fragments = subscription.poll(10, |payload, header| {
///         println!("{} bytes from session {}", payload.len(), header.session_id());
///     });
///     if fragments == 0 {
///         std::thread::yield_now();
///     }
/// }
/// # #[allow(unreachable_code)]
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A message longer than one frame arrives in fragments: put a [`FragmentAssembler`](crate::FragmentAssembler) in
/// front of the handler to receive it whole.
pub struct Subscription {
    images: Vec<Image>,
    /// The version of the shared list that `images` was made from.
    version: u64,
    round_robin: usize,
    state: Arc<SubscriptionState>,
    handle: Arc<ClientHandle>,
}

impl Subscription {
    pub(crate) fn new(state: Arc<SubscriptionState>, handle: &Arc<ClientHandle>) -> Subscription {
        Subscription { images: Vec::new(), version: 0, round_robin: 0, state, handle: Arc::clone(handle) }
    }

    /// Takes over the images that came, and lets go of those that went, since the last look.
    #[inline(always)]
    fn refresh(&mut self) {
        if self.state.version.get() != self.version {
            self.take_changes();
        }
    }

    #[cold]
    fn take_changes(&mut self) {
        let mut slots = lock(&self.state.slots);
        self.version = self.state.version.get();
        self.images.extend(slots.iter_mut().filter_map(|slot| slot.image.take()));
        drop(slots);
        self.images.retain(|image| !image.is_closed());
    }

    /// The image to begin with, another one at each poll, so that none starves.
    #[inline(always)]
    fn start(&mut self) -> usize {
        let start = if self.round_robin < self.images.len() { self.round_robin } else { 0 };
        self.round_robin = start + 1;
        start
    }

    /// Polls one image after the other until `limit` fragments are read.
    #[inline(always)]
    fn poll_images(&mut self, limit: usize, mut poll: impl FnMut(&mut Image, usize) -> usize) -> usize {
        self.refresh();
        let start = self.start();
        let (before, from) = self.images.split_at_mut(start);
        let mut fragments = 0;
        for image in from.iter_mut().chain(before) {
            if fragments >= limit {
                break;
            }
            fragments += poll(image, limit - fragments);
        }
        fragments
    }

    /// Reads up to `fragment_limit` fragments; how many there were.
    ///
    /// The handler gets each fragment's payload and header. Its position is given free when the poll returns.
    #[inline]
    pub fn poll(&mut self, fragment_limit: usize, mut handler: impl FnMut(&[u8], Header<'_>)) -> usize {
        self.poll_images(fragment_limit, |image, limit| image.poll(limit, &mut handler))
    }

    /// As [`poll`](Subscription::poll), and the handler says for each fragment how to go on.
    #[inline]
    pub fn controlled_poll(
        &mut self,
        fragment_limit: usize,
        mut handler: impl FnMut(&[u8], Header<'_>) -> Action,
    ) -> usize {
        self.poll_images(fragment_limit, |image, limit| image.controlled_poll(limit, &mut handler))
    }

    /// Reads whole blocks of frames, one of up to `block_length_limit` bytes from each image; how many bytes.
    ///
    /// The handler gets the frames as they stand in the log, headers included, with their session and term; of padding,
    /// which comes by itself, the header only.
    pub fn block_poll(
        &mut self,
        block_length_limit: usize,
        mut handler: impl FnMut(&[u8], SessionId, TermId),
    ) -> usize {
        self.refresh();
        self.images.iter_mut().map(|image| image.block_poll(block_length_limit, &mut handler)).sum()
    }

    /// The images, to be polled one by one.
    pub fn images(&mut self) -> &mut [Image] {
        self.refresh();
        &mut self.images
    }

    /// The image of a session, to be polled by itself.
    pub fn image_by_session_id(&mut self, session_id: SessionId) -> Option<&mut Image> {
        self.refresh();
        self.images.iter_mut().find(|image| image.session_id() == session_id)
    }

    /// Takes an image out of this subscription's polls: whoever takes it polls it, on any thread.
    ///
    /// It still belongs to the subscription and closes with it. An image that nobody polls holds its publication up.
    pub fn take_image(&mut self, session_id: SessionId) -> Option<Image> {
        self.refresh();
        let index = self.images.iter().position(|image| image.session_id() == session_id)?;
        Some(self.images.remove(index))
    }

    /// What there is to know of each image, from any thread.
    #[must_use]
    pub fn image_views(&self) -> Vec<ImageView> {
        self.state.views()
    }

    /// How many images there are.
    #[must_use]
    pub fn image_count(&self) -> usize {
        lock(&self.state.slots).len()
    }

    /// Whether anybody publishes.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.image_count() > 0
    }

    /// Whether its client is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state.closed.is_set()
    }

    /// The stream.
    #[must_use]
    pub fn stream_id(&self) -> StreamId {
        self.state.stream_id
    }

    /// The channel, as it was given.
    #[must_use]
    pub fn channel(&self) -> &str {
        &self.state.channel
    }

    /// The registration id.
    #[must_use]
    pub fn registration_id(&self) -> i64 {
        self.state.registration_id
    }

    /// The counter of the channel's status, none over IPC.
    #[must_use]
    pub fn channel_status_id(&self) -> CounterId {
        self.state.channel_status_id
    }

    /// The status of the channel: 1 active, 0 initialising, −1 failed or, over IPC, not there.
    #[must_use]
    pub fn channel_status(&self) -> i64 {
        if self.is_closed() {
            NO_CHANNEL_STATUS
        } else {
            channel_status(&self.handle.client.counters.0, self.state.channel_status_id)
        }
    }

    /// The addresses that the channel's sockets are bound to; none over IPC.
    #[must_use]
    pub fn local_socket_addresses(&self) -> Vec<String> {
        local_socket_addresses(&self.handle.client.counters.0, self.state.channel_status_id)
    }

    /// Adds a destination to a channel of `control-mode=manual`.
    ///
    /// # Errors
    /// What the driver refuses, or its silence.
    pub fn add_destination(&self, channel: &str) -> Result<(), RegistrationError> {
        self.async_add_destination(channel)?.wait()
    }

    /// As [`add_destination`](Subscription::add_destination), without waiting for the driver.
    ///
    /// Dropping the request removes the destination by its channel, as the driver knows no other name for it: with it goes
    /// one that was added before by the same channel. The subscription's own channel is not removed.
    ///
    /// # Errors
    /// When the command cannot be sent.
    pub fn async_add_destination(&self, channel: &str) -> Result<AsyncDestination, RegistrationError> {
        let registration_id = self.state.registration_id;
        let is_own = channel == self.state.channel;
        let added = (!is_own).then(|| Added::ToSubscription { registration_id, channel: channel.to_owned() });
        destination(&self.handle, added, |client_id, correlation_id| Command::AddRcvDestination {
            client_id,
            correlation_id,
            registration_id,
            channel,
        })
    }

    /// Removes a destination by its channel.
    ///
    /// The driver lets go of the destination's images at once. Not to be called in a handler that reads one of them, nor
    /// beside one on another thread: the publisher may write over what the handler still reads.
    ///
    /// # Errors
    /// What the driver refuses, or its silence.
    pub fn remove_destination(&self, channel: &str) -> Result<(), RegistrationError> {
        self.async_remove_destination(channel)?.wait()
    }

    /// As [`remove_destination`](Subscription::remove_destination), without waiting for the driver; no more than that to be
    /// called beside a handler.
    ///
    /// # Errors
    /// When the command cannot be sent.
    pub fn async_remove_destination(&self, channel: &str) -> Result<AsyncDestination, RegistrationError> {
        let registration_id = self.state.registration_id;
        destination(&self.handle, None, |client_id, correlation_id| Command::RemoveRcvDestination {
            client_id,
            correlation_id,
            registration_id,
            channel,
        })
    }

    /// Closes the subscription and its images, as dropping it does. The driver hears of it when no
    /// [taken](Subscription::take_image) image of it is being polled any more: until then no publisher writes over what
    /// a handler still reads.
    pub fn close(self) {
        drop(self);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let client = &self.handle.client;
        // The images first: once the driver has the command, their counters may become another's.
        let Closing { slots, events, images } = self.state.close();
        client.departures.leave(Leaving::Subscription { registration_id: self.state.registration_id }, images);
        client.tell(events);
        drop(slots);
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("channel", &self.channel())
            .field("stream_id", &self.stream_id())
            .field("registration_id", &self.registration_id())
            .field("images", &self.image_count())
            .finish_non_exhaustive()
    }
}

/// Whom to tell of the images of one subscription.
///
/// ```
/// use gannet::SubscriptionHandlers;
///
/// let handlers = SubscriptionHandlers::new()
///     .available_image(|image| println!("session {} joined at {}", image.session_id(), image.join_position()))
///     .unavailable_image(|image| println!("session {} left at {}", image.session_id(), image.position()));
/// # drop(handlers);
/// ```
#[derive(Default)]
pub struct SubscriptionHandlers(pub(crate) ImageHandlers);

impl SubscriptionHandlers {
    /// Nobody: then those of the [`Context`](crate::Context) hear.
    #[must_use]
    pub fn new() -> SubscriptionHandlers {
        SubscriptionHandlers::default()
    }

    /// Called for each image that becomes available.
    #[must_use]
    pub fn available_image(mut self, handler: impl FnMut(&ImageView) + Send + 'static) -> SubscriptionHandlers {
        self.0.available = Some(shared(handler));
        self
    }

    /// Called for each image that is no longer available, when the subscription closes as well.
    #[must_use]
    pub fn unavailable_image(mut self, handler: impl FnMut(&ImageView) + Send + 'static) -> SubscriptionHandlers {
        self.0.unavailable = Some(shared(handler));
        self
    }
}

fn shared(handler: impl FnMut(&ImageView) + Send + 'static) -> SharedHandler<ImageHandler> {
    Arc::new(std::sync::Mutex::new(Box::new(handler)))
}

impl fmt::Debug for SubscriptionHandlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriptionHandlers")
            .field("available_image", &self.0.available.is_some())
            .field("unavailable_image", &self.0.unavailable.is_some())
            .finish()
    }
}
