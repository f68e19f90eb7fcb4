//! Percentages from JSON numbers: exact to a thousandth of a per cent, or refused.

use leverframe_flags::Percentage;

use crate::problem::Failure;

/// The percentage that `number` is written as. The shortest text that reads back as the same float
/// is what the person wrote, so `33.333` is exact and `100.0001` is refused, never rounded.
pub(crate) fn percentage(field: &str, number: f64) -> Result<Percentage, Failure> {
    let text = format!("{number}");
    text.parse().map_err(|error| {
        let error: leverframe_flags::PercentageError = error;
        Failure::invalid(field, error.to_string())
    })
}

/// The other way round; three decimals are exact in a float's shortest form.
pub(super) fn number(percentage: Percentage) -> f64 {
    f64::from(percentage.thousandths()) / 1_000.0
}
