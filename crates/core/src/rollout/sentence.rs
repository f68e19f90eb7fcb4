//! Rollouts in words: every transition, and why nothing happens, as one sentence for people. The page,
//! the command line, the log and the console all say these.

mod numbers;
mod reading;

use super::step::stage_in_hand;
use super::{Cause, Metric, Observation, Phase, Reading, Rollout, Standing, Target, Transition};
use crate::analysis::{Finding, Share};
use reading::{said, waits};

pub(super) use numbers::{span, times, whole};

/// A transition as one sentence for people, with the numbers behind it where there are any.
#[must_use]
pub fn sentence(rollout: &Rollout, transition: &Transition, seen: Option<&Observation>) -> String {
    let flag = &rollout.flag;
    let now = now(rollout, transition);
    let here = here(rollout);
    match &transition.cause {
        Cause::Started => format!("{flag} is {now} in {}", rollout.environment),
        Cause::Harm { metrics } => {
            format!("{}{}; {now}", evidence(rollout, seen, metrics), hit(seen))
        }
        Cause::Limit { metrics } => {
            let evidence = evidence(rollout, seen, metrics);
            match transition.to {
                Phase::Retreated { .. } => format!(
                    "{evidence}{}; {now} as a precaution, nobody is convicted",
                    hit(seen)
                ),
                _ => format!("{evidence}{}; {now}", hit(seen)),
            }
        }
        Cause::SharedHarm => format!(
            "Both arms of {flag} became worse right after the last step ({}){}; {now} as a precaution, \
             nobody is convicted",
            all(rollout, seen),
            hit(seen)
        ),
        Cause::Outage => format!(
            "Everybody fares worse, those exposed to {flag} and those held back, long after the last \
             step ({}); {now}, and nothing was taken back",
            all(rollout, seen)
        ),
        Cause::BudgetBurns => format!(
            "The error budget of {flag} burns more than 14 times too fast ({}); {now}",
            all(rollout, seen)
        ),
        Cause::MissingUnits => format!(
            "Fewer of those exposed to {flag} report than there should be: they crash before they can, or \
             leave; {now}"
        ),
        Cause::Proved => format!("No sign of harm {here} ({}); {now}", all(rollout, seen)),
        Cause::NotProved { metrics } => format!(
            "The bake {here} is over, and it is not proved that {flag} does no harm: {}; it holds",
            waiting(rollout, seen, metrics)
        ),
        Cause::Blind { metrics } => format!(
            "Nothing could be said {here} for too long: {}; {now}",
            evidence(rollout, seen, metrics)
        ),
        Cause::Inconclusive => inconclusive(rollout, transition, seen, &now),
        Cause::LookExpired => format!("Nobody looked in time {here}; {now}"),
        Cause::Looked => format!("Somebody looked {here} and said ok; {now}"),
        Cause::Cooled => format!("{flag} kept well while the way back was warm; {now}"),
        Cause::Recovered => format!(
            "What was wrong had nothing to do with the step, and is over for a whole bake; {now}"
        ),
        Cause::NewBuild { build } => {
            format!("Build {build} answers now, which did not {here} before; its bake begins anew")
        }
        Cause::Advanced => format!("Somebody went on {here}, which the evidence allows; {now}"),
        Cause::Skipped => format!("Somebody went on {here} without evidence; {now}"),
        Cause::PausedByHand => format!("Somebody paused it {here}"),
        Cause::Resumed => format!("Somebody let it go on; {now}, and its bake begins anew"),
        Cause::RolledBackByHand => format!("Somebody took it back {here}; {now}"),
        Cause::Killed => format!("{flag} was closed by hand {here}; the rollout is over"),
        Cause::MovedByHand => format!("The lever of {flag} was moved by hand {here}; {now}"),
        Cause::Edited => format!("{flag}, or a segment it uses, was changed {here}; {now}"),
        Cause::PrerequisiteClosed { flag: needed } => {
            format!("{needed} was closed, without which {flag} is; {now}")
        }
        Cause::Replaced => format!("Another rollout of {flag} took its place {here}"),
        Cause::Archived => format!("{flag} was archived {here}; the rollout is over"),
        Cause::Watched => format!("{flag} was opened by hand, and is watched"),
        Cause::WatchOver => format!("Nothing spoke against {flag} while it was watched"),
        Cause::Restored => {
            "A backup was restored, and what was seen is of another history".to_owned()
        }
    }
}

