//! Medians, quartiles and modes of a few dozen rounds.

/// Median and quartiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quartiles {
    /// A quarter of the figures are not above it.
    pub lower: f64,
    /// Half of them.
    pub median: f64,
    /// Three quarters.
    pub upper: f64,
}

impl Quartiles {
    /// Of some figures, by linear interpolation; NaN for none.
    #[must_use]
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Quartiles {
        let mut sorted: Vec<f64> = figures.into_iter().filter(|figure| !figure.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        Quartiles { lower: quantile(&sorted, 0.25), median: quantile(&sorted, 0.5), upper: quantile(&sorted, 0.75) }
    }
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // small counts
fn quantile(sorted: &[f64], fraction: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = fraction * last as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (at - at.floor())
}

/// Where the fast mode begins: the middle, on a logarithmic scale, of the two clusters that the rates of both sides
/// fall into (two means, from the extremes). `None` when they are not two: the centres lie within a factor of 1.5.
#[must_use]
pub fn mode_boundary(rates: &[f64]) -> Option<f64> {
    let logs: Vec<f64> = rates.iter().filter(|rate| **rate > 0.0).map(|rate| rate.ln()).collect();
    let mut slow = logs.iter().copied().reduce(f64::min)?;
    let mut fast = logs.iter().copied().reduce(f64::max)?;
    for _ in 0..32 {
        let middle = f64::midpoint(slow, fast);
        slow = mean(logs.iter().copied().filter(|log| *log <= middle)).unwrap_or(slow);
        fast = mean(logs.iter().copied().filter(|log| *log > middle)).unwrap_or(fast);
    }
    (fast - slow > 1.5_f64.ln()).then(|| f64::midpoint(slow, fast).exp())
}

fn mean(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = figures.fold((0.0, 0.0), |(sum, count), figure| (sum + figure, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_interpolate_between_figures() {
        let quartiles = Quartiles::of([4.0, 1.0, 3.0, 2.0]);
        assert_eq!(quartiles, Quartiles { lower: 1.75, median: 2.5, upper: 3.25 });
    }

    #[test]
    fn no_figures_have_no_median() {
        assert!(Quartiles::of([]).median.is_nan());
    }

    #[test]
    fn two_clusters_are_told_apart() {
        let boundary = mode_boundary(&[26.0, 27.0, 30.0, 81.0, 79.0, 85.0]).unwrap();
        assert!((35.0..70.0).contains(&boundary), "{boundary}");
    }

    #[test]
    fn one_cluster_has_no_boundary() {
        assert_eq!(mode_boundary(&[100.0, 104.0, 98.0, 110.0]), None);
    }
}
