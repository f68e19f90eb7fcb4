//! The fixed rules that others offer, written anew from what their documents say, with the thresholds
//! that a user would choose. Each runs 1, 5, 25 and 50 %, ten minutes each, whatever it sees.

use leverframe_core::analysis::{Counts, Tally};

use super::outcome::{End, Outcome};
use super::situation::Situation;
use super::traffic::Traffic;

const SHARES: [f64; 4] = [0.01, 0.05, 0.25, 0.5];
const STAGE_MINUTES: usize = 10;

/// A rule that looks once a minute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) name: &'static str,
    /// Whether it takes the release back, after these minutes of which the last has just passed.
    is_bad: fn(&[Counts]) -> bool,
}

/// All of them.
pub(super) const RULES: [Rule; 6] = [
    Rule {
        name: "error rate > 2 %, 5 min window",
        is_bad: |minutes| rate(window(minutes, 5).exposed) > 0.02,
    },
    Rule {
        name: "error rate > 5 %, three failures allowed",
        is_bad: |minutes| failed(minutes, |minute| rate(minute.exposed) > 0.05) > 3,
    },
    Rule {
        name: "canary > 2 x baseline, 5 min window",
        is_bad: |minutes| {
            let counts = window(minutes, 5);
            rate(counts.exposed) > 2.0 * rate(counts.held_back)
        },
    },
    Rule {
        name: "success < 98 %, threshold 5",
        is_bad: |minutes| failed(minutes, |minute| rate(minute.exposed) > 0.02) >= 5,
    },
    Rule {
        name: "Mann-Whitney at each stage's end, p < 0.001",
        is_bad: |minutes| minutes.len().is_multiple_of(STAGE_MINUTES) && is_ranked_higher(minutes),
    },
    Rule {
        name: "z-test each minute, p < 0.01",
        is_bad: |minutes| z(window(minutes, usize::MAX)) > 2.326,
    },
];

impl Rule {
    /// The rule on the traffic of a seed.
    pub(super) fn run(&self, situation: &Situation, seed: u64) -> Outcome {
        let mut traffic = Traffic::of(situation, seed);
        let mut minutes: Vec<Counts> = Vec::new();
        let mut users_hit = 0;
        for share in SHARES {
            for _ in 0..STAGE_MINUTES {
                let mut minute = Counts::default();
                for part in 0_u32..6 {
                    #[expect(clippy::cast_precision_loss, reason = "minutes are few")]
                    let at = minutes.len() as f64 + f64::from(part) / 6.0;
                    let interval = traffic.next(at, share);
                    minute += interval.requests;
                    users_hit += interval.units.exposed.bad;
                }
                minutes.push(minute);
                if (self.is_bad)(&minutes) {
                    #[expect(clippy::cast_precision_loss, reason = "minutes are few")]
                    let minutes = minutes.len() as f64;
                    return Outcome {
                        end: End::Convicted,
                        minutes,
                        users_hit,
                        ..Outcome::default()
                    };
                }
            }
        }
        Outcome {
            end: End::Through,
            users_hit,
            ..Outcome::default()
        }
    }
}

fn rate(tally: Tally) -> f64 {
    tally.rate().unwrap_or(0.0)
}

fn window(minutes: &[Counts], length: usize) -> Counts {
    let mut sum = Counts::default();
    for minute in minutes.iter().rev().take(length) {
        sum += *minute;
    }
    sum
}

fn failed(minutes: &[Counts], is_failed: impl Fn(&Counts) -> bool) -> usize {
    minutes.iter().filter(|minute| is_failed(minute)).count()
}

/// Two proportions, pooled.
fn z(counts: Counts) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "requests of an hour")]
    let of = |tally: Tally| (tally.bad as f64, tally.units as f64);
    let ((bad, n), (other_bad, m)) = (of(counts.exposed), of(counts.held_back));
    if n == 0.0 || m == 0.0 || bad + other_bad == 0.0 {
        return 0.0;
    }
    let pooled = (bad + other_bad) / (n + m);
    let error = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
    (bad / n - other_bad / m) / error
}

/// Mann and Whitney's U (1947) of the last stage's error rates, minute by minute, by the normal law.
fn is_ranked_higher(minutes: &[Counts]) -> bool {
    let stage = &minutes[minutes.len().saturating_sub(STAGE_MINUTES)..];
    let mut wins = 0.0;
    for one in stage {
        for other in stage {
            let (canary, baseline) = (rate(one.exposed), rate(other.held_back));
            wins += if canary > baseline {
                1.0
            } else if canary < baseline {
                0.0
            } else {
                0.5
            };
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "minutes are few")]
    let n = stage.len() as f64;
    let deviation = (n * n * (2.0 * n + 1.0) / 12.0).sqrt();
    (wins - n * n / 2.0) / deviation > 3.09
}
