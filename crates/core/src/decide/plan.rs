//! Plans: how levers are taken from closed to open. Anybody who may open may apply one.

use crate::access::Role;
use crate::event::Event;
use crate::limit::{NAME_BYTES_MAX, PLANS_MAX};
use crate::rejection::Rejection;
use crate::rollout::{Plan, Target};

use super::authority::{Case, append, missing};
use super::definition::invalid;
use super::{Decision, at_most};

pub(super) fn apply(case: &Case<'_>, plan: &Plan) -> Result<Decision, Rejection> {
    case.demand_role(Role::Operator, "apply a plan")?;
    demand_valid(case, plan)?;
    if Plan::built_in(&plan.key).is_some() {
        return Err(Rejection::Conflict {
            why: format!("{} is built in; give yours another name", plan.key),
        });
    }
    match case.state.plan(&plan.key) {
        Some(entry) if *entry.plan == *plan => {
            case.demand_match(entry.revision, false)?;
            return Ok(Decision::Unchanged {
                revision: entry.revision,
            });
        }
        Some(entry) => {
            demand_everywhere(case)?;
            case.demand_match(entry.revision, true)?;
        }
        None if case.state.plans().count() >= PLANS_MAX => {
            return Err(Rejection::Full {
                noun: "plans",
                max: PLANS_MAX,
            });
        }
        None => {}
    }
    Ok(append(Event::PlanApplied {
        plan: plan.clone().into(),
    }))
}

pub(super) fn delete(case: &Case<'_>, key: &str) -> Result<Decision, Rejection> {
    case.demand_role(Role::Operator, "delete a plan")?;
    let Some(entry) = case.state.plan(key) else {
        let names = case.state.plans().map(|entry| &*entry.plan.key);
        return Err(missing("plan", key, names));
    };
    demand_everywhere(case)?;
    case.demand_match(entry.revision, true)?;
    Ok(append(Event::PlanDeleted { plan: key.into() }))
}

/// Whoever starts by this plan anywhere relies on it.
fn demand_everywhere(case: &Case<'_>) -> Result<(), Rejection> {
    let mut environments = case.state.environments();
    environments.try_for_each(|entry| case.demand_environment(entry.environment.key.as_str()))
}

/// The plan can be followed here: it is sound, and the segments it names exist.
pub(super) fn demand_valid(case: &Case<'_>, plan: &Plan) -> Result<(), Rejection> {
    if plan.key.trim().is_empty() {
        return Err(invalid("plan", "a plan needs a name"));
    }
    at_most("plan", &plan.key, NAME_BYTES_MAX)?;
    plan.check().map_err(|error| Rejection::Invalid {
        field: error.field,
        why: error.why,
    })?;
    for stage in &plan.stages {
        match &stage.to {
            Target::Cohorts { cohorts } => {
                for cohort in cohorts {
                    case.segment(cohort)?;
                }
            }
            Target::Synthetic if case.state.segment("synthetic").is_none() => {
                return Err(invalid(
                    "stages",
                    "a synthetic stage opens to the segment synthetic, which does not exist; make it: \
                     lever segment create synthetic --when \"synthetic == true\"",
                ));
            }
            Target::Synthetic | Target::Share { .. } | Target::Look { .. } => {}
        }
    }
    Ok(())
}
