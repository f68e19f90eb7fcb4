//! Harm that hits both arms: they share processes, pools and the database. Held against what was there
//! before the lever moved, because there is no other arm to compare with; so it convicts nobody.

use std::collections::VecDeque;

use crate::analysis::{Counts, Tally, above, wilson};
use crate::time::Timestamp;

use super::epoch::Epoch;
use super::sums::{Interval, Sums};

/// Both arms have become worse when both are above so many times what was there before.
const TIMES: f64 = 2.0;
/// At which level, for all that was seen since a step, and for each window.
const ALPHA: f64 = 0.01;
const ALPHA_WINDOW: f64 = 0.001;
/// Looser where it keeps something from going on again.
const ALPHA_CLEAN: f64 = 0.05;
/// A window is this part of a bake.
const WINDOW_PART: i64 = 5;
/// Most intervals that are looked back at one by one.
const SLOTS_MAX: usize = 512;
/// A budget that burns this many times too fast is gone in two days instead of thirty.
const BURN_TIMES: f64 = 14.4;
const HOUR_MINUTES: i64 = 60;
const MINUTE_MS: i64 = 60_000;
const SHORT_MINUTES: i64 = 5;
/// Fewer bad units burn nothing.
const BURN_BAD_MIN: u64 = 20;

/// What is known of one metric in both arms together.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Shared {
    /// The rate above which an arm is worse than before the last step forward; none when nothing was
    /// seen before it.
    limit: Option<f64>,
    /// Since the last step, what has not settled left out.
    since_step: Sums,
    /// The same up to half a bake after it.
    early: Sums,
    slots: VecDeque<Slot>,
    /// Everybody in each minute of the last hour.
    minutes: VecDeque<(i64, Tally)>,
    /// Everybody before the rollout began.
    outset: Tally,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Slot {
    at: Timestamp,
    canary: Tally,
    held_back: Tally,
}

/// What is allowed of both arms together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// A rate that is no harm whatever was there before.
    pub(super) tolerable: f64,
    /// The bake, in milliseconds.
    pub(super) bake_ms: i64,
}

impl Shared {
    /// The lever was moved: what was seen up to now is what the next is held against.
    pub(super) fn step(&mut self, epoch: &Epoch, terms: Terms) {
        // After a retreat it is still asked whether things are as they were before the step that failed.
        if !epoch.is_retreat {
            let before = self.since_step.everybody();
            self.limit = (before.units > 0).then(|| limit(before, terms));
        }
        self.since_step = Sums::default();
        self.early = Sums::default();
        self.slots.clear();
    }

    pub(super) fn observe(
        &mut self,
        at: Timestamp,
        interval: &Interval,
        epoch: &Epoch,
        terms: Terms,
    ) {
        self.since_step.add(interval);
        if at.ms_since(epoch.settled_at) < terms.bake_ms / 2 {
            self.early.add(interval);
        }
        let is_share = epoch.share > 0.0 || epoch.share.is_nan();
        self.slots.push_back(Slot {
            at,
            canary: if is_share {
                interval.exposed
            } else {
                interval.assigned
            },
            held_back: interval.held_back,
        });
        if self.slots.len() > SLOTS_MAX {
            self.slots.pop_front();
        }
    }

    /// Everybody, of intervals that count and of others.
    pub(super) fn observe_everybody(
        &mut self,
        at: Timestamp,
        interval: &Interval,
        is_outset: bool,
    ) {
        let mut all = interval.exposed;
        all += interval.held_back;
        all += interval.assigned;
        if is_outset {
            self.outset += all;
        }
        let minute = at.as_ms().div_euclid(MINUTE_MS);
        match self.minutes.back_mut() {
            Some((last, sum)) if *last == minute => *sum += all,
            _ => self.minutes.push_back((minute, all)),
        }
        while self
            .minutes
            .front()
            .is_some_and(|(first, _)| minute - first > HOUR_MINUTES)
        {
            self.minutes.pop_front();
        }
    }

