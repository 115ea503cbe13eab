//! `gannet`: the operator's tools.

fn main() {}
