//! What a rollout does next.

use leverframe_flags::{Exposure, Percentage, Position};

use crate::analysis::{Finding, Share, Sort};

use super::watch::watched;
use super::{
    Both, Cause, Inconclusive, Measure, Metric, Observation, OnBad, Part, Phase, Reading, Rollout,
    Standing, Target,
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

/// What the metrics say together, each by its names.
#[derive(Default)]
struct Findings {
    /// These convict.
    bad: Vec<Box<str>>,
    /// These convict, and so plainly that no caution is in place.
    hopeless: Vec<Box<str>>,
    /// These are wrong, and convict nobody: they are gauges, or approximate.
    wrong: Vec<Box<str>>,
    /// These have to be proved, and are not yet, or hold for another reason.
    unproved: Vec<Box<str>>,
    /// Of these nothing can be said.
    blind: Vec<Box<str>>,
    /// Nor of these, which may only hold.
    silent: Vec<Box<str>>,
}

/// What a rollout does on what is seen: nothing, or one transition. The same rollout and observation
/// give the same answer, before and after a restart.
#[must_use]
pub fn step(rollout: &Rollout, seen: &Observation) -> Option<Transition> {
    if rollout.is_over() {
        return None;
    }
    if seen.lever_revision != rollout.lever_revision {
        return Some(stay(Phase::Ended, Cause::MovedByHand));
    }
    let findings = Findings::of(rollout, seen);
    if rollout.is_watch {
        return watched(rollout, seen, findings.bad);
    }
    // Harm counts while a person holds the rollout, too: what stops it must not keep it bad.
    if !findings.bad.is_empty() {
        return harmed(rollout, &findings);
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
    if let Some(transition) = precaution(rollout, seen, findings, index) {
        return Some(transition);
    }
    if let Some(build) = &seen.new_build {
        let to = Phase::Stage {
            index,
            part: Part::Baking,
        };
        let build = build.clone();
        return Some(stay(to, Cause::NewBuild { build }));
    }
    let is_overdue = is_overdue(rollout, seen, plan.hold_ms_max(index), plan.bake_ms(index));
    if is_look(rollout, index) {
        // Looking is a person's; time only runs out for it.
        return is_overdue.then(|| retreat(rollout, index, Cause::LookExpired));
    }
    let is_blind = !findings.blind.is_empty() || seen.share == Share::TooMany;
    if is_blind {
        // Not knowing holds, and in the end takes back what was never proved; it never goes forward.
        let is_proved = rollout.proved.is_some_and(|proved| proved >= index);
        return (is_overdue && !is_proved).then(|| retreat(rollout, index, blind(findings)));
    }
    let is_baked = seen.analysed_ms >= plan.bake_ms(index);
    if is_baked && findings.holding().is_empty() {
        return (!seen.is_frozen).then(|| forward(rollout, index, Cause::Proved));
    }
    match part {
        Part::Baking if is_baked => Some(stay(
            Phase::Stage {
                index,
                part: Part::Holding,
            },
            Cause::NotProved {
                metrics: findings.holding(),
            },
        )),
        Part::Baking | Part::Holding if is_overdue => inconclusive(rollout, seen, index),
        Part::Baking | Part::Holding | Part::Asking => None,
    }
}

/// What hits both arms, and those who are missing: one step back while the step is under suspicion, and
/// else a stop where it stands.
fn precaution(
    rollout: &Rollout,
    seen: &Observation,
    findings: &Findings,
    index: usize,
) -> Option<Transition> {
    let Both {
        is_step_recent,
        is_worse,
        is_outage,
        is_burning,
        ..
    } = seen.both;
    if !findings.wrong.is_empty() {
        let metrics = findings.wrong.clone();
        return Some(retreat(rollout, index, Cause::Limit { metrics }));
    }
    if seen.share == Share::TooFew {
        return Some(retreat(rollout, index, Cause::MissingUnits));
    }
    if is_worse {
        return Some(retreat(rollout, index, Cause::SharedHarm));
    }
    if is_burning && is_step_recent {
        return Some(retreat(rollout, index, Cause::BudgetBurns));
    }
    if is_outage || is_burning {
        let cause = if is_outage {
            Cause::Outage
        } else {
            Cause::BudgetBurns
        };
        return Some(pause(&rollout.phase, cause));
    }
    None
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
        // Who goes on without evidence has proved nothing.
        proved: (!matches!(cause, Cause::Skipped)).then_some(index),
        cause,
    }
}

/// Whether nothing speaks against going on: every metric that may convict is proved, and nothing is bad,
/// blind or wrong.
pub(super) fn is_proved(rollout: &Rollout, seen: &Observation) -> bool {
    let findings = Findings::of(rollout, seen);
    findings.bad.is_empty()
        && findings.wrong.is_empty()
        && findings.blind.is_empty()
        && findings.holding().is_empty()
        && seen.share == Share::AsMeant
        && !seen.both.is_harmed()
        && !seen.is_frozen
}

fn harmed(rollout: &Rollout, findings: &Findings) -> Option<Transition> {
    let metrics = findings.bad.clone();
    let is_limit = findings.bad.iter().all(|key| is_gauge(rollout, key));
    let cause = if is_limit {
        Cause::Limit { metrics }
    } else {
        Cause::Harm { metrics }
    };
    match rollout.plan.on_bad {
        OnBad::Close => Some(roll_back(rollout, cause)),
        OnBad::Retreat => match &rollout.phase {
            Phase::Stage { index, .. } => Some(retreat(rollout, *index, cause)),
            Phase::Warm => Some(retreat(rollout, rollout.plan.stages.len(), cause)),
            // What convicted it is not forgotten, so it stays where it went back to; but for what is
            // plain there, too.
            Phase::Retreated { .. } | Phase::Paused { .. } if findings.hopeless.is_empty() => None,
            _ => Some(roll_back(rollout, cause)),
        },
        OnBad::Freeze => match &rollout.phase {
            Phase::Paused { .. } => None,
            phase => Some(pause(phase, cause)),
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

/// To the last stage that was proved and lets fewer through; to where the lever was when there is none.
fn retreat(rollout: &Rollout, from: usize, cause: Cause) -> Transition {
    let plan = &rollout.plan;
    let proved = rollout.proved.map_or(0, |proved| proved + 1);
    let is_less = |stage: &usize| plan.exposure(*stage) != plan.exposure(from);
    let to = Phase::Retreated {
        from,
        to: (0..from.min(proved)).rev().find(is_less),
    };
    Transition {
        position: Some(position(rollout, &to)),
        to,
        proved: None,
        cause,
    }
}

fn inconclusive(rollout: &Rollout, seen: &Observation, index: usize) -> Option<Transition> {
    let cause = Cause::Inconclusive;
    match rollout.plan.inconclusive {
        Inconclusive::Close => Some(roll_back(rollout, cause)),
        Inconclusive::Continue if !seen.is_frozen && are_under_ceilings(rollout, seen) => {
            Some(Transition {
                proved: None,
                ..forward(rollout, index, cause)
            })
        }
        Inconclusive::Ask | Inconclusive::Continue => Some(stay(
            Phase::Stage {
                index,
                part: Part::Asking,
            },
            cause,
        )),
    }
}

/// Whether every metric that has to be proved is, or at least cannot be above its ceiling.
fn are_under_ceilings(rollout: &Rollout, seen: &Observation) -> bool {
    let metrics = rollout.plan.metrics.iter();
    let mut convicting = metrics.filter(|metric| metric.standing == Standing::Convicts);
    let is_under = |metric: &Metric| match reading(seen, metric) {
        Some(Reading::Judged { judgement, detail }) => {
            judgement.finding == Finding::Ok || detail.is_under_ceiling
        }
        Some(reading) => reading.finding() == Some(Finding::Ok),
        None => false,
    };
    convicting.all(is_under) && seen.share == Share::AsMeant && !seen.both.is_harmed()
}

/// After a retreat that was a precaution: the step is tried again once a whole bake was clean, unless
/// things got better by going back, which puts the step under suspicion; then a person decides.
fn retreated(
    rollout: &Rollout,
    seen: &Observation,
    findings: &Findings,
    from: usize,
    to: Option<usize>,
) -> Option<Transition> {
    let why = rollout.moves.iter().rev();
    let mut why = why.filter(|made| matches!(made.to, Phase::Retreated { .. }));
    let may_resume = match why.next().map(|made| &made.cause) {
        Some(Cause::SharedHarm | Cause::BudgetBurns) => {
            seen.both.outlasts_retreat == Some(true) && seen.both.is_clean
        }
        Some(Cause::Blind { .. }) | None => true,
        // Those who were missing, a limit, harm and a look that expired do not come right by waiting.
        Some(_) => false,
    };
    let is_clean = seen.analysed_ms >= rollout.plan.bake_ms(from)
        && findings.blind.is_empty()
        && findings.silent.is_empty()
        && findings.wrong.is_empty()
        && seen.share == Share::AsMeant
        && !seen.both.is_harmed()
        && !seen.is_frozen;
    let at = to?;
    (may_resume && is_clean).then(|| Transition {
        proved: None,
        ..forward(rollout, at, Cause::Recovered)
    })
}

/// The last ones, too, are let through only while something can be seen.
fn warm(rollout: &Rollout, seen: &Observation, findings: &Findings) -> Option<Transition> {
    if let Some(transition) = precaution(rollout, seen, findings, rollout.plan.stages.len()) {
        return Some(transition);
    }
    let last = rollout.plan.stages.len().saturating_sub(1);
    let is_over = is_overdue(
        rollout,
        seen,
        rollout.plan.warm_ms,
        rollout.plan.bake_ms(last),
    ) && findings.blind.is_empty()
        && findings.silent.is_empty()
        && seen.share == Share::AsMeant
        && !seen.is_frozen;
    is_over.then(|| Transition {
        position: Some(position(rollout, &Phase::Done)),
        to: Phase::Done,
        proved: None,
        cause: Cause::Cooled,
    })
}

/// Whether where it is has lasted this long. After a time in which nobody looked, such as when the node
/// was away, that alone is no reason for anything until it has been looked at for a bake again.
pub(super) fn is_overdue(rollout: &Rollout, seen: &Observation, ms: i64, bake_ms: i64) -> bool {
    let looked_since = seen.looked_since.max(rollout.since);
    seen.now.ms_since(rollout.since) >= ms && seen.now.ms_since(looked_since) >= bake_ms.min(ms)
}

/// Where the lever stands in a phase.
pub(super) fn position(rollout: &Rollout, phase: &Phase) -> Position {
    let plan = &rollout.plan;
    let exposure = match phase {
        Phase::Stage { index, .. }
        | Phase::Retreated {
            to: Some(index), ..
        } => plan.exposure(*index),
        Phase::Warm => plan.exposure(plan.stages.len().saturating_sub(1)),
        // A plan that does not lead to everybody ends where its last stage does: nobody is let through
        // by a step of which nothing was seen.
        Phase::Done if plan.leads_to_everybody() => Exposure::of(Percentage::FULL),
        Phase::Done => plan.exposure(plan.stages.len().saturating_sub(1)),
        Phase::Paused { at } => return position(rollout, at),
        Phase::Retreated { to: None, .. } | Phase::RolledBack | Phase::Ended => {
            return rollout.before.clone();
        }
    };
    Position::Open { exposure }
}

/// The stage it is at, whatever it does there; none after the last one.
pub(super) fn stage_in_hand(rollout: &Rollout) -> Option<usize> {
    fn of(phase: &Phase) -> Option<usize> {
        match phase {
            Phase::Stage { index, .. } => Some(*index),
            Phase::Retreated { from, .. } => Some(*from),
            Phase::Paused { at } => of(at),
            Phase::Warm | Phase::Done | Phase::RolledBack | Phase::Ended => None,
        }
    }
    of(&rollout.phase)
}

/// The lever stays where it is.
fn stay(to: Phase, cause: Cause) -> Transition {
    Transition {
        to,
        position: None,
        proved: None,
        cause,
    }
}

fn pause(phase: &Phase, cause: Cause) -> Transition {
    let at = Box::new(phase.clone());
    stay(Phase::Paused { at }, cause)
}

fn is_look(rollout: &Rollout, index: usize) -> bool {
    let stage = rollout.plan.stages.get(index);
    matches!(stage.map(|stage| &stage.to), Some(Target::Look { .. }))
}

fn blind(findings: &Findings) -> Cause {
    Cause::Blind {
        metrics: findings.blind.clone(),
    }
}

fn reading<'a>(seen: &'a Observation, metric: &Metric) -> Option<&'a Reading> {
    let sight = seen.sights.iter().find(|sight| sight.metric == metric.key);
    sight.map(|sight| &sight.reading)
}

impl Findings {
    fn of(rollout: &Rollout, seen: &Observation) -> Self {
        let mut findings = Self::default();
        for metric in &rollout.plan.metrics {
            let reading = reading(seen, metric);
            if reading.is_some_and(is_hopeless) && metric.standing == Standing::Convicts {
                findings.hopeless.push(metric.key.clone());
            }
            if let Some(list) = findings.list(metric, reading) {
                list.push(metric.key.clone());
            }
        }
        findings
    }

    /// What keeps a stage from passing, though something is known.
    fn holding(&self) -> Vec<Box<str>> {
        let all = self.unproved.iter().chain(&self.silent);
        all.cloned().collect()
    }

    /// Where a metric belongs; nowhere when it is fine.
    fn list(&mut self, metric: &Metric, reading: Option<&Reading>) -> Option<&mut Vec<Box<str>>> {
        let finding = reading.and_then(Reading::finding);
        // What may be forged, or is only of interest, can hold and no more.
        if metric.standing == Standing::Signals {
            return match finding {
                None => Some(&mut self.silent),
                Some(Finding::Bad) => Some(&mut self.unproved),
                Some(Finding::Ok | Finding::Learning) => None,
            };
        }
        let is_approximate = matches!(
            metric.measure,
            Measure::Counters {
                convicts: false,
                ..
            }
        );
        match finding {
            Some(Finding::Ok) => None,
            Some(Finding::Bad) if is_approximate => Some(&mut self.wrong),
            Some(Finding::Bad) => Some(&mut self.bad),
            Some(Finding::Learning) => Some(&mut self.unproved),
            // A metric that nothing is said of is as good as one whose source is away.
            None => Some(&mut self.blind),
        }
    }
}

fn is_gauge(rollout: &Rollout, key: &str) -> bool {
    let metric = rollout.plan.metrics.iter().find(|one| &*one.key == key);
    metric.is_some_and(|metric| matches!(metric.measure, Measure::Gauge { .. }))
}

fn is_hopeless(reading: &Reading) -> bool {
    match reading {
        Reading::Judged { judgement, .. } => judgement.harm == Some(Sort::Hopeless),
        Reading::Gauge { .. }
        | Reading::NoData
        | Reading::Error { .. }
        | Reading::Untrusted { .. } => false,
    }
}
