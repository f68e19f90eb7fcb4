//! What one metric says, in words.

use crate::analysis::{Judgement, Sort, Tally};
use crate::rollout::{Detail, Measure, Metric, Reading, Rollout};

use super::numbers::{percent, span, times, whole};

/// What a metric says, with its numbers; where there are none, that there are none.
pub(super) fn said(rollout: &Rollout, metric: &Metric, reading: &Reading) -> String {
    match reading {
        Reading::Judged { judgement, detail } => judged(rollout, metric, judgement, detail),
        Reading::Gauge {
            value,
            limit,
            is_floor,
            wrong_in_a_row,
            ..
        } => {
            let side = if *is_floor { "below" } else { "above" };
            match wrong_in_a_row {
                0 => format!("{} is {value} (limit {limit})", metric.key),
                1 => format!("{} is {value}, {side} its limit of {limit}", metric.key),
                count => format!(
                    "{} is {value}, {side} its limit of {limit} for {count} samples in a row",
                    metric.key
                ),
            }
        }
        Reading::NoData => format!("{} has no data", metric.key),
        Reading::Error { why } => format!("{} could not be read: {why}", metric.key),
        Reading::Untrusted { why } => format!("{} cannot be trusted: {why}", metric.key),
    }
}

/// What a metric waits for that is not known enough yet.
pub(super) fn waits(reading: &Reading) -> String {
    match reading {
        Reading::Judged { detail, .. } => match detail.waits_for {
            Some(waiting) if waiting.minutes > 0 => format!(
                "waiting for {} more units, about {}",
                whole(waiting.units),
                span(
                    i64::try_from(waiting.minutes)
                        .unwrap_or(i64::MAX / 60_000)
                        .saturating_mul(60_000)
                )
            ),
            _ => "waiting for units; how many cannot be said yet".to_owned(),
        },
        Reading::Gauge { wrong_in_a_row, .. } => {
            format!("on the wrong side of its limit {wrong_in_a_row} times in a row")
        }
        Reading::NoData | Reading::Error { .. } | Reading::Untrusted { .. } => {
            "waiting for its source".to_owned()
        }
    }
}

fn judged(rollout: &Rollout, metric: &Metric, judgement: &Judgement, detail: &Detail) -> String {
    // Harm that begins late is diluted by the good hours before it; what is hopeless may have convicted
    // before anything else was counted.
    let by_stage =
        judgement.harm == Some(Sort::Hopeless) || judgement.stage.ratio() > judgement.total.ratio();
    let counts = if by_stage || judgement.harm.is_none() {
        judgement.stage
    } else {
        judgement.total
    };
    let rate = |tally: Tally| tally.rate().map(percent);
    let Some(exposed) = rate(counts.exposed) else {
        return format!("nobody has been counted for {}", metric.key);
    };
    let (who, what) = subject(rollout, metric, detail);
    let held_back = rate(counts.held_back);
    let against = match (&judgement.harm, held_back) {
        (Some(Sort::Hopeless), _) => " (more than half is hopeless)".to_owned(),
        (Some(Sort::Absolute), held_back) => {
            let ceiling = metric.ceiling.map(percent).unwrap_or_default();
            let other = held_back.map_or_else(
                || ", with nothing to compare with".to_owned(),
                |rate| format!(", against {rate} of those held back"),
            );
            format!("{other} (ceiling {ceiling})")
        }
        (_, Some(held_back)) => {
            let limit = times(detail.tolerance);
            format!(" against {held_back} (limit {limit})")
        }
        (_, None) => match metric.ceiling {
            Some(ceiling) => format!(
                ", with nothing to compare with (ceiling {})",
                percent(ceiling)
            ),
            None => ", with nothing to compare with".to_owned(),
        },
    };
    let doubt = if detail.is_approximate {
        ", approximate, no α guarantee"
    } else {
        ""
    };
    format!("{exposed} of {who} {what}{against}{doubt}")
}

/// Of whom, and what befalls them.
fn subject(rollout: &Rollout, metric: &Metric, detail: &Detail) -> (String, String) {
    let flag = &rollout.flag;
    match &metric.measure {
        Measure::Outcomes { name } if &**name == "errors" => {
            (format!("users on {flag}"), "fail".to_owned())
        }
        Measure::Outcomes { name } => (format!("users on {flag}"), format!("are bad by {name}")),
        Measure::Latency { .. } => {
            let limit = detail
                .limit_ms
                .map_or_else(|| "their limit".to_owned(), |limit| format!("{limit} ms"));
            (
                format!("answers on {flag}"),
                format!("are not good within {limit}"),
            )
        }
        Measure::Counters { .. } => (
            format!("requests on {flag}"),
            format!("are bad by {}", metric.key),
        ),
        Measure::Gauge { .. } => (format!("samples of {}", metric.key), "are bad".to_owned()),
    }
}
