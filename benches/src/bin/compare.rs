//! Runs the sides in turn and prints how they compare.

use clap::{Parser, Subcommand};
use gannet_benches::case::{CASES, Case};
use gannet_benches::client::Failure;
use gannet_benches::report::{CaseResult, Report};
use gannet_benches::round::{Round, Settings};
use gannet_benches::side::{Programs, Side};
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
    Speed(Speed),
    /// The names of the cases.
    Cases,
}

#[derive(Parser)]
struct Speed {
    /// A case; may be repeated. All of them where none is given.
    #[arg(long = "case")]
    cases: Vec<String>,
    /// The sides, the one to compare with first: gannet, official, gannet-on-official, official-on-gannet.
    #[arg(long, value_delimiter = ',', default_value = "official,gannet")]
    sides: Vec<Side>,
    /// Rounds of each side in each case.
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// Where to write the tables (`.md`) and the rounds (`.csv`): a path without its ending.
    #[arg(long)]
    output: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

fn main() -> Result<(), Failure> {
    match Arguments::parse().what {
        What::Speed(speed) => speed.run(),
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

impl Speed {
    fn run(&self) -> Result<(), Failure> {
        let programs = Programs::beside_this()?;
        let cases = if self.cases.is_empty() {
            CASES.to_vec()
        } else {
            let named = |name: &String| Case::named(name).ok_or_else(|| format!("no case is named {name}"));
            self.cases.iter().map(named).collect::<Result<_, _>>()?
        };
        let mut report = Report { sides: self.sides.clone(), results: Vec::new() };
        for case in cases {
            let rounds = self.run_case(&programs, &case)?;
            report.results.push(CaseResult { case, rounds });
        }
        let markdown = report.to_markdown();
        println!("{markdown}");
        if let Some(output) = &self.output {
            std::fs::write(output.with_extension("md"), markdown)?;
            std::fs::write(output.with_extension("csv"), report.to_csv())?;
        }
        Ok(())
    }

    /// Alternates the sides: a drift of the machine meets all of them.
    fn run_case(&self, programs: &Programs, case: &Case) -> Result<Vec<Vec<Round>>, Failure> {
        let mut rounds = vec![Vec::new(); self.sides.len()];
        for number in 1..=self.rounds {
            for (side, rounds) in self.sides.iter().zip(&mut rounds) {
                let round = Round::run_undisturbed(programs, *side, case, &self.settings)?;
                eprintln!("{} {number}/{} {side}: {}", case.name, self.rounds, round.summary());
                rounds.push(round);
            }
        }
        Ok(rounds)
    }
}
