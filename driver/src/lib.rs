//! The media driver.
pub mod agent;
pub mod clock;
pub mod conductor;
pub mod config;
pub mod native_resource_agent;
