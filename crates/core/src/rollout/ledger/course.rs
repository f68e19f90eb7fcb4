//! How the evidence of one metric came together, interval by interval: for charts and reports. The same
//! fold as what decides, so that the last step says what the decision rested on.

use crate::analysis::{Bounds, Counts, bounds};
use crate::rollout::{Measurement, Rollout};
use crate::time::Timestamp;

use super::epoch::{Placement, epochs, place};
use super::sums::Interval;
use super::track::Track;

/// The level of the confidence sequence, which is that of a rollout.
const ALPHA: f64 = 0.01;
/// Most intervals that the confidence sequence is taken of: neighbours within one position are taken
/// together, which costs nothing but how soon it moves.
const POOLS_MAX: usize = 150;

/// How the evidence of one metric came together.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// One for each interval that there is, in their order.
    pub steps: Vec<Step>,
    /// Between which ratios of bad rates the truth lies, at 99 % and however often one looks; none when
    /// nothing was compared.
    pub ratio: Option<Bounds>,
}

/// What was known once an interval was folded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// When the interval began.
    pub at: Timestamp,
    /// Distinct units since the start; where a cohort is let through, those of it stand for the exposed.
    pub so_far: Counts,
    /// Whether those exposed have nothing to be compared with: they are a cohort's, or everybody.
    pub is_alone: bool,
    /// Whether the interval is part of the evidence: not before the start, and not while a move settled.
    pub is_counted: bool,
    /// The ratio of bad rates that is tolerated, as far as it is known by then.
    pub tolerance: f64,
    /// Within which time answers have to be good, in milliseconds; none while that is not known, and for
    /// what is no time.
    pub limit_ms: Option<u32>,
}

/// Folds the intervals of one metric of a rollout's plan; none when the plan has no such metric.
#[must_use]
pub fn course(rollout: &Rollout, metric: &str, rows: &[Measurement]) -> Option<Course> {
    let plan = &rollout.plan;
    let index = plan.metrics.iter().position(|one| *one.key == *metric)?;
    let metric = plan.metrics.get(index)?;
    let epochs = epochs(rollout);
    let mut track = Track::of(rollout, index, metric);
    let mut steps = Vec::with_capacity(rows.len());
    let mut pools: Vec<(u64, u32, Counts)> = Vec::new();
    let together = u32::try_from(rows.len().div_ceil(POOLS_MAX)).unwrap_or(u32::MAX);
    for row in rows {
        let limit_ms = track.limit_ms();
        track.take(plan, &epochs, row);
        let placed = place(&epochs, row);
        let is_counted = placed
            .is_some_and(|(epoch, placement)| epoch.revision > 0 && placement == Placement::Counts);
        let share = placed.map_or(0.0, |(epoch, _)| epoch.share);
        let compares = placed.is_some_and(|(epoch, _)| epoch.compares());
        steps.push(Step {
            at: row.at,
            so_far: track.so_far(share),
            is_alone: !compares,
            is_counted,
            tolerance: track.tolerance(metric),
            limit_ms: track.limit_ms(),
        });
        let counted = Interval::of(&row.seen, limit_ms.unwrap_or(0))
            .filter(|_| is_counted && compares && !track.is_seeking());
        let (Some(counted), Some((epoch, _))) = (counted, placed) else {
            continue;
        };
        match pools.last_mut() {
            Some((revision, count, pool)) if *revision == epoch.revision && *count < together => {
                *pool += counted.counts();
                *count += 1;
            }
            _ => pools.push((epoch.revision, 1, counted.counts())),
        }
    }
    let pools: Vec<Counts> = pools.into_iter().map(|(_, _, counts)| counts).collect();
    Some(Course {
        steps,
        ratio: (!pools.is_empty()).then(|| bounds(&pools, ALPHA)),
    })
}
