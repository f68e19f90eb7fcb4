//! How much more has to be seen before something can be said.

use crate::analysis::{ALPHA_OK, Counts, Evidence, Limits, as_f64, below};
use crate::rollout::Waiting;

/// What averaging over alternatives costs, as a logarithm: about a sixth of them are near the truth.
const RATIO_GRID_COST: f64 = 1.8;
/// Of the alternatives to a rate most are as good as zero.
const RATE_GRID_COST: f64 = 0.3;

/// About how many more exposed units are needed, if they are as those before and the release is good;
/// none when that cannot be said.
pub(super) fn waiting(
    evidence: &Evidence<'_>,
    limits: &Limits,
    (exposed, held_back): (u64, u64),
    analysed_ms: i64,
) -> Option<Waiting> {
    let all = as_f64(exposed) + as_f64(held_back);
    if exposed == 0 || held_back == 0 || analysed_ms <= 0 {
        return None;
    }
    let share = as_f64(exposed) / all;
    let rate = rate(evidence.total)?;
    let needed = -ALPHA_OK.ln();
    let by_ratio = {
        let gain = gain_of_ratio(share, limits.margin) * rate;
        let left = needed + RATIO_GRID_COST - evidence.harmless.relative().ln();
        (gain > 0.0).then(|| (left / gain * share).max(1.0))
    };
    let by_rate = {
        let gain = gain_of_rate(rate, limits.tolerable);
        let left = needed + RATE_GRID_COST - below(evidence.stage.exposed, limits.tolerable).ln();
        (gain > 0.0).then(|| (left / gain).max(1.0))
    };
    let units = match (by_ratio, by_rate) {
        (Some(one), Some(other)) => one.min(other),
        (one, other) => one.or(other)?,
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float is cast to the nearest integer there is"
    )]
    let whole = |value: f64| value.ceil() as u64;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a stage")]
    let minutes = units / as_f64(exposed) * analysed_ms as f64 / 60_000.0;
    Some(Waiting {
        units: whole(units),
        minutes: whole(minutes),
    })
}

/// The bad rate of both arms.
fn rate(counts: Counts) -> Option<f64> {
    let mut all = counts.exposed;
    all += counts.held_back;
    all.rate()
}

/// How much a bad unit adds to the evidence that the ratio is below `margin` when it is 1.
pub(crate) fn gain_of_ratio(share: f64, margin: f64) -> f64 {
    divergence(share, 1.0, margin)
}

/// How much a bad unit adds to the evidence for `ratio` against `null` when it is `ratio`.
pub(crate) fn divergence(share: f64, ratio: f64, null: f64) -> f64 {
    let theta = |ratio: f64| share * ratio / (share * ratio + 1.0 - share);
    let (p, q) = (theta(ratio), theta(null));
    let term = |p: f64, q: f64| if p > 0.0 { p * (p / q).ln() } else { 0.0 };
    term(p, q) + term(1.0 - p, 1.0 - q)
}

/// How much a unit adds to the evidence that the bad rate is below `tolerable` when it is `rate`.
pub(crate) fn gain_of_rate(rate: f64, tolerable: f64) -> f64 {
    if rate >= tolerable {
        return 0.0;
    }
    let term = |p: f64, q: f64| if p > 0.0 { p * (p / q).ln() } else { 0.0 };
    term(rate, tolerable) + term(1.0 - rate, 1.0 - tolerable)
}
