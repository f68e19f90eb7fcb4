//! Plans: read-only, because files own them.

use askama::Template;
use leverframe_wire::admin::{Plan, PlanList};

use super::plan::{origin, plan_end};
use crate::Link;
use crate::shell::Shell;

/// Plans, by key.
#[derive(Debug, Template)]
#[template(path = "plans.html")]
pub struct Plans {
    /// Around it.
    pub shell: Shell,
    /// They.
    pub plans: PlanList,
}

impl Plans {
    fn next_page(&self) -> Option<Link> {
        let next = self.plans.next.as_ref()?;
        Some(self.shell.link(["plans"]).with("after", next))
    }
}

/// The stages in one line.
fn way(plan: &Plan) -> String {
    let stages = plan.definition.stages.iter();
    let labels: Vec<String> = stages
        .map(leverframe_wire::admin::PlanStage::label)
        .collect();
    labels.join(" → ")
}

/// The metrics in one line.
fn watched(plan: &Plan) -> String {
    let metrics = plan.definition.metrics.iter();
    let keys: Vec<&str> = metrics.map(|metric| metric.key.as_str()).collect();
    keys.join(", ")
}
