//! What is seen of a rollout, for people and for charts.

use leverframe_core::analysis::{ALPHA_OK, Bounds, Finding, Share, Tally, wilson};
use leverframe_core::rollout::{
    Histogram, Measure, Metric, Observation, Phase, Plan, Reading, Rollout, Seen, Sight, Standing,
    Step, says, standing,
};
use leverframe_core::{Timestamp, freeze};
use leverframe_wire::admin::{self, ArmCounts, RateView, RatioView, ShareView, SoFar, Verdict};

/// The level of a rollout, which its convicting metrics share.
const ALPHA: f64 = 0.01;
/// The standard deviations of an interval at 95 %.
const Z: f64 = 1.96;

/// What is known of a rollout beside itself.
pub(crate) struct Known<'k> {
    /// What was seen at the last tick; nothing before the first one and after the end.
    pub(crate) seen: Option<&'k Observation>,
    /// The numbers that the last move was made by, for a rollout that is over.
    pub(crate) last: Vec<Sight>,
    /// The freeze of its environment.
    pub(crate) freeze: Option<&'k freeze::Freeze>,
    pub(crate) now: Timestamp,
}

/// A rollout and all that is known of it now.
pub(crate) fn evidence_view(
    view: admin::Rollout,
    rollout: &Rollout,
    known: &Known<'_>,
) -> admin::Evidence {
    let plan = &rollout.plan;
    let stage = view.stage;
    let sights = known.seen.map_or(&known.last, |seen| &seen.sights);
    let metrics: Vec<admin::MetricEvidence> = plan
        .metrics
        .iter()
        .filter_map(|metric| {
            let sight = sights.iter().find(|sight| sight.metric == metric.key)?;
            Some(metric_view(rollout, metric, &sight.reading))
        })
        .collect();
    let share = known.seen.map_or(Share::AsMeant, |seen| seen.share);
    admin::Evidence {
        at: known.now.to_string(),
        frozen: frozen(known),
        analysed_ms: known.seen.map_or(0, |seen| seen.analysed_ms),
        bake_ms: plan.bake_ms(stage),
        lasted_ms: known.now.ms_since(rollout.since).max(0),
        hold_ms_max: plan.hold_ms_max(stage),
        shared_harm: known.seen.is_some_and(|seen| seen.both.is_harmed()),
        share: match share {
            Share::AsMeant => ShareView::AsMeant,
            Share::TooMany => ShareView::TooMany,
            Share::TooFew => ShareView::TooFew,
        },
        users_hit: known
            .seen
            .map_or_else(|| users_hit(plan, &metrics), |seen| seen.users_hit),
        holds: match known.seen {
            _ if rollout.is_over() => Vec::new(),
            Some(seen) => standing(rollout, seen),
            None => vec!["nothing was seen yet".to_owned()],
        },
        next: next(rollout, plan),
        metrics,
        rollout: view,
    }
}

/// The most that any metric counted; outcomes before times, which are of requests and not of people.
fn users_hit(plan: &Plan, metrics: &[admin::MetricEvidence]) -> u64 {
    let most = |is_wanted: fn(&Measure) -> bool| {
        let wanted = plan
            .metrics
            .iter()
            .filter(|metric| metric.standing == Standing::Convicts && is_wanted(&metric.measure));
        let hits = wanted.filter_map(|metric| {
            let view = metrics.iter().find(|view| *view.metric == *metric.key)?;
            Some(view.exposed_total?.bad)
        });
        hits.max()
    };
    most(|measure| matches!(measure, Measure::Outcomes { .. }))
        .or_else(|| most(|_| true))
        .unwrap_or_default()
}

fn frozen(known: &Known<'_>) -> Option<String> {
    match known.freeze {
        Some(freeze) => Some(format!(
            "frozen by {} until {} ({})",
            freeze.by,
            freeze.until,
            freeze.reason.as_deref().unwrap_or("none given")
        )),
        None if known.seen.is_some_and(|seen| seen.is_frozen) => {
            Some("a rollout of the same service stepped less than a bake ago, or the server stops steps forward by itself; lever doctor says why".to_owned())
        }
        None => None,
    }
}

/// What comes when nothing stands against it.
fn next(rollout: &Rollout, plan: &Plan) -> Option<String> {
    let index = match &rollout.phase {
        Phase::Stage { index, .. } => index.saturating_add(1),
        Phase::Warm => return Some(rollout.destination()),
        Phase::Retreated { .. }
        | Phase::Paused { .. }
        | Phase::Done
        | Phase::RolledBack
        | Phase::Ended => return None,
    };
    let names: Vec<&str> = plan
        .metrics
        .iter()
        .filter(|metric| metric.standing == Standing::Convicts)
        .map(|metric| &*metric.key)
        .collect();
    let view = super::plan::plan_view(plan);
    let to = match view.stages.get(index) {
        Some(stage) => stage.label(),
        None if plan.warm_ms > 0 => "the warm time".to_owned(),
        None => rollout.destination(),
    };
    let verb = if names.len() == 1 { "is" } else { "are" };
    Some(format!("{to} when {} {verb} ok", names.join(" and ")))
}

