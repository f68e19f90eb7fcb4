//! Seeded traffic.

use leverframe_core::analysis::{Counts, Tally};

/// SplitMix64: small, and the same everywhere.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to 1, never 0.
    pub(super) fn fraction(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Poisson by inversion for small means, by the normal approximation for large ones.
    pub(super) fn poisson(&mut self, mean: f64) -> u64 {
        if mean > 60.0 {
            let normal = (-2.0 * self.fraction().ln()).sqrt()
                * (std::f64::consts::TAU * self.fraction()).cos();
            return (mean + mean.sqrt() * normal).round().max(0.0) as u64;
        }
        let mut count = 0;
        let mut left = self.fraction();
        let limit = (-mean).exp();
        while left > limit {
            left *= self.fraction();
            count += 1;
        }
        count
    }
}

/// Independent units: `units` in an interval, of which `share` are exposed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traffic {
    pub(super) units: f64,
    pub(super) share: f64,
    pub(super) exposed_rate: f64,
    pub(super) held_back_rate: f64,
}

impl Traffic {
    pub(super) fn interval(&self, chance: &mut Chance) -> Counts {
        let mut arm = |mean: f64, rate: f64| {
            let bad = chance.poisson(mean * rate);
            let good = chance.poisson(mean * (1.0 - rate));
            Tally {
                units: bad + good,
                bad,
            }
        };
        Counts {
            exposed: arm(self.units * self.share, self.exposed_rate),
            held_back: arm(self.units * (1.0 - self.share), self.held_back_rate),
        }
    }
}
