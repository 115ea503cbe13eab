//! `gannet stat`: a driver's counters, once or again and again.

use std::fmt::Write as _;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::thread;
use std::time::Duration;

use clap::Args;
use gannet_core::counters::CounterRecord;
use gannet_core::sync::Memory;
use serde::Serialize;

use crate::Failure;
use crate::cnc::{Driver, DriverDirectory, Format, Heartbeat, duration, now_ms, printable, utc};

/// Show a driver's counters
#[derive(Args)]
#[command(after_help = "Examples:
  gannet stat                      all counters of the driver in the default directory
  gannet stat --watch              the same, again every second
  gannet stat --type 1 --type 4    limits of publishers and positions of subscribers
  gannet stat --label aeron:ipc    whatever has to do with this channel
  gannet stat --id 15              the number of errors
  gannet stat --format json        for programs")]
pub(crate) struct Arguments {
    #[command(flatten)]
    driver: DriverDirectory,
    /// Only counters of this type (0 is a counter of the driver itself); may be given several times
    #[arg(long = "type", value_name = "TYPE_ID", allow_negative_numbers = true)]
    types: Vec<i32>,
    /// Only the counter with this id; may be given several times
    #[arg(long = "id", value_name = "COUNTER_ID", allow_negative_numbers = true)]
    ids: Vec<i32>,
    /// Only counters whose label contains this text
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Go on until interrupted; as JSON, one document a line
    #[arg(long, short)]
    watch: bool,
    /// How long to wait between two looks: a number of ns, us, ms or s
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    interval: Duration,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// A driver's counters at one moment.
#[derive(Serialize)]
struct Snapshot {
    directory: String,
    pid: i64,
    start_timestamp_ms: i64,
    heartbeat_ms: i64,
    is_alive: bool,
    now_ms: i64,
    counters: Vec<Counter>,
}

#[derive(Serialize)]
struct Counter {
    id: i32,
    type_id: i32,
    value: i64,
    registration_id: i64,
    owner_id: i64,
    reference_id: i64,
    label: String,
    /// In hexadecimal, without the zeroes at its end.
    key: String,
}

impl From<&CounterRecord> for Counter {
    fn from(record: &CounterRecord) -> Counter {
        let used = record.key.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let mut key = String::with_capacity(used * 2);
        for byte in &record.key[..used] {
            // Writing to a string does not fail.
            let _ = write!(key, "{byte:02x}");
        }
        Counter {
            id: record.id.0,
            type_id: record.type_id,
            value: record.value,
            registration_id: record.registration_id,
            owner_id: record.owner_id,
            reference_id: record.reference_id,
            label: String::from_utf8_lossy(record.label()).into_owned(),
            key,
        }
    }
}

/// Shows the counters.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let clear = arguments.watch && arguments.format == Format::Text && io::stdout().is_terminal();
    loop {
        // Opened anew each time: the driver may have been started again.
        let snapshot = Snapshot::take(arguments, &arguments.driver.read()?);
        let mut out = BufWriter::new(io::stdout().lock());
        match arguments.format {
            Format::Json if arguments.watch => writeln!(out, "{}", serde_json::to_string(&snapshot)?)?,
            Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&snapshot)?)?,
            Format::Text => {
                if clear {
                    // Home, and clear to the end of the screen.
                    write!(out, "\x1B[H\x1B[2J")?;
                }
                snapshot.print(&mut out)?;
            }
        }
        out.flush()?;
        if !arguments.watch {
            return Ok(());
        }
        drop(out);
        thread::sleep(arguments.interval);
    }
}

impl Snapshot {
    fn take<M: Memory>(arguments: &Arguments, driver: &Driver<M>) -> Snapshot {
        let (heartbeat_ms, now_ms) = (driver.ring.consumer_heartbeat_ms(), now_ms());
        let wanted = |counter: &Counter| {
            (arguments.types.is_empty() || arguments.types.contains(&counter.type_id))
                && (arguments.ids.is_empty() || arguments.ids.contains(&counter.id))
                && arguments.label.as_ref().is_none_or(|text| counter.label.contains(text))
        };
        Snapshot {
            directory: driver.directory.path().display().to_string(),
            pid: driver.cnc.config().pid,
            start_timestamp_ms: driver.cnc.config().start_timestamp_ms,
            heartbeat_ms,
            is_alive: Heartbeat::of(heartbeat_ms, now_ms, driver.cnc.config().pid).is_alive(),
            now_ms,
            counters: driver.counters().iter().map(|record| Counter::from(&record)).filter(wanted).collect(),
        }
    }

    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "{}  {}  pid {}  up since {}  {}",
            utc(self.now_ms),
            self.directory,
            self.pid,
            utc(self.start_timestamp_ms),
            Heartbeat::of(self.heartbeat_ms, self.now_ms, self.pid)
        )?;
        for counter in &self.counters {
            writeln!(out, "{:3}: {:>20} - {}", counter.id, grouped(counter.value), printable(&counter.label))?;
        }
        Ok(())
    }
}

/// The digits in groups of three.
fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3 + 2);
    if value < 0 {
        grouped.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_grouped_by_thousands() {
        let groups = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (-123_456, "-123,456"),
            (i64::MAX, "9,223,372,036,854,775,807"),
            (i64::MIN, "-9,223,372,036,854,775,808"),
        ];
        for (value, text) in groups {
            assert_eq!(grouped(value), text);
        }
    }
}
