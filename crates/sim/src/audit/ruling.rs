//! P2: the brake is always free. Who may close is worked out here from the token alone.

use leverframe_core::access::{Actor, Role};
use leverframe_core::decide::Decision;
use leverframe_core::position::latch;
use leverframe_core::rejection::Rejection;
use leverframe_core::{Command, Selection, State, Timestamp};
use leverframe_flags::{EnvironmentKey, FlagKey, Position};

use super::{Auditor, Verdict, demand};
use crate::node::Ruling;

impl Auditor {
    /// Checks that no closing was rejected for policy.
    pub(crate) fn check_ruling(&mut self, ruling: &Ruling) -> Verdict {
        match &ruling.ruling {
            Ok(Decision::Repeat { .. }) => self.counts.repeats += 1,
            Ok(_) => {}
            Err(rejection) => {
                let is_free = must_pass(
                    &ruling.before,
                    &ruling.command,
                    &ruling.meta.actor,
                    ruling.meta.now,
                );
                demand(!is_free, "P2", || {
                    format!(
                        "{} may close, and {:?} was rejected: {rejection}",
                        ruling.meta.actor.id(),
                        ruling.command
                    )
                })?;
                let is_own_fault = matches!(rejection, Rejection::IdempotencyReused { .. });
                demand(!is_own_fault, "P5", || {
                    format!("a repeat was taken for another command: {rejection}")
                })?;
            }
        }
        Ok(())
    }
}

/// Whether a command is a closing that its actor is entitled to.
fn must_pass(state: &State, command: &Command, actor: &Actor, now: Timestamp) -> bool {
    let Actor::Token { id } = actor else {
        return false;
    };
    let Some(entry) = state.token(id) else {
        return false;
    };
    let token = &entry.token;
    let works =
        entry.revoked_at.is_none() && token.expires_at.is_none_or(|expires_at| now < expires_at);
    if !works || !matches!(token.role, Role::Brake | Role::Operator | Role::Admin) {
        return false;
    }
    let is_for_environment = |key: &EnvironmentKey| {
        let is_known = state.environment(key.as_str()).is_some();
        is_known && (token.environments.is_empty() || token.environments.contains(key))
    };
    let is_for_key = |key: &FlagKey| {
        let is_known = state
            .flag(key.as_str())
            .is_some_and(|flag| !flag.is_archived);
        // The globs of this world are prefixes.
        let matches = |glob: &str| key.as_str().starts_with(glob.trim_end_matches('*'));
        is_known && (token.keys.is_empty() || token.keys.iter().any(|glob| matches(glob)))
    };
    match command {
        Command::Close { flags, environment } => {
            let in_use = || state.flags().filter(|flag| !flag.is_archived);
            let selected: Vec<FlagKey> = match flags {
                Selection::Flags(flags) => flags.iter().cloned().collect(),
                Selection::Owner(owner) => in_use()
                    .filter(|flag| flag.definition.owner == *owner)
                    .map(|flag| flag.key().clone())
                    .collect(),
                Selection::Tag(tag) => in_use()
                    .filter(|flag| flag.definition.tags.contains(tag))
                    .map(|flag| flag.key().clone())
                    .collect(),
            };
            is_for_environment(environment)
                && !selected.is_empty()
                && selected.iter().all(is_for_key)
        }
        Command::Open {
            flag,
            environment,
            exposure,
        } => {
            let is_lower = match position(state, flag, environment) {
                Some(Position::Open { exposure: now }) => {
                    exposure.percentage <= now.percentage
                        && exposure.cohorts.is_subset(&now.cohorts)
                }
                _ => false,
            };
            let has_cohorts = exposure
                .cohorts
                .iter()
                .all(|cohort| state.segment(cohort.as_str()).is_some());
            is_lower && has_cohorts && is_for_environment(environment) && is_for_key(flag)
        }
        Command::Ramp {
            flag,
            environment,
            percentage,
        } => {
            let is_lower = match position(state, flag, environment) {
                Some(Position::Open { exposure }) => *percentage <= exposure.percentage,
                _ => false,
            };
            is_lower && is_for_environment(environment) && is_for_key(flag)
        }
        Command::Pin {
            flag,
            environment,
            variant,
        } => {
            let is_closed_variant = state
                .flag(flag.as_str())
                .is_some_and(|flag| flag.definition.closed == *variant);
            let is_latched = position(state, flag, environment)
                .is_some_and(|position| latch(position).is_some());
            is_closed_variant && !is_latched && is_for_environment(environment) && is_for_key(flag)
        }
        _ => false,
    }
}

fn position<'a>(
    state: &'a State,
    flag: &FlagKey,
    environment: &EnvironmentKey,
) -> Option<&'a Position> {
    Some(state.flag(flag.as_str())?.position(environment.as_str()))
}
