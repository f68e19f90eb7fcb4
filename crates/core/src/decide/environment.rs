//! Environments: for admins only. Turning a guard off is an opening; on is a closing.

use leverframe_flags::EnvironmentKey;

use crate::access::Role;
use crate::environment::Environment;
use crate::event::Event;
use crate::limit::ENVIRONMENTS_MAX;
use crate::rejection::Rejection;

use super::Decision;
use super::authority::{Case, append};

pub(super) fn create(
    case: &Case<'_>,
    key: &EnvironmentKey,
    guarded: bool,
) -> Result<Decision, Rejection> {
    case.demand_role(Role::Admin, "create an environment")?;
    if case.state.environment(key.as_str()).is_some() {
        return Err(Rejection::Exists {
            noun: "environment",
            key: key.to_string(),
        });
    }
    if case.state.environments().count() >= ENVIRONMENTS_MAX {
        return Err(Rejection::Full {
            noun: "environments",
            max: ENVIRONMENTS_MAX,
        });
    }
    Ok(append(Event::EnvironmentCreated {
        environment: Environment {
            key: key.clone(),
            guarded,
        },
    }))
}

pub(super) fn guard(
    case: &Case<'_>,
    key: &EnvironmentKey,
    guarded: bool,
) -> Result<Decision, Rejection> {
    case.demand_role(Role::Admin, "guard an environment or not")?;
    let entry = case.environment(key)?;
    if entry.environment.guarded == guarded {
        return Ok(Decision::Unchanged {
            revision: entry.guarded_revision,
        });
    }
    if !guarded {
        case.demand_opening(entry, "take the guard of an environment off")?;
    }
    Ok(append(Event::EnvironmentGuarded {
        environment: key.clone(),
        guarded,
    }))
}
