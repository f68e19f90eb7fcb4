//! Between which ratios the truth lies, for charts and reports.

use super::counts::Counts;
use super::evalue::EValue;
use super::grid::{LogRatios, log_spaced};
use super::odds::Odds;

/// Ratios are looked for between these.
const LOWEST: f64 = 0.01;
const HIGHEST: f64 = 100.0;
/// How finely, as a factor.
const PRECISION: f64 = 1.005;

/// A confidence sequence for the ratio of the arms' bad rates: at any time, and at all times together,
/// it leaves the truth out with a probability of at most alpha. An end that the evidence does not set is
/// 0 or infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The lowest ratio that is not refuted.
    pub low: f64,
    /// The highest.
    pub high: f64,
}

/// The ratios ρ with an e-value below 2/α both against "at most ρ" and against "at least ρ".
#[must_use]
pub fn bounds(intervals: &[Counts], alpha: f64) -> Bounds {
    let odds: Vec<Odds> = intervals.iter().copied().filter_map(Odds::of).collect();
    let is_refuted_from = |ratio: f64, low: f64, high: f64| {
        let alternatives = log_spaced(low, high);
        let mut total = LogRatios::NOTHING;
        for odds in &odds {
            total.add(|index| odds.ln_likelihood_ratio(alternatives[index], ratio));
        }
        EValue::from_ln(total.ln_mean()).rejects(alpha / 2.0)
    };
    let is_too_low = |ratio: f64| is_refuted_from(ratio, 1.1 * ratio, 20.0 * ratio);
    let is_too_high = |ratio: f64| is_refuted_from(ratio, 0.05 * ratio, 0.95 * ratio);
    Bounds {
        low: if is_too_low(LOWEST) {
            boundary(is_too_low)
        } else {
            0.0
        },
        high: if is_too_high(HIGHEST) {
            boundary(|ratio| !is_too_high(ratio))
        } else {
            f64::INFINITY
        },
    }
}

/// Where something that holds at the lowest ratio stops to hold.
fn boundary(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (LOWEST, HIGHEST);
    while high / low > PRECISION {
        let middle = (low * high).sqrt();
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}
