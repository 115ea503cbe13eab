//! All figures, for whoever wants to look closer: a line for each round.

use super::Report;
use crate::measure::Measures;
use crate::round::Round;
use std::fmt::Write as _;

const CLIENT: [&str; 6] = ["cpu_ns", "user_ns", "rss_peak_kib", "rss_anonymous_kib", "rss_file_kib", "rss_shared_kib"];

pub(super) fn write(report: &Report) -> String {
    let mut lines = String::from("case,side,round,messages_per_second,p50_ns,p90_ns,p99_ns,p999_ns,max_ns");
    lines.push_str(",polls,empty_polls,refusals,producer_messages,consumer_messages");
    for part in ["producer", "consumer"] {
        for name in CLIENT {
            let _ = write!(lines, ",{part}_{name}");
        }
    }
    lines.push_str(",driver_ns_per_message,driver_rss_peak_kib,driver_rss_anonymous_kib,driver_rss_file_kib");
    lines.push_str(",driver_rss_shared_kib,storage_bytes,foreign_load,slow_to_fast_slices\n");
    for result in &report.results {
        for (side, rounds) in report.sides.iter().zip(&result.rounds) {
            for (number, round) in rounds.iter().enumerate() {
                let _ = write!(lines, "{},{side},{number}", result.case.name);
                push_round(&mut lines, round);
                lines.push('\n');
            }
        }
    }
    lines
}

fn push(lines: &mut String, figure: f64) {
    // A figure that the case does not have is an empty cell.
    if figure.is_nan() {
        lines.push(',');
    } else {
        let _ = write!(lines, ",{figure:.3}");
    }
}

#[allow(clippy::cast_precision_loss)] // figures for people
fn push_round(lines: &mut String, round: &Round) {
    push(lines, round.rate());
    for name in ["p50", "p90", "p99", "p999", "max"] {
        push(lines, round.producer.get(name));
    }
    for (measures, name) in [
        (&round.consumer, "polls"),
        (&round.consumer, "empty_polls"),
        (&round.producer, "refusals"),
        (&round.producer, "messages"),
        (&round.consumer, "messages"),
    ] {
        push(lines, measures.get(name));
    }
    for measures in [&round.producer, &round.consumer] {
        let measures: &Measures = measures;
        for name in CLIENT {
            push(lines, measures.get(name));
        }
    }
    push(lines, round.driver_ns_per_message);
    let resident = round.driver_resident;
    for figure in [resident.peak, resident.anonymous, resident.file, resident.shared, round.storage] {
        let _ = write!(lines, ",{figure}");
    }
    push(lines, round.foreign_load);
    // Deciles of the slices, in thousands of messages per second.
    let mut slices = round.consumer.slices().to_vec();
    slices.sort_by(f64::total_cmp);
    let deciles: Vec<String> = (0..=10)
        .filter_map(|decile| slices.get(decile * slices.len().saturating_sub(1) / 10))
        .map(|rate| format!("{:.0}", rate / 1e3))
        .collect();
    let _ = write!(lines, ",{}", deciles.join(" "));
}
