//! The media driver.

pub mod config;
