//! Evidence of harm: the exposed arm does worse than it may.

use serde::{Deserialize, Serialize};

use super::counts::{Counts, as_f64};
use super::evalue::EValue;
use super::grid::{LogRatios, POINTS, ln_sum, log_spaced};
use super::odds::Odds;

/// Fewer bad units than this convict nobody, however unlikely they are.
pub(super) const BAD_UNITS_MIN: u64 = 5;

/// Harm is looked for from just above the tolerance to twenty times it.
const GRID: (f64, f64) = (1.1, 20.0);

/// The evidence that the exposed arm's bad rate is more than `tolerance` times the other's, folded
/// interval by interval. It is kept through all stages and builds of a rollout.
///
/// Half of it looks at everything since the start, half at everything since a later interval, each
/// start `s` with the weight `1 / (s (s + 1))`: harm that begins late does not have to outweigh the
/// good hours before it. A mean of e-processes is one, and so is a smaller value; that is why old
/// starts can be dropped by a rule that does not look at the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Harm {
    tolerance: f64,
    intervals: u64,
    counts: Counts,
    total: LogRatios,
    starts: Vec<Start>,
}

/// A later interval from which on harm is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Start {
    interval: u64,
    before: LogRatios,
}

impl Harm {
    /// Nothing was seen yet. `tolerance` is the ratio that is still harmless: a finite number of at
    /// least 1, such as 1.2; what is not counts as 1.
    #[must_use]
    pub fn beyond(tolerance: f64) -> Self {
        let is_ratio = tolerance.is_finite() && tolerance >= 1.0;
        Self {
            tolerance: if is_ratio { tolerance } else { 1.0 },
            intervals: 0,
            counts: Counts::default(),
            total: LogRatios::NOTHING,
            starts: Vec::new(),
        }
    }

    /// Takes the next closed interval. Each interval is taken once, in the order of time.
    pub fn observe(&mut self, counts: Counts) {
        self.intervals += 1;
        self.counts += counts;
        let now = self.intervals;
        self.starts.push(Start {
            interval: now,
            before: self.total,
        });
        self.starts
            .retain(|start| now - start.interval < lifetime(start.interval));
        if let Some(odds) = Odds::of(counts) {
            let alternatives: [f64; POINTS] =
                log_spaced(GRID.0 * self.tolerance, GRID.1 * self.tolerance);
            self.total
                .add(|index| odds.ln_likelihood_ratio(alternatives[index], self.tolerance));
        }
    }

    /// How strong the evidence is.
    #[must_use]
    pub fn evidence(&self) -> EValue {
        self.evidence_of_clumps(1.0)
    }

    /// The same of units that come in clumps of `size`, at least 1: as if only so many had been counted.
    #[must_use]
    pub fn evidence_of_clumps(&self, size: f64) -> EValue {
        let size = size.max(1.0);
        let terms: Vec<f64> = std::iter::once(self.total.over(size).ln_mean())
            .chain(self.starts.iter().map(|start| {
                #[expect(clippy::cast_precision_loss, reason = "intervals are few")]
                let number = start.interval as f64;
                let since = self.total.since(&start.before).over(size);
                since.ln_mean() - (number * (number + 1.0)).ln()
            }))
            .collect();
        EValue::from_ln(ln_sum(&terms) - std::f64::consts::LN_2)
    }

    /// Whether the exposed arm does harm, at the level `alpha`.
    #[must_use]
    pub fn convicts(&self, alpha: f64) -> bool {
        self.convicts_by(self.evidence(), 1.0, alpha)
    }

    /// The same for evidence that was taken of clumps of `size`.
    pub(super) fn convicts_by(&self, evidence: EValue, size: f64, alpha: f64) -> bool {
        as_f64(self.counts.exposed.bad) / size >= as_f64(BAD_UNITS_MIN) && evidence.rejects(alpha)
    }

    /// Everything that was taken, summed.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The ratio that is still harmless.
    #[must_use]
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }
}

/// For how many intervals a start is kept: twice the largest power of two that divides it. So there
/// are always starts of about 1, 2, 4, 8… intervals ago, and no more than two of each.
fn lifetime(interval: u64) -> u64 {
    2u64.saturating_mul(1 << interval.trailing_zeros().min(62))
}
