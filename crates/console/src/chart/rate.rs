//! How often a flag's users fail, whether a rollout runs or not.

use leverframe_wire::admin::{ArmCounts, MeasurementView};

use super::metric::holes;
use super::plot::{Line, Look, Mark, Plot, Unit, percent_of};
use super::series::Point;
use super::svg::ms_of;

/// Neighbouring intervals are counted together until there are at most this many.
const POOLS_MAX: usize = 60;

/// A chart of bad rates, interval by interval, of those who got the open side by chance, of those who
/// did not, and of everybody else: `measurements` of one metric, the oldest first.
#[must_use]
pub fn rate_plot(
    id: &str,
    title: &str,
    (from_ms, until_ms): (i64, i64),
    measurements: &[MeasurementView],
    marks: Vec<Mark>,
) -> Plot {
    let within: Vec<&MeasurementView> = measurements
        .iter()
        .filter(|one| ms_of(&one.at).is_some_and(|at| (from_ms..=until_ms).contains(&at)))
        .collect();
    let size = within.len().div_ceil(POOLS_MAX).max(1);
    type Arm = fn(&MeasurementView) -> Option<ArmCounts>;
    let arms: [(Look, &str, Arm); 3] = [
        (Look::Exposed, "exposed", |one| one.exposed),
        (Look::HeldBack, "held back", |one| one.held_back),
        (Look::Plain, "decided otherwise", |one| one.assigned),
    ];
    let lines: Vec<Line> = arms
        .into_iter()
        .filter(|(_, _, arm)| {
            let units = |one: &&MeasurementView| arm(one).is_some_and(|arm| arm.units > 0);
            within.iter().any(units)
        })
        .map(|(look, name, arm)| Line {
            look,
            name: name.to_owned(),
            points: within
                .chunks(size)
                .flat_map(|pool| pooled(pool, arm))
                .collect(),
        })
        .collect();
    let summary = summary(&lines);
    Plot {
        id: id.to_owned(),
        title: title.to_owned(),
        summary,
        unit: Unit::Percent,
        from_ms,
        until_ms,
        lines,
        gaps: holes(&within),
        marks,
        looks: Vec::new(),
    }
}

/// One point for some intervals, after a gap where they do not follow each other.
fn pooled(
    pool: &[&MeasurementView],
    arm: impl Fn(&MeasurementView) -> Option<ArmCounts>,
) -> Vec<Point> {
    let mut all = ArmCounts::default();
    for counts in pool.iter().filter_map(|one| arm(one)) {
        all.units = all.units.saturating_add(counts.units);
        all.bad = all.bad.saturating_add(counts.bad);
    }
    let Some(at) = pool.first().and_then(|first| ms_of(&first.at)) else {
        return Vec::new();
    };
    let point = all
        .percent_bad()
        .map_or_else(|| Point::gap(at), |value| Point::of(at, value));
    let mut points = vec![point];
    points.extend(holes(pool).into_iter().map(|(from, _)| Point::gap(from)));
    points
}

fn summary(lines: &[Line]) -> String {
    let said: Vec<String> = lines
        .iter()
        .filter_map(|line| {
            let last = line.points.iter().rev().find_map(|point| point.value)?;
            Some(format!("{} {}", line.name, percent_of(last)))
        })
        .collect();
    if said.is_empty() {
        return "Nothing was measured in this time.".to_owned();
    }
    format!("Bad at last: {}.", said.join(", "))
}
