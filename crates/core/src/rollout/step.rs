//! What a rollout does next.

use leverframe_flags::{Exposure, Percentage, Position};

use crate::analysis::{Finding, Share};

use super::watch::watched;
use super::{
    Cause, Inconclusive, Observation, OnBad, Part, Phase, Reading, Rollout, Standing, Target,
};

/// What a tick changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// Where the rollout is now.
    pub to: Phase,
    /// Where its lever goes, if it moves.
    pub position: Option<Position>,
    /// The stage that is proved with this, if one is.
    pub proved: Option<usize>,
    /// Why.
    pub cause: Cause,
}

/// What the metrics say together.
struct Findings {
    bad: Vec<Box<str>>,
    unproved: Vec<Box<str>>,
    blind: Vec<Box<str>>,
}

/// What a rollout does on what is seen: nothing, or one transition. The same rollout and observation
/// give the same answer, before and after a restart.
#[must_use]
pub fn step(rollout: &Rollout, seen: &Observation) -> Option<Transition> {
    if rollout.is_over() {
        return None;
    }
    if seen.lever_revision != rollout.lever_revision {
        return Some(Transition {
            to: Phase::Ended,
            position: None,
            proved: None,
            cause: Cause::MovedByHand,
        });
    }
    let findings = Findings::of(rollout, seen);
    if rollout.is_watch {
        return watched(rollout, seen, findings.bad);
    }
    // Harm counts while a person holds the rollout, too: what stops it must not keep it bad.
    if !findings.bad.is_empty() {
        return harmed(rollout, findings.bad);
    }
    match &rollout.phase {
        Phase::Stage { index, part } => at_stage(rollout, seen, &findings, *index, *part),
        Phase::Retreated { from, to } => retreated(rollout, seen, &findings, *from, *to),
        Phase::Warm => warm(rollout, seen, &findings),
        Phase::Paused { .. } | Phase::Done | Phase::RolledBack | Phase::Ended => None,
    }
}

fn at_stage(
    rollout: &Rollout,
    seen: &Observation,
    findings: &Findings,
    index: usize,
    part: Part,
) -> Option<Transition> {
    let plan = &rollout.plan;
    if seen.is_shared_harm {
        return retreat(rollout, index, Cause::SharedHarm);
    }
    if seen.share == Share::TooFew {
        return retreat(rollout, index, Cause::MissingUnits);
    }
    let lasted_ms = seen.now.ms_since(rollout.since);
    let is_overdue = lasted_ms >= plan.hold_ms_max(index);
    let is_blind = !findings.blind.is_empty() || seen.share == Share::TooMany;
    if is_blind {
        // Not knowing holds, and in the end takes back what was never proved; it never goes forward.
        let is_exposed = rollout.proved != Some(index);
        return (is_overdue && is_exposed)
            .then(|| retreat(rollout, index, blind(findings)))
            .flatten();
    }
    let is_look = matches!(
        plan.stages.get(index).map(|stage| &stage.to),
        Some(Target::Look { .. })
    );
    let is_baked = seen.analysed_ms >= plan.bake_ms(index);
    if is_baked && findings.unproved.is_empty() && !is_look && !seen.is_frozen {
        return Some(forward(rollout, index, Cause::Proved));
    }
    let holding = |part| Transition {
        to: Phase::Stage { index, part },
        position: None,
        proved: None,
        cause: Cause::NotProved {
            metrics: findings.unproved.clone(),
        },
    };
    match part {
        Part::Baking if is_baked && !findings.unproved.is_empty() => Some(holding(Part::Holding)),
        Part::Baking | Part::Holding if is_overdue => inconclusive(rollout, index),
        Part::Baking | Part::Holding | Part::Asking => None,
    }
}

/// The next stage, the warm time after the last one, or the end.
pub(super) fn forward(rollout: &Rollout, index: usize, cause: Cause) -> Transition {
    let plan = &rollout.plan;
    let next = index + 1;
    let to = if next < plan.stages.len() {
        Phase::Stage {
            index: next,
            part: Part::Baking,
        }
    } else if plan.warm_ms > 0 {
        Phase::Warm
    } else {
        Phase::Done
    };
    Transition {
        position: Some(position(rollout, &to)),
        to,
        proved: Some(index),
        cause,
    }
}

/// Whether nothing speaks against going on: every metric that may convict is proved, and nothing is bad,
/// blind or wrong.
pub(super) fn is_proved(rollout: &Rollout, seen: &Observation) -> bool {
    let findings = Findings::of(rollout, seen);
    findings.bad.is_empty()
        && findings.blind.is_empty()
        && findings.unproved.is_empty()
        && seen.share == Share::AsMeant
        && !seen.is_shared_harm
        && !seen.is_frozen
}

