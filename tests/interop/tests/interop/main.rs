//! The interop suite: each case through a real driver process.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test fails by panicking

#[macro_use]
mod table;

mod clients;
mod conversations;
mod counters;
mod images;
mod publications;
mod shapes;
mod silence;
mod support;
mod transfers;
mod uris;
