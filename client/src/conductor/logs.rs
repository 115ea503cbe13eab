//! The logs that this client has mapped, one mapping for each. `[client]`
//!
//! Mirrors `aeron_client_conductor_get_or_create_log_buffer`. Publications and images of one log share its mapping,
//! which lives as long as any of them. The conductor holds one share itself, so that the last handle, dropped on the
//! application's thread, does not pay for the unmapping.
//!
//! This is the one place where the client opens a log, and vouches for it: see the contract of
//! [`LogBuffers::initialise`]. To that end it remembers who publishes into which log.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;
use std::sync::Arc;

use gannet_core::log::LogBuffers;
use gannet_core::sync::Memory;
use gannet_transport_ipc::{MappedFile, Region};

/// A mapped log.
pub(crate) type Log = Arc<LogBuffers<Region>>;

/// How this client uses a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// An image reads it.
    Image,
    /// One of the publishers that share it.
    SharedPublication,
    /// The only publisher.
    ExclusivePublication,
}

struct Mapped {
    log: Log,
    /// What kind of publication this client was given over the mapping, if any.
    publication: Option<Use>,
}

#[derive(Default)]
pub(crate) struct Logs {
    by_registration_id: HashMap<i64, Mapped>,
    pre_touch: bool,
}

impl Logs {
    pub(crate) fn new(pre_touch: bool) -> Logs {
        Logs { by_registration_id: HashMap::new(), pre_touch }
    }

    /// The log of a publication or image, mapped now if it is not yet.
    ///
    /// # Errors
    /// What is wrong with the file, in words; that an exclusive publication is not the only one over its log.
    pub(crate) fn get_or_map(&mut self, registration_id: i64, path: &Path, new: Use) -> Result<Log, String> {
        let mapped = match self.by_registration_id.entry(registration_id) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let memory = MappedFile::open(path).map_err(|error| error.to_string())?;
                let log = open(&memory)?;
                if self.pre_touch {
                    memory.reserve(0, memory.len()).map_err(|error| error.to_string())?;
                }
                entry.insert(Mapped { log: Arc::new(log), publication: None })
            }
        };
        match (mapped.publication, new) {
            (_, Use::Image) | (Some(Use::SharedPublication), Use::SharedPublication) => {}
            (None, publication) => mapped.publication = Some(publication),
            (Some(_), _) => {
                return Err(format!(
                    "the driver gave the log of registration id {registration_id} to a second publication, \
                     and one of the two is exclusive"
                ));
            }
        }
        Ok(Arc::clone(&mapped.log))
    }

    /// Gives up the conductor's share in every log, for good: each is unmapped with its last handle.
    pub(crate) fn let_go(&mut self) {
        self.by_registration_id.clear();
    }

    /// Unmaps what no handle reaches any more; how many logs.
    pub(crate) fn unmap_unused(&mut self) -> usize {
        let before = self.by_registration_id.len();
        self.by_registration_id.retain(|_, mapped| Arc::strong_count(&mapped.log) > 1);
        before - self.by_registration_id.len()
    }
}

/// Opens a log. Its contract, point by point; the driver is trusted as far as that it gives each log a file and a
/// registration id of its own, and keeps the rules that `driver/src/native_resource_agent/logs.rs` states:
/// - Publishers: `get_or_map` gives a log to one exclusive publication, or to shared ones, for as long as it stays mapped,
///   which is as long as one of their handles lives; an exclusive publication makes one appender and owns it.
/// - Readers: an image reads from where the driver says that it joins, frame by frame, and skips only to where a frame
///   begins (`Image::set_position`). It keeps its position in a counter that holds the driver back, stores it after the
///   handler is done with what it was lent, and reads no more once the driver has given it up.
/// - Cleaning: the client cleans nothing.
/// - Nobody else: the client writes no word of a log but by its appenders. Other processes that map the file are peers that
///   keep Aeron's protocol; numbers of theirs are checked nevertheless.
///
/// What a handler still holds when the driver gives its reader up is in docs/adr/0006-who-opens-a-log.md.
fn open(memory: &Region) -> Result<LogBuffers<Region>, String> {
    // SAFETY: the log's contract is kept, see above.
    let log = unsafe { LogBuffers::open(memory) };
    log.map_err(|error| error.to_string())
}
