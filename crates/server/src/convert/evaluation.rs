//! Answers, for people who try a flag.

use leverframe_flags::{Explanation, ExplanationStep, Outcome};
use leverframe_wire::admin;

use super::definition::json;

/// An answer.
pub(crate) fn evaluation_view(flag: &str, outcome: &Outcome<'_>) -> admin::Evaluation {
    admin::Evaluation {
        key: flag.to_owned(),
        value: json(outcome.value),
        variant: outcome.variant.to_owned(),
        reason: outcome.reason.as_str().to_owned(),
        rule: outcome.rule.map(str::to_owned),
        arm: outcome.arm.as_str().to_owned(),
        cause: outcome.cause.map(|cause| cause.as_str().to_owned()),
        revision: outcome.revision,
        steps: Vec::new(),
    }
}

/// An answer and how it came about.
pub(crate) fn explained(explanation: &Explanation) -> admin::Evaluation {
    let last = explanation.steps.len().saturating_sub(1);
    admin::Evaluation {
        key: explanation.flag.to_string(),
        value: json(&explanation.value),
        variant: explanation.variant.clone(),
        reason: explanation.reason.to_owned(),
        rule: explanation.rule.clone(),
        arm: explanation.arm.to_owned(),
        cause: explanation.cause.map(str::to_owned),
        revision: explanation.revision,
        steps: explanation
            .steps
            .iter()
            .enumerate()
            .map(|(index, step)| admin::ExplainedStep {
                step: name(step).to_owned(),
                decided: index == last,
                sentence: step.to_string(),
            })
            .collect(),
    }
}

fn name(step: &ExplanationStep) -> &'static str {
    match step {
        ExplanationStep::ForcedClosed
        | ExplanationStep::Braked
        | ExplanationStep::Stale
        | ExplanationStep::Unreadable { .. }
        | ExplanationStep::Position { .. } => "position",
        ExplanationStep::Prerequisite { .. } => "prerequisite",
        ExplanationStep::Rule { .. } => "rule",
        ExplanationStep::Cohort { .. }
        | ExplanationStep::Exposure { .. }
        | ExplanationStep::Split { .. } => "exposure",
    }
}
