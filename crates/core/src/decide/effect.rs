//! Effects: who outside is told of a transition, and what came of it.

use leverframe_flags::{EnvironmentKey, FlagKey};

use crate::effect::{Effect, Message, Settlement, Urgency};
use crate::event::Event;
use crate::rejection::Rejection;
use crate::rollout::{Cause, Part, Phase, Rollout, Transition};

use super::Decision;
use super::authority::{Case, append};

pub(super) fn settle(
    case: &Case<'_>,
    id: &str,
    settlement: &Settlement,
) -> Result<Decision, Rejection> {
    case.demand_node("settle an effect")?;
    let Some(entry) = case.state.effect(id) else {
        return Err(Rejection::NotFound {
            noun: "effect",
            key: id.to_owned(),
            similar: None,
        });
    };
    if entry.settlement.is_some() {
        return Ok(Decision::Unchanged {
            revision: case.state.revision(),
        });
    }
    Ok(append(Event::EffectSettled {
        effect: id.into(),
        settlement: settlement.clone(),
    }))
}

/// Who is told of a transition: somebody is woken when a rollout stopped something in a guarded
/// environment or cannot see, and whoever started it hears of what they would ask about.
pub(super) fn wanted(
    case: &Case<'_>,
    rollout: &Rollout,
    transition: &Transition,
    sentence: &str,
) -> Vec<Event> {
    let is_guarded = case
        .state
        .environment(rollout.environment.as_str())
        .is_some_and(|entry| entry.environment.guarded);
    // Nobody asked for a watch, so only what it did is told.
    if rollout.is_watch && matches!(transition.to, Phase::Stage { .. } | Phase::Ended) {
        return Vec::new();
    }
    let urgency = match loudness(transition) {
        Some(Urgency::Page) if is_guarded => Urgency::Page,
        Some(_) => Urgency::Notify,
        None => return Vec::new(),
    };
    let channels = match urgency {
        Urgency::Page => rollout.plan.page.clone(),
        Urgency::Notify => rollout.plan.notify.clone(),
    };
    let revision = case.state.revision() + 1;
    // A restored journal counts its revisions anew, and a receiver drops what it has heard before.
    let epoch = match case.state.epoch() {
        1 => String::new(),
        epoch => format!("e{epoch}-"),
    };
    let flag = case.state.flag(rollout.flag.as_str());
    let definition = flag.map(|flag| &flag.definition);
    let word = match urgency {
        Urgency::Page => "page",
        Urgency::Notify => "notice",
    };
    let message = Message {
        title: title(rollout, transition).into(),
        sentence: sentence.into(),
        flag: rollout.flag.clone(),
        environment: rollout.environment.clone(),
        rollout: rollout.id.clone(),
        revision,
        started_by: rollout.started_by.clone(),
        owner: definition.map_or_else(Box::default, |definition| definition.owner.as_str().into()),
        done: done(rollout, transition).into(),
        undo: undo(transition, revision, &rollout.flag, &rollout.environment).into(),
        runbook: definition
            .filter(|definition| !definition.runbook.is_empty())
            .map(|definition| definition.runbook.as_str().into()),
        kill_first: matches!(transition.cause, Cause::Outage | Cause::BudgetBurns),
    };
    let effect = Effect {
        id: format!("{}-{epoch}r{revision}-{word}", rollout.id).into(),
        urgency,
        channels,
        message,
        wanted_at: case.meta.now,
    };
    vec![Event::EffectWanted {
        effect: effect.into(),
    }]
}

/// How loud a transition is; nothing for one that nobody asked to hear of.
fn loudness(transition: &Transition) -> Option<Urgency> {
    match &transition.cause {
        Cause::Harm { .. }
        | Cause::SharedHarm
        | Cause::Outage
        | Cause::BudgetBurns
        | Cause::Limit { .. }
        | Cause::MissingUnits
        | Cause::Blind { .. } => Some(Urgency::Page),
        Cause::Started
        | Cause::Inconclusive
        | Cause::LookExpired
        | Cause::PausedByHand
        | Cause::RolledBackByHand
        | Cause::Killed
        | Cause::MovedByHand
        | Cause::Edited
        | Cause::PrerequisiteClosed { .. }
        | Cause::Replaced
        | Cause::Archived
        | Cause::Restored
        | Cause::Recovered => Some(Urgency::Notify),
        Cause::Proved | Cause::Cooled | Cause::Looked | Cause::Advanced | Cause::Skipped => {
            matches!(transition.to, Phase::Done | Phase::Warm).then_some(Urgency::Notify)
        }
        Cause::NotProved { .. } => matches!(
            transition.to,
            Phase::Stage {
                part: Part::Asking,
                ..
            }
        )
        .then_some(Urgency::Notify),
        Cause::NewBuild { .. } | Cause::Resumed | Cause::Watched | Cause::WatchOver => None,
    }
}

fn title(rollout: &Rollout, transition: &Transition) -> String {
    let (flag, environment) = (&rollout.flag, &rollout.environment);
    match &transition.to {
        Phase::RolledBack => format!("{flag} was rolled back in {environment}"),
        Phase::Retreated { .. } => format!("{flag} was taken back a step in {environment}"),
        Phase::Paused { .. } => format!("the rollout of {flag} in {environment} is paused"),
        Phase::Warm => format!("{flag} is through its stages in {environment}"),
        Phase::Done => format!("{flag} is {} in {environment}", rollout.destination()),
        Phase::Ended => format!("the rollout of {flag} in {environment} is over"),
        Phase::Stage {
            part: Part::Asking, ..
        } => format!("the rollout of {flag} in {environment} asks"),
        Phase::Stage { .. } => format!("{flag} is being rolled out in {environment}"),
    }
}

fn done(rollout: &Rollout, transition: &Transition) -> String {
    match &transition.position {
        Some(position) => format!("{} is {position} in {}", rollout.flag, rollout.environment),
        None => "the lever was not moved".to_owned(),
    }
}

/// What is to be typed next, if anything is.
fn undo(
    transition: &Transition,
    revision: u64,
    flag: &FlagKey,
    environment: &EnvironmentKey,
) -> String {
    match (&transition.to, &transition.position) {
        (Phase::RolledBack | Phase::Retreated { .. } | Phase::Done, Some(_)) => {
            format!("lever undo r{revision} -r \"…\"")
        }
        (Phase::Paused { .. }, _) => format!(
            "lever kill {flag} -e {environment} -r \"…\"; or, to go on: lever rollout resume {flag} -e {environment} -r \"…\""
        ),
        _ => format!("lever rollback {flag} -e {environment} -r \"…\""),
    }
}
