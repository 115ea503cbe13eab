//! `gannetd`: the media driver as a process.

fn main() {}
