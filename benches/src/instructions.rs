//! Instructions for each message, counted by callgrind: the steady witness, the same on a loaded machine.

use crate::case::{Case, Kind};
use crate::client::Failure;
use crate::measure::Measures;
use crate::processes::Driver;
use crate::report::{Table, short};
use crate::round::Settings;
use crate::side::{Maker, Programs};
use std::path::Path;
use std::process::Command;

/// The ratio that issue 2 asks for, publishing and polling together.
const ASKED: f64 = 0.9;

/// Instructions of one maker's client in one case.
#[derive(Clone, Copy, Debug)]
pub struct Instructions {
    /// For each message published.
    pub publish: f64,
    /// For each message polled.
    pub poll: f64,
}

impl Instructions {
    /// Counts, with an own driver that runs free of callgrind.
    ///
    /// # Errors
    /// When valgrind is not there, or a process fails.
    pub fn count(programs: &Programs, maker: Maker, case: &Case, settings: &Settings) -> Result<Self, Failure> {
        let driver = settings.start_driver(programs, maker)?;
        let client = programs.client(maker)?;
        let arguments = settings.role("counted", case, 0, &driver);
        let counts = Instructions {
            publish: run(&client, &arguments, "*publish_batch*")?,
            poll: run(&client, &arguments, "*poll_batch*")?,
        };
        Driver::end(driver)?;
        Ok(counts)
    }
}

/// Runs a client under callgrind, which collects inside the functions of a pattern, and returns instructions for each
/// message.
fn run(client: &Path, arguments: &[String], functions: &str) -> Result<f64, Failure> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--callgrind-out-file=/dev/null"])
        .arg(format!("--toggle-collect={functions}"))
        .arg(client)
        .args(arguments)
        .output()
        .map_err(|error| format!("valgrind does not start: {error}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("valgrind {}: {errors}", client.display()).into());
    }
    let collected = errors.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse::<f64>().ok());
    let messages = Measures::from_lines(&String::from_utf8_lossy(&output.stdout)).get("messages");
    match collected {
        Some(collected) if collected > 0.0 => Ok(collected / messages),
        _ => Err(format!("callgrind collected nothing in {functions}: {errors}").into()),
    }
}

/// Counts both makers in the throughput cases among `cases` and makes the table.
///
/// # Errors
/// As [`Instructions::count`].
pub fn table(programs: &Programs, cases: &[Case], settings: &Settings) -> Result<Table, Failure> {
    let mut head = vec!["case, instructions for each message".to_owned()];
    for maker in [Maker::Official, Maker::Ours] {
        head.extend(["publish", "poll"].map(|part| format!("{maker} {part}")));
    }
    head.extend(["publish ratio", "poll ratio", "ratio of the sums", "asked"].map(str::to_owned));
    let mut table = Table::new("Instructions", head);
    // Small terms differ in nothing but the share of rotations.
    for case in cases.iter().filter(|case| case.kind == Kind::Throughput && !case.has_small_terms()) {
        let official = Instructions::count(programs, Maker::Official, case, settings)?;
        let ours = Instructions::count(programs, Maker::Ours, case, settings)?;
        eprintln!("{}: official {official:?}, gannet {ours:?}", case.name);
        let ratios = [
            ours.publish / official.publish,
            ours.poll / official.poll,
            (ours.publish + ours.poll) / (official.publish + official.poll),
        ];
        let mut row = vec![case.name.to_owned()];
        row.extend([official.publish, official.poll, ours.publish, ours.poll].map(|figure| format!("{figure:.1}")));
        row.extend(ratios.map(short));
        row.push(format!("≤ {ASKED}"));
        table.push(row);
    }
    Ok(table)
}
