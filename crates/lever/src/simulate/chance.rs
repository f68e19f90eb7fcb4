//! Seeded chance, the same on every machine.

/// SplitMix64 (Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        let mut chance = Self(seed);
        // Neighbouring seeds begin alike; one step parts them.
        chance.next();
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Between 0 and 1, never either.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit into a float")]
    pub(super) fn fraction(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// How many of independent events happen: Poisson's law, by multiplication up to a mean of 30 and
    /// by the normal law, rounded, above it.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count that is not negative"
    )]
    pub(super) fn count(&mut self, mean: f64) -> u64 {
        if mean > 30.0 {
            let radius = (-2.0 * self.fraction().ln()).sqrt();
            let normal = radius * (std::f64::consts::TAU * self.fraction()).cos();
            return (mean + mean.sqrt() * normal).round().max(0.0) as u64;
        }
        let limit = (-mean).exp();
        let mut count = 0;
        let mut left = self.fraction();
        while left > limit {
            left *= self.fraction();
            count += 1;
        }
        count
    }
}
