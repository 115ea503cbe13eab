//! What the fault tests share: clients of ours, streams that are verified.

use gannet::{Aeron, Context, ExclusivePublication, FragmentAssembler, OfferError, Subscription};
use gannet_tests::messages::{Verifier, message, seed_of};
use gannet_tests::{DriverProcess, PATIENCE, Settings, gannetd, wait_until};
use std::path::Path;
use std::time::{Duration, Instant};

/// Whether the suite runs at full size.
pub(crate) fn full() -> bool {
    std::env::var_os("GANNET_FAULTS").is_some_and(|size| size == "full")
}

/// Starts `gannetd`.
#[track_caller]
pub(crate) fn launch(name: &str, settings: &Settings) -> DriverProcess {
    DriverProcess::launch(gannetd::program(), name, settings)
}

/// A client that keeps quiet about the deaths that the tests bring about.
#[track_caller]
pub(crate) fn connect(directory: &Path) -> Aeron {
    try_connect(directory).unwrap_or_else(|error| panic!("a client connects: {error}"))
}

pub(crate) fn try_connect(directory: &Path) -> Result<Aeron, gannet::ConnectError> {
    let context = Context::defaults()
        .aeron_dir(directory)
        .idle_sleep_duration(Duration::from_millis(1))
        .driver_timeout(PATIENCE)
        .connect_timeout(PATIENCE)
        .error_handler(|error| eprintln!("client of a fault test: {error}"));
    Aeron::connect(context)
}

/// The channel of most streams.
pub(crate) const CHANNEL: &str = "aeron:ipc?term-length=64k";

/// A publication and a subscription of one client, and the numbers of the messages between them.
pub(crate) struct Stream {
    pub(crate) publication: ExclusivePublication,
    pub(crate) subscription: Subscription,
    assembler: FragmentAssembler,
    verifier: Verifier,
    seed: u64,
    sent: u64,
}

/// The length of a message: short ones, and some of several fragments.
fn length(number: u64) -> usize {
    16 + usize::try_from(number * 97 % 3000).unwrap()
}

impl Stream {
    /// Adds both sides and waits until they are connected.
    #[track_caller]
    pub(crate) fn new(aeron: &Aeron, channel: &str, stream_id: i32) -> Self {
        let subscription = aeron.add_subscription("aeron:ipc", stream_id).expect("a subscription");
        let publication = aeron.add_exclusive_publication(channel, stream_id).expect("a publication");
        wait_until("the stream is connected", PATIENCE, || publication.is_connected() && subscription.is_connected());
        let seed = u64::from(stream_id.unsigned_abs());
        Stream {
            publication,
            subscription,
            assembler: FragmentAssembler::new(),
            verifier: Verifier::new(seed, 0),
            seed,
            sent: 0,
        }
    }

    /// Offers the next message once.
    pub(crate) fn offer(&mut self) -> Result<(), OfferError> {
        self.publication.offer(&message(self.seed, self.sent, length(self.sent)))?;
        self.sent += 1;
        Ok(())
    }

    /// Polls once and verifies what comes.
    pub(crate) fn poll(&mut self) -> usize {
        let verifier = &mut self.verifier;
        let take = |bytes: &[u8], _: gannet::Header<'_>| verifier.take(bytes, length(verifier.next()));
        self.subscription.poll(10, self.assembler.assemble(take))
    }

    /// Reads all that was sent.
    #[track_caller]
    pub(crate) fn drain(&mut self) {
        wait_until("all that was sent has come", PATIENCE, || {
            self.poll();
            self.verifier.next() == self.sent
        });
    }

    /// Moves messages, each verified.
    ///
    /// # Panics
    /// When one is missing, or the publication says that it will not go on.
    #[track_caller]
    pub(crate) fn transfer(&mut self, count: u64) {
        for _ in 0..count {
            let start = Instant::now();
            wait_until("a message goes", 2 * PATIENCE, || match self.offer() {
                Ok(()) => true,
                Err(error) => {
                    assert!(error.is_retryable(), "offer: {error}");
                    assert!(start.elapsed() < PATIENCE, "{error} for {PATIENCE:?}: {}", self.publication.why());
                    self.poll();
                    false
                }
            });
            self.poll();
        }
        self.drain();
    }

    /// How many messages were sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }
}

/// Takes the messages of one seed out of a stream that others publish to as well.
pub(crate) struct Listener {
    subscription: Subscription,
    assembler: FragmentAssembler,
    verifier: Verifier,
    seed: u64,
    length: usize,
}

impl Listener {
    #[track_caller]
    pub(crate) fn new(aeron: &Aeron, stream_id: i32, seed: u64, length: usize) -> Self {
        let subscription = aeron.add_subscription("aeron:ipc", stream_id).expect("a subscription");
        Listener { subscription, assembler: FragmentAssembler::new(), verifier: Verifier::new(seed, 0), seed, length }
    }

    /// Polls once; how many messages of the seed have come so far. Messages of others are let go.
    pub(crate) fn poll(&mut self) -> u64 {
        let (verifier, seed, length) = (&mut self.verifier, self.seed, self.length);
        let take = |bytes: &[u8], _: gannet::Header<'_>| {
            if bytes.len() == length && seed_of(bytes) == seed {
                verifier.take(bytes, length);
            }
        };
        self.subscription.poll(10, self.assembler.assemble(take));
        self.verifier.next()
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.subscription.is_connected()
    }
}
