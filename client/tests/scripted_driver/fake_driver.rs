//! A driver's memory without a driver: the test reads the client's commands and answers them word by word.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gannet::{
    Aeron, Async, ClientError, Context, Image, Position, Publication, Resource, SessionId, StreamId, Subscription,
    TermId,
};
use gannet_core::broadcast::Transmitter;
use gannet_core::cnc::{Cnc, CncConfig, CncLengths, TO_CLIENTS_TRAILER_LENGTH, TO_DRIVER_TRAILER_LENGTH};
use gannet_core::command::{AvailableImage, Command, PublicationReady, Response};
use gannet_core::counters::layout::{NewCounter, client_heartbeat, type_id};
use gannet_core::counters::{Counter, CounterId, CounterSlot, CountersManager};
use gannet_core::log::{LogBuffers, LogProperties, LogType, file_length};
use gannet_core::position::TermLength;
use gannet_core::ring::{Consumer, ManyToOneRing};
use gannet_transport_ipc::{MappedFile, Region, Sharing, Space};
use tempfile::TempDir;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(10);
pub(crate) const STREAM: i32 = 1001;
pub(crate) const CHANNEL: &str = "aeron:ipc";
const LENGTHS: CncLengths = CncLengths {
    to_driver: (1 << 16) + TO_DRIVER_TRAILER_LENGTH,
    to_clients: (1 << 16) + TO_CLIENTS_TRAILER_LENGTH,
    counters_metadata: 64 * 512,
    counters_values: 64 * 128,
    error_log: 4096,
};

pub(crate) struct FakeDriver {
    pub(crate) directory: TempDir,
    pub(crate) commands: Consumer<Region>,
    pub(crate) responses: Transmitter<Region>,
    pub(crate) counters: CountersManager<Region, Vec<CounterSlot>>,
    /// What the error handlers of its clients were told.
    pub(crate) errors: Arc<Mutex<Vec<ClientError>>>,
    scratch: Vec<u8>,
    cnc: Cnc<Region>,
}

/// A command as it was read from the ring.
pub(crate) struct Received {
    type_id: i32,
    bytes: Vec<u8>,
}

impl Received {
    pub(crate) fn type_id(&self) -> i32 {
        self.type_id
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn get(&self) -> Command<'_> {
        Command::parse(self.type_id, &self.bytes).unwrap()
    }
}

/// A log that the driver made, and the counter that bounds it.
pub(crate) struct FakeLog {
    pub(crate) log: LogBuffers<Region>,
    /// The log's file, which begins with its terms.
    pub(crate) memory: Region,
    pub(crate) path: PathBuf,
    pub(crate) registration_id: i64,
    pub(crate) session_id: SessionId,
    pub(crate) limit: Counter<Region>,
}

pub(crate) fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Waits for a condition.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "it never happened: {what}");
        std::thread::yield_now();
    }
}

impl FakeDriver {
    pub(crate) fn new() -> FakeDriver {
        let driver = FakeDriver::unfinished();
        driver.heartbeat(now_ms());
        driver.cnc.publish();
        driver
    }

    /// A driver whose file is not ready yet.
    pub(crate) fn unfinished() -> FakeDriver {
        Self::with_client_liveness_timeout(Duration::from_secs(10))
    }

