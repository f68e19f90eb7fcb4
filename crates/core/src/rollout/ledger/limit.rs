//! Within which time somebody has to be answered, and what share of those held back was not.

use crate::rollout::{Histogram, Measure, Metric, Rollout, Seen};

/// With fewer than this nothing is frozen: a 95th centile of 1 000 rests on 50.
const UNITS_MIN: u64 = 1_000;
/// No tolerance is larger, however few were slow before.
const TOLERANCE_MAX: f64 = 100.0;

/// The limit of a latency metric.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Limit {
    /// It is known, and what is tolerated beyond it.
    Known { limit_ms: u32, tolerance: f64 },
    /// Nothing was frozen before the start: it is that of those held back at first, whom the release
    /// does not touch. What it was taken of is no evidence.
    Sought { held_back: Histogram },
}

impl Limit {
    /// Of a metric; none when it counts no times.
    pub(super) fn of(rollout: &Rollout, metric: &Metric) -> Option<Self> {
        let Measure::Latency {
            limit_ms, quantile, ..
        } = &metric.measure
        else {
            return None;
        };
        let frozen = rollout
            .baselines
            .iter()
            .find(|baseline| baseline.metric == metric.key);
        Some(match (frozen, limit_ms) {
            (Some(frozen), _) => Self::Known {
                limit_ms: frozen.limit_ms,
                tolerance: tolerance(*quantile, frozen.share),
            },
            (None, Some(limit_ms)) => Self::Known {
                limit_ms: *limit_ms,
                tolerance: metric.tolerance,
            },
            (None, None) => Self::Sought {
                held_back: Histogram::default(),
            },
        })
    }

    /// Takes what was seen; when that is enough, the limit is known from the next interval on.
    pub(super) fn seek(&mut self, metric: &Metric, seen: &Seen) {
        let (Self::Sought { held_back }, Seen::Latency { held_back: new, .. }) = (&mut *self, seen)
        else {
            return;
        };
        *held_back += new;
        let Measure::Latency {
            quantile, growth, ..
        } = metric.measure
        else {
            return;
        };
        if let Some((limit_ms, share)) = held_back.frozen(quantile, growth, UNITS_MIN) {
            *self = Self::Known {
                limit_ms,
                tolerance: tolerance(quantile, share),
            };
        }
    }
}

/// "At most this much slower" as a ratio: as many as the quantile leaves out may be above the limit,
/// and this share of those held back was.
fn tolerance(quantile: f64, share: f64) -> f64 {
    let ratio = (1.0 - quantile) / share;
    // Nobody above the limit makes it endless, and a share that is none makes it nothing.
    if ratio.is_nan() {
        1.2
    } else {
        ratio.clamp(1.0, TOLERANCE_MAX)
    }
}

impl Histogram {
    /// The limit that is `growth` times a quantile of these, in milliseconds, and the share above it;
    /// none when there are fewer than `units_min`, or the quantile failed.
    #[must_use]
    pub fn frozen(&self, quantile: f64, growth: f64, units_min: u64) -> Option<(u32, f64)> {
        if self.tally(0).units < units_min.max(1) {
            return None;
        }
        let limit = f64::from(self.quantile_ms(quantile)?) * growth;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float is cast to the nearest integer there is"
        )]
        let limit_ms = limit.ceil() as u32;
        Some((limit_ms, self.tally(limit_ms).rate()?))
    }
}
