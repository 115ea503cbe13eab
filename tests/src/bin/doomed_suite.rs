//! A test process that is killed with a driver running: `doomed-suite <directory> <gannetd>`.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a panic ends the process, and the test sees it

use gannet_tests::{Process, Settings};
use std::io::stdin;
use std::process::Command;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, program] = &arguments[..] else { panic!("two arguments") };
    let mut command = Command::new(program);
    Settings::small().apply(&mut command);
    command.env("AERON_DIR", directory);
    let driver = Process::spawn(command);
    println!("driver {}", driver.id());
    let _ = stdin().lines().next();
}
