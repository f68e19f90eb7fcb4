//! How far one arm's bad rate may be from what was counted, for charts.

use super::counts::{Tally, as_f64};

/// The interval of Wilson (Journal of the American Statistical Association 22, 1927) for a bad rate, from
/// 0 to 1: of all looks at `z` standard deviations, such as 1.96, nineteen in twenty find the truth within
/// it. It is of one look. What convicts is an e-process and never this, which is for people's eyes.
///
/// Without units it is everything.
#[must_use]
pub fn wilson(tally: Tally, z: f64) -> (f64, f64) {
    if tally.units == 0 {
        return (0.0, 1.0);
    }
    let n = as_f64(tally.units);
    let p = as_f64(tally.bad.min(tally.units)) / n;
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let centre = p + z * z / (2.0 * n);
    let scale = 1.0 + z * z / n;
    // At the ends the rounding of floats would leave out what was counted.
    let low = ((centre - spread) / scale).clamp(0.0, p);
    let high = ((centre + spread) / scale).clamp(p, 1.0);
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_wilson_says() {
        let of = |bad, units| wilson(Tally { units, bad }, 1.96);
        let is = |(low, high): (f64, f64), (l, h): (f64, f64)| {
            assert!(
                (low - l).abs() < 5e-4 && (high - h).abs() < 5e-4,
                "{low} {high}"
            );
        };
        // Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        is(of(81, 263), (0.2553, 0.3662));
        is(of(15, 148), (0.0624, 0.1605));
        is(of(0, 20), (0.0, 0.1611));
        is(of(1, 29), (0.0061, 0.1718));
        assert_eq!(of(0, 0), (0.0, 1.0));
        assert_eq!(of(3, 3).1, 1.0);
    }
}