/// What one metric says, with its numbers; and what it waits for, while that is not enough.
#[must_use]
pub fn says(rollout: &Rollout, metric: &Metric, reading: &Reading) -> String {
    let said = said(rollout, metric, reading);
    match reading.finding() {
        Some(Finding::Learning) => format!("{said}; {}", waits(reading)),
        _ => said,
    }
}

/// Why a rollout is not moving, or what it is about to do, as sentences: the most pressing first.
#[must_use]
pub fn standing(rollout: &Rollout, seen: &Observation) -> Vec<String> {
    let mut lines = Vec::new();
    let plan = &rollout.plan;
    let index = match &rollout.phase {
        Phase::Done | Phase::RolledBack | Phase::Ended => return vec!["It is over".to_owned()],
        Phase::Paused { .. } => {
            let last = rollout
                .moves
                .last()
                .map(|last| format!(": {}", last.sentence));
            lines.push(format!("It is paused{}", last.unwrap_or_default()));
            return lines;
        }
        Phase::Retreated { from, to } => {
            let why = match (to, seen.both.outlasts_retreat) {
                (None, _) => "roll it back and start again, or kill it",
                (_, Some(false)) => {
                    "things got better by going back, so the step is under suspicion: it waits for a person"
                }
                _ => "it goes on by itself once a whole bake was clean",
            };
            lines.push(format!(
                "It was taken back from {}; {why}",
                stage(rollout, *from)
            ));
            *from
        }
        Phase::Warm => {
            let left = plan.warm_ms - seen.now.ms_since(rollout.since);
            lines.push(format!(
                "The way back is kept warm for {} more",
                span(left.max(0))
            ));
            return lines;
        }
        Phase::Stage { index, .. } => *index,
    };
    if seen.is_frozen {
        lines.push("Steps forward are frozen here".to_owned());
    }
    if let Some(Target::Look { by, .. }) = plan.stages.get(index).map(|stage| &stage.to) {
        let left = plan.hold_ms_max(index) - seen.now.ms_since(rollout.since);
        lines.push(format!(
            "It waits for {by} to look, for {} more; then it goes back",
            span(left.max(0))
        ));
        return lines;
    }
    if seen.share == Share::TooMany {
        lines.push(
            "More are exposed than the percentage says, so that nothing can be trusted".to_owned(),
        );
    }
    for metric in &plan.metrics {
        let Some(reading) = reading(seen, metric) else {
            lines.push(format!("{} has not been seen yet", metric.key));
            continue;
        };
        match reading.finding() {
            Some(Finding::Ok) => {}
            Some(Finding::Learning) if metric.standing == Standing::Signals => {}
            Some(Finding::Learning) => lines.push(format!("{}: {}", metric.key, waits(reading))),
            Some(Finding::Bad) | None => lines.push(said(rollout, metric, reading)),
        }
    }
    let left = plan.bake_ms(index) - seen.analysed_ms;
    if left > 0 {
        lines.push(format!("The bake lasts {} more", span(left)));
    }
    lines
}

fn inconclusive(
    rollout: &Rollout,
    transition: &Transition,
    seen: Option<&Observation>,
    now: &str,
) -> String {
    let index = stage_in_hand(rollout).unwrap_or(0);
    let held = span(rollout.plan.hold_ms_max(index));
    let margin = rollout.plan.margin(index);
    let unproved: Vec<Box<str>> = rollout
        .plan
        .metrics
        .iter()
        .filter(|metric| {
            let finding = seen.and_then(|seen| reading(seen, metric)?.finding());
            finding != Some(Finding::Ok)
        })
        .map(|metric| metric.key.clone())
        .collect();
    let what = waiting(rollout, seen, &unproved);
    match transition.to {
        Phase::Stage { .. } => {
            let is_asking = transition.position.is_none();
            let end = if is_asking {
                "it holds, and asks whether to go on"
            } else {
                now
            };
            format!(
                "{held} {} were not enough to rule out that {} is {margin} times as bad as what it replaces \
                 ({what}); {end}",
                here(rollout),
                rollout.flag
            )
        }
        _ => format!("{held} {} proved nothing ({what}); {now}", here(rollout)),
    }
}

