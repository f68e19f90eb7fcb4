//! Transitions as sentences.

use super::{Observation, Rollout, Transition};

/// A transition as one sentence for people.
#[must_use]
pub fn sentence(rollout: &Rollout, transition: &Transition, _seen: Option<&Observation>) -> String {
    let where_to = match &transition.position {
        Some(position) => format!("; the lever is {position}"),
        None => String::new(),
    };
    let cause = serde_json::to_value(&transition.cause).ok();
    let cause = cause
        .as_ref()
        .and_then(|cause| cause.get("cause")?.as_str());
    format!("{}: {}{where_to}", rollout.flag, cause.unwrap_or_default())
}
