//! Between the wire's JSON shapes and the control domain. In: every error names the field. Out:
//! everything a person reads comes with its words.

mod definition;
mod difference;
mod drill;
mod evaluation;
mod evidence;
mod fleet;
mod journal;
mod lever;
mod percentage;
mod plan;
mod preflight;
mod receipt;
mod rollout;
mod segment;
#[cfg(test)]
mod tests;
mod token;

pub(crate) use definition::{definition, definition_view, flag_view, kind_view, rule};
pub(crate) use difference::difference;
pub(crate) use drill::{drill_view, freeze_view, schedule_view};
pub(crate) use evaluation::{evaluation_view, explained};
pub(crate) use evidence::{
    Known, counts, evidence_view, measurement_view, ratio_view, so_far_view,
};
pub(crate) use fleet::{Clocks, caches_view, confirmation_view, evaluator_view, propagation_view};
pub(crate) use journal::record_view;
pub(crate) use lever::{exposure, lever_view, selection};
pub(crate) use percentage::percentage;
pub(crate) use plan::{ms, plan, plan_view};
pub(crate) use preflight::preflight_view;
pub(crate) use receipt::receipt_view;
pub(crate) use rollout::{rollout_view, whole_rollout_view};
pub(crate) use segment::{segment, segment_definition_view};
pub(crate) use token::{role, token_view};

use crate::problem::Failure;

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or_default();
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// Reads a key or another text that is checked, naming the field when it is not one.
pub(crate) fn checked<T: std::str::FromStr>(
    field: impl Into<String>,
    text: &str,
) -> Result<T, Failure>
where
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|error: T::Err| Failure::invalid(field, error.to_string()))
}
