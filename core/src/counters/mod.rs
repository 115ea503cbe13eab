//! (counters)
