//! The agent for what takes system calls: it makes log files, reserves space for them, and frees them. `[native-resource]`
//!
//! Off the conductor's thread where there are threads for it (DEDICATED, SHARED_NETWORK), in the same duty cycle
//! otherwise. One bounded piece in each of its cycles. Knows files and nothing of publications; the conductor asks and
//! is told. Mirrors `aeron_driver_native_resource_agent.c`; driver.md §1.

pub(crate) mod logs;
mod queue;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gannet_core::command::ErrorCode;
use gannet_core::log::{LogBuffers, LogProperties, METADATA_LENGTH};
use gannet_core::sync::Memory;
use gannet_core::{Position, TermId, TermLength};
use gannet_transport_ipc::{FileError, MappedFile, Region, Sharing, Space};

use crate::agent::{Agent, thread};
use crate::conductor::ipc_publication::reservation::Range;
use queue::AgentQueue;
pub use queue::NativeResourceAgentProxy;

/// The thread's name, `AERON_DRIVER_AGENT_ROLE_NAME_NATIVE_RESOURCE_AGENT`.
pub const ROLE_NAME: &str = "aeron-md-nra";

/// How much is reserved in one duty cycle: some half a millisecond's work on a memory file system.
const RESERVE_STEP: i64 = 1024 * 1024;

/// How long after a failure a log is tried to be freed again.
const FREE_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// What the conductor asks for.
#[derive(Debug)]
pub enum Request {
    /// A log file, with its metadata and the first of its terms reserved.
    CreateLog(Box<CreateLog>),
    /// Space behind a range of positions.
    Reserve {
        /// Whose log.
        registration_id: i64,
        /// The log file.
        region: Region,
        /// Of its terms.
        term_length: TermLength,
        /// The positions.
        range: Range,
    },
    /// A log that nobody needs any more: unmapped here, and its file removed.
    FreeLog {
        /// The mapping.
        log: LogBuffers<Region>,
        /// The same mapping.
        region: Region,
    },
}

/// A log to be made.
#[derive(Debug)]
pub struct CreateLog {
    /// Whose.
    pub registration_id: i64,
    /// Where.
    pub path: PathBuf,
    /// Of the file in bytes.
    pub length: u64,
    /// For its metadata.
    pub properties: LogProperties,
    /// Where it starts, if not at the start of its first term.
    pub start: Option<(TermId, i32)>,
    /// What is reserved before it is of use to anybody.
    pub reserve: Range,
}

/// What became of a request.
#[derive(Debug)]
pub enum Reply {
    /// A log is made, or not.
    LogCreated {
        /// Whose.
        registration_id: i64,
        /// The log, or why there is none.
        result: Result<(LogBuffers<Region>, Region), ResourceError>,
    },
    /// Space stands behind all positions before this one; more will come.
    ReservedSoFar {
        /// Whose.
        registration_id: i64,
        /// The position.
        to: Position,
    },
    /// Space stands behind the whole range that was asked for.
    Reserved {
        /// Whose.
        registration_id: i64,
        /// The end of the range.
        to: Position,
    },
    /// Space could not be had.
    ReserveFailed {
        /// Whose.
        registration_id: i64,
        /// Why.
        error: ResourceError,
    },
    /// A log is freed.
    LogFreed {
        /// Of the file in bytes.
        length: u64,
    },
    /// A log could not be freed; it is tried again.
    FreeFailed {
        /// Why.
        error: ResourceError,
    },
    /// What an operator should know: space runs low, though there is enough for now.
    Warning {
        /// What there is and what was expected.
        message: String,
    },
}

impl Reply {
    /// Whether the request is done with it.
    fn is_last(&self) -> bool {
        match self {
            Reply::LogCreated { .. }
            | Reply::Reserved { .. }
            | Reply::ReserveFailed { .. }
            | Reply::LogFreed { .. } => true,
            Reply::ReservedSoFar { .. } | Reply::FreeFailed { .. } | Reply::Warning { .. } => false,
        }
    }
}

/// Why a file could not be made, reserved or freed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ResourceError {
    /// STORAGE_SPACE where space is missing.
    pub code: ErrorCode,
    /// What the system said, and of which file.
    pub message: String,
}

impl From<FileError> for ResourceError {
    fn from(error: FileError) -> Self {
        let code = if error.is_out_of_space() { ErrorCode::StorageSpace } else { ErrorCode::GenericError };
        ResourceError { code, message: error.to_string() }
    }
}

/// The agent's settings.
#[derive(Clone, Debug)]
pub struct NativeResourceSettings {
    /// The driver's directory, whose file system is looked at.
    pub aeron_dir: PathBuf,
    /// The driver's CnC file: in a directory that another driver took no log is made.
    pub cnc: Region,
    /// Who besides the owner may use the files.
    pub sharing: Sharing,
    /// `AERON_PERFORM_STORAGE_CHECKS`.
    pub perform_storage_checks: bool,
    /// `AERON_LOW_FILE_STORE_WARNING_THRESHOLD`, bytes.
    pub low_storage_warning_threshold: u64,
    /// `AERON_DRIVER_RESOURCE_FREE_LIMIT`.
    pub resource_free_limit: usize,
    /// The core that the agent's thread is bound to.
    pub cpu_affinity: Option<usize>,
    /// How many bytes the file system of a directory still has; the peer's `usable_fs_space_func`.
    pub usable_space: fn(&Path) -> std::io::Result<u64>,
    /// Reserves bytes of a log from an offset on.
    pub reserve: fn(&Region, usize, usize) -> Result<(), FileError>,
}

