//! Runs the sides in turn and prints how they compare.

use clap::{Args, Parser, Subcommand};
use gannet_benches::case::{CASES, Case};
use gannet_benches::client::Failure;
use gannet_benches::report::{CaseResult, Report};
use gannet_benches::round::{Round, Settings};
use gannet_benches::side::{Programs, Side};
use gannet_benches::small;
use gannet_benches::{instructions, machine};
use std::path::PathBuf;

/// Gannet beside the official client and driver.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Speed, CPU time and memory, in alternating rounds of fresh processes.
    Speed(Box<Speed>),
    /// Instructions for each message, by callgrind, on one thread.
    Instructions(Box<Instructions>),
    /// Our driver's small profile in a file system of 64 MiB, which takes root to mount.
    Small(Box<Settings>),
    /// The names of the cases.
    Cases,
}

#[derive(Args)]
struct Selection {
    /// A case; may be repeated. All of them where none is given.
    #[arg(long = "case")]
    cases: Vec<String>,
    /// Where to write the tables (`.md`) and the rounds (`.csv`): a path without its ending.
    #[arg(long)]
    output: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Args)]
struct Speed {
    /// The sides, the one to compare with first: gannet, official, gannet-on-official, official-on-gannet.
    #[arg(long, value_delimiter = ',', default_value = "official,gannet")]
    sides: Vec<Side>,
    /// Rounds of each side in each case.
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    #[command(flatten)]
    selection: Selection,
}

#[derive(Args)]
struct Instructions {
    #[command(flatten)]
    selection: Selection,
}

fn main() -> Result<(), Failure> {
    match Arguments::parse().what {
        What::Speed(speed) => speed.run(),
        What::Instructions(instructions) => instructions.run(),
        What::Small(settings) => {
            print!("{}", small::table(&Programs::beside_this()?, &settings)?);
            Ok(())
        }
        What::Cases => {
            for case in CASES {
                println!(
                    "{:20} {} bytes, {}, terms of {} bytes",
                    case.name, case.length, case.method, case.term_length
                );
            }
            Ok(())
        }
    }
}

impl Selection {
    fn cases(&self) -> Result<Vec<Case>, Failure> {
        if self.cases.is_empty() {
            return Ok(CASES.to_vec());
        }
        let named = |name: &String| Case::named(name).ok_or_else(|| format!("no case is named {name}").into());
        self.cases.iter().map(named).collect()
    }

    /// Prints the tables and writes them where that was asked for.
    fn publish(&self, markdown: &str) -> Result<(), Failure> {
        println!("{markdown}");
        if let Some(output) = &self.output {
            let markdown = format!("Measured on: {}.\n\n{markdown}", machine::describe()?);
            std::fs::write(output.with_extension("md"), markdown)?;
        }
        Ok(())
    }
}

impl Instructions {
    fn run(&self) -> Result<(), Failure> {
        let cases = self.selection.cases()?;
        let table = instructions::table(&Programs::beside_this()?, &cases, &self.selection.settings)?;
        self.selection.publish(&table.to_string())
    }
}

impl Speed {
    fn run(&self) -> Result<(), Failure> {
        let programs = Programs::beside_this()?;
        let mut report = Report { sides: self.sides.clone(), results: Vec::new() };
        for case in self.selection.cases()? {
            let rounds = self.run_case(&programs, &case)?;
            report.results.push(CaseResult { case, rounds });
        }
        if let Some(output) = &self.selection.output {
            std::fs::write(output.with_extension("csv"), report.to_csv())?;
        }
        self.selection.publish(&report.to_markdown())
    }

    /// Alternates the sides: a drift of the machine meets all of them.
    fn run_case(&self, programs: &Programs, case: &Case) -> Result<Vec<Vec<Round>>, Failure> {
        let mut rounds = vec![Vec::new(); self.sides.len()];
        for number in 1..=self.rounds {
            for (side, rounds) in self.sides.iter().zip(&mut rounds) {
                let round = Round::run_undisturbed(programs, *side, case, &self.selection.settings)?;
                eprintln!("{} {number}/{} {side}: {}", case.name, self.rounds, round.summary());
                rounds.push(round);
            }
        }
        Ok(rounds)
    }
}
