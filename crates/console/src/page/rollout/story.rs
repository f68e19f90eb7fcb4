//! What is so and why, in a sentence, and how it came to an end in two words.

use leverframe_wire::admin::{Evidence, Rollout, RolloutMove, RolloutState, Verdict};

use crate::badge::{Badge, Tone};

/// Who or what made the last move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doer {
    /// The evidence of the rollout's own metrics.
    Evidence,
    /// Nothing could be proved, or nothing be seen.
    Ignorance,
    /// Somebody, by name.
    Person,
    /// The lever, its definition or what it needs was changed beside the rollout.
    Elsewhere,
}

fn doer(last: &RolloutMove) -> Doer {
    match last.cause.as_str() {
        "harm" | "limit" | "shared-harm" | "outage" | "budget-burns" | "missing-units"
        | "proved" | "cooled" | "recovered" | "not-proved" | "new-build" | "watch-over" => {
            Doer::Evidence
        }
        "blind" | "inconclusive" | "look-expired" => Doer::Ignorance,
        "killed"
        | "moved-by-hand"
        | "edited"
        | "prerequisite-closed"
        | "replaced"
        | "archived"
        | "restored" => Doer::Elsewhere,
        _ => Doer::Person,
    }
}

/// How it came to stand where it stands.
pub(in crate::page) fn how(rollout: &Rollout) -> Option<Badge> {
    let last = rollout.moves.last()?;
    Some(match (rollout.state, doer(last)) {
        (RolloutState::RolledBack, Doer::Evidence) => {
            Badge::new("✗", "convicted by evidence", Tone::Bad)
        }
        (RolloutState::RolledBack, Doer::Ignorance) => {
            Badge::new("∅", "nothing could be proved", Tone::Warning)
        }
        (RolloutState::RolledBack, _) => Badge::new("☝", "by a person", Tone::Quiet),
        (RolloutState::Retreated, Doer::Ignorance) => {
            Badge::new("↓", "nothing could be seen", Tone::Warning)
        }
        (RolloutState::Retreated, _) => {
            Badge::new("↓", "a precaution, nobody is convicted", Tone::Warning)
        }
        (RolloutState::Ended, _) => match last.cause.as_str() {
            "killed" => Badge::new("■", "the lever was closed by hand", Tone::Bad),
            "moved-by-hand" => Badge::new("☝", "the lever was moved by hand", Tone::Quiet),
            "replaced" => Badge::new("→", "another one took its place", Tone::Quiet),
            "watch-over" => Badge::new("✓", "watched to the end", Tone::Good),
            _ => Badge::new("→", "what it rests on was changed", Tone::Quiet),
        },
        (RolloutState::Paused, Doer::Elsewhere) => {
            Badge::new("☝", "the lever was moved by hand", Tone::Warning)
        }
        (RolloutState::Paused, Doer::Person) => Badge::new("☝", "by a person", Tone::Quiet),
        (RolloutState::Paused, _) => Badge::new("✗", "stopped by evidence", Tone::Bad),
        (RolloutState::Done, Doer::Person) => Badge::new("☝", "by a person", Tone::Quiet),
        (RolloutState::Done, _) => Badge::new("✓", "by evidence", Tone::Good),
        _ => return None,
    })
}

/// The one sentence: what is so and why.
pub(super) fn verdict(evidence: &Evidence) -> String {
    let rollout = &evidence.rollout;
    let stands = matches!(
        rollout.state,
        RolloutState::Baking | RolloutState::Holding | RolloutState::Warm
    );
    if !stands {
        return format!("{}.", rollout.sentence);
    }
    let place = rollout
        .stages
        .get(rollout.stage)
        .map_or("the stage", |stage| stage.label.as_str());
    let place = match rollout.state {
        RolloutState::Warm => "In the warm time".to_owned(),
        _ => format!("At {place}"),
    };
    let of = |wanted: Verdict| evidence.metrics.iter().find(|one| one.verdict == wanted);
    let trouble = [
        Verdict::Bad,
        Verdict::Untrusted,
        Verdict::Error,
        Verdict::NoData,
    ];
    if let Some(bad) = trouble.into_iter().find_map(of) {
        return format!("{place}: {}.", bad.sentence);
    }
    // What is missing, and for how long, is said below it; of whom nobody was counted, nothing.
    let said: Vec<&str> = evidence
        .metrics
        .iter()
        .map(|one| one.sentence.split("; ").next().unwrap_or_default())
        .filter(|said| !said.starts_with("nobody has been counted"))
        .collect();
    if said.is_empty() {
        return format!("{place}: nothing was counted yet.");
    }
    let sign = match of(Verdict::Learning) {
        Some(_) => "no sign of harm so far",
        None => "no sign of harm, and it is proved for this stage",
    };
    format!("{place}: {sign} ({}).", said.join(", and "))
}
