//! Ours beside the official client and driver, through real processes.
