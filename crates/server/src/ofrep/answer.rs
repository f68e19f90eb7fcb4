//! An answer in OFREP's shape, written without copying the flag.

use leverframe_flags::{Outcome, Value};
use serde::Serialize;

/// One answer. A float is written with its fraction, because a Python client takes `10` for an
/// integer.
#[derive(Serialize)]
pub(super) struct Answer<'a> {
    key: &'a str,
    value: &'a Value,
    variant: &'a str,
    reason: &'static str,
    metadata: Metadata<'a>,
}

/// Flat, because that is all that OpenFeature metadata may be.
#[derive(Serialize)]
struct Metadata<'a> {
    revision: u64,
    arm: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
}

impl<'a> Answer<'a> {
    pub(super) fn new(key: &'a str, outcome: &Outcome<'a>) -> Self {
        Self {
            key,
            value: outcome.value,
            variant: outcome.variant,
            // A closed flag says DISABLED *with* its value, which every client in use then serves
            // (Node 0.1.3, web 0.4.3, Python 0.3.0, Go); without one they would fall to the
            // caller's default.
            reason: outcome.reason.as_str(),
            metadata: Metadata {
                revision: outcome.revision,
                arm: outcome.arm.as_str(),
                rule: outcome.rule,
                cause: outcome.cause.map(leverframe_flags::Cause::as_str),
            },
        }
    }
}
