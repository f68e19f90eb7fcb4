//! What is new of a rollout between two looks at it, as plain lines for logs.

use leverframe_wire::admin::Evidence;

use super::picture::verdict_words;
use crate::output::{inert, utc};

/// A line for each transition and each verdict that changed; on the first look one that says where it
/// is. Each begins with a time.
pub(crate) fn news(before: Option<&Evidence>, now: &Evidence) -> Vec<String> {
    let rollout = &now.rollout;
    let Some(before) = before else {
        let stage = rollout.stages.get(rollout.stage);
        let stage = stage.map(|stage| format!(" at stage {}", stage.label));
        let (_, _, word) = super::state_words(rollout.state);
        return vec![format!(
            "{}  {}",
            utc(&now.at),
            inert(&format!(
                "{} of {} in {} is {}{}",
                rollout.id,
                rollout.flag,
                rollout.environment,
                word.to_lowercase(),
                stage.unwrap_or_default()
            ))
        )];
    };
    let last = before.rollout.moves.last().map_or(0, |last| last.revision);
    let mut lines: Vec<String> = rollout
        .moves
        .iter()
        .filter(|made| made.revision > last)
        .map(|made| {
            format!(
                "{}  r{}  {}",
                utc(&made.at),
                made.revision,
                inert(&made.sentence)
            )
        })
        .collect();
    if rollout.state.is_over() {
        return lines;
    }
    for metric in &now.metrics {
        let was = before
            .metrics
            .iter()
            .find(|other| other.metric == metric.metric);
        if was.is_none_or(|was| was.verdict != metric.verdict) {
            let (_, _, word) = verdict_words(metric.verdict);
            lines.push(format!(
                "{}  {} is {word}: {}",
                utc(&now.at),
                inert(&metric.metric),
                inert(&metric.sentence)
            ));
        }
    }
    lines
}