    pub(crate) fn with_client_liveness_timeout(timeout: Duration) -> FakeDriver {
        let directory = tempfile::Builder::new().prefix("gannet-client-").tempdir_in("/dev/shm").unwrap();
        let path = directory.path().join("cnc.dat");
        let length = LENGTHS.file_length(4096) as u64;
        let memory = MappedFile::create(&path, length, Space::Sparse, Sharing::Owner).unwrap();
        let config = CncConfig {
            lengths: LENGTHS,
            client_liveness_timeout_ns: i64::try_from(timeout.as_nanos()).unwrap(),
            start_timestamp_ms: now_ms(),
            pid: i64::from(std::process::id()),
            file_page_size: 4096,
        };
        let cnc = Cnc::initialise(memory, config).unwrap();
        let ring = ManyToOneRing::new(cnc.to_driver()).unwrap();
        let _never_zero = ring.next_correlation_id();
        FakeDriver {
            commands: ring.consumer(),
            responses: Transmitter::new(cnc.to_clients()).unwrap(),
            counters: CountersManager::new(
                cnc.counters_metadata(),
                cnc.counters_values(),
                vec![CounterSlot::default(); 64],
                1000,
            )
            .unwrap(),
            scratch: vec![0; ring.max_message_length().next_multiple_of(4)],
            errors: Arc::default(),
            directory,
            cnc,
        }
    }

    pub(crate) fn publish(&self) {
        self.cnc.publish();
    }

    /// Leaves no room for a command.
    pub(crate) fn fill_ring(&self) {
        let ring = self.commands.ring();
        while ring.write(1, &[0; 4096]).is_ok() {}
        while ring.write(1, &[0; 8]).is_ok() {}
    }

    pub(crate) fn context(&self) -> Context {
        let errors = Arc::clone(&self.errors);
        Context::defaults()
            .aeron_dir(self.directory.path())
            .idle_sleep_duration(Duration::from_millis(1))
            .error_handler(move |error| errors.lock().unwrap().push(error.clone()))
    }

    /// A client without a thread: the test invokes it.
    pub(crate) fn invoked_client(&self) -> Aeron {
        Aeron::connect(self.context().use_invoker()).unwrap()
    }

    /// What the error handlers were told since the last look.
    pub(crate) fn take_errors(&self) -> Vec<ClientError> {
        std::mem::take(&mut self.errors.lock().unwrap())
    }

    pub(crate) fn heartbeat(&self, ms: i64) {
        self.commands.ring().set_consumer_heartbeat_ms(ms);
    }

    /// The next command, if there is one.
    pub(crate) fn try_command(&mut self) -> Option<Received> {
        let mut received = None;
        self.commands.read(1, &mut self.scratch, |type_id, bytes| {
            received = Some(Received { type_id, bytes: bytes.to_vec() });
        });
        received
    }

