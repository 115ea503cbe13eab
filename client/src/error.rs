//! What can go wrong in connecting, in adding resources, and behind the application's back. `[client]`
//!
//! The codes are those of `aeronc.h` (`AERON_CLIENT_ERROR_*`) and of section 3 of `commands.md`.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use gannet_core::command::ErrorCode;
use gannet_core::counters::CounterId;
use gannet_core::position::{Position, SessionId};

/// Why [`Aeron::connect`](crate::Aeron::connect) found no driver to work with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nothing in the directory says that a driver ever ran there.
    #[error(
        "no media driver runs in {directory} (no {directory}/cnc.dat after {waited:?}): start one with `gannetd`, or in \
         this process with `EmbeddedDriver` (feature `embedded-driver`), or name the directory of a running one with \
         AERON_DIR or `Context::aeron_dir`",
        directory = directory.display()
    )]
    NoDriver {
        /// Where it was looked for.
        directory: PathBuf,
        /// For how long.
        waited: Duration,
    },
    /// A driver was there and does not run any more.
    #[error(
        "the media driver of {directory} is gone (its last sign of life is {}): start one with `gannetd`, or in this \
         process with `EmbeddedDriver` (feature `embedded-driver`), or name the directory of a running one with AERON_DIR \
         or `Context::aeron_dir`",
        age.map_or_else(|| "its shutdown".to_owned(), |age| format!("{age:?} old")),
        directory = directory.display()
    )]
    DriverGone {
        /// Where it was looked for.
        directory: PathBuf,
        /// How old its heartbeat is; none when it was shut down in good order.
        age: Option<Duration>,
    },
    /// A file is there, and no driver finished it.
    #[error(
        "the media driver of {directory} did not become ready within {waited:?}: it is still starting \
         (`Context::connect_timeout` waits for longer) or died doing so; start one with `gannetd`, or in this process with \
         `EmbeddedDriver` (feature `embedded-driver`)",
        directory = directory.display()
    )]
    NotReady {
        /// Where it was looked for.
        directory: PathBuf,
        /// For how long.
        waited: Duration,
    },
    /// The file is there and cannot be used: permissions, another version of Aeron, damage.
    #[error("cannot use the media driver of {directory}: {reason}", directory = directory.display())]
    Unusable {
        /// Where it is.
        directory: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The conductor's thread could not be started.
    #[error("cannot start the client's conductor thread: {0}")]
    Thread(#[source] io::Error),
    /// A setting of the context is out of range.
    #[error("client name of {length} bytes is longer than 100")]
    ClientNameTooLong {
        /// In bytes.
        length: usize,
    },
}

/// Why a resource was not added, or a command not carried out.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// The driver refused, and says why.
    #[error("the driver refused ({code}): {message}")]
    Refused {
        /// Aeron's code.
        code: ErrorCode,
        /// The driver's words.
        message: String,
    },
    /// The driver did not answer within the driver timeout.
    #[error("the driver did not answer within {after:?}")]
    TimedOut {
        /// The driver timeout.
        after: Duration,
    },
    /// The client is closed.
    #[error("the client is closed{}", cause.as_ref().map_or_else(String::new, |cause| format!(": {cause}")))]
    ClientClosed {
        /// What closed it, when that was not the application.
        cause: Option<Box<ClientError>>,
    },
    /// The driver does not read its commands: their ring is full.
    #[error("the driver's command buffer is full")]
    DriverBufferFull,
    /// A channel, a label or a reason is too long to be sent.
    #[error("a command of {length} bytes is longer than the {max} bytes that the driver reads")]
    CommandTooLong {
        /// In bytes.
        length: usize,
        /// In bytes.
        max: usize,
    },
    /// An argument is longer than Aeron has room for.
    #[error("{what} of {length} bytes is longer than {max}")]
    ArgumentTooLong {
        /// Which argument.
        what: &'static str,
        /// In bytes.
        length: usize,
        /// In bytes.
        max: usize,
    },
    /// The driver's answer names a log that cannot be mapped.
    #[error("cannot map the log {path}: {reason}", path = path.display())]
    LogBuffers {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The driver's answer names a counter that does not exist.
    #[error("the driver's answer names counter {0}, which does not exist")]
    NoSuchCounter(CounterId),
    /// The result of an asynchronous call was taken before.
    #[error("the result of this call was taken before")]
    AlreadyTaken,
}

/// What the error handler is told: things that no call of the application could return.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The driver stopped giving signs of life. The client is closed.
    #[error("no sign of life from the media driver for {age:?} (timeout {timeout:?}): it died, or this host stalled")]
    DriverTimeout {
        /// How old its last one is.
        age: Duration,
        /// The driver timeout.
        timeout: Duration,
    },
    /// The driver was shut down. The client is closed.
    #[error("the media driver has been shut down")]
    DriverShutdown,
    /// Another driver has taken over the directory. The client is closed: connect again.
    #[error("another media driver has taken over the directory: connect again")]
    DriverRestarted,
    /// The driver freed this client's heartbeat counter: it holds the client for dead. The client is closed.
    #[error("the driver closed this client's heartbeat counter ({0})")]
    HeartbeatCounterClosed(CounterId),
    /// The driver timed this client out. The client is closed.
    #[error("the driver timed this client out: its conductor was not served for too long")]
    ClientTimeout,
    /// The conductor was not served for so long that the driver may have given the client up. The client is closed.
    #[error("the client's conductor was not served for {interval:?} (timeout {timeout:?})")]
    ServiceTimeout {
        /// How long it was not served.
        interval: Duration,
        /// The driver's client liveness timeout.
        timeout: Duration,
    },
    /// The driver's answers came faster than this client read them. The client is closed.
    #[error("unable to keep up with the driver's broadcasts")]
    BroadcastLapped,
    /// Somebody wrote into the driver's broadcast buffer what no driver writes. The client is closed.
    #[error("the driver's broadcast buffer is damaged at position {position}")]
    BroadcastDamaged {
        /// In bytes since the driver started.
        position: i64,
    },
    /// The driver sent something that cannot be read.
    #[error("response {type_id:#x} of {length} bytes from the driver is malformed")]
    MalformedResponse {
        /// The response's type.
        type_id: i32,
        /// In bytes.
        length: usize,
    },
    /// The driver refers to an image whose log or counters cannot be used; the image is not available.
    #[error("cannot make image {correlation_id} available: {reason}")]
    Image {
        /// The image's correlation id.
        correlation_id: i64,
        /// What is wrong.
        reason: String,
    },
    /// The driver reports a fault of a channel's endpoint.
    #[error("channel endpoint of status counter {status}: {message}")]
    ChannelEndpoint {
        /// The channel status counter.
        status: CounterId,
        /// The driver's words.
        message: String,
    },
    /// Somebody wrote into an image's log what no publisher writes: the image stops there.
    #[error("the log of session {session_id} is damaged at {position}: the image stops there")]
    DamagedLog {
        /// The image's session.
        session_id: SessionId,
        /// Where.
        position: Position,
    },
    /// A handler of the application panicked.
    #[error("a handler panicked: {message}")]
    HandlerPanicked {
        /// The panic's message.
        message: String,
    },
    /// A variable of the environment cannot be understood; the default was taken.
    #[error("{name}={value} cannot be understood (accepted: {accepted}); the default is taken")]
    Setting {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        accepted: &'static str,
    },
}

impl ClientError {
    /// Aeron's number for it: 1000 to 1006 for those that close the client, else a code of section 3 of `commands.md`.
    #[must_use]
    pub const fn code(&self) -> i32 {
        match self {
            ClientError::DriverTimeout { .. }
            | ClientError::DriverShutdown
            | ClientError::DriverRestarted
            | ClientError::HeartbeatCounterClosed(_) => 1000,
            ClientError::ClientTimeout => 1001,
            ClientError::ServiceTimeout { .. } => 1002,
            ClientError::BroadcastLapped | ClientError::BroadcastDamaged { .. } => 1006,
            ClientError::ChannelEndpoint { .. } => 4,
            ClientError::MalformedResponse { .. } => 7,
            ClientError::Image { .. }
            | ClientError::DamagedLog { .. }
            | ClientError::HandlerPanicked { .. }
            | ClientError::Setting { .. } => 11,
        }
    }

    /// Whether it closed the client.
    #[must_use]
    pub const fn is_fatal(&self) -> bool {
        self.code() >= 1000
    }
}
