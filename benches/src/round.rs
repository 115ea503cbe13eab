//! One round: a fresh driver, the two roles of a case, and what all three measured.

use crate::case::{Case, Kind};
use crate::client::Failure;
use crate::machine::{Load, Resident};
use crate::measure::Measures;
use crate::processes::{Driver, Role};
use crate::side::{Maker, Programs, Side};
use clap::Args;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

/// How often a disturbed round is repeated.
const ATTEMPTS: u32 = 50;
/// How long the machine must be quiet before a round.
const QUIET_FOR: Duration = Duration::from_millis(300);
/// How long to wait for that.
const QUIET_DEADLINE: Duration = Duration::from_secs(600);

/// The settings of all rounds, equal on both sides.
#[derive(Clone, Debug, Args)]
pub struct Settings {
    /// Not measured at the start of a round, in milliseconds.
    #[arg(long, default_value_t = 500)]
    pub warm_up_ms: u64,
    /// Measured in a round, in milliseconds.
    #[arg(long, default_value_t = 1500)]
    pub measure_ms: u64,
    /// What a busy thread does when there was nothing to do: noop, spin or yield.
    #[arg(long, default_value = "spin")]
    pub idle: String,
    /// The most fragments that one poll takes.
    #[arg(long, default_value_t = 256)]
    pub fragment_limit: usize,
    /// The cores of producer and consumer.
    #[arg(long, value_delimiter = ',', num_args = 1, default_value = "0,1")]
    pub cores: Vec<usize>,
    /// Threading mode of the drivers.
    #[arg(long, default_value = "SHARED")]
    pub threading: String,
    /// Idle strategy of the drivers' threads.
    #[arg(long, default_value = "backoff")]
    pub driver_idle: String,
    /// Another environment variable for both drivers, `NAME=value`; may be repeated.
    #[arg(long = "driver-env")]
    pub driver_environment: Vec<String>,
    /// An argument for `gannetd` alone, `--small` for instance; may be repeated.
    #[arg(long = "gannetd-arg", allow_hyphen_values = true)]
    pub gannetd_arguments: Vec<String>,
    /// Another term length than the cases', in bytes.
    #[arg(long)]
    pub term_length: Option<u32>,
    /// Cores that others may keep busy: above it a round waits, or is repeated.
    #[arg(long, default_value_t = 0.05)]
    pub foreign_load: f64,
    /// The shared-memory file system that holds the drivers' directories.
    #[arg(long, default_value = "/dev/shm")]
    pub root: PathBuf,
}

impl Settings {
    /// Waits until others leave the machine alone for a while.
    fn wait_for_quiet(&self) -> Result<(), Failure> {
        let start = Instant::now();
        loop {
            let before = Load::now()?;
            thread::sleep(QUIET_FOR);
            let load = Load::now()?.foreign_since(&before);
            if load <= self.foreign_load {
                return Ok(());
            }
            if start.elapsed() > QUIET_DEADLINE {
                return Err(format!("others use {load:.2} cores: the machine is not quiet").into());
            }
        }
    }

    /// The drivers' environment.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let idle = ["CONDUCTOR", "SENDER", "RECEIVER", "SHARED", "SHAREDNETWORK"]
            .map(|agent| (format!("AERON_{agent}_IDLE_STRATEGY"), self.driver_idle.clone()));
        let mut environment = vec![("AERON_THREADING_MODE".to_owned(), self.threading.clone())];
        environment.extend(idle);
        environment.extend(
            self.driver_environment
                .iter()
                .filter_map(|setting| setting.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        environment
    }

    /// Starts the driver of a side.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_driver(&self, programs: &Programs, maker: Maker) -> Result<Driver, Failure> {
        let own: &[String] = if maker == Maker::Ours { &self.gannetd_arguments } else { &[] };
        Driver::start(&programs.driver(maker)?, own, &self.environment(), &self.root)
    }