    /// The next command, which must come.
    pub(crate) fn command(&mut self) -> Received {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(command) = self.try_command() {
                return command;
            }
            assert!(Instant::now() < deadline, "no command came");
            std::thread::yield_now();
        }
    }

    pub(crate) fn respond(&mut self, response: &Response<'_>) {
        let mut bytes = vec![0; response.encoded_length()];
        let length = response.encode(&mut bytes).unwrap();
        self.responses.transmit(response.type_id(), &bytes[..length]).unwrap();
    }

    pub(crate) fn counter(&mut self, new: &NewCounter) -> Counter<Region> {
        self.counters.allocate_counter(new, now_ms()).unwrap()
    }

    /// A counter with nothing but a type.
    pub(crate) fn counter_of_type(&mut self, type_id: i32, value: i64) -> Counter<Region> {
        self.counter(&NewCounter::new(type_id, &[], "test").with_value(value))
    }

    pub(crate) fn client_heartbeat(&mut self, client_id: i64) -> Counter<Region> {
        self.counter(&client_heartbeat(client_id))
    }

    /// Makes the log of a publication, empty, with nobody subscribed.
    pub(crate) fn log(&mut self, registration_id: i64, log_type: LogType) -> FakeLog {
        self.log_with_window(registration_id, log_type, 0)
    }

    /// As `log`, for a publication with a window.
    pub(crate) fn log_with_window(&mut self, registration_id: i64, log_type: LogType, window: i32) -> FakeLog {
        let session_id = SessionId(77);
        let properties = LogProperties {
            log_type,
            publication_window_length: window,
            ..LogProperties::ipc(registration_id, session_id, StreamId(STREAM), TermId(5), TermLength::MIN)
        };
        let path = self.directory.path().join(format!("{registration_id}.logbuffer"));
        let length = file_length(TermLength::MIN, 4096);
        let memory = MappedFile::create(&path, length, Space::Sparse, Sharing::Owner).unwrap();
        // SAFETY: a test writes the log beside its client by one appender at most, and waits for the other.
        let log = unsafe { LogBuffers::initialise(&memory, &properties, None) }.unwrap();
        let limit = self.counter_of_type(type_id::PUBLISHER_LIMIT, 0);
        FakeLog { log, memory, path, registration_id, session_id, limit }
    }

    pub(crate) fn publication_ready(&mut self, correlation_id: i64, log: &FakeLog, exclusive: bool) {
        let path = log.path.to_str().unwrap().to_owned();
        let ready = PublicationReady {
            correlation_id,
            registration_id: log.registration_id,
            session_id: log.session_id,
            stream_id: StreamId(STREAM),
            position_limit_counter_id: log.limit.id(),
            channel_status_indicator_id: CounterId::NONE,
            log_file: path.as_bytes(),
        };
        self.respond(&if exclusive {
            Response::ExclusivePublicationReady(ready)
        } else {
            Response::PublicationReady(ready)
        });
    }

    /// Makes an image of a log available to a subscription, from a position on; the subscriber's counter.
    pub(crate) fn available_image(&mut self, subscription: i64, log: &FakeLog, join: Position) -> Counter<Region> {
        let new = NewCounter {
            registration_id: subscription,
            reference_id: log.registration_id,
            ..NewCounter::new(type_id::SUBSCRIBER_POSITION, &[], format_args!("sub-pos: {subscription}"))
        };
        let position = self.counter(&new.with_value(join.0));
        let path = log.path.to_str().unwrap().to_owned();
        self.respond(&Response::AvailableImage(AvailableImage {
            correlation_id: log.registration_id,
            session_id: log.session_id,
            stream_id: StreamId(STREAM),
            subscription_registration_id: subscription,
            subscriber_position_id: position.id(),
            log_file: path.as_bytes(),
            source_identity: b"aeron:ipc",
        }));
        position
    }

    pub(crate) fn unavailable_image(&mut self, subscription: i64, log: &FakeLog) {
        self.respond(&Response::UnavailableImage {
            correlation_id: log.registration_id,
            subscription_registration_id: subscription,
            stream_id: StreamId(STREAM),
            channel: CHANNEL.as_bytes(),
        });
    }

    /// Adds a publication, as a driver that has nothing else to do.
    pub(crate) fn add_publication(&mut self, aeron: &Aeron) -> (Publication, FakeLog) {
        let mut pending = aeron.async_add_publication(CHANNEL, STREAM).unwrap();
        let id = self.command().get().correlation_id();
        let log = self.log(id, LogType::ConcurrentPublication);
        self.publication_ready(id, &log, false);
        (resolve(&mut pending), log)
    }

    pub(crate) fn add_subscription(&mut self, aeron: &Aeron) -> Subscription {
        let mut pending = aeron.async_add_subscription(CHANNEL, STREAM, Default::default()).unwrap();
        let id = self.command().get().correlation_id();
        self.subscription_ready(id);
        resolve(&mut pending)
    }

    pub(crate) fn subscription_ready(&mut self, correlation_id: i64) {
        self.respond(&Response::SubscriptionReady { correlation_id, channel_status_indicator_id: CounterId::NONE });
    }
}

/// What a request brings.
pub(crate) fn resolve<T: Resource>(pending: &mut Async<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(resource) = pending.poll().unwrap() {
            return resource;
        }
        assert!(Instant::now() < deadline, "the request was never answered");
        std::thread::yield_now();
    }
}

/// Everything that an image has to read.
pub(crate) fn read_all(image: &mut Image) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while image.poll(10, |payload, _| messages.push(payload.to_vec())) > 0 {}
    messages
}
