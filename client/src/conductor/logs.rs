//! The logs that this client has mapped, one mapping for each. `[client]`
//!
//! Mirrors `aeron_client_conductor_get_or_create_log_buffer`. Publications and images of one log share its mapping,
//! which lives as long as any of them. The conductor holds one share itself, so that the last handle, dropped on the
//! application's thread, does not pay for the unmapping.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;
use std::sync::Arc;

use gannet_core::log::LogBuffers;
use gannet_core::sync::Memory;
use gannet_transport_ipc::{MappedFile, Region};

/// A mapped log.
pub(crate) type Log = Arc<LogBuffers<Region>>;

#[derive(Default)]
pub(crate) struct Logs {
    by_registration_id: HashMap<i64, Log>,
    pre_touch: bool,
}

impl Logs {
    pub(crate) fn new(pre_touch: bool) -> Logs {
        Logs { by_registration_id: HashMap::new(), pre_touch }
    }

    /// The log of a publication or image, mapped now if it is not yet.
    ///
    /// # Errors
    /// What is wrong with the file, in words.
    pub(crate) fn get_or_map(&mut self, registration_id: i64, path: &Path) -> Result<Log, String> {
        match self.by_registration_id.entry(registration_id) {
            Entry::Occupied(entry) => Ok(Arc::clone(entry.get())),
            Entry::Vacant(entry) => {
                let memory = MappedFile::open(path).map_err(|error| error.to_string())?;
                let log = LogBuffers::open(&memory).map_err(|error| error.to_string())?;
                if self.pre_touch {
                    memory.reserve(0, memory.len()).map_err(|error| error.to_string())?;
                }
                Ok(Arc::clone(entry.insert(Arc::new(log))))
            }
        }
    }

    /// Gives up the conductor's share in every log: each is unmapped with its last handle.
    pub(crate) fn let_go(&mut self) {
        self.by_registration_id.clear();
    }

    /// Unmaps what no handle reaches any more; how many logs.
    pub(crate) fn unmap_unused(&mut self) -> usize {
        let before = self.by_registration_id.len();
        self.by_registration_id.retain(|_, log| Arc::strong_count(log) > 1);
        before - self.by_registration_id.len()
    }
}
