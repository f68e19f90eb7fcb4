//! Whether the arms got the units that the percentage says.

use serde::{Deserialize, Serialize};

use super::counts::{Counts, as_f64};
use super::evalue::EValue;

/// A share is not called wrong for less than this part of what it should be.
const DEVIATION_MIN: f64 = 0.1;
/// How often a right share may be called wrong in a stage.
const ALPHA: f64 = 0.001;
/// How many units' worth of weight the expected share has in the alternative.
const PRIOR_UNITS: f64 = 100.0;

/// What the units of a stage say of the share that was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Share {
    /// Nothing against it.
    AsMeant,
    /// More units than meant were exposed: the counts cannot be trusted.
    TooMany,
    /// Fewer units than meant were exposed. If this began with the stage they left, or crashed before
    /// they could say so.
    TooFew,
}

/// Compares the exposed arm's share of a stage's distinct units with the percentage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShareGuard {
    meant: f64,
}

impl ShareGuard {
    /// `meant` is the exposed share that the position asks for, above 0 and below 1; another is never
    /// found wrong.
    #[must_use]
    pub fn of(meant: f64) -> Self {
        Self { meant }
    }

    /// How strong the evidence is that the share is another. A Beta prior round the meant share against
    /// the meant share itself: the sequential multinomial test of Lindon and Malek for two arms.
    #[must_use]
    pub fn evidence(self, counts: Counts) -> EValue {
        if !(self.meant > 0.0 && self.meant < 1.0) {
            return EValue::NOTHING;
        }
        let (exposed, held_back) = (as_f64(counts.exposed.units), as_f64(counts.held_back.units));
        let (a, b) = (PRIOR_UNITS * self.meant, PRIOR_UNITS * (1.0 - self.meant));
        EValue::from_ln(
            ln_beta(a + exposed, b + held_back)
                - ln_beta(a, b)
                - exposed * self.meant.ln()
                - held_back * (-self.meant).ln_1p(),
        )
    }

    /// What a stage's distinct units say. Both must hold for a share to be wrong: that chance does not
    /// explain it, and that it is wrong by enough to matter.
    #[must_use]
    pub fn look(self, counts: Counts) -> Share {
        let (exposed, held_back) = (as_f64(counts.exposed.units), as_f64(counts.held_back.units));
        if exposed + held_back == 0.0 {
            return Share::AsMeant;
        }
        // That nobody at all is exposed is a share, too.
        let observed = exposed / (exposed + held_back);
        let deviation = observed / self.meant - 1.0;
        if deviation.abs() <= DEVIATION_MIN || !self.evidence(counts).rejects(ALPHA) {
            Share::AsMeant
        } else if deviation > 0.0 {
            Share::TooMany
        } else {
            Share::TooFew
        }
    }
}

fn ln_beta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}
