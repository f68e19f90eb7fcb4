//! Outcomes on a stream, from what evaluators say to what the node takes.

use bytes::Bytes;
use leverframe_core::Timestamp;
use leverframe_core::rollout::LATENCY_BUCKETS;
use leverframe_flags::{EnvironmentKey, FlagKey};
use leverframe_node::Node;
use leverframe_node::outcomes::{
    Arm, Batch, Chosen, Gauge, Origin, Report, ReportedUnit, is_outcome_name,
};
use leverframe_wire::outcome::{
    FlagOutcomes, GAUGES_MAX, Grid, Notice, OUTCOME_FLAGS_MAX, OUTCOME_NAMES_MAX, Outcomes, Unit,
};

use super::socket::json_frame;

/// How the node cuts time, and up to when it is settled.
pub(super) fn grid(node: &Node) -> Grid {
    let outcomes = node.outcomes();
    let grid = outcomes.grid();
    let ms = |time: std::time::Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    Grid {
        interval_ms: grid.length_ms(),
        watermark_ms: ms(grid.watermark),
        now_ms: node.steady_now().as_ms(),
        settled_until_ms: outcomes.settled_until().as_ms(),
    }
}

/// The same, ready to be written to a socket.
pub(super) fn grid_frame(grid: Grid) -> Option<Bytes> {
    json_frame(&Notice::Grid(grid)).ok()
}

/// Hands over what an evaluator says. What cannot be is left out: an evaluator may be of another
/// version, and its kills must not suffer for its outcomes.
pub(super) fn take(node: &Node, environment: &EnvironmentKey, instance: &str, told: Outcomes) {
    let at = Timestamp::from_ms(told.at_ms);
    let flags = told.flags.into_iter().take(OUTCOME_FLAGS_MAX);
    let gauges = told.gauges.into_iter().take(GAUGES_MAX);
    let batch = Batch {
        instance: instance.into(),
        sequence: told.sequence,
        origin: Origin::Evaluator,
        reports: flags.filter_map(|flag| report(at, flag)).collect(),
        gauges: gauges
            .filter(|gauge| is_outcome_name(&gauge.name))
            .map(|gauge| Gauge {
                at,
                name: gauge.name.into(),
                min: gauge.min,
                max: gauge.max,
            })
            .collect(),
    };
    let taken = node.outcomes().take(environment, &batch);
    if taken.astray + taken.no_room > 0 {
        tracing::debug!(%environment, instance, ?taken, "outcomes that are not counted");
    }
}

fn report(at: Timestamp, told: FlagOutcomes) -> Option<Report> {
    let is_fine = told.names.len() <= OUTCOME_NAMES_MAX
        && told.names.iter().all(|name| is_outcome_name(name));
    if !is_fine {
        return None;
    }
    let threshold = told.threshold.unwrap_or(u64::MAX);
    let units = told.units.into_iter();
    Some(Report {
        at,
        flag: FlagKey::new(&told.flag).ok()?,
        threshold,
        names: told.names.into_iter().map(String::into).collect(),
        units: units
            .filter(|unit| unit.0 < threshold)
            .filter_map(reported)
            .collect(),
    })
}

fn reported(unit: Unit) -> Option<ReportedUnit> {
    let parts = unit.parts();
    Some(ReportedUnit {
        hash: unit.0,
        arm: match parts.arm {
            0 => Arm::Exposed,
            1 => Arm::HeldBack,
            2 => Arm::Assigned,
            _ => return None,
        },
        bad: parts.bad,
        latency: parts
            .latency
            .filter(|(bucket, _)| usize::from(*bucket) < LATENCY_BUCKETS)
            .map(|(bucket, choice)| Chosen { choice, bucket }),
    })
}