fn metric_view(rollout: &Rollout, metric: &Metric, reading: &Reading) -> admin::MetricEvidence {
    let verdict = match (reading, reading.finding()) {
        (_, Some(Finding::Bad)) => Verdict::Bad,
        (_, Some(Finding::Ok)) => Verdict::Ok,
        (_, Some(Finding::Learning)) => Verdict::Learning,
        (Reading::Error { .. }, None) => Verdict::Error,
        (Reading::Untrusted { .. }, None) => Verdict::Untrusted,
        (_, None) => Verdict::NoData,
    };
    let mut view = admin::MetricEvidence {
        metric: metric.key.to_string(),
        verdict,
        sentence: says(rollout, metric, reading),
        exposed: None,
        held_back: None,
        exposed_total: None,
        held_back_total: None,
        ln_e_bad: None,
        ln_e_bad_limit: None,
        ln_e_ok: None,
        ln_e_ok_limit: None,
    };
    if let Reading::Judged { judgement, .. } = reading {
        view.exposed = Some(counts(judgement.stage.exposed));
        view.held_back = Some(counts(judgement.stage.held_back));
        view.exposed_total = Some(counts(judgement.total.exposed));
        view.held_back_total = Some(counts(judgement.total.held_back));
        view.ln_e_bad = Some(judgement.e_bad.ln());
        view.ln_e_ok = Some(judgement.e_ok.ln());
        view.ln_e_ok_limit = Some(-ALPHA_OK.ln());
        if metric.standing == Standing::Convicts {
            view.ln_e_bad_limit = Some(-alpha(&rollout.plan, metric).ln());
        }
    }
    view
}

/// The level at which a metric convicts: its part of the rollout's, half of that where it has a
/// ceiling, too.
fn alpha(plan: &Plan, metric: &Metric) -> f64 {
    let convicting = plan
        .metrics
        .iter()
        .filter(|metric| metric.standing == Standing::Convicts);
    let parts = convicting.map(|_| 1.0).sum::<f64>().max(1.0);
    let tests = if metric.ceiling.is_some() { 2.0 } else { 1.0 };
    ALPHA / parts / tests
}

pub(crate) fn counts(tally: Tally) -> ArmCounts {
    ArmCounts {
        units: tally.units,
        bad: tally.bad,
    }
}

/// What was known once an interval was folded; none before anything was counted.
pub(crate) fn so_far_view(step: &Step) -> Option<SoFar> {
    let view = |tally: Tally| {
        let (low, high) = wilson(tally, Z);
        tally.rate().map(|rate| RateView {
            percent: 100.0 * rate,
            low: 100.0 * low,
            high: 100.0 * high,
        })
    };
    let exposed = view(step.so_far.exposed);
    let held_back = view(step.so_far.held_back);
    let limit = held_back
        .filter(|_| !step.is_alone)
        .map(|held_back| step.tolerance * held_back.percent)
        .filter(|limit| limit.is_finite());
    (exposed.is_some() || held_back.is_some()).then_some(SoFar {
        exposed,
        held_back,
        limit,
        counted: step.is_counted,
    })
}

/// Between which ratios the truth lies.
pub(crate) fn ratio_view(metric: &str, bounds: Bounds) -> RatioView {
    RatioView {
        metric: metric.to_owned(),
        low: bounds.low,
        high: Some(bounds.high).filter(|high| high.is_finite()),
    }
}

/// One metric in one closed interval; `limit_ms` is what times are held against.
pub(crate) fn measurement_view(
    metric: &str,
    limit_ms: Option<u32>,
    kept: &leverframe_core::rollout::Measurement,
) -> admin::MeasurementView {
    let mut view = admin::MeasurementView {
        metric: metric.to_owned(),
        at: kept.at.to_string(),
        length_ms: kept.length_ms,
        lever_revision: kept.lever_revision,
        seen: String::new(),
        exposed: None,
        held_back: None,
        assigned: None,
        late: 0,
        value: None,
        so_far: None,
        why: None,
    };
    let times = |times: &Histogram| Some(counts(times.tally(limit_ms.unwrap_or(u32::MAX))));
    let seen = match &kept.seen {
        Seen::Units {
            exposed,
            held_back,
            assigned,
            late,
            ..
        } => {
            view.exposed = Some(counts(*exposed));
            view.held_back = Some(counts(*held_back));
            view.assigned = Some(counts(*assigned));
            view.late = late.0.saturating_add(late.1);
            "units"
        }
        Seen::Latency {
            exposed,
            held_back,
            assigned,
            late,
            ..
        } => {
            view.exposed = times(exposed);
            view.held_back = times(held_back);
            view.assigned = times(assigned);
            view.late = late.0.saturating_add(late.1);
            "latency"
        }
        Seen::Gauge { value } => {
            view.value = Some(*value);
            "gauge"
        }
        Seen::NoData => "no-data",
        Seen::Error { why } => {
            view.why = Some(why.to_string());
            "error"
        }
        Seen::Untrusted { why } => {
            view.why = Some(why.to_string());
            "untrusted"
        }
    };
    seen.clone_into(&mut view.seen);
    view
}
