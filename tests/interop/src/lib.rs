//! Ours beside the official client and driver, through real processes. `[any]`
//!
//! One interface, [`peer`], over the official C client and over ours, and the drivers of both as processes; the cases
//! themselves are in `tests/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)] // a helper of tests fails the test

pub mod actor;
pub mod block;
pub mod drivers;
pub mod official;
pub mod ours;
pub mod peer;

pub use actor::Actor;
pub use drivers::Driver;
pub use peer::Peer;
