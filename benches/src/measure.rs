//! What a role measured, and how it tells: `name value` lines on standard output, read back by the bench that
//! started it.

use crate::machine::{CpuTime, Resident};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Named figures of one process.
#[derive(Clone, Debug, Default)]
pub struct Measures(BTreeMap<String, f64>, Vec<f64>);

impl Measures {
    /// Adds a figure.
    pub fn set(&mut self, name: &str, value: f64) {
        self.0.insert(name.to_owned(), value);
    }

    /// A figure, or NaN where the role has none of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(f64::NAN)
    }

    /// The rates of the slices of the run, in messages per second.
    #[must_use]
    pub fn slices(&self) -> &[f64] {
        &self.1
    }

    /// Sets the rates of the slices.
    pub fn set_slices(&mut self, rates: Vec<f64>) {
        self.1 = rates;
    }

    /// Adds CPU time and resident memory: `cpu_ns`, `user_ns`, `system_ns`, `rss_…_kib`.
    #[allow(clippy::cast_precision_loss)] // figures for people
    pub fn set_process(&mut self, cpu: CpuTime, resident: Resident) {
        self.set("cpu_ns", cpu.total().as_nanos() as f64);
        self.set("user_ns", cpu.user.as_nanos() as f64);
        self.set("system_ns", cpu.system.as_nanos() as f64);
        self.set("rss_peak_kib", resident.peak as f64);
        self.set("rss_anonymous_kib", resident.anonymous as f64);
        self.set("rss_file_kib", resident.file as f64);
        self.set("rss_shared_kib", resident.shared as f64);
    }

    /// As lines.
    #[must_use]
    pub fn to_lines(&self) -> String {
        let mut lines = String::new();
        for (name, value) in &self.0 {
            let _ = writeln!(lines, "{name} {value}");
        }
        if !self.1.is_empty() {
            let rates: Vec<String> = self.1.iter().map(|rate| format!("{rate:.0}")).collect();
            let _ = writeln!(lines, "slices {}", rates.join(","));
        }
        lines
    }

    /// From lines; what is not a figure is left out.
    #[must_use]
    pub fn from_lines(lines: &str) -> Measures {
        let mut measures = Measures::default();
        for line in lines.lines() {
            let Some((name, value)) = line.split_once(' ') else { continue };
            if name == "slices" {
                measures.1 = value.split(',').filter_map(|rate| rate.parse().ok()).collect();
            } else if let Ok(value) = value.parse() {
                measures.set(name, value);
            }
        }
        measures
    }
}