/// Space that is being reserved, in pieces.
#[derive(Debug)]
struct ReserveJob {
    registration_id: i64,
    region: Region,
    term_length: TermLength,
    /// What is left.
    range: Range,
    /// The log that waits for it, which nobody has seen yet.
    create: Option<Box<CreateLog>>,
}

/// The agent.
#[derive(Debug)]
pub struct NativeResourceAgent {
    settings: NativeResourceSettings,
    queue: AgentQueue,
    /// Of logs that are shown already.
    jobs: VecDeque<ReserveJob>,
    /// Of logs that are being made.
    creations: VecDeque<ReserveJob>,
    is_turn_of_creations: bool,
    to_free: VecDeque<Unfreed>,
}

/// A log file that could not be removed.
#[derive(Debug)]
struct Unfreed {
    region: Region,
    retry_at: Instant,
}

impl NativeResourceAgent {
    /// The agent, and the conductor's end of its queues.
    #[must_use]
    pub fn new(settings: NativeResourceSettings) -> (Self, NativeResourceAgentProxy) {
        let (proxy, queue) = queue::queues();
        let agent = NativeResourceAgent {
            settings,
            queue,
            jobs: VecDeque::new(),
            creations: VecDeque::new(),
            is_turn_of_creations: false,
            to_free: VecDeque::new(),
        };
        (agent, proxy)
    }

    /// Dies as a defect would make it die.
    #[cfg(test)]
    pub(crate) fn panic_at_the_next_request(&mut self) {
        self.settings.usable_space = |_| panic!("this agent panics, as its test wants it to");
        self.settings.perform_storage_checks = true;
    }

    fn on_request(&mut self, request: Request) {
        match request {
            Request::CreateLog(create) => self.create_log(create),
            Request::Reserve { registration_id, region, term_length, range } => {
                self.jobs.push_back(ReserveJob { registration_id, region, term_length, range, create: None });
            }
            Request::FreeLog { log, region } => {
                drop(log);
                self.give_up_jobs_for(region.path());
                self.free(region);
            }
        }
    }

    /// What is freed needs no more space.
    fn give_up_jobs_for(&mut self, path: &Path) {
        let (given_up, kept): (VecDeque<_>, _) = self.jobs.drain(..).partition(|job| job.region.path() == path);
        self.jobs = kept;
        for job in given_up {
            let error = ResourceError { code: ErrorCode::GenericError, message: "the log is freed".to_owned() };
            self.queue.reply(Reply::ReserveFailed { registration_id: job.registration_id, error });
        }
    }

    /// Makes the file, and reserves what must be there before anybody looks at it: its metadata, then the first of its
    /// terms, or all.
    fn create_log(&mut self, create: Box<CreateLog>) {
        let registration_id = create.registration_id;
        match self.create_file(&create) {
            Ok(region) => {
                let (term_length, range) = (create.properties.term_length, create.reserve);
                let job = ReserveJob { registration_id, region, term_length, range, create: Some(create) };
                self.reserve_piece(job);
            }
            Err(error) => self.queue.reply(Reply::LogCreated { registration_id, result: Err(error) }),
        }
    }

    fn create_file(&mut self, create: &CreateLog) -> Result<Region, ResourceError> {
        if self.settings.cnc.is_replaced() {
            let message = format!("another driver took {}", self.settings.aeron_dir.display());
            return Err(ResourceError { code: ErrorCode::GenericError, message });
        }
        self.check_storage(create.length)?;
        let region = MappedFile::create(&create.path, create.length, Space::Sparse, self.settings.sharing)?;
        let metadata = (self.settings.reserve)(&region, region.len() - METADATA_LENGTH, METADATA_LENGTH);
        metadata.inspect_err(|_| discard(&region))?;
        Ok(region)
    }

    /// The log is wholly there, or not to be had.
    fn finish_log(&mut self, create: &CreateLog, region: Region, reserved: Result<(), FileError>) {
        let made = reserved.map_err(ResourceError::from).and_then(|()| {
            logs::initialise(&region, &create.properties, create.start)
                .map_err(|error| ResourceError { code: ErrorCode::GenericError, message: error.to_string() })
        });
        let result = match made {
            Ok(log) => Ok((log, region)),
            Err(error) => {
                discard(&region);
                Err(error)
            }
        };
        self.queue.reply(Reply::LogCreated { registration_id: create.registration_id, result });
    }

