//! Restores: an older state becomes true again, but what was killed since stays killed.

use std::collections::BTreeSet;

use leverframe_flags::{EnvironmentKey, FlagKey};

use crate::access::Role;
use crate::event::Event;
use crate::position::latch;
use crate::rejection::Rejection;

use super::Decision;
use super::authority::Case;
use super::definition::invalid;
use super::lever::closing;

/// Raises the epoch, so that no evaluator takes the restored history for an old one, and latches
/// the levers that were latched before the restore. What the backup does not know cannot be open.
pub(super) fn restore(
    case: &Case<'_>,
    epoch: u64,
    keep_closed: &[(FlagKey, EnvironmentKey)],
) -> Result<Decision, Rejection> {
    case.demand_role(Role::Admin, "restore a backup")?;
    if epoch <= case.state.epoch() {
        return Err(invalid(
            "epoch",
            &format!("a restore begins an epoch after {}", case.state.epoch()),
        ));
    }
    let mut events = vec![Event::EpochRaised { epoch }];
    let levers: BTreeSet<_> = keep_closed.iter().collect();
    for (key, environment) in levers {
        let Some(flag) = case.state.flag(key.as_str()) else {
            continue;
        };
        let is_latched = latch(flag.position(environment.as_str())).is_some();
        if !is_latched && case.state.environment(environment.as_str()).is_some() {
            events.extend(closing(flag, environment));
        }
    }
    Ok(Decision::Append(events))
}