    /// Whether both arms are worse than before the step, by all since then or by the last of it.
    pub(super) fn is_worse(&self, epoch: &Epoch, terms: Terms) -> bool {
        let Some(limit) = self.limit else {
            return false;
        };
        let all = Counts {
            exposed: self.since_step.canary(epoch.share),
            held_back: self.since_step.distinct().held_back,
        };
        are_above(all, limit, ALPHA, epoch) || {
            let (_, last) = self.windows(terms.bake_ms / WINDOW_PART);
            are_above(last, limit, ALPHA_WINDOW, epoch)
        }
    }

    /// Whether both arms have lately become worse than they were earlier at this position.
    pub(super) fn is_outage(&self, epoch: &Epoch, terms: Terms) -> bool {
        let (earlier, last) = self.windows(terms.bake_ms / WINDOW_PART);
        let mut before = earlier.exposed;
        before += earlier.held_back;
        before.units > 0 && are_above(last, limit(before, terms), ALPHA_WINDOW, epoch)
    }

    /// Whether what made the rollout go back a step was still there when it had: then the step was not
    /// the reason.
    pub(super) fn outlasts_retreat(&self, terms: Terms) -> bool {
        self.limit.is_some_and(|limit| {
            is_above(self.early.everybody(), limit.max(terms.tolerable), ALPHA)
        })
    }

    /// Whether the last bake was as things were before the step that failed.
    pub(super) fn is_clean(&self, terms: Terms) -> bool {
        let (_, last) = self.windows(terms.bake_ms);
        let mut all = last.exposed;
        all += last.held_back;
        all.units > 0
            && self
                .limit
                .is_none_or(|limit| !is_above(all, limit, ALPHA_CLEAN))
    }

    /// Whether the error budget burns too fast, and did not before the rollout.
    pub(super) fn is_burning(&self, terms: Terms) -> bool {
        let (Some((first, _)), Some((last, _))) = (self.minutes.front(), self.minutes.back())
        else {
            return false;
        };
        if last - first < HOUR_MINUTES || self.outset.units == 0 {
            return false;
        }
        let limit = (BURN_TIMES * terms.tolerable).max(TIMES * upper(self.outset));
        let is_over = |minutes: i64| {
            let mut sum = Tally::default();
            for (minute, tally) in self.minutes.iter().rev() {
                if last - minute >= minutes {
                    break;
                }
                sum += *tally;
            }
            sum.bad >= BURN_BAD_MIN && sum.rate().is_some_and(|rate| rate > limit)
        };
        is_over(HOUR_MINUTES) && is_over(SHORT_MINUTES)
    }

    /// The sums of the slots before the last window, and of the last window.
    fn windows(&self, window_ms: i64) -> (Counts, Counts) {
        let (mut earlier, mut last) = (Counts::default(), Counts::default());
        let newest = self
            .slots
            .back()
            .map_or(Timestamp::default(), |slot| slot.at);
        for slot in &self.slots {
            let counts = Counts {
                exposed: slot.canary,
                held_back: slot.held_back,
            };
            if newest.ms_since(slot.at) < window_ms {
                last += counts;
            } else {
                earlier += counts;
            }
        }
        (earlier, last)
    }
}

fn limit(before: Tally, terms: Terms) -> f64 {
    (TIMES * upper(before)).max(terms.tolerable)
}

/// Both arms; the only one there is, when everybody is let through.
fn are_above(counts: Counts, limit: f64, alpha: f64, epoch: &Epoch) -> bool {
    let is_everybody = epoch.share >= 1.0;
    is_above(counts.exposed, limit, alpha)
        && (is_everybody || is_above(counts.held_back, limit, alpha))
}

fn is_above(tally: Tally, limit: f64, alpha: f64) -> bool {
    above(tally, limit).rejects(alpha)
}

/// The upper end of Wilson's interval (1927) at 99 %.
fn upper(tally: Tally) -> f64 {
    const Z: f64 = 2.576;
    let counted = Tally {
        units: tally.units.max(1),
        ..tally
    };
    wilson(counted, Z).1
}
