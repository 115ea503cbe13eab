//! Criterion benches of the hot modules, and whole systems beside the official driver.
