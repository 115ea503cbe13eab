//! `gannetd` as a process: what it says, how it starts and ends, and what it makes of its settings.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test fails by panicking

mod ending;
mod settings;
mod starting;
mod support;
