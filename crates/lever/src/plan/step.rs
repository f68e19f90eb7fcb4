//! One step of a plan: make, edit or remove one definition.

use std::collections::BTreeSet;

use leverframe_flags::Expression;
use leverframe_wire::admin::{
    FlagDefinition, PlanDefinition, PlanStage, PutFlag, PutPlan, PutSegment, Receipt, Removal,
    SegmentDefinition, Why,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::difference::{Difference, differences};
use crate::api::{ApiError, Attempt, Client};

/// One change of one definition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    pub(crate) action: Action,
    pub(crate) definition: Definition,
    pub(crate) differences: Vec<Difference>,
    /// The revision that was compared with.
    pub(super) seen: Option<u64>,
}

/// What is done with the definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    Create,
    Edit,
    Remove,
}

/// What is defined.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Definition {
    Flag(Box<FlagDefinition>),
    Segment(Box<SegmentDefinition>),
    Plan(Box<PlanDefinition>),
}

impl Definition {
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Flag(_) => "flag",
            Self::Segment(_) => "segment",
            Self::Plan(_) => "plan",
        }
    }

    pub(crate) fn key(&self) -> &str {
        match self {
            Self::Flag(flag) => &flag.key,
            Self::Segment(segment) => &segment.key,
            Self::Plan(plan) => &plan.key,
        }
    }

    /// What must be there before this can be.
    pub(crate) fn needs(&self) -> BTreeSet<(&'static str, String)> {
        match self {
            Self::Flag(flag) => flag
                .environments
                .values()
                .flat_map(|rules| {
                    let segments = rules.rules.iter().flat_map(|rule| segments_of(&rule.when));
                    let flags = rules.prerequisites.iter().map(|one| one.flag.clone());
                    segments
                        .map(|segment| ("segment", segment))
                        .chain(flags.map(|flag| ("flag", flag)))
                        .collect::<Vec<_>>()
                })
                .collect(),
            Self::Segment(segment) => segment
                .when
                .iter()
                .flat_map(|when| segments_of(when))
                .map(|segment| ("segment", segment))
                .collect(),
            Self::Plan(plan) => plan
                .stages
                .iter()
                .flat_map(|stage| &stage.cohorts)
                .map(|segment| ("segment", segment.clone()))
                .collect(),
        }
    }

    /// The same without what needs something of `missing`.
    fn without(&self, missing: &BTreeSet<(&'static str, &str)>) -> Self {
        let is_missing = |noun, key: &str| missing.contains(&(noun, key));
        let needs_missing = |when: &str| {
            segments_of(when)
                .iter()
                .any(|segment| is_missing("segment", segment))
        };
        let mut definition = self.clone();
        match &mut definition {
            Self::Flag(flag) => {
                for rules in flag.environments.values_mut() {
                    rules.rules.retain(|rule| !needs_missing(&rule.when));
                    rules
                        .prerequisites
                        .retain(|one| !is_missing("flag", &one.flag));
                }
            }
            Self::Segment(segment) => {
                if segment.when.as_deref().is_some_and(needs_missing) {
                    segment.when = None;
                }
            }
            Self::Plan(plan) => {
                let had_stages = !plan.stages.is_empty();
                for stage in &mut plan.stages {
                    stage
                        .cohorts
                        .retain(|cohort| !is_missing("segment", cohort));
                }
                plan.stages.retain(|stage| !stage.label().is_empty());
                if had_stages && plan.stages.is_empty() {
                    // The rest of the plan is worth trying; a plan without stages is none.
                    plan.stages.push(PlanStage {
                        percentage: Some(100.0),
                        ..PlanStage::default()
                    });
                }
            }
        }
        definition
    }

    fn document(&self) -> Value {
        match self {
            Self::Flag(flag) => json!(flag),
            Self::Segment(segment) => json!(segment),
            Self::Plan(plan) => json!(plan),
        }
    }
}

/// The segments a condition names; none when it is not one, which the server will say.
fn segments_of(when: &str) -> Vec<String> {
    when.parse::<Expression>()
        .map(|expression| {
            expression
                .segments()
                .into_iter()
                .map(ToString::to_string)
                .collect()
        })
        .unwrap_or_default()
}

impl Step {
    /// The step from what is there to `definition`; `None` when it is so already.
    pub(super) fn towards(definition: Definition, current: Option<(Value, u64)>) -> Option<Self> {
        let Some((there, revision)) = current else {
            return Some(Self {
                action: Action::Create,
                definition,
                differences: Vec::new(),
                seen: None,
            });
        };
        let differences = differences(&there, &definition.document());
        (!differences.is_empty()).then_some(Self {
            action: Action::Edit,
            definition,
            differences,
            seen: Some(revision),
        })
    }

    pub(super) fn removal(definition: Definition, revision: u64) -> Self {
        Self {
            action: Action::Remove,
            definition,
            differences: Vec::new(),
            seen: Some(revision),
        }
    }

    /// Lets the server try this step alone. What the plan itself is to make first, `created`, is
    /// left out of the trial, because the server does not have it yet.
    pub(crate) async fn tried(
        &self,
        client: &Client,
        created: &BTreeSet<(&'static str, &str)>,
        why: Why,
    ) -> Result<Receipt, ApiError> {
        let trial = Self {
            definition: self.definition.without(created),
            ..self.clone()
        };
        trial.sent(client, true, why).await
    }

    /// Does it.
    pub(crate) async fn done(&self, client: &Client, why: Why) -> Result<Receipt, ApiError> {
        self.sent(client, false, why).await
    }

    async fn sent(&self, client: &Client, dry_run: bool, why: Why) -> Result<Receipt, ApiError> {
        let attempt = Attempt {
            dry_run,
            seen: self.seen,
        };
        let key = self.definition.key();
        match (&self.definition, self.action) {
            (Definition::Flag(_), Action::Remove) => {
                client.archive_flag(key, &Removal { why }, attempt).await
            }
            (Definition::Segment(_), Action::Remove) => {
                client.delete_segment(key, &Removal { why }, attempt).await
            }
            (Definition::Plan(_), Action::Remove) => {
                client.delete_plan(key, &Removal { why }, attempt).await
            }
            (Definition::Plan(plan), _) => {
                let plan = PutPlan {
                    definition: plan.as_ref().clone(),
                    why,
                };
                client.put_plan(&plan, attempt).await
            }
            (Definition::Flag(flag), action) => {
                let flag = PutFlag {
                    definition: flag.as_ref().clone(),
                    why,
                };
                if action == Action::Create {
                    client.create_flag(&flag, attempt).await
                } else {
                    client.put_flag(&flag, attempt).await
                }
            }
            (Definition::Segment(segment), action) => {
                let segment = PutSegment {
                    definition: segment.as_ref().clone(),
                    why,
                };
                if action == Action::Create {
                    client.create_segment(&segment, attempt).await
                } else {
                    client.put_segment(&segment, attempt).await
                }
            }
        }
    }
}
