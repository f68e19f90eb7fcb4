//! One plan, read-only: which stages, watched by what, and which command changes it.

use askama::Template;
use leverframe_wire::admin::{
    Inconclusive, Measure, OnBad, Plan as View, PlanDefinition, PlanMetric, PlanStage, Span,
    Standing,
};

use crate::shell::Shell;
use crate::text::{percent, span};

/// One plan.
#[derive(Debug, Template)]
#[template(path = "plan.html")]
pub struct Plan {
    /// Around it.
    pub shell: Shell,
    /// It.
    pub plan: View,
}

impl Plan {
    fn definition(&self) -> &PlanDefinition {
        &self.plan.definition
    }

    fn end(&self) -> String {
        plan_end(&self.plan.definition)
    }
}

/// Who owns a plan, and what changes it.
pub(super) fn origin(plan: &View) -> String {
    match plan.revision {
        Some(revision) => format!("applied from a file, last with r{revision}"),
        None => "comes with the server".to_owned(),
    }
}

/// A stage as a sentence: for how long, and what it has to rule out.
pub(super) fn stage_sentence(plan: &PlanDefinition, stage: &PlanStage) -> String {
    let hold = lasting(plan.max_hold_of(stage));
    if let Some(look) = &stage.look {
        return format!("waits for {} to look, for {hold} at most", look.by);
    }
    let bake = lasting(stage.bake.unwrap_or(plan.bake));
    let margin = match (stage.margin, stage.percentage) {
        (None, None) => "has nothing to compare with: absolute limits alone decide".to_owned(),
        _ => format!("has to rule out {}", stage_margin(stage)),
    };
    format!("bakes for {bake} at least, lasts {hold} at most, and {margin}")
}

/// How long a stage takes at least and at most.
pub(super) fn stage_time(plan: &PlanDefinition, stage: &PlanStage) -> String {
    let hold = lasting(plan.max_hold_of(stage));
    match stage.look {
        Some(_) => format!("at most {hold}"),
        None => format!("{} to {hold}", lasting(stage.bake.unwrap_or(plan.bake))),
    }
}

/// What a stage has to rule out before it passes.
pub(super) fn stage_margin(stage: &PlanStage) -> String {
    match (&stage.look, stage.margin, stage.percentage) {
        (Some(_), _, _) | (None, None, None) => {
            "nothing: there is nothing to compare with".to_owned()
        }
        (None, Some(margin), _) => format!("that it is {margin} times as bad"),
        (None, None, Some(_)) => "as much as its share can show".to_owned(),
    }
}

fn lasting(of: Span) -> String {
    span(&i64::try_from(of.ms()).unwrap_or(i64::MAX))
}

/// What convicts by a metric, and what lets a stage pass, in sentences.
pub(super) fn metric_rule(metric: &PlanMetric) -> String {
    let by_name = Measure::of_name(&metric.key);
    let measure = metric.measure.as_ref().or(by_name.as_ref());
    if let Some(Measure::Gauge {
        limit,
        above,
        in_a_row,
        ..
    }) = measure
    {
        let side = if *above { "above" } else { "below" };
        return format!(
            "It must stay {side} {limit}; {in_a_row} samples in a row on the wrong side are bad."
        );
    }
    let mut parts = vec![format!(
        "Harm is more than {} times as many bad as among those held back.",
        metric.tolerance
    )];
    match measure {
        Some(Measure::Latency {
            limit: Some(limit), ..
        }) => parts.push(format!("Bad is who was not answered well within {limit}.")),
        Some(Measure::Latency {
            quantile, growth, ..
        }) => {
            // Of the times before the start, so that the tolerance follows from them.
            parts.clear();
            parts.push(format!(
                "Bad is who was not answered well within {growth} times the {} quantile of before the start; harm is more of them than that leaves room for.",
                percent(&(100.0 * quantile))
            ));
        }
        Some(Measure::Counters {
            source, convicts, ..
        }) => parts.push(format!(
            "Requests and not users are counted, by {source}: approximate, {}.",
            if *convicts {
                "and it may convict all the same"
            } else {
                "so it convicts nobody"
            }
        )),
        _ => {}
    }
    if let Some(ceiling) = metric.ceiling {
        parts.push(format!(
            "More than {} is harm whatever the others do.",
            percent(&ceiling)
        ));
    }
    parts.push(format!(
        "Proof that there are fewer than {} is enough.",
        percent(&metric.tolerable)
    ));
    if metric.standing == Standing::Signals {
        parts.push("It may hold the rollout, and convicts nobody.".to_owned());
    }
    parts.join(" ")
}

/// What harm and the lack of proof lead to, and how it ends.
pub(super) fn plan_end(plan: &PlanDefinition) -> String {
    let harm = match plan.on_bad {
        OnBad::Close => "Harm takes the lever back to where it was",
        OnBad::Retreat => "Harm takes the lever back to the last exposure that was proved",
        OnBad::Freeze => "Harm stops it where it is and pages, because it must not be taken back",
    };
    let open = match plan.inconclusive {
        Inconclusive::Ask => "without proof it asks who started it",
        Inconclusive::Continue => "without proof it goes on if the ceiling cannot be exceeded",
        Inconclusive::Close => "without proof it goes back",
    };
    let warm = match plan.warm.ms() {
        0 => "After the last stage it is over at once".to_owned(),
        ms => format!(
            "After the last stage {} are held back for {} more, to compare with",
            percent(&plan.hold_back),
            span(&i64::try_from(ms).unwrap_or(i64::MAX))
        ),
    };
    format!("{harm}; {open}. {warm}.")
}
