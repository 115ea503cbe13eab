//! Which driver a tool looks at, its CnC file, and whether it lives.
//!
//! Waits a moment for a file that its driver is still making. The files of a dead driver are opened too: they are worth
//! a look.

use std::fmt;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use gannet_core::cnc::Cnc;
use gannet_core::counters::CountersReader;
use gannet_core::ring::{CapacityError, ManyToOneRing};
use gannet_core::sync::Memory;
use gannet_core::uri::value;
use gannet_transport_ipc::{AeronDirectory, CncFile, CncFileError, ReadOnlyRegion, Region};

/// How long a CnC file may stay unfinished; its making takes its driver a few milliseconds.
const READY_TIMEOUT: Duration = Duration::from_secs(1);
const READY_RETRY: Duration = Duration::from_millis(1);

/// After how long without a heartbeat a driver counts as dead: Aeron's driver time-out.
const DRIVER_TIMEOUT: Duration = Duration::from_secs(10);

/// Which driver.
#[derive(Args)]
pub(crate) struct DriverDirectory {
    /// The driver's directory [default: AERON_DIR, else /dev/shm/aeron-<user>]
    #[arg(long, value_name = "PATH", global = true)]
    dir: Option<PathBuf>,
}

/// How a tool prints.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Why there is no CnC file to look at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CncFailure {
    #[error(
        "no media driver runs in {0}: there is no {0}/{file}\n\
         Start one by `AERON_DIR={0} gannetd`, or name the directory of a running one by --dir or AERON_DIR.",
        directory.display(),
        file = AeronDirectory::CNC_FILE
    )]
    NoDriver { directory: PathBuf },
    #[error(transparent)]
    File(CncFileError),
    #[error("the command ring in {} is damaged: {error}", directory.display())]
    Ring { directory: PathBuf, error: CapacityError },
}

impl DriverDirectory {
    /// As given, or of the environment.
    pub(crate) fn directory(&self) -> AeronDirectory {
        self.dir.as_ref().map_or_else(AeronDirectory::from_env, AeronDirectory::at)
    }

    /// The CnC file, to look at.
    pub(crate) fn read(&self) -> Result<Driver<ReadOnlyRegion>, CncFailure> {
        Driver::open(self.directory(), CncFile::open_read_only)
    }

    /// The CnC file, to command the driver.
    pub(crate) fn write(&self) -> Result<Driver<Region>, CncFailure> {
        Driver::open(self.directory(), CncFile::open)
    }
}

/// A driver, as its CnC file shows it.
pub(crate) struct Driver<M> {
    pub(crate) directory: AeronDirectory,
    pub(crate) cnc: Cnc<M>,
    /// The ring in which clients command it, which holds its heartbeat too.
    pub(crate) ring: ManyToOneRing<M>,
}

impl<M: Memory> Driver<M> {
    fn open(
        directory: AeronDirectory,
        open: impl Fn(&AeronDirectory) -> Result<Cnc<M>, CncFileError>,
    ) -> Result<Self, CncFailure> {
        let deadline = Instant::now() + READY_TIMEOUT;
        let cnc = loop {
            match open(&directory) {
                Ok(cnc) => break cnc,
                Err(CncFileError::Absent { .. }) => {
                    return Err(CncFailure::NoDriver { directory: directory.path().to_path_buf() });
                }
                Err(error) if error.may_pass() && Instant::now() < deadline => thread::sleep(READY_RETRY),
                Err(error) => return Err(CncFailure::File(error)),
            }
        };
        let ring = ManyToOneRing::new(cnc.to_driver())
            .map_err(|error| CncFailure::Ring { directory: directory.path().to_path_buf(), error })?;
        Ok(Driver { directory, cnc, ring })
    }

    pub(crate) fn heartbeat(&self) -> Heartbeat {
        Heartbeat::of(self.ring.consumer_heartbeat_ms(), now_ms(), self.cnc.config().pid)
    }

    pub(crate) fn counters(&self) -> CountersReader<M> {
        CountersReader::new(self.cnc.counters_metadata(), self.cnc.counters_values())
    }
}

