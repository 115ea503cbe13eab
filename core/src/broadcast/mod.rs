//! (broadcast)