    /// The command line of a role.
    #[must_use]
    pub fn role(&self, role: &str, case: &Case, core: usize, driver: &Driver) -> Vec<String> {
        let mut arguments = vec![
            role.to_owned(),
            format!("--directory={}", driver.directory().display()),
            format!("--case={}", case.name),
            format!("--core={core}"),
            format!("--warm-up-ms={}", self.warm_up_ms),
            format!("--measure-ms={}", self.measure_ms),
            format!("--idle={}", self.idle),
            format!("--fragment-limit={}", self.fragment_limit),
        ];
        if let Some(term_length) = self.term_length {
            arguments.push(format!("--term-length={term_length}"));
        }
        arguments
    }
}

/// What a round measured.
#[derive(Clone, Debug)]
pub struct Round {
    /// The producer, or the one that pings.
    pub producer: Measures,
    /// The consumer, or the one that echoes.
    pub consumer: Measures,
    /// CPU time of the driver while the clients ran, in nanoseconds for each message.
    pub driver_ns_per_message: f64,
    /// Memory of the driver at the end of the round.
    pub driver_resident: Resident,
    /// Bytes of shared memory that the directory held at the end of the round.
    pub storage: u64,
    /// Cores that others kept busy during the round.
    pub foreign_load: f64,
}

impl Round {
    /// Runs one on a machine that is quiet: waits for it, and repeats a round that others disturbed. Neither looks at
    /// what the round measured.
    ///
    /// # Errors
    /// When a process fails, or the machine is never quiet.
    pub fn run_undisturbed(
        programs: &Programs,
        side: Side,
        case: &Case,
        settings: &Settings,
    ) -> Result<Round, Failure> {
        for _ in 0..ATTEMPTS {
            settings.wait_for_quiet()?;
            let round = Round::run(programs, side, case, settings)?;
            if round.foreign_load <= settings.foreign_load {
                return Ok(round);
            }
            eprintln!("{} {side}: repeated, others used {:.2} cores", case.name, round.foreign_load);
        }
        Err(format!("others disturbed {ATTEMPTS} rounds in turn").into())
    }

    /// Runs one.
    ///
    /// # Errors
    /// When a process fails; a lost or changed message is such a failure.
    pub fn run(programs: &Programs, side: Side, case: &Case, settings: &Settings) -> Result<Round, Failure> {
        let load = Load::now()?;
        let driver = settings.start_driver(programs, side.driver)?;
        let before = driver.cpu_ns();
        let (first, second) = match case.kind {
            Kind::Throughput => ("consumer", "producer"),
            Kind::RoundTrip => ("pong", "ping"),
        };
        let client = programs.client(side.client)?;
        let core = |index: usize| settings.cores.get(index).copied().unwrap_or(index);
        let consumer = Role::start(&client, &settings.role(first, case, core(1), &driver))?;
        let producer = Role::start(&client, &settings.role(second, case, core(0), &driver))?;
        let producer = producer.finish()?;
        let consumer = consumer.finish()?;
        let driver_cpu = driver.cpu_ns() - before;
        let driver_resident = driver.resident()?;
        let storage = driver.storage();
        driver.end()?;
        let foreign_load = Load::now()?.foreign_since(&load);
        #[allow(clippy::cast_precision_loss)] // figures for people
        let driver_ns_per_message = driver_cpu as f64 / producer.get("total_messages");
        Ok(Round { producer, consumer, driver_ns_per_message, driver_resident, storage, foreign_load })
    }

    /// Messages per second that arrived.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.consumer.get("rate")
    }

    /// In a few words.
    #[must_use]
    pub fn summary(&self) -> String {
        if self.rate().is_nan() {
            format!("p50 {} ns, p99 {} ns", self.producer.get("p50"), self.producer.get("p99"))
        } else {
            format!("{:.3} M messages/s", self.rate() * 1e-6)
        }
    }
}
