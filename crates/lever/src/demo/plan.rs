//! The plan of the demo: the stages of `safe`, in seconds.
//!
//! What is compressed is the plan, not the clock, and not the proof: the levels are those of every
//! plan. But two exposed visitors a second can prove only so much in ten seconds, so the first stages
//! ask for less than `safe` does with its ten minutes: 1 % rules out that four
//! visitors in ten fail, 5 % that one in eight does.

use leverframe_wire::admin::{PlanDefinition, PlanMetric, PlanStage, Span};

/// What it is called.
pub(crate) const PLAN: &str = "demo";
/// The channel that it pages.
pub(crate) const CHANNEL: &str = "pager";

/// Each stage: per cent, and the ratio of failures that it rules out.
const STAGES: [(f64, f64); 5] = [
    (1.0, 70.0),
    (5.0, 20.0),
    (25.0, 5.0),
    (50.0, 4.0),
    (100.0, 10.0),
];
/// What the shop takes as no harm at all, in per cent of its visitors; the bank declines 0.6 % anyway.
const TOLERABLE: f64 = 3.0;

/// The plan.
pub(crate) fn plan() -> PlanDefinition {
    let stages = STAGES.map(|(percentage, margin)| PlanStage {
        percentage: Some(percentage),
        margin: Some(margin),
        ..PlanStage::default()
    });
    let metrics = ["errors", "latency_p95"].map(|key| PlanMetric {
        tolerable: TOLERABLE,
        ..PlanMetric::named(key)
    });
    PlanDefinition {
        bake: Span::from_secs(3),
        max_hold: Some(Span::from_secs(120)),
        settle: Span::from_ms(500),
        warm: Span::from_secs(2),
        page: vec![CHANNEL.to_owned()],
        ..PlanDefinition::of(PLAN, stages.into(), metrics.into())
    }
}
