//! `gannet errors`: a driver's distinct error log.

use std::io::{self, BufWriter, Write};

use clap::Args;
use gannet_core::error_log;
use gannet_core::sync::Memory;
use serde::Serialize;

use crate::Failure;
use crate::cnc::{DriverDirectory, Format, printable, utc};

/// Show a driver's error log
#[derive(Args)]
#[command(after_help = "Each distinct error is shown once, with how often and when it was seen, in UTC.

Examples:
  gannet errors                                the driver in the default directory
  gannet errors --dir /dev/shm/aeron-other     another one, which may be dead
  gannet errors --format json                  for programs")]
pub(crate) struct Arguments {
    #[command(flatten)]
    driver: DriverDirectory,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// One distinct error.
#[derive(Serialize)]
struct Observed {
    observation_count: i32,
    first_observation_ms: i64,
    last_observation_ms: i64,
    first_observation: String,
    last_observation: String,
    text: String,
}

/// Shows the log.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let observed = observed(&arguments.driver.read()?.cnc.error_log());
    let mut out = BufWriter::new(io::stdout().lock());
    match arguments.format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&observed)?)?,
        Format::Text => {
            for error in &observed {
                writeln!(
                    out,
                    "{} from {} to {}:\n  {}\n",
                    counted(i64::from(error.observation_count), "observation"),
                    error.first_observation,
                    error.last_observation,
                    indented(&error.text)
                )?;
            }
            let observations = observed.iter().map(|error| i64::from(error.observation_count)).sum();
            let distinct = i64::try_from(observed.len()).unwrap_or(i64::MAX);
            writeln!(out, "{}, {}", counted(distinct, "distinct error"), counted(observations, "observation"))?;
        }
    }
    out.flush()?;
    Ok(())
}

fn observed<M: Memory>(log: &M) -> Vec<Observed> {
    error_log::entries(log)
        .map(|entry| {
            let mut text = vec![0; entry.text_length()];
            let (first, last) = (entry.first_observation_ms(), entry.last_observation_ms());
            Observed {
                observation_count: entry.observation_count(),
                first_observation_ms: first,
                last_observation_ms: last,
                first_observation: utc(first),
                last_observation: utc(last),
                text: String::from_utf8_lossy(entry.text(&mut text)).trim_end().to_owned(),
            }
        })
        .collect()
}

fn counted(count: i64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The lines of a text; a stack trace of the Java driver has many.
fn indented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(printable).collect();
    lines.join("\n  ")
}
