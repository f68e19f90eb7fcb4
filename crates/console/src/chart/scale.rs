//! From values to places, and where the labelled ones are.

/// A linear scale from values to a part of the whole, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// From the lowest to the highest value. Ends that are no numbers, or the wrong way round, make a
    /// scale all the same: a chart of nothing is empty and not broken.
    #[must_use]
    pub fn new(low: f64, high: f64) -> Self {
        let finite = |value: f64| if value.is_finite() { value } else { 0.0 };
        let (low, high) = (finite(low), finite(high));
        let (low, high) = if low <= high {
            (low, high)
        } else {
            (high, low)
        };
        // A value alone is drawn on the floor of a scale that has some height.
        let high = if high > low {
            high
        } else {
            low + low.abs().max(1.0)
        };
        // Two ends that are too far apart for a float to say how far.
        match (high - low).is_finite() {
            true => Self { low, high },
            false => Self {
                low: low / 4.0,
                high: high / 4.0,
            },
        }
    }

    /// Of times in milliseconds.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of a clock are far below 2^53"
    )]
    pub fn of_time(from_ms: i64, until_ms: i64) -> Self {
        Self::new(from_ms as f64, until_ms as f64)
    }

    /// Where a value is: never outside of the whole, and at the floor when it is no number.
    #[must_use]
    pub fn at(&self, value: f64) -> f64 {
        let part = (value - self.low) / (self.high - self.low);
        if part.is_nan() {
            return 0.0;
        }
        part.clamp(0.0, 1.0)
    }

    /// Where a moment is.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of a clock are far below 2^53"
    )]
    pub fn at_time(&self, ms: i64) -> f64 {
        self.at(ms as f64)
    }
}

/// Round numbers from 0 up to at least `high`, at most `count` steps of 1, 2 or 5 times a power of ten.
#[must_use]
pub fn nice_ticks(high: f64, count: usize) -> Vec<f64> {
    let count = count.clamp(1, 20);
    let high = if high.is_finite() && high > 0.0 {
        high.clamp(1e-9, 1e300)
    } else {
        1.0
    };
    let steps = u32::try_from(count).map_or(20.0, f64::from);
    let rough = high / steps;
    let power = 10_f64.powf(rough.log10().floor());
    // A float may be a hair below the step that it is.
    let step = [1.0, 2.0, 5.0, 10.0, 20.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| step * steps >= high * (1.0 - 1e-9))
        .unwrap_or(rough);
    let mut ticks = Vec::with_capacity(count.saturating_add(1));
    for index in 0..=count {
        let value = u32::try_from(index).map_or(0.0, f64::from) * step;
        ticks.push(value);
        if value >= high * (1.0 - 1e-9) {
            break;
        }
    }
    ticks
}

/// Moments on whole seconds, minutes or hours between two, at most `count` of them, in milliseconds.
#[must_use]
pub fn time_ticks(from_ms: i64, until_ms: i64, count: usize) -> Vec<i64> {
    const STEPS: [i64; 18] = [
        1_000,
        2_000,
        5_000,
        10_000,
        15_000,
        30_000,
        60_000,
        120_000,
        300_000,
        600_000,
        900_000,
        1_800_000,
        3_600_000,
        7_200_000,
        21_600_000,
        43_200_000,
        86_400_000,
        604_800_000,
    ];
    let most = i64::try_from(count.clamp(1, 20)).unwrap_or(20);
    let span = until_ms.saturating_sub(from_ms).max(0);
    let step = STEPS
        .into_iter()
        .find(|step| span / step < most)
        // Of what lasts for years the ticks are weeks that are counted together.
        .unwrap_or_else(|| {
            604_800_000_i64.saturating_mul((span / 604_800_000 / most).saturating_add(1))
        });
    let first = from_ms.div_euclid(step).saturating_mul(step);
    let mut ticks = Vec::new();
    let mut at = if first < from_ms {
        first.saturating_add(step)
    } else {
        first
    };
    while at <= until_ms && ticks.len() < count.clamp(1, 20) {
        ticks.push(at);
        match at.checked_add(step) {
            Some(next) => at = next,
            None => break,
        }
    }
    ticks
}
