//! What a plan could prove.

use leverframe_core::rollout::{Preflight, StageForecast};
use leverframe_wire::admin;

use super::plan::plan_view;

pub(crate) fn preflight_view(flag: &str, environment: &str, found: Preflight) -> admin::Preflight {
    let changes = found.changes.into_iter();
    admin::Preflight {
        flag: flag.to_owned(),
        environment: environment.to_owned(),
        ready: found.refusals.is_empty(),
        refusals: found.refusals,
        remarks: changes.chain(found.warnings).collect(),
        stages: found.stages.into_iter().map(stage).collect(),
        plan: plan_view(&found.plan),
    }
}

/// A stage catches what each of its metrics does.
fn stage(forecast: StageForecast) -> admin::StageForecast {
    let worst = |values: Vec<Option<f64>>| {
        let values: Option<Vec<f64>> = values.into_iter().collect();
        values?.into_iter().reduce(f64::max)
    };
    let metrics = &forecast.metrics;
    let catches = metrics.iter().map(|metric| metric.catches);
    let (ratios, minutes) = catches.map(Option::unzip).unzip();
    admin::StageForecast {
        label: forecast.stage,
        catches: worst(ratios),
        within_min: worst(minutes),
        proved_after_min: worst(
            metrics
                .iter()
                .map(|metric| metric.proved_after_minutes)
                .collect(),
        ),
        cannot_prove_below: worst(
            metrics
                .iter()
                .map(|metric| metric.cannot_prove_below)
                .collect(),
        ),
        sentence: forecast.sentence,
    }
}
