//! Which part of a rollout an interval belongs to: a function of its time and of the moves the rollout
//! made, so that folding everything again after a restart gives what was folded live.

use leverframe_flags::{Percentage, Position};

use crate::rollout::step::position;
use crate::rollout::{Cause, Measurement, Phase, Rollout};
use crate::time::Timestamp;

/// A new build's caches are cold for this many times as long as a flag's.
const BUILD_SETTLES_TIMES: i64 = 6;

/// From one move that begins the evidence anew to the next.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Epoch {
    /// The move's revision; 0 before the rollout began.
    pub(super) revision: u64,
    /// The revision that last moved the lever.
    pub(super) lever_revision: u64,
    /// When it began.
    pub(super) from: Timestamp,
    /// When the lever was last moved.
    pub(super) stepped_at: Timestamp,
    /// Until when it settles; what is seen before is not compared.
    pub(super) settled_at: Timestamp,
    /// Whether it began with a move of the lever.
    pub(super) is_step: bool,
    /// Whether that move let more through.
    pub(super) is_growth: bool,
    /// Whether it is a retreat, whatever for.
    pub(super) is_retreat: bool,
    /// The part of everybody that the percentage exposes, from 0 to 1; not a number when somebody else
    /// moved the lever.
    pub(super) share: f64,
    /// The stage whose margin is asked for.
    pub(super) stage: usize,
}

impl Epoch {
    /// Whether there are two arms that chance decided.
    pub(super) fn compares(&self) -> bool {
        self.share.is_nan() || (self.share > 0.0 && self.share < 1.0)
    }
}

/// Where an interval falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placement {
    /// It is part of the evidence.
    Counts,
    /// The lever moved in it, or what follows a move has not settled: hard limits alone.
    Settling,
    /// It was counted under another position than it was thought to be.
    Foreign,
}

/// The epochs of a rollout, the oldest first; the first is everything before it began.
pub(super) fn epochs(rollout: &Rollout) -> Vec<Epoch> {
    let plan = &rollout.plan;
    let mut all = vec![Epoch {
        revision: 0,
        lever_revision: 0,
        from: Timestamp::from_ms(i64::MIN),
        stepped_at: Timestamp::from_ms(i64::MIN),
        settled_at: Timestamp::from_ms(i64::MIN),
        is_step: false,
        is_growth: false,
        is_retreat: false,
        share: share(Some(&rollout.before)),
        stage: 0,
    }];
    let mut stands = Some(rollout.before.clone());
    let mut site = None;
    for made in &rollout.moves {
        let Some(before) = all.last() else { continue };
        let goes = match (&made.to, &made.cause) {
            // Somebody put the lever where the rollout does not know.
            (Phase::Paused { .. }, Cause::MovedByHand) => None,
            // What ends or stops a rollout by itself leaves the lever where it is.
            (Phase::Paused { .. } | Phase::Ended, _) => stands.clone(),
            (to, _) => Some(position(rollout, to)),
        };
        let is_step = goes.is_none() || goes != stands;
        let begins_anew = matches!(made.cause, Cause::NewBuild { .. } | Cause::Resumed);
        let is_new_site = site.is_some() && site != site_of(&made.to);
        if is_step || begins_anew || is_new_site {
            let settles_ms = match (&made.cause, is_step) {
                (Cause::NewBuild { .. }, _) => plan.settle_ms.saturating_mul(BUILD_SETTLES_TIMES),
                (_, true) => plan.settle_ms,
                (_, false) => 0,
            };
            all.push(Epoch {
                revision: made.revision,
                // A lever that was further back already than a way back leads is not moved by it.
                lever_revision: if is_step {
                    made.revision.min(rollout.lever_revision)
                } else {
                    before.lever_revision
                },
                from: made.at,
                stepped_at: if is_step { made.at } else { before.stepped_at },
                settled_at: made.at.plus_ms(settles_ms),
                is_step,
                is_growth: is_step && share(goes.as_ref()) >= share(stands.as_ref()),
                is_retreat: matches!(made.to, Phase::Retreated { .. }),
                share: share(goes.as_ref()),
                stage: stage_of(&made.to).unwrap_or(before.stage),
            });
        }
        stands = goes;
        site = site_of(&made.to);
    }
    all
}

/// The epoch an interval belongs to, and whether it counts there.
pub(super) fn place<'a>(epochs: &'a [Epoch], seen: &Measurement) -> Option<(&'a Epoch, Placement)> {
    let end = seen.at.plus_ms(seen.length_ms);
    // A lever that moved within the interval makes it part of what comes after.
    let is_in = |epoch: &&Epoch| {
        epoch.from <= seen.at
            || ((epoch.is_step || epoch.settled_at > epoch.from) && epoch.from < end)
    };
    let epoch = epochs.iter().rev().find(is_in)?;
    let placement = if epoch.lever_revision > seen.lever_revision && epoch.from <= seen.at {
        Placement::Foreign
    } else if (epoch.is_step && epoch.from >= seen.at) || epoch.settled_at > seen.at {
        Placement::Settling
    } else {
        Placement::Counts
    };
    Some((epoch, placement))
}

/// What a phase is about, whatever its part; a pause is about what it interrupts.
fn site_of(phase: &Phase) -> Option<(u8, usize)> {
    match phase {
        Phase::Stage { index, .. } => Some((0, *index)),
        Phase::Retreated { from, .. } => Some((1, *from)),
        Phase::Warm => Some((2, 0)),
        Phase::Paused { at } => site_of(at),
        Phase::Done | Phase::RolledBack | Phase::Ended => None,
    }
}

fn stage_of(phase: &Phase) -> Option<usize> {
    match phase {
        Phase::Stage { index, .. } => Some(*index),
        Phase::Retreated { to, .. } => *to,
        Phase::Paused { at } => stage_of(at),
        Phase::Warm | Phase::Done | Phase::RolledBack | Phase::Ended => None,
    }
}

fn share(position: Option<&Position>) -> f64 {
    match position {
        None => f64::NAN,
        Some(Position::Open { exposure }) => {
            f64::from(exposure.percentage.thousandths()) / f64::from(Percentage::FULL.thousandths())
        }
        Some(Position::Closed { .. } | Position::Pinned { .. }) => 0.0,
    }
}
