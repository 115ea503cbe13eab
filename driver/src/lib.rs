//! The media driver.
pub mod agent;
pub mod clock;
pub mod conductor;
