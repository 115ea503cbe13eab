//! Our client behind [`Client`]: what a user of the crate `gannet` calls.

use crate::client::{Client, Failure, Handler, Publish, Subscribe};
use gannet::{Aeron, Context, ExclusivePublication, FragmentAssembler, OfferError, Publication};
use std::path::Path;

/// A connected client.
pub struct Gannet(Aeron);

impl Client for Gannet {
    type Claim = ExclusiveClaim;
    type Offer = ExclusiveOffer;
    type SharedOffer = SharedOffer;
    type Subscription<H: Handler> = Subscription<H>;

    fn connect(directory: &Path) -> Result<Self, Failure> {
        Ok(Gannet(Aeron::connect(Context::new().aeron_dir(directory))?))
    }

    fn claim(&mut self, channel: &str, stream: i32, length: usize) -> Result<ExclusiveClaim, Failure> {
        Ok(ExclusiveClaim { publication: self.0.add_exclusive_publication(channel, stream)?, length })
    }

    fn offer(&mut self, channel: &str, stream: i32, length: usize) -> Result<ExclusiveOffer, Failure> {
        let publication = self.0.add_exclusive_publication(channel, stream)?;
        Ok(ExclusiveOffer { publication, message: vec![0; length].into() })
    }

    fn shared_offer(&mut self, channel: &str, stream: i32, length: usize) -> Result<SharedOffer, Failure> {
        Ok(SharedOffer { publication: self.0.add_publication(channel, stream)?, message: vec![0; length].into() })
    }

    fn subscribe<H: Handler>(
        &mut self,
        channel: &str,
        stream: i32,
        assemble: bool,
        handler: H,
    ) -> Result<Subscription<H>, Failure> {
        let subscription = self.0.add_subscription(channel, stream)?;
        Ok(Subscription { subscription, handler, assembler: assemble.then(FragmentAssembler::new) })
    }
}

/// What an attempt to append returned: whether it is in the log.
#[inline]
fn taken<T>(result: Result<T, OfferError>) -> bool {
    match result {
        Ok(_) => true,
        Err(OfferError::BackPressured | OfferError::AdminAction) => false,
        Err(error) => broken(error),
    }
}

#[cold]
#[inline(never)]
fn broken(error: OfferError) -> bool {
    // A subscriber that goes before its publisher ends is a broken run, which no retry mends.
    panic!("the publication answered: {error}")
}

/// An exclusive publication that claims.
pub struct ExclusiveClaim {
    publication: ExclusivePublication,
    length: usize,
}

impl Publish for ExclusiveClaim {
    #[inline]
    fn try_send(&mut self, sequence: u64) -> bool {
        match self.publication.try_claim(self.length) {
            Ok(mut claim) => {
                claim.data_mut()[..8].copy_from_slice(&sequence.to_le_bytes());
                claim.commit().is_ok()
            }
            Err(error) => taken::<()>(Err(error)),
        }
    }

    fn is_connected(&self) -> bool {
        self.publication.is_connected()
    }

    fn available_window(&self) -> i64 {
        self.publication.available_window()
    }
}

/// An exclusive publication that offers.
pub struct ExclusiveOffer {
    publication: ExclusivePublication,
    message: Box<[u8]>,
}

impl Publish for ExclusiveOffer {
    #[inline]
    fn try_send(&mut self, sequence: u64) -> bool {
        self.message[..8].copy_from_slice(&sequence.to_le_bytes());
        taken(self.publication.offer(&self.message))
    }

    fn is_connected(&self) -> bool {
        self.publication.is_connected()
    }

    fn available_window(&self) -> i64 {
        self.publication.available_window()
    }
}

/// A shared publication that offers.
pub struct SharedOffer {
    publication: Publication,
    message: Box<[u8]>,
}

impl Publish for SharedOffer {
    #[inline]
    fn try_send(&mut self, sequence: u64) -> bool {
        self.message[..8].copy_from_slice(&sequence.to_le_bytes());
        taken(self.publication.offer(&self.message))
    }

    fn is_connected(&self) -> bool {
        self.publication.is_connected()
    }

    fn available_window(&self) -> i64 {
        self.publication.available_window()
    }
}

/// A subscription, its handler, and an assembler where messages take several frames.
pub struct Subscription<H> {
    subscription: gannet::Subscription,
    handler: H,
    assembler: Option<FragmentAssembler>,
}

impl<H: Handler> Subscribe<H> for Subscription<H> {
    #[inline]
    fn poll(&mut self, limit: usize) -> usize {
        let handler = &mut self.handler;
        match &mut self.assembler {
            None => self.subscription.poll(limit, |fragment, _| handler.on_message(fragment)),
            Some(assembler) => {
                self.subscription.poll(limit, assembler.assemble(|message, _| handler.on_message(message)))
            }
        }
    }

    fn handler(&mut self) -> &mut H {
        &mut self.handler
    }

    fn is_connected(&self) -> bool {
        self.subscription.is_connected()
    }
}
