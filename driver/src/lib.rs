//! The media driver.
