//! The client against a driver that the test plays, command by command.
#![allow(clippy::unwrap_used)] // a test that cannot be set up has failed

mod closing;
mod counters;
mod fake_driver;
mod hostile_driver;
mod life_cycle;
mod publications;
mod subscriptions;
