//! Rollouts as people see them: how far each stage is, and whom it told.

use leverframe_core::Timestamp;
use leverframe_core::effect::{EffectEntry, Settlement, Urgency};
use leverframe_core::rollout::{Cause, Move, Part, Phase, Rollout, Target};
use leverframe_core::state::State;
use leverframe_wire::admin::{self, Progress, RolloutState};

use super::plan::plan_view;

/// A rollout without whom it told.
pub(crate) fn rollout_view(rollout: &Rollout, now: Timestamp) -> admin::Rollout {
    let plan = plan_view(&rollout.plan);
    let stage = stage_of(rollout);
    admin::Rollout {
        id: rollout.id.to_string(),
        flag: rollout.flag.to_string(),
        environment: rollout.environment.to_string(),
        state: state(rollout, &rollout.phase),
        stage,
        since: rollout.since.to_string(),
        sentence: rollout
            .moves
            .last()
            .map(|last| last.sentence.to_string())
            .unwrap_or_default(),
        stages: plan
            .stages
            .iter()
            .enumerate()
            .map(|(index, planned)| stage_view(rollout, index, stage, planned.label(), now))
            .collect(),
        plan,
        started_by: rollout.started_by.to_string(),
        started_at: rollout.started_at.to_string(),
        reason: rollout.reason.as_deref().unwrap_or("none given").to_owned(),
        moves: rollout
            .moves
            .iter()
            .map(|made| move_view(rollout, made))
            .collect(),
        told: Vec::new(),
    }
}

/// The same with whom it told.
pub(crate) fn whole_rollout_view(
    state: &State,
    rollout: &Rollout,
    now: Timestamp,
) -> admin::Rollout {
    admin::Rollout {
        told: state
            .effects()
            .filter(|entry| entry.effect.message.rollout == rollout.id)
            .map(|entry| told(entry))
            .collect(),
        ..rollout_view(rollout, now)
    }
}

/// Where it is, in one word.
fn state(rollout: &Rollout, phase: &Phase) -> RolloutState {
    match phase {
        Phase::Stage { index, part } => match part {
            Part::Asking => RolloutState::Asking,
            Part::Baking | Part::Holding if is_look(rollout, *index) => RolloutState::Looking,
            Part::Baking => RolloutState::Baking,
            Part::Holding => RolloutState::Holding,
        },
        Phase::Retreated { .. } => RolloutState::Retreated,
        Phase::Warm => RolloutState::Warm,
        Phase::Paused { .. } => RolloutState::Paused,
        Phase::Done => RolloutState::Done,
        Phase::RolledBack => RolloutState::RolledBack,
        Phase::Ended => RolloutState::Ended,
    }
}

fn is_look(rollout: &Rollout, index: usize) -> bool {
    let stage = rollout.plan.stages.get(index);
    matches!(stage.map(|stage| &stage.to), Some(Target::Look { .. }))
}

/// The stage a phase is at.
fn place(rollout: &Rollout, phase: &Phase) -> Option<usize> {
    match phase {
        Phase::Stage { index, .. } => Some(*index),
        Phase::Retreated { from, to } => Some(to.unwrap_or(*from)),
        Phase::Warm | Phase::Done => rollout.plan.stages.len().checked_sub(1),
        Phase::Paused { at } => place(rollout, at),
        Phase::RolledBack | Phase::Ended => None,
    }
}

/// The stage it is at, or was at last.
fn stage_of(rollout: &Rollout) -> usize {
    let moves = rollout.moves.iter().rev().map(|made| &made.to);
    std::iter::once(&rollout.phase)
        .chain(moves)
        .find_map(|phase| place(rollout, phase))
        .unwrap_or_default()
}

fn stage_view(
    rollout: &Rollout,
    index: usize,
    current: usize,
    label: String,
    now: Timestamp,
) -> admin::StageView {
    // Also of a pause in it, which is part of it; a retreat is not.
    let is_there = |phase: &Phase| {
        let is_retreat = matches!(phase, Phase::Retreated { .. });
        let is_past = matches!(phase, Phase::Warm | Phase::Done);
        !is_retreat && !is_past && place(rollout, phase) == Some(index)
    };
    let first = rollout.moves.iter().position(|made| is_there(&made.to));
    let reached = first.and_then(|first| rollout.moves.get(first));
    let left = first.and_then(|first| {
        let later = rollout.moves.iter().skip(first);
        later.into_iter().find(|made| !is_there(&made.to))
    });
    let retreated_from = match &rollout.phase {
        Phase::Retreated { from, .. } => Some(*from),
        _ => None,
    };
    let progress = match rollout.phase {
        Phase::Warm | Phase::Done => Progress::Passed,
        _ if retreated_from == Some(index) => Progress::Left,
        Phase::RolledBack if index == current => Progress::Left,
        _ if index == current => Progress::Current,
        _ if index < current => Progress::Passed,
        _ => Progress::Ahead,
    };
    let until = left.map_or(now, |left| left.at);
    admin::StageView {
        label,
        progress,
        reached_at: reached.map(|reached| reached.at.to_string()),
        took_ms: reached.map(|reached| until.ms_since(reached.at).max(0)),
    }
}

fn move_view(rollout: &Rollout, made: &Move) -> admin::RolloutMove {
    admin::RolloutMove {
        revision: made.revision,
        at: made.at.to_string(),
        to: state(rollout, &made.to),
        stage: place(rollout, &made.to).unwrap_or_else(|| stage_of(rollout)),
        cause: cause(&made.cause),
        by: made.by.to_string(),
        sentence: made.sentence.to_string(),
    }
}

/// The word of a cause, as it is in the journal.
fn cause(cause: &Cause) -> String {
    serde_json::to_value(cause)
        .ok()
        .and_then(|value| value.get("cause")?.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// A page or a notice and what came of it.
fn told(entry: &EffectEntry) -> admin::Told {
    let (state, sentence) = match &entry.settlement {
        None => ("pending", "it is being tried".to_owned()),
        Some(Settlement::Delivered {
            channels,
            read_back,
            failed,
        }) => {
            let mut sentence = format!("went to {}", channels.join(", "));
            if *read_back {
                sentence.push_str(", and was read back there");
            }
            if !failed.is_empty() {
                sentence.push_str("; failed before it: ");
                sentence.push_str(&failed.join("; "));
            }
            ("delivered", sentence)
        }
        Some(Settlement::Failed { why }) => ("failed", why.join("; ")),
        Some(Settlement::Nobody) => ("nobody", "no channel is configured".to_owned()),
    };
    admin::Told {
        id: entry.effect.id.to_string(),
        revision: entry.effect.message.revision,
        page: entry.effect.urgency == Urgency::Page,
        title: entry.effect.message.title.to_string(),
        state: state.to_owned(),
        sentence,
    }
}
