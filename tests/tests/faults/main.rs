//! Processes that die, lie and starve: the driver lives, and everybody else's streams go on.
//!
//! `GANNET_FAULTS=full` runs the sizes of the issue; otherwise they are such that the suite takes a few minutes.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test fails by panicking

mod clients;
mod commands;
mod descriptors;
mod publishers;
mod ring;
mod storage;
mod support;
