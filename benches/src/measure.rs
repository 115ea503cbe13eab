//! What a role measured, and how it tells: `name value` lines on standard output, read back by the bench that
//! started it.

use crate::machine::{CpuTime, Resident};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Named figures of one process, and named lists of them.
#[derive(Clone, Debug, Default)]
pub struct Measures {
    figures: BTreeMap<String, f64>,
    lists: BTreeMap<String, Vec<f64>>,
}

impl Measures {
    /// Adds a figure.
    pub fn set(&mut self, name: &str, value: f64) {
        self.figures.insert(name.to_owned(), value);
    }

    /// A figure, or NaN where the role has none of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> f64 {
        self.figures.get(name).copied().unwrap_or(f64::NAN)
    }

    /// A list, empty where the role has none of that name.
    #[must_use]
    pub fn list(&self, name: &str) -> &[f64] {
        self.lists.get(name).map_or(&[], Vec::as_slice)
    }

    /// Adds a list.
    pub fn set_list(&mut self, name: &str, figures: Vec<f64>) {
        self.lists.insert(name.to_owned(), figures);
    }

    /// The rates of the slices of the run, in messages per second.
    #[must_use]
    pub fn slices(&self) -> &[f64] {
        self.list("slices")
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
        for (name, value) in &self.figures {
            let _ = writeln!(lines, "{name} {value}");
        }
        for (name, figures) in &self.lists {
            let figures: Vec<String> = figures.iter().map(|figure| format!("{figure:.3}")).collect();
            let _ = writeln!(lines, "{name} ,{}", figures.join(","));
        }
        lines
    }

    /// From lines; what is not a figure is left out.
    #[must_use]
    pub fn from_lines(lines: &str) -> Measures {
        let mut measures = Measures::default();
        for line in lines.lines() {
            let Some((name, value)) = line.split_once(' ') else { continue };
            if let Some(list) = value.strip_prefix(',') {
                measures.set_list(name, list.split(',').filter_map(|figure| figure.parse().ok()).collect());
            } else if let Ok(value) = value.parse() {
                measures.set(name, value);
            }
        }
        measures
    }
}
