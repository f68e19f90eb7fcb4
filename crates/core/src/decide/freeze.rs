//! Freezes: for a while nothing is opened. Setting one is a closing, lifting one an opening.

use leverframe_flags::EnvironmentKey;

use crate::access::Role;
use crate::event::Event;
use crate::limit::FREEZE_MS_MAX;
use crate::rejection::Rejection;
use crate::time::Timestamp;

use super::Decision;
use super::authority::{Case, append};
use super::definition::invalid;

pub(super) fn freeze(
    case: &Case<'_>,
    environment: &EnvironmentKey,
    until: Timestamp,
) -> Result<Decision, Rejection> {
    case.environment(environment)?;
    case.demand_environment(environment.as_str())?;
    case.demand_every_key("freeze an environment")?;
    let lasts_ms = until.ms_since(case.meta.now);
    if !(1..=FREEZE_MS_MAX).contains(&lasts_ms) {
        return Err(invalid(
            "until",
            "a freeze lasts longer than nothing and up to 30 days",
        ));
    }
    match case.state.freeze(environment.as_str(), case.meta.now) {
        // A shorter one would lift a part of it.
        Some(freeze) if until <= freeze.until => Ok(Decision::Unchanged {
            revision: freeze.revision,
        }),
        _ => Ok(append(Event::FreezeSet {
            environment: environment.clone(),
            until,
        })),
    }
}

pub(super) fn thaw(case: &Case<'_>, environment: &EnvironmentKey) -> Result<Decision, Rejection> {
    let entry = case.environment(environment)?;
    case.demand_environment(environment.as_str())?;
    case.demand_role(Role::Operator, "end a freeze")?;
    case.demand_every_key("thaw an environment")?;
    if case
        .state
        .freeze(environment.as_str(), case.meta.now)
        .is_none()
    {
        return Err(Rejection::Conflict {
            why: format!("{environment} is not frozen"),
        });
    }
    if entry.environment.guarded {
        case.demand_reason(environment)?;
    }
    Ok(append(Event::FreezeLifted {
        environment: environment.clone(),
    }))
}
