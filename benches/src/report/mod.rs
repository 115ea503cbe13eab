//! The results as tables: Markdown for people, also on the terminal, and CSV with a line for each round.

mod csv;
mod modes;
mod table;

use crate::case::{Case, Kind};
use crate::round::Round;
use crate::side::Side;
use crate::statistics::Quartiles;
pub use table::Table;

/// All rounds of a case, one list for each side, in the order of the sides.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// The case.
    pub case: Case,
    /// Each side's rounds.
    pub rounds: Vec<Vec<Round>>,
}

/// All results of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// The sides; the first is what the others are compared with.
    pub sides: Vec<Side>,
    /// The cases.
    pub results: Vec<CaseResult>,
}

/// A figure of a round that a ratio is asked of.
#[derive(Clone, Copy)]
struct Metric {
    suffix: &'static str,
    unit: &'static str,
    scale: f64,
    value: fn(&Round) -> f64,
}

const RATE: Metric = Metric { suffix: "", unit: "M/s", scale: 1e-6, value: Round::rate };
const P50: Metric = Metric { suffix: " p50", unit: "ns", scale: 1.0, value: |round| round.producer.get("p50") };
const P99: Metric = Metric { suffix: " p99", unit: "ns", scale: 1.0, value: |round| round.producer.get("p99") };

fn metrics(kind: Kind) -> &'static [Metric] {
    match kind {
        Kind::Throughput => &[RATE],
        Kind::RoundTrip => &[P50, P99],
    }
}

/// A figure with three digits that count.
pub(crate) fn short(figure: f64) -> String {
    match figure.abs() {
        size if size.is_nan() => "–".to_owned(),
        size if size >= 100.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        size if size >= 1.0 => format!("{figure:.2}"),
        _ => format!("{figure:.3}"),
    }
}

fn spread(quartiles: Quartiles, scale: f64) -> String {
    let [lower, median, upper] =
        [quartiles.lower, quartiles.median, quartiles.upper].map(|figure| short(figure * scale));
    format!("{median} [{lower}..{upper}]")
}

fn quartiles(rounds: &[Round], value: fn(&Round) -> f64) -> Quartiles {
    Quartiles::of(rounds.iter().map(value))
}

impl Report {
    /// The tables in Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut parts = vec![self.ratios().to_string()];
        parts.extend(modes::table(self).map(|table| table.to_string()));
        parts.push(self.cpu().to_string());
        parts.push(self.memory().to_string());
        parts.join("\n")
    }

    /// A line for each round.
    #[must_use]
    pub fn to_csv(&self) -> String {
        csv::write(self)
    }

    fn others(&self) -> impl Iterator<Item = (usize, &Side)> {
        self.sides.iter().enumerate().skip(1)
    }

    fn ratios(&self) -> Table {
        let mut head = vec!["case, median [quartiles]".to_owned(), "unit".to_owned()];
        head.extend(self.sides.iter().map(Side::to_string));
        head.extend(self.others().map(|(_, side)| format!("{side} ÷ {}", self.sides[0])));
        head.push("asked".to_owned());
        let mut table = Table::new("Speed", head);
        for result in &self.results {
            for metric in metrics(result.case.kind) {
                let all: Vec<Quartiles> = result.rounds.iter().map(|rounds| quartiles(rounds, metric.value)).collect();
                let mut row = vec![format!("{}{}", result.case.name, metric.suffix), metric.unit.to_owned()];
                row.extend(all.iter().map(|quartiles| spread(*quartiles, metric.scale)));
                row.extend(all.iter().skip(1).map(|quartiles| short(quartiles.median / all[0].median)));
                let sign = if result.case.kind == Kind::Throughput { '≥' } else { '≤' };
                row.push(format!("{sign} {}", result.case.required));
                table.push(row);
            }
        }
        table
    }

    fn cpu(&self) -> Table {
        let mut head = vec!["case, ns of CPU time for each message".to_owned()];
        for side in &self.sides {
            head.extend(["producer", "consumer", "driver"].map(|part| format!("{side} {part}")));
        }
        let mut table = Table::new("CPU time", head);
        for result in &self.results {
            let mut row = vec![result.case.name.to_owned()];
            for rounds in &result.rounds {
                let parts: [fn(&Round) -> f64; 3] = [
                    |round| round.producer.get("cpu_ns") / round.producer.get("messages"),
                    |round| round.consumer.get("cpu_ns") / round.consumer.get("messages"),
                    |round| round.driver_ns_per_message,
                ];
                row.extend(parts.map(|part| short(quartiles(rounds, part).median)));
            }
            table.push(row);
        }
        table
    }

    #[allow(clippy::cast_precision_loss)] // figures for people
    fn memory(&self) -> Table {
        let mut head = vec!["case, resident KiB: own + code + shared".to_owned()];
        for side in &self.sides {
            head.extend(["producer", "consumer", "driver"].map(|part| format!("{side} {part}")));
        }
        head.extend(self.sides.iter().map(|side| format!("{side} storage")));
        let mut table = Table::new("Memory", head);
        let client = |rounds: &[Round], measures: fn(&Round) -> &crate::measure::Measures| {
            ["rss_anonymous_kib", "rss_file_kib", "rss_shared_kib"]
                .map(|name| {
                    let median = Quartiles::of(rounds.iter().map(|round| measures(round).get(name))).median;
                    format!("{median:.0}")
                })
                .join(" + ")
        };
        for result in &self.results {
            let mut row = vec![result.case.name.to_owned()];
            for rounds in &result.rounds {
                row.push(client(rounds, |round| &round.producer));
                row.push(client(rounds, |round| &round.consumer));
                let driver: [fn(&Round) -> f64; 3] = [
                    |round| round.driver_resident.anonymous as f64,
                    |round| round.driver_resident.file as f64,
                    |round| round.driver_resident.shared as f64,
                ];
                row.push(driver.map(|part| format!("{:.0}", quartiles(rounds, part).median)).join(" + "));
            }
            for rounds in &result.rounds {
                row.push(format!("{:.0}", quartiles(rounds, |round| round.storage as f64 / 1024.0).median));
            }
            table.push(row);
        }
        table
    }
}
