//! Plans: written for people on the wire, in milliseconds and thousandths inside.

use leverframe_core::rollout::{
    Inconclusive, Measure, Metric, OnBad, Plan, Stage, Standing, Target,
};
use leverframe_wire::admin;
use leverframe_wire::admin::Span;

use super::checked;
use super::percentage::{number, percentage};
use crate::problem::Failure;

/// A plan as it came. Whether it can be followed is core's to say.
pub(crate) fn plan(wire: &admin::PlanDefinition) -> Result<Plan, Failure> {
    // A plan is named as a flag is.
    let key: leverframe_flags::FlagKey = checked("key", &wire.key)?;
    let stages = wire.stages.iter().enumerate();
    Ok(Plan {
        key: key.as_str().into(),
        stages: stages
            .map(|(index, stage)| self::stage(&format!("stages[{index}]"), wire, stage))
            .collect::<Result<_, _>>()?,
        bake_ms: ms(wire.bake),
        hold_ms_max: ms(wire.max_hold.unwrap_or_else(|| follows(wire.bake))),
        metrics: wire.metrics.iter().map(metric).collect::<Result<_, _>>()?,
        on_bad: match wire.on_bad {
            admin::OnBad::Close => OnBad::Close,
            admin::OnBad::Retreat => OnBad::Retreat,
            admin::OnBad::Freeze => OnBad::Freeze,
        },
        inconclusive: match wire.inconclusive {
            admin::Inconclusive::Ask => Inconclusive::Ask,
            admin::Inconclusive::Continue => Inconclusive::Continue,
            admin::Inconclusive::Close => Inconclusive::Close,
        },
        hold_back: percentage("hold_back", wire.hold_back)?,
        warm_ms: ms(wire.warm),
        settle_ms: ms(wire.settle),
        notify: texts(&wire.notify),
        page: texts(&wire.page),
    })
}

fn stage(
    field: &str,
    plan: &admin::PlanDefinition,
    wire: &admin::PlanStage,
) -> Result<Stage, Failure> {
    let to = match (
        wire.cohorts.as_slice(),
        wire.percentage,
        wire.synthetic,
        &wire.look,
    ) {
        ([_, ..], None, false, None) => Target::Cohorts {
            cohorts: wire
                .cohorts
                .iter()
                .map(|cohort| checked(format!("{field}.cohorts"), cohort))
                .collect::<Result<_, _>>()?,
        },
        ([], Some(share), false, None) => Target::Share {
            percentage: percentage(&format!("{field}.percentage"), share)?,
        },
        ([], None, true, None) => Target::Synthetic,
        ([], None, false, Some(look)) => Target::Look {
            by: look.by.as_str().into(),
            links: texts(&look.links),
        },
        _ => {
            return Err(Failure::invalid(
                field,
                "say exactly one of cohorts, percentage, synthetic and look",
            ));
        }
    };
    // A stage with a longer bake may last longer, unless the plan says how long.
    let by_bake = || wire.bake.filter(|_| plan.max_hold.is_none()).map(follows);
    Ok(Stage {
        to,
        bake_ms: wire.bake.map(ms),
        hold_ms_max: wire.max_hold.or_else(by_bake).map(ms),
        margin: wire.margin,
    })
}

fn metric(wire: &admin::PlanMetric) -> Result<Metric, Failure> {
    let key = &wire.key;
    let measure = wire
        .measure
        .clone()
        .or_else(|| admin::Measure::of_name(key))
        .ok_or_else(|| {
            Failure::invalid(
                format!("metrics.{key}"),
                format!(
                    "there is no metric {key:?} that is known by its name (errors and latency_p95 are); \
                     say with measure where it is seen"
                ),
            )
        })?;
    Ok(Metric {
        key: key.as_str().into(),
        standing: match wire.standing {
            admin::Standing::Convicts => Standing::Convicts,
            admin::Standing::Signals => Standing::Signals,
        },
        tolerance: wire.tolerance,
        tolerable: wire.tolerable / 100.0,
        ceiling: wire.ceiling.map(|percent| percent / 100.0),
        measure: self::measure(key, measure)?,
    })
}

fn measure(key: &str, wire: admin::Measure) -> Result<Measure, Failure> {
    Ok(match wire {
        admin::Measure::Outcomes { name } => Measure::Outcomes { name: name.into() },
        admin::Measure::Latency {
            limit,
            quantile,
            growth,
        } => Measure::Latency {
            limit_ms: limit
                .map(|limit| {
                    u32::try_from(limit.ms()).map_err(|_| {
                        Failure::invalid(
                            format!("metrics.{key}.measure.limit"),
                            "nobody is answered that late",
                        )
                    })
                })
                .transpose()?,
            quantile,
            growth,
        },
        admin::Measure::Counters {
            source,
            exposed,
            exposed_bad,
            held_back,
            held_back_bad,
            convicts,
        } => Measure::Counters {
            source: source.into(),
            exposed: exposed.into(),
            exposed_bad: exposed_bad.into(),
            held_back: held_back.into(),
            held_back_bad: held_back_bad.into(),
            convicts,
        },
        admin::Measure::Gauge {
            source,
            query,
            limit,
            above,
            in_a_row,
        } => Measure::Gauge {
            source: source.into(),
            query: query.into(),
            limit,
            above,
            in_a_row,
        },
    })
}

