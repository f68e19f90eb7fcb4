//! What of a record a token may see, and what it concerns.

use leverframe_core::Entry;
use leverframe_core::access::Token;
use leverframe_core::state::State as Fold;
use leverframe_wire::admin::{Change, RecordView};

use crate::convert::record_view;

/// A record as this token may see it: without what belongs to other environments; `None` when
/// nothing is left.
pub(super) fn shown(entry: &Entry, token: &Token, state: &Fold) -> Option<RecordView> {
    let mut view = record_view(entry);
    let before = view.changes.len();
    for change in &mut view.changes {
        if change.environment.is_none() {
            change.environment = place(change, state);
        }
    }
    // What is kept no more, nobody knows the environment of.
    let is_of_nowhere = |change: &Change| {
        change.environment.is_none()
            && matches!(change.noun.as_str(), "rollout" | "effect" | "drill")
    };
    view.changes
        .retain(|change| token.environments.is_empty() || !is_of_nowhere(change));
    view.changes.retain(|change| {
        change
            .environment
            .as_deref()
            .is_none_or(|environment| token.allows_environment(environment))
    });
    (before == 0 || !view.changes.is_empty()).then_some(view)
}

/// Where something happened that is named by itself and not by its lever.
fn place(change: &Change, state: &Fold) -> Option<String> {
    let key = change.key.as_str();
    match change.noun.as_str() {
        "rollout" => Some(state.rollout(key)?.environment.to_string()),
        "effect" => {
            let effect = &state.effect(key)?.effect;
            Some(effect.message.environment.to_string())
        }
        "drill" => {
            let revision = key.strip_prefix('r')?.parse().ok()?;
            Some(state.drill(revision)?.environment.to_string())
        }
        _ => None,
    }
}

/// Whether a change is one of this flag, of its levers or of their rollouts.
pub(super) fn is_of_flag(change: &Change, flag: &str, state: &Fold) -> bool {
    match change.noun.as_str() {
        "flag" | "lever" => change.key == flag,
        "rollout" => state
            .rollout(&change.key)
            .is_some_and(|rollout| rollout.flag.as_str() == flag),
        "drill" => {
            let revision = change
                .key
                .strip_prefix('r')
                .and_then(|text| text.parse().ok());
            let drill = revision.and_then(|revision| state.drill(revision));
            change.key == flag || drill.is_some_and(|drill| drill.flag.as_str() == flag)
        }
        _ => false,
    }
}
