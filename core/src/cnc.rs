//! (cnc)