    fn check_storage(&mut self, length: u64) -> Result<(), ResourceError> {
        if !self.settings.perform_storage_checks {
            return Ok(());
        }
        let directory = self.settings.aeron_dir.display();
        let usable = (self.settings.usable_space)(&self.settings.aeron_dir).map_err(|error| ResourceError {
            code: ErrorCode::GenericError,
            message: format!("cannot tell the usable storage of {directory}: {error}"),
        })?;
        if usable < length {
            return Err(ResourceError {
                code: ErrorCode::StorageSpace,
                message: format!(
                    "insufficient usable storage for new log of length={length} usable={usable} in {directory}"
                ),
            });
        }
        let threshold = self.settings.low_storage_warning_threshold;
        if usable <= threshold {
            let message =
                format!("WARNING: space is running low: threshold={threshold} usable={usable} in {directory}");
            self.queue.reply(Reply::Warning { message });
        }
        Ok(())
    }

    /// Reserves the bytes of a range of positions, term by term.
    fn reserve_positions(&self, region: &Region, term_length: TermLength, range: Range) -> Result<(), FileError> {
        let mut from = range.from;
        while from < range.to {
            let offset = from.term_offset(term_length);
            let left = i64::from(term_length.bytes() - offset);
            let length = range.to.since(from).min(left);
            let start = from.partition(term_length) * term_length.as_usize() + offset.unsigned_abs() as usize;
            (self.settings.reserve)(region, start, usize::try_from(length).unwrap_or(0))?;
            from = from.plus(length);
        }
        Ok(())
    }

    fn reserve(&mut self) -> usize {
        // By turns, so that a log is made in at most twice its time, however much space others ask for meanwhile.
        self.is_turn_of_creations = !self.is_turn_of_creations;
        let (first, second) = match self.is_turn_of_creations {
            true => (&mut self.creations, &mut self.jobs),
            false => (&mut self.jobs, &mut self.creations),
        };
        let Some(job) = first.pop_front().or_else(|| second.pop_front()) else { return 0 };
        self.reserve_piece(job);
        1
    }

    /// One piece of a job; what is left waits behind all others of its kind.
    fn reserve_piece(&mut self, mut job: ReserveJob) {
        let registration_id = job.registration_id;
        let to = job.range.from.plus(RESERVE_STEP).min(job.range.to);
        let reserved = self.reserve_positions(&job.region, job.term_length, Range { from: job.range.from, to });
        if reserved.is_ok() && to < job.range.to {
            job.range.from = to;
            if job.create.is_some() {
                self.creations.push_back(job);
            } else {
                self.queue.reply(Reply::ReservedSoFar { registration_id, to });
                self.jobs.push_back(job);
            }
            return;
        }
        match (job.create, reserved) {
            (Some(create), reserved) => self.finish_log(&create, job.region, reserved),
            (None, Ok(())) => self.queue.reply(Reply::Reserved { registration_id, to }),
            (None, Err(error)) => self.queue.reply(Reply::ReserveFailed { registration_id, error: error.into() }),
        }
    }

    fn free(&mut self, region: Region) {
        // A file of that name that another driver made is not this log's.
        let reply = match region.remove_file() {
            Ok(()) => Reply::LogFreed { length: region.len() as u64 },
            Err(error) => {
                self.to_free.push_back(Unfreed { region, retry_at: Instant::now() + FREE_AGAIN_AFTER });
                Reply::FreeFailed { error: error.into() }
            }
        };
        self.queue.reply(reply);
    }

    fn free_again(&mut self) -> usize {
        let mut count = 0;
        while count < self.settings.resource_free_limit && self.queue.send_held_back() {
            if self.to_free.front().is_none_or(|unfreed| unfreed.retry_at > Instant::now()) {
                break;
            }
            let Some(Unfreed { region, .. }) = self.to_free.pop_front() else { break };
            self.free(region);
            count += 1;
        }
        count
    }
}

impl Agent for NativeResourceAgent {
    fn role_name(&self) -> &str {
        ROLE_NAME
    }

    fn on_start(&mut self) {
        if let Some(cpu) = self.settings.cpu_affinity
            && let Err(error) = thread::set_affinity(cpu)
        {
            let message = format!("WARNING: unable to apply affinity {cpu} to {ROLE_NAME}: {error}");
            self.queue.reply(Reply::Warning { message });
        }
    }

    fn do_work(&mut self) -> usize {
        let mut work_count = 0;
        if let Some(request) = self.queue.poll() {
            self.on_request(request);
            work_count += 1;
        }
        if self.queue.send_held_back() {
            work_count += self.reserve();
        }
        work_count + self.free_again()
    }

    fn on_close(&mut self) {
        let requests: Vec<_> = self.queue.drain().collect();
        for request in requests {
            if let Request::FreeLog { region, .. } = request {
                // The driver ends; what cannot be removed now stays for the next one to clear away.
                let _ = region.remove_file();
            }
        }
        for unfreed in self.to_free.drain(..) {
            let _ = unfreed.region.remove_file();
        }
        for job in self.creations.drain(..) {
            discard(&job.region);
        }
        self.queue.give_up();
    }
}

/// Removes a log that nobody has seen: its name belongs to a registration id that is not used twice.
fn discard(region: &Region) {
    // The first error is the one to tell; what stays is for the next driver to clear away.
    let _ = region.remove_file();
}
