//! What would bring the server's definitions to what files say: never a position, and nothing is
//! taken away unless it is asked for.

mod align;
mod difference;
mod order;
mod step;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use leverframe_wire::admin::{Flag, Plan as RolloutPlan, Position, Segment};
use serde_json::json;

use crate::api::{ApiError, Client, FlagFilter};
use crate::files::Definitions;

pub(crate) use difference::{Difference, differences};
pub(crate) use step::{Action, Definition, Step};

/// What the server has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Present {
    pub(crate) flags: Vec<Flag>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) plans: Vec<RolloutPlan>,
}

impl Present {
    pub(crate) async fn read(client: &Client) -> Result<Self, ApiError> {
        Ok(Self {
            flags: client.flags(&FlagFilter::default()).await?,
            segments: client.segments(None).await?,
            plans: client.plans().await?,
        })
    }

    /// The definitions alone.
    pub(crate) fn definitions(&self) -> Definitions {
        Definitions {
            flags: self
                .flags
                .iter()
                .filter(|flag| !flag.archived)
                .map(|flag| (flag.definition.key.clone(), flag.definition.clone()))
                .collect(),
            segments: self
                .segments
                .iter()
                .map(|segment| (segment.definition.key.clone(), segment.definition.clone()))
                .collect(),
            plans: self
                .plans
                .iter()
                // One that comes with the server is in no journal, and so in no file.
                .filter(|plan| plan.revision.is_some())
                .map(|plan| (plan.definition.key.clone(), plan.definition.clone()))
                .collect(),
        }
    }
}

/// Steps in an order in which each finds what it needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    /// What only the server has and what stays, in words.
    pub(crate) kept: Vec<String>,
}

impl Plan {
    /// Compares what the server has with what the files say.
    pub(crate) fn between(present: &Present, wanted: &Definitions, prune: bool) -> Self {
        let mut steps = Vec::new();
        for definition in wanted.segments.values() {
            let mut definition = definition.clone();
            align::settle_segment(&mut definition);
            let current = present
                .segments
                .iter()
                .find(|segment| segment.definition.key == definition.key)
                .map(|segment| {
                    let mut there = segment.definition.clone();
                    align::settle_segment(&mut there);
                    (json!(there), segment.revision)
                });
            let definition = Definition::Segment(Box::new(definition));
            steps.extend(Step::towards(definition, current));
        }
        for definition in wanted.flags.values() {
            let mut definition = definition.clone();
            align::settle(&mut definition);
            let current = present
                .flags
                .iter()
                .find(|flag| flag.definition.key == definition.key && !flag.archived)
                .map(|flag| {
                    let mut there = flag.definition.clone();
                    align::settle(&mut there);
                    align::flag(&mut definition, &there);
                    (json!(there), flag.defined_revision)
                });
            let definition = Definition::Flag(Box::new(definition));
            steps.extend(Step::towards(definition, current));
        }
        for definition in wanted.plans.values() {
            let definition = definition.clone().settled();
            let current = present
                .plans
                .iter()
                .find(|plan| plan.definition.key == definition.key)
                .and_then(|plan| {
                    let there = plan.definition.clone().settled();
                    Some((json!(there), plan.revision?))
                });
            let definition = Definition::Plan(Box::new(definition));
            steps.extend(Step::towards(definition, current));
        }
        let mut plan = Self {
            steps,
            kept: Vec::new(),
        };
        let removals = plan.removals(present, wanted, prune);
        plan.steps = order::sorted(plan.steps);
        plan.steps.extend(removals);
        plan
    }

    /// The steps that take away what only the server has: plans and flags before the segments they
    /// use.
    fn removals(&mut self, present: &Present, wanted: &Definitions, prune: bool) -> Vec<Step> {
        let mut removals = Vec::new();
        for flag in &present.flags {
            let key = &flag.definition.key;
            if flag.archived || wanted.flags.contains_key(key) {
                continue;
            }
            let not_closed = flag
                .levers
                .iter()
                .find(|lever| !matches!(lever.position, Position::Closed { .. }));
            match not_closed {
                _ if !prune => self.kept.push(format!("flag {key} is only on the server")),
                Some(lever) => self.kept.push(format!(
                    "flag {key} is only on the server and not closed in {}",
                    lever.environment
                )),
                None => removals.push(Step::removal(
                    Definition::Flag(Box::new(flag.definition.clone())),
                    flag.defined_revision,
                )),
            }
        }
        let mut segments = Vec::new();
        for segment in &present.segments {
            let key = &segment.definition.key;
            if wanted.segments.contains_key(key) {
                continue;
            }
            if prune {
                segments.push(Step::removal(
                    Definition::Segment(Box::new(segment.definition.clone())),
                    segment.revision,
                ));
            } else {
                self.kept
                    .push(format!("segment {key} is only on the server"));
            }
        }
        let mut plans = Vec::new();
        for plan in &present.plans {
            let key = &plan.definition.key;
            let Some(revision) = plan.revision else {
                continue;
            };
            if wanted.plans.contains_key(key) {
                continue;
            }
            if prune {
                let definition = Definition::Plan(Box::new(plan.definition.clone()));
                plans.push(Step::removal(definition, revision));
            } else {
                self.kept.push(format!("plan {key} is only on the server"));
            }
        }
        // What others need goes last.
        let mut removals = order::sorted(removals);
        removals.reverse();
        let mut segments = order::sorted(segments);
        segments.reverse();
        plans.extend(removals);
        plans.extend(segments);
        plans
    }

    /// The definitions that this plan makes, as `(noun, key)`.
    pub(crate) fn created(&self) -> BTreeSet<(&'static str, &str)> {
        self.steps
            .iter()
            .filter(|step| step.action == Action::Create)
            .map(|step| (step.definition.noun(), step.definition.key()))
            .collect()
    }
}