/// Where it is now, as the end of a sentence.
fn now(rollout: &Rollout, transition: &Transition) -> String {
    match (&transition.to, &transition.position) {
        (Phase::RolledBack, Some(position)) if position.is_closed() => {
            format!("closed {}", here(rollout))
        }
        (Phase::RolledBack, Some(position)) => {
            format!("taken back to {position} {}", here(rollout))
        }
        (Phase::RolledBack, None) => "the lever stays where it is".to_owned(),
        (Phase::Retreated { to: Some(to), .. }, _) => {
            format!("taken back to {} {}", rollout.exposure(*to), here(rollout))
        }
        (Phase::Retreated { to: None, .. }, _) => {
            format!("taken back to {} {}", rollout.before, here(rollout))
        }
        (Phase::Paused { .. }, _) => format!("it stops {}", here(rollout)),
        (Phase::Done, _) => format!("it is over, and {}", rollout.destination()),
        (Phase::Ended, _) => "the rollout is over".to_owned(),
        (Phase::Stage { .. } | Phase::Warm, Some(position)) => format!("now {position}"),
        (Phase::Stage { .. } | Phase::Warm, None) => format!("it stays {}", here(rollout)),
    }
}

/// At which stage it is.
fn here(rollout: &Rollout) -> String {
    match stage_in_hand(rollout) {
        Some(index) => format!("at {}", stage(rollout, index)),
        None => "after the last stage".to_owned(),
    }
}

fn stage(rollout: &Rollout, index: usize) -> String {
    match rollout.plan.stages.get(index).map(|stage| &stage.to) {
        Some(Target::Share { percentage }) => format!("the {percentage} % stage"),
        Some(Target::Cohorts { cohorts }) => {
            let names: Vec<&str> = cohorts.iter().map(AsRef::as_ref).collect();
            format!("the stage of {}", names.join(" and "))
        }
        Some(Target::Synthetic) => "the synthetic stage".to_owned(),
        Some(Target::Look { .. }) => "the look".to_owned(),
        None => "the end".to_owned(),
    }
}

fn hit(seen: Option<&Observation>) -> String {
    match seen.map_or(0, |seen| seen.users_hit) {
        0 => String::new(),
        1 => "; 1 user hit".to_owned(),
        hit => format!("; {} users hit", whole(hit)),
    }
}

fn reading<'a>(seen: &'a Observation, metric: &Metric) -> Option<&'a Reading> {
    let sight = seen.sights.iter().find(|sight| sight.metric == metric.key);
    sight.map(|sight| &sight.reading)
}

/// What these metrics say.
fn evidence(rollout: &Rollout, seen: Option<&Observation>, metrics: &[Box<str>]) -> String {
    let plan = rollout.plan.metrics.iter();
    let parts: Vec<String> = plan
        .filter(|metric| metrics.contains(&metric.key))
        .map(|metric| match seen.and_then(|seen| reading(seen, metric)) {
            Some(reading) => said(rollout, metric, reading),
            None => format!("{} was not seen", metric.key),
        })
        .collect();
    if parts.is_empty() {
        return "what was counted contradicts itself".to_owned();
    }
    parts.join(", and ")
}

/// What every metric says.
fn all(rollout: &Rollout, seen: Option<&Observation>) -> String {
    let metrics: Vec<Box<str>> = rollout
        .plan
        .metrics
        .iter()
        .filter(|metric| metric.standing == Standing::Convicts)
        .map(|metric| metric.key.clone())
        .collect();
    evidence(rollout, seen, &metrics)
}

fn waiting(rollout: &Rollout, seen: Option<&Observation>, metrics: &[Box<str>]) -> String {
    let plan = rollout.plan.metrics.iter();
    let parts: Vec<String> = plan
        .filter(|metric| metrics.contains(&metric.key))
        .map(|metric| match seen.and_then(|seen| reading(seen, metric)) {
            Some(reading) if reading.finding() == Some(Finding::Learning) => {
                format!("{} is {}", metric.key, waits(reading))
            }
            Some(reading) => said(rollout, metric, reading),
            None => format!("{} was not seen", metric.key),
        })
        .collect();
    if parts.is_empty() {
        return "nothing is missing".to_owned();
    }
    parts.join(", ")
}