/// A driver's last sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heartbeat {
    /// It has shut down in order.
    Closed,
    /// It has not given one yet.
    None,
    /// So long ago, by a driver that lives.
    Alive(Duration),
    /// So long ago, by a driver that is dead: not at all when it lies in the future, from before the clock was set back.
    Dead(Duration),
}

impl Heartbeat {
    /// Of the number in the file, in milliseconds since the epoch, and the process that it states.
    pub(crate) fn of(heartbeat_ms: i64, now_ms: i64, pid: i64) -> Heartbeat {
        let age_ms = now_ms.saturating_sub(heartbeat_ms);
        let beat = gannet_transport_ipc::Heartbeat { pid, age_ms, is_closed: heartbeat_ms == -1 };
        let age = Duration::from_millis(age_ms.max(0).unsigned_abs());
        match heartbeat_ms {
            -1 => Heartbeat::Closed,
            0 => Heartbeat::None,
            _ if beat.is_alive(i64::try_from(DRIVER_TIMEOUT.as_millis()).unwrap_or(i64::MAX)) => Heartbeat::Alive(age),
            _ => Heartbeat::Dead(age),
        }
    }

    /// Whether the driver lives, as clients see it.
    pub(crate) fn is_alive(self) -> bool {
        matches!(self, Heartbeat::Alive(_))
    }
}

impl fmt::Display for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Heartbeat::Closed => f.write_str("the driver has shut down"),
            Heartbeat::None => f.write_str("the driver has given no sign of life yet"),
            Heartbeat::Alive(age) => write!(f, "alive {} ms ago", age.as_millis()),
            Heartbeat::Dead(Duration::ZERO) => {
                f.write_str("the driver is dead: its last sign of life lies in the future, and its process is gone")
            }
            Heartbeat::Dead(age) => write!(f, "the driver is dead: its last sign of life is {} s old", age.as_secs()),
        }
    }
}

/// Now, in milliseconds since the epoch.
pub(crate) fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

/// A time of a file, in UTC; what is no time is printed as the number that it is.
pub(crate) fn utc(epoch_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(epoch_ms).map_or_else(|_| format!("{epoch_ms} ms"), |time| format!("{time:.3}"))
}

/// A duration of the command line, written as in a channel URI.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    match value::parse_duration_ns(text) {
        Ok(0) => Err("is not more than 0".to_owned()),
        Ok(ns) => Ok(Duration::from_nanos(ns)),
        Err(error) => Err(error.to_string()),
    }
}

/// A text of another process, without what would move the cursor or recolour the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '?' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeat_is_alive_for_the_drivers_timeout() {
        let (living, gone) = (i64::from(std::process::id()), i64::from(i32::MAX));
        assert_eq!(Heartbeat::of(-1, 5, living), Heartbeat::Closed);
        assert_eq!(Heartbeat::of(0, 5, living), Heartbeat::None);
        assert!(Heartbeat::of(1_000, 11_000, gone).is_alive());
        assert!(!Heartbeat::of(1_000, 11_001, living).is_alive());
        assert!(!Heartbeat::of(i64::MIN, i64::MAX, living).is_alive());
        assert!(Heartbeat::of(1_000, 61_000, living).to_string().contains("60 s old"));
        assert!(Heartbeat::of(61_000, 1_000, living).is_alive(), "a clock that was set back kills nobody");
        let dead = Heartbeat::of(61_000, 1_000, gone);
        assert!(!dead.is_alive() && dead.to_string().contains("in the future"), "{dead}");
    }

    #[test]
    fn times_are_utc_to_the_millisecond_and_what_is_no_time_is_a_number() {
        assert_eq!(utc(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
        assert_eq!(utc(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(utc(i64::MAX), "9223372036854775807 ms");
    }

    #[test]
    fn durations_have_units_and_are_not_zero() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert!(duration("0s").is_err());
        assert!(duration("5m").unwrap_err().contains("ns, us, ms or s"));
    }

    #[test]
    fn texts_of_others_cannot_command_the_terminal() {
        assert_eq!(printable("a\x1B[2Jb\nç"), "a?[2Jb?ç");
    }
}
