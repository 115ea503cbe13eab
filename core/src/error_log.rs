//! (error_log)
