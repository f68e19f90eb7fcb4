//! One arm's bad rate against a fixed rate, such as an error budget.

use super::counts::{Tally, as_f64};
use super::evalue::EValue;
use super::grid::{LogRatios, POINTS, log_spaced};

/// Alternatives under a rate: down to a thousandth of it, because a service that never fails should be
/// proved soon.
const UNDER: (f64, f64) = (0.001, 0.9);
/// Alternatives over a rate.
const OVER: (f64, f64) = (1.1, 20.0);
/// No alternative is certain failure, which one good unit would refute for ever.
const RATE_MAX: f64 = 0.999;

/// How strong the evidence is that the bad rate is below `rate`; the null hypothesis is that it is that
/// or more. A rate outside of 0 to 1 cannot be proved.
#[must_use]
pub fn below(tally: Tally, rate: f64) -> EValue {
    against(tally, rate, UNDER)
}

/// How strong the evidence is that the bad rate is above `rate`; the null hypothesis is that it is that
/// or less. A rate outside of 0 to 1 cannot be exceeded.
#[must_use]
pub fn above(tally: Tally, rate: f64) -> EValue {
    let highest = OVER.1.min(RATE_MAX / rate);
    if highest <= 1.0 {
        return EValue::NOTHING;
    }
    against(tally, rate, (OVER.0.min(highest), highest))
}

/// The mean over alternatives p of Π (p/p0)^bad ((1−p)/(1−p0))^good.
fn against(tally: Tally, rate: f64, (low, high): (f64, f64)) -> EValue {
    if !(rate > 0.0 && rate < 1.0) {
        return EValue::NOTHING;
    }
    let alternatives: [f64; POINTS] = log_spaced(low * rate, high * rate);
    let mut total = LogRatios::NOTHING;
    let (bad, good) = (as_f64(tally.bad), as_f64(tally.good()));
    total.add(|index| {
        let alternative = alternatives[index];
        bad * (alternative / rate).ln() + good * ((-alternative).ln_1p() - (-rate).ln_1p())
    });
    EValue::from_ln(total.ln_mean())
}
