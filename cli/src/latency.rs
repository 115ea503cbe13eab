//! A latency histogram as a person reads it.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::Failure;

/// The percentiles shown, and the smallest number of samples that says something about each.
const PERCENTILES: [(f64, u64); 6] =
    [(50.0, 1), (90.0, 10), (99.0, 100), (99.9, 1_000), (99.99, 10_000), (99.999, 100_000)];

/// Width of the longest bar, in characters.
const BAR: usize = 40;

/// Times from a nanosecond to a minute, to three significant digits.
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Result<Latencies, Failure> {
        Ok(Latencies(Histogram::new_with_bounds(1, 60_000_000_000, 3)?))
    }

    /// How many were recorded.
    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let samples = self.0.len();
        if samples == 0 {
            return f.write_str("  nothing was measured");
        }
        let max = self.0.max().max(1);
        writeln!(f, "  {:>9}  {:>10}", "min", duration(self.0.min()))?;
        for (percentile, needed) in PERCENTILES {
            if samples < needed {
                break;
            }
            let value = self.0.value_at_percentile(percentile);
            writeln!(f, "  {percentile:>8}%  {:>10}  {}", duration(value), bar(value, max))?;
        }
        write!(f, "  {:>9}  {:>10}  {}", "max", duration(max), bar(max, max))
    }
}

/// A bar on a logarithmic scale, since the tail is orders of magnitude above the median.
fn bar(value: u64, max: u64) -> String {
    let share = f64::ln_1p(value as f64) / f64::ln_1p(max as f64);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a share of BAR characters
    let length = (share * BAR as f64).round() as usize;
    "#".repeat(length.min(BAR))
}

/// Nanoseconds with a unit that leaves few digits.
fn duration(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{:.2} µs", ns as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.2} ms", ns as f64 / 1e6),
        _ => format!("{:.2} s", ns as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_percentiles_with_enough_samples_are_shown() {
        let mut latencies = Latencies::new().unwrap();
        for us in 1..=100 {
            latencies.record(Duration::from_micros(us));
        }
        let text = latencies.to_string();
        assert!(text.contains("99%") && !text.contains("99.9%"), "{text}");
        assert!(text.lines().next().unwrap().ends_with("1.00 µs"), "{text}");
        assert_eq!(latencies.count(), 100);
        assert!(Latencies::new().unwrap().to_string().contains("nothing"));
    }

    #[test]
    fn times_carry_the_unit_that_fits() {
        assert_eq!(duration(999), "999 ns");
        assert_eq!(duration(1_500), "1.50 µs");
        assert_eq!(duration(2_000_000), "2.00 ms");
        assert_eq!(duration(3_000_000_000), "3.00 s");
    }
}