fn harmed(rollout: &Rollout, metrics: Vec<Box<str>>) -> Option<Transition> {
    let cause = Cause::Harm { metrics };
    match rollout.plan.on_bad {
        OnBad::Close => Some(roll_back(rollout, cause)),
        OnBad::Retreat => match rollout.phase {
            Phase::Stage { index, .. } => retreat(rollout, index, cause),
            _ => Some(roll_back(rollout, cause)),
        },
        OnBad::Freeze => match &rollout.phase {
            Phase::Paused { .. } => None,
            phase => Some(Transition {
                to: Phase::Paused {
                    at: Box::new(phase.clone()),
                },
                position: None,
                proved: None,
                cause,
            }),
        },
    }
}

/// To where the lever was before the rollout.
pub(super) fn roll_back(rollout: &Rollout, cause: Cause) -> Transition {
    Transition {
        to: Phase::RolledBack,
        position: Some(rollout.before.clone()),
        proved: None,
        cause,
    }
}

/// To the last stage that was proved; to where the lever was when none was.
fn retreat(rollout: &Rollout, from: usize, cause: Cause) -> Option<Transition> {
    let to = Phase::Retreated {
        from,
        to: rollout.proved.filter(|proved| *proved < from),
    };
    Some(Transition {
        position: Some(position(rollout, &to)),
        to,
        proved: None,
        cause,
    })
}

fn inconclusive(rollout: &Rollout, index: usize) -> Option<Transition> {
    let cause = Cause::Inconclusive;
    match rollout.plan.inconclusive {
        Inconclusive::Close => Some(roll_back(rollout, cause)),
        Inconclusive::Ask | Inconclusive::Continue => Some(Transition {
            to: Phase::Stage {
                index,
                part: Part::Asking,
            },
            position: None,
            proved: None,
            cause,
        }),
    }
}

/// After a retreat: tries the step again once a whole bake was clean.
fn retreated(
    rollout: &Rollout,
    seen: &Observation,
    findings: &Findings,
    from: usize,
    to: Option<usize>,
) -> Option<Transition> {
    let is_clean = seen.analysed_ms >= rollout.plan.bake_ms(from)
        && findings.blind.is_empty()
        && !seen.is_shared_harm
        && !seen.is_frozen;
    let at = to?;
    is_clean.then(|| forward(rollout, at, Cause::Recovered))
}

/// The last ones, too, are let through only while something can be seen.
fn warm(rollout: &Rollout, seen: &Observation, findings: &Findings) -> Option<Transition> {
    let is_over = seen.now.ms_since(rollout.since) >= rollout.plan.warm_ms
        && findings.blind.is_empty()
        && !seen.is_shared_harm
        && !seen.is_frozen;
    is_over.then(|| Transition {
        position: Some(position(rollout, &Phase::Done)),
        to: Phase::Done,
        proved: None,
        cause: Cause::Cooled,
    })
}

/// Where the lever stands in a phase.
pub(super) fn position(rollout: &Rollout, phase: &Phase) -> Position {
    let plan = &rollout.plan;
    let exposure = match phase {
        Phase::Stage { index, .. }
        | Phase::Retreated {
            to: Some(index), ..
        } => plan.exposure(*index),
        // A plan that does not lead to everybody ends where its last stage does: nobody is let through
        // by a step of which nothing was seen.
        Phase::Warm => {
            let last = plan.exposure(plan.stages.len().saturating_sub(1));
            let held = plan.hold_back.thousandths();
            let share = Percentage::FULL.thousandths().saturating_sub(held);
            let share = Percentage::from_thousandths(share).unwrap_or(Percentage::FULL);
            Exposure {
                percentage: last.percentage.min(share),
                ..last
            }
        }
        Phase::Done => {
            let last = plan.exposure(plan.stages.len().saturating_sub(1));
            match last.percentage {
                Percentage::FULL => Exposure::of(Percentage::FULL),
                _ => last,
            }
        }
        Phase::Retreated { to: None, .. }
        | Phase::Paused { .. }
        | Phase::RolledBack
        | Phase::Ended => return rollout.before.clone(),
    };
    Position::Open { exposure }
}

fn blind(findings: &Findings) -> Cause {
    Cause::Blind {
        metrics: findings.blind.clone(),
    }
}

impl Findings {
    fn of(rollout: &Rollout, seen: &Observation) -> Self {
        let mut findings = Self {
            bad: Vec::new(),
            unproved: Vec::new(),
            blind: Vec::new(),
        };
        for metric in &rollout.plan.metrics {
            let convicts = metric.standing == Standing::Convicts;
            let sight = seen.sights.iter().find(|sight| sight.metric == metric.key);
            let list = match sight.map(|sight| &sight.reading) {
                Some(Reading::Judged { judgement }) => match judgement.finding {
                    Finding::Ok => continue,
                    Finding::Bad if convicts => &mut findings.bad,
                    Finding::Learning if !convicts => continue,
                    Finding::Bad | Finding::Learning => &mut findings.unproved,
                },
                // A metric that nothing is said of is as good as one whose source is away.
                None
                | Some(Reading::NoData | Reading::Error { .. } | Reading::Untrusted { .. }) => {
                    &mut findings.blind
                }
            };
            list.push(metric.key.clone());
        }
        findings
    }
}