/// A plan, as it would have to be sent to make the same one, without what it would say anyway.
pub(crate) fn plan_view(plan: &Plan) -> admin::PlanDefinition {
    admin::PlanDefinition {
        key: plan.key.to_string(),
        stages: plan.stages.iter().map(stage_view).collect(),
        bake: span(plan.bake_ms),
        max_hold: Some(span(plan.hold_ms_max)),
        metrics: plan.metrics.iter().map(metric_view).collect(),
        on_bad: match plan.on_bad {
            OnBad::Close => admin::OnBad::Close,
            OnBad::Retreat => admin::OnBad::Retreat,
            OnBad::Freeze => admin::OnBad::Freeze,
        },
        inconclusive: match plan.inconclusive {
            Inconclusive::Ask => admin::Inconclusive::Ask,
            Inconclusive::Continue => admin::Inconclusive::Continue,
            Inconclusive::Close => admin::Inconclusive::Close,
        },
        hold_back: number(plan.hold_back),
        warm: span(plan.warm_ms),
        settle: span(plan.settle_ms),
        notify: strings(&plan.notify),
        page: strings(&plan.page),
    }
    .settled()
}

fn stage_view(stage: &Stage) -> admin::PlanStage {
    let mut view = admin::PlanStage {
        bake: stage.bake_ms.map(span),
        max_hold: stage.hold_ms_max.map(span),
        margin: stage.margin,
        ..admin::PlanStage::default()
    };
    match &stage.to {
        Target::Cohorts { cohorts } => {
            view.cohorts = cohorts.iter().map(ToString::to_string).collect();
        }
        Target::Share { percentage } => view.percentage = Some(number(*percentage)),
        Target::Synthetic => view.synthetic = true,
        Target::Look { by, links } => {
            view.look = Some(admin::Look {
                by: by.to_string(),
                links: strings(links),
            });
        }
    }
    view
}

fn metric_view(metric: &Metric) -> admin::PlanMetric {
    admin::PlanMetric {
        key: metric.key.to_string(),
        standing: match metric.standing {
            Standing::Convicts => admin::Standing::Convicts,
            Standing::Signals => admin::Standing::Signals,
        },
        tolerance: metric.tolerance,
        tolerable: percent(metric.tolerable),
        ceiling: metric.ceiling.map(percent),
        measure: Some(match &metric.measure {
            Measure::Outcomes { name } => admin::Measure::Outcomes {
                name: name.to_string(),
            },
            Measure::Latency {
                limit_ms,
                quantile,
                growth,
            } => admin::Measure::Latency {
                limit: limit_ms.map(|limit| span(limit.into())),
                quantile: *quantile,
                growth: *growth,
            },
            Measure::Counters {
                source,
                exposed,
                exposed_bad,
                held_back,
                held_back_bad,
                convicts,
            } => admin::Measure::Counters {
                source: source.to_string(),
                exposed: exposed.to_string(),
                exposed_bad: exposed_bad.to_string(),
                held_back: held_back.to_string(),
                held_back_bad: held_back_bad.to_string(),
                convicts: *convicts,
            },
            Measure::Gauge {
                source,
                query,
                limit,
                above,
                in_a_row,
            } => admin::Measure::Gauge {
                source: source.to_string(),
                query: query.to_string(),
                limit: *limit,
                above: *above,
                in_a_row: *in_a_row,
            },
        }),
    }
}

/// A rate in per cent, as it was written: the division by a hundred leaves traces in the last digits.
fn percent(rate: f64) -> f64 {
    const DIGITS: f64 = 1e9;
    (rate * 100.0 * DIGITS).round() / DIGITS
}

fn follows(bake: Span) -> Span {
    Span::from_ms(bake.ms().saturating_mul(admin::PlanDefinition::BAKES_HELD))
}

pub(super) fn span(ms: i64) -> Span {
    Span::from_ms(u64::try_from(ms).unwrap_or_default())
}

pub(crate) fn ms(span: Span) -> i64 {
    i64::try_from(span.ms()).unwrap_or(i64::MAX)
}

fn texts(texts: &[String]) -> Vec<Box<str>> {
    texts.iter().map(|text| text.as_str().into()).collect()
}

fn strings(texts: &[Box<str>]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}
