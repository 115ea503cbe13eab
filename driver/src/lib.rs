//! The media driver: it owns the shared memory through which Aeron clients speak, and moves what they may write.
//!
//! [`MediaDriver`] embeds it in a process; [`gannetd`] is the process of its own. Inside, two agents: the
//! [`conductor`], single-threaded owner of all state, and the [`native_resource_agent`], which does what takes system
//! calls. Commands between them are owned values on bounded queues.
// A closed pipe behind standard output makes these panic; `console` does not.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod agent;
pub mod clock;
pub mod conductor;
pub mod config;
pub mod console;
pub mod gannetd;
mod media_driver;
pub mod native_resource_agent;

pub use media_driver::{DriverError, InvokedDriver, MediaDriver};
