//! (uri)
