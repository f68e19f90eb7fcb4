//! What the shop measures of its own traffic: requests, exposure and errors, by second.

use std::collections::VecDeque;

/// How many seconds are kept.
const SECONDS: usize = 60;

/// Counts over the last minute. The caller says when a second is over.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    seconds: VecDeque<Tally>,
    now: Tally,
}

/// Counts of some time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    pub(crate) exposed: u64,
    pub(crate) errors: u64,
}

impl Meter {
    pub(crate) fn count(&mut self, is_exposed: bool, is_error: bool) {
        self.now.requests += 1;
        self.now.exposed += u64::from(is_exposed);
        self.now.errors += u64::from(is_error);
    }

    /// Ends the current second.
    pub(crate) fn end_second(&mut self) {
        if self.seconds.len() == SECONDS {
            self.seconds.pop_front();
        }
        self.seconds.push_back(std::mem::take(&mut self.now));
    }

    /// The last `count` whole seconds together.
    pub(crate) fn last(&self, count: usize) -> Tally {
        let skipped = self.seconds.len().saturating_sub(count);
        self.seconds
            .iter()
            .skip(skipped)
            .fold(Tally::default(), |sum, second| Tally {
                requests: sum.requests + second.requests,
                exposed: sum.exposed + second.exposed,
                errors: sum.errors + second.errors,
            })
    }

    /// Every whole second that is kept, the oldest first.
    pub(crate) fn seconds(&self) -> impl Iterator<Item = &Tally> {
        self.seconds.iter()
    }
}

impl Tally {
    /// Which share of the requests was on the new path, in per cent.
    pub(crate) fn exposed_percent(&self) -> f64 {
        percent(self.exposed, self.requests)
    }

    /// Which share of the requests failed, in per cent.
    pub(crate) fn error_percent(&self) -> f64 {
        percent(self.errors, self.requests)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a minute are far below 2^52"
)]
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 * 100.0 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_seconds_of_the_last_minute_are_told() {
        let mut meter = Meter::default();
        meter.count(true, true);
        assert_eq!(meter.last(10), Tally::default(), "the second is not over");
        meter.end_second();
        meter.count(false, false);
        meter.end_second();
        let tally = Tally {
            requests: 2,
            exposed: 1,
            errors: 1,
        };
        assert_eq!(meter.last(10), tally);
        assert_eq!(
            meter.last(1),
            Tally {
                requests: 1,
                exposed: 0,
                errors: 0
            }
        );
        assert!((tally.exposed_percent() - 50.0).abs() < f64::EPSILON);
        for _ in 0..SECONDS {
            meter.end_second();
        }
        assert_eq!(meter.last(SECONDS), Tally::default());
    }
}
