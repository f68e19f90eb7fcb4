//! What came of the demo's rollout.

use leverframe_wire::admin::{Quantiles, RolloutState};
use serde::Serialize;

/// Within this a bad release is convicted, in seconds.
const CONVICTED_S_MAX: f64 = 60.0;

/// How a rollout ended, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    RolledBack,
    Completed,
    /// Somebody took the lever, or gave it up.
    Ended,
    /// It was not over in time.
    Unfinished,
}

/// What the scenario found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RolloutReport {
    pub(crate) scenario: &'static str,
    pub(crate) seed: u64,
    pub(crate) flag: &'static str,
    pub(crate) environment: &'static str,
    pub(crate) rollout: String,
    pub(crate) outcome: Outcome,
    /// The last stage that was reached.
    pub(crate) stage: String,
    /// From the start to the conviction, if there was one.
    pub(crate) convicted_after_s: Option<f64>,
    /// From the start to the last move.
    pub(crate) took_s: Option<f64>,
    /// What the evidence said at the end: bad, ok or learning.
    pub(crate) verdict: &'static str,
    /// The same as a sentence, with the numbers of that moment.
    pub(crate) sentence: String,
    /// The revision of the last move.
    pub(crate) revision: u64,
    /// How many evaluators were on the roll then.
    pub(crate) evaluators: usize,
    /// How many of them the server has an acknowledgement of.
    pub(crate) confirmed: usize,
    /// Request received to acknowledgement received, on the server's monotonic clock.
    pub(crate) confirm_ms: Option<Quantiles>,
    /// Visitors who were exposed, by the shop's own count.
    pub(crate) exposed: usize,
    /// Visitors who were exposed and failed, by the outcomes that the server counted, to the end: those
    /// between the last count before the verdict and the last confirmation among them.
    pub(crate) users_hit: u64,
    /// The same by the shop's own count.
    pub(crate) users_hit_by_the_shop: usize,
    /// Visitors whose outcomes came too late to be counted.
    pub(crate) late: u64,
    /// How often the pager was called.
    pub(crate) pages: usize,
    /// Whether it went as it should.
    pub(crate) kept: bool,
}

impl Outcome {
    pub(crate) fn of(state: RolloutState) -> Self {
        match state {
            RolloutState::RolledBack => Self::RolledBack,
            RolloutState::Done => Self::Completed,
            RolloutState::Ended => Self::Ended,
            RolloutState::Baking
            | RolloutState::Holding
            | RolloutState::Asking
            | RolloutState::Looking
            | RolloutState::Retreated
            | RolloutState::Warm
            | RolloutState::Paused => Self::Unfinished,
        }
    }
}

impl RolloutReport {
    /// The same, with whether it went as it should.
    pub(crate) fn judged(mut self) -> Self {
        let everybody = self.evaluators > 0 && self.confirmed == self.evaluators;
        let as_meant = match self.scenario {
            "good" => self.outcome == Outcome::Completed && self.pages == 0,
            _ => {
                self.outcome == Outcome::RolledBack
                    && self
                        .convicted_after_s
                        .is_some_and(|after| after <= CONVICTED_S_MAX)
                    && self.pages == 1
            }
        };
        self.kept = as_meant && everybody && self.counts_agree();
        self
    }

    /// Whether server and shop count the same visitors; a report that came too late is the one
    /// difference there may be.
    fn counts_agree(&self) -> bool {
        let by_the_shop = u64::try_from(self.users_hit_by_the_shop).unwrap_or(u64::MAX);
        self.users_hit <= by_the_shop && by_the_shop - self.users_hit <= self.late
    }

    /// The same for people, in one line.
    pub(crate) fn line(&self) -> String {
        let word = if self.kept { "✓ kept" } else { "✗ BROKEN" };
        let after = self.convicted_after_s.or(self.took_s).unwrap_or_default();
        format!(
            "{word}: {} {} at the {} stage after {after:.1} s · {}/{} evaluators confirmed · {} users hit \
             (the shop counts {}) · {} pages (seed {}): {}",
            self.rollout,
            self.outcome.words(),
            self.stage,
            self.confirmed,
            self.evaluators,
            self.users_hit,
            self.users_hit_by_the_shop,
            self.pages,
            self.seed,
            self.sentence,
        )
    }
}

impl Outcome {
    fn words(self) -> &'static str {
        match self {
            Self::RolledBack => "rolled back",
            Self::Completed => "completed",
            Self::Ended => "ended",
            Self::Unfinished => "was not over",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad() -> RolloutReport {
        RolloutReport {
            scenario: "bad-release",
            seed: 7,
            flag: "new-checkout",
            environment: "prod",
            rollout: "ro_1".to_owned(),
            outcome: Outcome::RolledBack,
            stage: "5 %".to_owned(),
            convicted_after_s: Some(14.2),
            took_s: Some(14.2),
            verdict: "bad",
            sentence: "4.1 % of users on new-checkout fail".to_owned(),
            revision: 12,
            evaluators: 12,
            confirmed: 12,
            confirm_ms: None,
            exposed: 90,
            users_hit: 9,
            users_hit_by_the_shop: 9,
            late: 0,
            pages: 1,
            kept: false,
        }
    }

    fn is_kept(change: impl FnOnce(&mut RolloutReport)) -> bool {
        let mut report = bad();
        change(&mut report);
        report.judged().kept
    }

    #[test]
    fn a_bad_release_is_kept_only_when_convicted_rolled_back_confirmed_and_paged_once() {
        assert!(is_kept(|_| {}));
        assert!(!is_kept(|report| report.outcome = Outcome::Completed));
        assert!(!is_kept(|report| report.convicted_after_s = None));
        assert!(!is_kept(|report| report.confirmed = 11));
        assert!(!is_kept(|report| report.pages = 0));
        assert!(!is_kept(|report| report.pages = 2));
        let nobody = |report: &mut RolloutReport| (report.evaluators, report.confirmed) = (0, 0);
        assert!(!is_kept(nobody), "nobody is not everybody");
    }

    #[test]
    fn a_good_release_is_kept_only_when_completed_and_nobody_was_paged() {
        let good = |report: &mut RolloutReport| {
            report.scenario = "good";
            report.outcome = Outcome::Completed;
            report.convicted_after_s = None;
            report.pages = 0;
        };
        assert!(is_kept(good));
        assert!(!is_kept(|report| {
            good(report);
            report.pages = 1;
        }));
        assert!(!is_kept(|report| {
            good(report);
            report.outcome = Outcome::RolledBack;
        }));
    }

    #[test]
    fn the_server_counts_whom_the_shop_counts_but_for_what_came_too_late() {
        assert!(
            !is_kept(|report| report.users_hit = 10),
            "nobody is made up"
        );
        assert!(
            !is_kept(|report| report.users_hit = 8),
            "nobody is left out"
        );
        assert!(is_kept(|report| (report.users_hit, report.late) = (8, 1)));
    }
}
