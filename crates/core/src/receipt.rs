//! Receipts: what a record changed, for people.

use crate::effect::Settlement;
use crate::event::Event;
use crate::record::Record;
use crate::state::why_final;
use crate::time::Timestamp;

/// What a record changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The revision.
    pub revision: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// What changed, in the order of the record.
    pub changes: Vec<Change>,
    /// Whether an undo can take it back while it is the last change of what it touched.
    pub undoable: bool,
    /// Why it cannot be taken back, if it cannot.
    pub why_not_undoable: Option<&'static str>,
}

/// One thing that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What kind of thing: `lever`, `flag`, `segment`, `environment`, `token`, `journal` or
    /// `revision`.
    pub noun: &'static str,
    /// Its name.
    pub key: String,
    /// Where, for what belongs to one environment.
    pub environment: Option<String>,
    /// How it was, where the record says so.
    pub from: Option<String>,
    /// How it is now.
    pub to: Option<String>,
    /// The change as a sentence.
    pub sentence: String,
}

/// What a record changed.
#[must_use]
pub fn receipt(record: &Record) -> Receipt {
    let is_rollout = |event: &Event| {
        matches!(
            event,
            Event::RolloutMoved { .. }
                | Event::EffectWanted { .. }
                | Event::RolloutStarted { .. }
                | Event::FreezeSet { .. }
                | Event::FreezeLifted { .. }
        )
    };
    let why_not_undoable = record.events.iter().find_map(why_final).or_else(|| {
        let moves_nothing = !record.events.is_empty() && record.events.iter().all(is_rollout);
        moves_nothing.then_some("it moved no lever; what takes it back is a command of its own")
    });
    Receipt {
        revision: record.revision,
        at: record.at,
        changes: record.events.iter().map(change).collect(),
        undoable: why_not_undoable.is_none(),
        why_not_undoable,
    }
}

fn change(event: &Event) -> Change {
    match event {
        Event::PositionMoved {
            flag,
            environment,
            from,
            to,
        } => Change {
            noun: "lever",
            key: flag.to_string(),
            environment: Some(environment.to_string()),
            from: Some(from.to_string()),
            to: Some(to.to_string()),
            sentence: format!("{flag} {to} in {environment}"),
        },
        Event::JournalStarted { journal } => of("journal", journal, "started"),
        Event::EpochRaised { epoch } => of("journal", &epoch.to_string(), "is the new epoch"),
        Event::EnvironmentCreated { environment } => {
            of("environment", environment.key.as_str(), "created")
        }
        Event::EnvironmentGuarded {
            environment,
            guarded,
        } => of(
            "environment",
            environment.as_str(),
            if *guarded { "guarded" } else { "not guarded" },
        ),
        Event::FlagCreated { definition } => of(
            "flag",
            definition.key.as_str(),
            "created, closed everywhere",
        ),
        Event::FlagEdited { definition } => of("flag", definition.key.as_str(), "edited"),
        Event::FlagArchived { flag } => of("flag", flag.as_str(), "archived"),
        Event::FlagRestored { flag } => of("flag", flag.as_str(), "back in use, closed everywhere"),
        Event::SegmentCreated { segment } => of("segment", segment.key.as_str(), "created"),
        Event::SegmentEdited { segment } => of("segment", segment.key.as_str(), "edited"),
        Event::SegmentDeleted { segment } => of("segment", segment.as_str(), "deleted"),
        Event::Undone { revision } => of("revision", &format!("r{revision}"), "undone"),
        Event::TokenCreated { token } => of("token", &token.name, "created"),
        Event::TokenRevoked { id } => of("token", id, "revoked"),
        Event::PlanApplied { plan } => of("plan", &plan.key, "applied"),
        Event::PlanDeleted { plan } => of("plan", plan, "deleted"),
        Event::RolloutStarted { rollout } => in_environment(
            "rollout",
            &rollout.id,
            rollout.environment.as_str(),
            &format!(
                "rollout {} of {} by plan {}",
                rollout.id, rollout.flag, rollout.plan.key
            ),
        ),
        Event::RolloutMoved {
            rollout, sentence, ..
        } => Change {
            sentence: sentence.to_string(),
            ..of("rollout", rollout, "moved")
        },
        Event::FreezeSet { environment, until } => in_environment(
            "environment",
            environment.as_str(),
            environment.as_str(),
            &format!("{environment} frozen until {until}"),
        ),
        Event::FreezeLifted { environment } => in_environment(
            "environment",
            environment.as_str(),
            environment.as_str(),
            &format!("{environment} no longer frozen"),
        ),
        Event::EffectWanted { effect } => Change {
            sentence: format!("to be told: {}", effect.message.title),
            ..of("effect", &effect.id, "wanted")
        },
        Event::EffectSettled { effect, settlement } => Change {
            sentence: settled(effect, settlement),
            ..of("effect", effect, "settled")
        },
        Event::DrillStarted {
            flag, environment, ..
        } => in_environment(
            "drill",
            flag.as_str(),
            environment.as_str(),
            &format!("drill of {flag} in {environment}"),
        ),
        Event::DrillFinished { drill, result, .. } => Change {
            sentence: format!("drill r{drill}: {}", result.sentence()),
            ..of("drill", &format!("r{drill}"), "finished")
        },
        Event::WatchDeclined { flag, environment } => in_environment(
            "lever",
            flag.as_str(),
            environment.as_str(),
            &format!("{flag} is not watched in {environment}"),
        ),
        Event::DrillScheduled {
            flag,
            environment,
            every_ms,
        } => in_environment(
            "drill",
            flag.as_str(),
            environment.as_str(),
            &match every_ms {
                Some(ms) => format!("{flag} in {environment} is drilled every {}", interval(*ms)),
                None => format!("{flag} in {environment} is no longer drilled by itself"),
            },
        ),
    }
}

/// A regular time in the largest unit that says it whole.
fn interval(ms: i64) -> String {
    const UNITS: [(i64, &str); 3] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min")];
    UNITS
        .iter()
        .find(|(unit, _)| ms >= *unit && ms % unit == 0)
        .map_or_else(
            || format!("{} s", ms / 1_000),
            |(unit, name)| format!("{} {name}", ms / unit),
        )
}

fn settled(effect: &str, settlement: &Settlement) -> String {
    match settlement {
        Settlement::Delivered { channels, .. } => {
            format!("{effect} went to {}", channels.join(", "))
        }
        Settlement::Failed { why } => format!("{effect} could not be told: {}", why.join("; ")),
        Settlement::Nobody => format!("{effect} reached nobody: no channel is configured"),
    }
}

fn in_environment(noun: &'static str, key: &str, environment: &str, sentence: &str) -> Change {
    Change {
        noun,
        key: key.to_owned(),
        environment: Some(environment.to_owned()),
        from: None,
        to: None,
        sentence: sentence.to_owned(),
    }
}

fn of(noun: &'static str, key: &str, to: &str) -> Change {
    Change {
        noun,
        key: key.to_owned(),
        environment: None,
        from: None,
        to: Some(to.to_owned()),
        sentence: format!("{noun} {key} {to}"),
    }
}

#[cfg(test)]
mod tests {
    use super::interval;

    #[test]
    fn a_regular_time_is_said_in_the_largest_unit_that_says_it_whole() {
        let said = [2_592_000_000, 5_400_000, 7_200_000, 90_000].map(interval);
        assert_eq!(said, ["30 d", "90 min", "2 h", "90 s"]);
    }
}
