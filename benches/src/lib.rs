//! Whole systems beside the official client and driver: the same roles, written once over [`client::Client`], run
//! over ours and over Aeron's C client, each in a process of its own.
//!
//! `docs/benchmarks/README.md` explains the method and how to read the figures.

pub mod case;
pub mod client;
pub mod gannet;
pub mod instructions;
pub mod machine;
pub mod measure;
#[cfg(feature = "official")]
pub mod official;
pub mod processes;
pub mod report;
pub mod roles;
pub mod round;
pub mod side;
pub mod small;
pub mod statistics;
