//! Whether what was counted can be believed.

use crate::analysis::as_f64;

use super::sums::Sums;

/// More late reports than this part of all make the rest unlike the whole.
const LATE_PART_MAX: f64 = 0.05;
/// Fewer late reports say nothing.
const LATE_MIN: u64 = 20;
/// The arms differ when their late parts do by this much, and by so many standard deviations.
const LATE_DIFFERENCE: f64 = 0.01;
const LATE_DEVIATIONS: f64 = 4.0;

/// Why not, if not.
pub(super) fn doubt(sums: &Sums) -> Option<Box<str>> {
    let (late, units) = (sums.late(), sums.units());
    let late_sum = late.0.saturating_add(late.1);
    if late_sum < LATE_MIN {
        return None;
    }
    let all = as_f64(late_sum) + as_f64(units.0) + as_f64(units.1);
    let part = as_f64(late_sum) / all;
    if part > LATE_PART_MAX {
        return Some(format!("{:.1} % of the reports came too late", 100.0 * part).into());
    }
    let of = |late: u64, units: u64| {
        let sum = as_f64(late) + as_f64(units);
        (sum, if sum > 0.0 { as_f64(late) / sum } else { 0.0 })
    };
    let ((exposed, one), (held_back, other)) = (of(late.0, units.0), of(late.1, units.1));
    if exposed == 0.0 || held_back == 0.0 {
        return None;
    }
    let deviation = (part * (1.0 - part) * (1.0 / exposed + 1.0 / held_back)).sqrt();
    let difference = (one - other).abs();
    (difference > LATE_DIFFERENCE && difference > LATE_DEVIATIONS * deviation).then(|| {
        format!(
            "{:.1} % of those exposed reported too late, and {:.1} % of those held back",
            100.0 * one,
            100.0 * other
        )
        .into()
    })
}
