//! The two modes of small messages: the subscriber fights the publisher for one cache line, or trails it and streams.

use super::table::Table;
use super::{CaseResult, Report, short, spread};
use crate::round::Round;
use crate::statistics::{Quartiles, mode_boundary};

/// The mode table of the cases that have modes; none when there are no such cases.
pub(super) fn table(report: &Report) -> Option<Table> {
    let bimodal: Vec<&CaseResult> = report.results.iter().filter(|result| result.case.bimodal).collect();
    if bimodal.is_empty() {
        return None;
    }
    let mut head = vec!["case".to_owned(), "boundary M/s".to_owned(), "figure".to_owned()];
    head.extend(report.sides.iter().map(ToString::to_string));
    head.extend(report.others().map(|(_, side)| format!("{side} ÷ {}", report.sides[0])));
    let mut table = Table::new("Modes", head);
    for result in bimodal {
        push_case(&mut table, result);
    }
    Some(table)
}

fn push_case(table: &mut Table, result: &CaseResult) {
    let slices: Vec<f64> = result.rounds.iter().flatten().flat_map(|round| round.consumer.slices()).copied().collect();
    let name = result.case.name;
    let Some(boundary) = mode_boundary(&slices) else {
        let mut row = vec![name.to_owned(), "–".to_owned(), "one mode only".to_owned()];
        row.resize(3 + result.rounds.len() * 2 - 1, String::new());
        table.push(row);
        return;
    };
    let is_fast = |round: &&Round| share_above(round.consumer.slices(), boundary) >= 0.5;
    let mut push = |figure: &str, cells: Vec<(String, f64)>| {
        let mut row = vec![name.to_owned(), short(boundary * 1e-6), figure.to_owned()];
        row.extend(cells.iter().map(|(text, _)| text.clone()));
        row.extend(cells.iter().skip(1).map(|(_, figure)| short(figure / cells[0].1)));
        table.push(row);
    };
    let shares = |share: &dyn Fn(&[Round]) -> f64| {
        result.rounds.iter().map(|rounds| (format!("{:.0} %", share(rounds) * 100.0), f64::NAN)).collect::<Vec<_>>()
    };
    #[allow(clippy::cast_precision_loss)] // a few dozen
    let rounds_in_fast = |rounds: &[Round]| rounds.iter().filter(is_fast).count() as f64 / rounds.len() as f64;
    push("rounds in the fast mode", shares(&rounds_in_fast));
    let time_in_fast = |rounds: &[Round]| {
        let slices: Vec<f64> = rounds.iter().flat_map(|round| round.consumer.slices()).copied().collect();
        share_above(&slices, boundary)
    };
    push("time in the fast mode", shares(&time_in_fast));
    let medians = |fast: bool| {
        result
            .rounds
            .iter()
            .map(|rounds| {
                let slices = rounds.iter().flat_map(|round| round.consumer.slices()).copied();
                let quartiles = Quartiles::of(slices.filter(|rate| (*rate > boundary) == fast));
                (spread(quartiles, 1e-6), quartiles.median)
            })
            .collect::<Vec<_>>()
    };
    push("M/s while in the fast mode", medians(true));
    push("M/s while in the slow mode", medians(false));
}

/// The share of the rates that are above a boundary.
#[allow(clippy::cast_precision_loss)] // a few thousand slices
fn share_above(rates: &[f64], boundary: f64) -> f64 {
    rates.iter().filter(|rate| **rate > boundary).count() as f64 / rates.len() as f64
}
