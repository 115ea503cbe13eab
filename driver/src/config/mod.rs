//! Configuration: what operators of `aeronmd` know, from the same sources and by the same names. `[any]`
//!
//! One table of settings ([`table`]) drives everything: reading the environment, `-D` and property files, `--help`,
//! `--print-config`, warnings, and `docs/configuration.md`. The result is a [`Context`] of plain values, which an
//! embedder may also fill by hand.
//!
//! Mirrors `aeron_driver_context_init`, `aeronmd.c` and `util/aeron_properties_util.c`; driver.md §14 and §15.

pub mod choice;
pub mod command_line;
mod configuration;
mod context;
pub mod describe;
mod network;
pub mod properties;
pub mod setting;
mod source;
pub mod table;
#[cfg(test)]
mod tests;
mod validate;
mod warning;

pub use choice::{
    Choice, CongestionControl, FlowControl, IdleStrategyConfig, IdleStrategyName, MediaBindings, NameResolver,
    PortRange, TerminationValidator, ThreadNaming, ThreadingMode,
};
pub use command_line::CommandLine;
pub use configuration::{Configuration, Mode};
pub use context::Context;
pub use network::{FaultContext, NetworkContext};
pub use source::{Given, Sources};
pub use warning::{ConfigError, Origin, Warning};
