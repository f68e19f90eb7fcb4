//! What a status names because somebody should look at it.

use leverframe_core::Timestamp;
use leverframe_core::effect::{Settlement, Urgency};
use leverframe_core::state::State;
use leverframe_flags::{EnvironmentKey, FlagKey};

use crate::limit::{PAGE_PENDING_MS_MAX, PAGES_FAILING_MS_MAX};

const DAY_MS: i64 = 86_400_000;

/// Levers that are let through and that no drill has pulled for too long. A lever that nobody has ever
/// seen close is one of which nobody knows whether it does.
pub(super) fn not_drilled(
    state: &State,
    environment: &EnvironmentKey,
    now: Timestamp,
) -> Vec<String> {
    let words = |key: &FlagKey| {
        let how = format!("lever drill run {key} -e {environment}");
        match state.last_drill(key, environment) {
            Some(last) => format!(
                "{key} was not drilled for {} days: {how}",
                now.ms_since(last.at) / DAY_MS
            ),
            None => format!("{key} was never drilled: {how}"),
        }
    };
    let keys = state.undrilled(environment, now);
    keys.into_iter().map(words).collect()
}

/// Pages of the last day that could not be delivered, or not yet.
pub(super) fn pages_failing(
    state: &State,
    environment: &EnvironmentKey,
    now: Timestamp,
) -> Vec<String> {
    state
        .effects()
        .filter(|entry| {
            let effect = &entry.effect;
            effect.urgency == Urgency::Page
                && effect.message.environment == *environment
                && now.ms_since(effect.wanted_at) <= PAGES_FAILING_MS_MAX
        })
        .filter_map(|entry| {
            let title = &entry.effect.message.title;
            let waited_ms = now.ms_since(entry.effect.wanted_at);
            match &entry.settlement {
                Some(Settlement::Delivered { .. }) => None,
                None if waited_ms <= PAGE_PENDING_MS_MAX => None,
                None => Some(format!(
                    "page {title:?} is being tried for {} s",
                    waited_ms / 1_000
                )),
                Some(Settlement::Failed { why }) => {
                    Some(format!("page {title:?} did not go out: {}", why.join("; ")))
                }
                Some(Settlement::Nobody) => Some(format!(
                    "page {title:?} reached nobody: no channel is configured"
                )),
            }
        })
        .collect()
}
