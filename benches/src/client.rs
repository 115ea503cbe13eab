//! What the roles need of a client: the seam between the two sides. Everything on the hot path is a generic, so
//! neither side pays for the other.

use crate::case::Method;
use std::error::Error;
use std::path::Path;

/// An error that ends a process, told on its standard error.
pub type Failure = Box<dyn Error>;

/// A connected client.
pub trait Client: Sized {
    /// An exclusive publication that claims its messages.
    type Claim: Publish;
    /// An exclusive publication that offers them.
    type Offer: Publish;
    /// A shared publication that offers them.
    type SharedOffer: Publish;
    /// A subscription whose fragments, or whole messages where `assemble` was asked for, go to a handler.
    type Subscription<H: Handler>: Subscribe<H>;

    /// Connects to the driver of a directory.
    ///
    /// # Errors
    /// When there is no driver, or it does not answer.
    fn connect(directory: &Path) -> Result<Self, Failure>;

    /// Adds an exclusive publication for messages of `length` bytes, sent by claims.
    ///
    /// # Errors
    /// What the driver refused.
    fn claim(&mut self, channel: &str, stream: i32, length: usize) -> Result<Self::Claim, Failure>;

    /// Adds an exclusive publication for messages of `length` bytes, sent by offers.
    ///
    /// # Errors
    /// What the driver refused.
    fn offer(&mut self, channel: &str, stream: i32, length: usize) -> Result<Self::Offer, Failure>;

    /// Adds a shared publication for messages of `length` bytes, sent by offers.
    ///
    /// # Errors
    /// What the driver refused.
    fn shared_offer(&mut self, channel: &str, stream: i32, length: usize) -> Result<Self::SharedOffer, Failure>;

    /// Adds a subscription.
    ///
    /// # Errors
    /// What the driver refused.
    fn subscribe<H: Handler>(
        &mut self,
        channel: &str,
        stream: i32,
        assemble: bool,
        handler: H,
    ) -> Result<Self::Subscription<H>, Failure>;

    /// Adds the publication of `method` and hands it to `role`.
    ///
    /// # Errors
    /// What the driver refused, or what the role returns.
    fn with_publication<R: WithPublication>(
        &mut self,
        method: Method,
        channel: &str,
        stream: i32,
        length: usize,
        role: R,
    ) -> Result<R::Output, Failure> {
        match method {
            Method::Claim => role.run(self.claim(channel, stream, length)?),
            Method::Offer => role.run(self.offer(channel, stream, length)?),
            Method::SharedOffer => role.run(self.shared_offer(channel, stream, length)?),
        }
    }
}

/// Something that works with any publication: a closure that is generic.
pub trait WithPublication {
    /// What it returns.
    type Output;
    /// Runs it.
    ///
    /// # Errors
    /// Whatever went wrong.
    fn run<P: Publish>(self, publication: P) -> Result<Self::Output, Failure>;
}

/// A publication that sends messages of one length, each with its sequence number in the first eight bytes.
pub trait Publish {
    /// Sends one message; whether the log took it.
    ///
    /// # Panics
    /// When the publication is closed or broken, which no retry would mend.
    fn try_send(&mut self, sequence: u64) -> bool;

    /// Whether a subscriber is there.
    fn is_connected(&self) -> bool;

    /// How many bytes may be appended before the limit stops the publisher.
    fn available_window(&self) -> i64;
}

/// What takes the messages of a subscription, and keeps what it gathered.
pub trait Handler {
    /// A fragment, or a whole message where the subscription assembles.
    fn on_message(&mut self, message: &[u8]);
}

/// A subscription of one stream.
pub trait Subscribe<H> {
    /// Hands at most `limit` fragments to the handler and returns how many it took.
    ///
    /// # Panics
    /// When the subscription is broken.
    fn poll(&mut self, limit: usize) -> usize;

    /// The handler and what it gathered.
    fn handler(&mut self) -> &mut H;

    /// Whether an image is there.
    fn is_connected(&self) -> bool;
}
