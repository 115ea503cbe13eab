//! The files of a driver: created before it starts, given up when it ends. `[any]`
//!
//! Mirrors `aeron_driver_create_cnc_file`, `_create_loss_report_file`, the start of `aeron_driver_conductor_init` and
//! `aeron_driver_context_close`; cnc.md §1.

use std::hash::{BuildHasher, RandomState};

use gannet_core::cnc::{self, Cnc, CncConfig, CncLengths};
use gannet_core::counters::system::{self, SystemCounter};
use gannet_core::counters::{CounterSlot, CountersManager, VALUE_LENGTH};
use gannet_core::ring::ManyToOneRing;
use gannet_core::sync::Memory;
use gannet_transport_ipc::{MappedFile, Region, Space};

use super::DriverError;
use crate::clock::{Clock, epoch_ms};
use crate::conductor::Counters;
use crate::config::{Choice, Context};

/// The version of Aeron that clients find here, and what implements it.
const AERON_VERSION: (u8, u8, u8) = (1, 54, 0);
/// Where Aeron's own drivers put their commit.
const COMMIT: &str = concat!("gannet-", env!("CARGO_PKG_VERSION"));
/// The version of the commands, `AERON_CONTROL_PROTOCOL_*_VERSION`.
const CONTROL_PROTOCOL_VERSION: i32 = cnc::semantic_version(1, 0, 0);

/// The files that a driver shares with its clients.
#[derive(Debug)]
pub(super) struct DriverFiles {
    cnc: Cnc<Region>,
    delete_on_shutdown: bool,
    directory: std::path::PathBuf,
}
