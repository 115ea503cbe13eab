//! Aeron's shared files: the CnC file, log buffers and reports, created, reserved and mapped.
