//! `--stages staff,beta,1%,5%,look:ana` and the rest of a plan that is typed.

use leverframe_wire::admin::{Look, Measure, PlanDefinition, PlanMetric, PlanStage, Span};

use crate::arguments::{percentage, segment_key};

/// What a plan that is typed is called.
pub(super) const TYPED: &str = "typed";

/// The words of `--stages`, one by one.
#[derive(Debug, Clone)]
pub(super) struct Stages(Vec<PlanStage>);

/// Reads `staff,beta+friends,1%,5%,synthetic,look:ana`.
pub(super) fn stages(text: &str) -> Result<Stages, String> {
    text.split(',')
        .map(|word| stage(word.trim()))
        .collect::<Result<_, _>>()
        .map(Stages)
}

fn stage(word: &str) -> Result<PlanStage, String> {
    let nothing = PlanStage::default();
    if let Some(by) = word.strip_prefix("look:") {
        let by = by.trim();
        if by.is_empty() {
            return Err("say who looks: look:ana".to_owned());
        }
        let look = Some(Look {
            by: by.to_owned(),
            links: Vec::new(),
        });
        return Ok(PlanStage { look, ..nothing });
    }
    if word == "synthetic" {
        return Ok(PlanStage {
            synthetic: true,
            ..nothing
        });
    }
    if word.ends_with('%') {
        return Ok(PlanStage {
            percentage: Some(percentage(word)?),
            ..nothing
        });
    }
    if !word.is_empty()
        && word
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return Err(format!("a share takes its sign: write {word}%"));
    }
    let cohorts = word
        .split('+')
        .map(|cohort| segment_key(cohort.trim()).map_err(|error| format!("{word:?}: {error}")))
        .collect::<Result<_, _>>()?;
    Ok(PlanStage { cohorts, ..nothing })
}

/// Reads the name of a metric that needs nothing but its name.
pub(super) fn metric(text: &str) -> Result<PlanMetric, String> {
    if Measure::of_name(text).is_none() {
        return Err(
            "a metric known by its name is errors, or latency_p95 with any quantile; others are \
             described in a plan's file"
                .to_owned(),
        );
    }
    Ok(PlanMetric::named(text))
}

/// The plan that was typed.
pub(super) fn plan(
    stages: &Stages,
    bake: Option<Span>,
    max_hold: Option<Span>,
    metrics: &[PlanMetric],
) -> PlanDefinition {
    let metrics = if metrics.is_empty() {
        vec![PlanMetric::named("errors")]
    } else {
        metrics.to_vec()
    };
    let mut plan = PlanDefinition::of(TYPED, stages.0.clone(), metrics);
    plan.bake = bake.unwrap_or(plan.bake);
    plan.max_hold = max_hold;
    plan
}
