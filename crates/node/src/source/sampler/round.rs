//! One interval of four counters: both arms, all requests and the bad ones.

use futures_util::future::join_all;
use leverframe_core::Timestamp;
use leverframe_core::analysis::Tally;
use leverframe_core::rollout::{Measure, Seen};

use super::super::counters::{Known, sum};
use super::super::spread::{Share, Spread};
use super::super::{Counters, Question, Sample, Shape, Source};
use crate::limit::SAME_COUNTERS_MAX;

/// Which of the four is which.
const EXPOSED: usize = 0;
const EXPOSED_BAD: usize = 1;
const HELD_BACK: usize = 2;
const HELD_BACK_BAD: usize = 3;

/// The four as they stood at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Four {
    pub(super) samples: [Sample; 4],
}

/// What is remembered of a row from one interval to the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Counted {
    stood: Option<(Timestamp, Four)>,
    known: [Known; 4],
    same: u32,
    spread: Spread,
    shares: [Share; 4],
}

impl Four {
    /// Asks for the four at once, as of one moment.
    pub(super) async fn ask(source: &dyn Source, measure: &Measure, at: Timestamp) -> Self {
        let Measure::Counters {
            exposed,
            exposed_bad,
            held_back,
            held_back_bad,
            ..
        } = measure
        else {
            return Self {
                samples: [const { Sample::NoData }; 4],
            };
        };
        let questions = [exposed, exposed_bad, held_back, held_back_bad].map(|query| Question {
            query: query.clone(),
            shape: Shape::Counters,
            at,
        });
        let answers = join_all(questions.iter().map(|question| source.sample(question))).await;
        let missing = |_| Self {
            samples: [const { Sample::NoData }; 4],
        };
        <[Sample; 4]>::try_from(answers).map_or_else(missing, |samples| Self { samples })
    }

    /// The counters of all four; or what is seen where one of them gave none.
    fn counters(&self) -> Result<[&Counters; 4], Seen> {
        // An error is told before anything else: it is what has to be put right.
        let is_error = |sample: &&Sample| matches!(sample, Sample::Error(_));
        if let Some(error) = self.samples.iter().find(is_error) {
            return Err(unseen(error));
        }
        let mut counters = [const { None }; 4];
        for (place, sample) in counters.iter_mut().zip(&self.samples) {
            match sample {
                Sample::Counters(found) => *place = Some(found),
                other => return Err(unseen(other)),
            }
        }
        match counters {
            [Some(a), Some(b), Some(c), Some(d)] => Ok([a, b, c, d]),
            _ => Err(Seen::NoData),
        }
    }
}

impl Counted {
    /// The four at this moment, where that is when they were last asked for, and well.
    pub(super) fn standing_at(&self, at: Timestamp) -> Option<Four> {
        let (stood_at, four) = self.stood.as_ref()?;
        let is_good = four.counters().is_ok();
        (*stood_at == at && is_good).then(|| four.clone())
    }

    /// Remembers the four.
    pub(super) fn stand(&mut self, at: Timestamp, four: Four) {
        for (known, sample) in self.known.iter_mut().zip(&four.samples) {
            if let Sample::Counters(counters) = sample {
                known.remember(counters, at);
            }
        }
        self.stood = Some((at, four));
    }

    /// What was seen between two moments.
    pub(super) fn count(&mut self, before: &Four, after: &Four) -> Seen {
        // The errors of now before those of then.
        let (after, before) = match (after.counters(), before.counters()) {
            (Ok(after), Ok(before)) => (after, before),
            (Err(seen), _) | (Ok(_), Err(seen)) => return seen,
        };
        let is_same = after[EXPOSED] == before[EXPOSED] && after[HELD_BACK] == before[HELD_BACK];
        self.same = if is_same { self.same + 1 } else { 0 };
        if self.same >= SAME_COUNTERS_MAX {
            return Seen::NoData;
        }
        let mut grown = [const { Counters::new() }; 4];
        for (at, grown) in grown.iter_mut().enumerate() {
            *grown = self.known[at].growth(before[at], after[at]);
        }
        let sums = [0, 1, 2, 3].map(|at| sum(&grown[at]).round());
        if sums[EXPOSED_BAD] > sums[EXPOSED] || sums[HELD_BACK_BAD] > sums[HELD_BACK] {
            return Seen::Untrusted {
                why: "there are more bad requests than requests; do the queries count the same?"
                    .into(),
            };
        }
        // What an interval shows of the spread counts from the next one on: a factor that knew what
        // it divides would bend the evidence.
        let factor = self.spread.factor();
        self.spread.add(&grown[HELD_BACK], &grown[HELD_BACK_BAD]);
        let mut divided = [0; 4];
        for ((divided, share), sum) in divided.iter_mut().zip(&mut self.shares).zip(sums) {
            *divided = share.of(sum, factor);
        }
        let tally = |all: usize, bad: usize| Tally {
            units: divided[all],
            // What was left over from before may be one more than there are.
            bad: divided[bad].min(divided[all]),
        };
        Seen::Units {
            exposed: tally(EXPOSED, EXPOSED_BAD),
            held_back: tally(HELD_BACK, HELD_BACK_BAD),
            assigned: Tally::default(),
            late: (0, 0),
            // Requests are counted, and whose they are is not known.
            arrivals: None,
            is_approximate: true,
        }
    }
}

/// What is seen where there is no number.
pub(super) fn unseen(sample: &Sample) -> Seen {
    match sample {
        Sample::Error(why) => Seen::Error {
            why: why.as_str().into(),
        },
        Sample::NotANumber => Seen::Untrusted {
            why: "it answered with NaN, as of 0/0".into(),
        },
        Sample::NoData => Seen::NoData,
        Sample::Value(_) | Sample::Counters(_) => Seen::Error {
            why: "it answered in another shape than it was asked for".into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Labels;

    fn four(values: [f64; 4]) -> Four {
        let counters = |value| Sample::Counters(Counters::from([(Labels::new(), value)]));
        Four {
            samples: values.map(counters),
        }
    }

    /// Goes through moments, one after the other, and gives what was seen last.
    fn go(moments: &[Four]) -> Seen {
        let mut counted = Counted::default();
        let mut seen = Seen::NoData;
        for (at, pair) in moments.windows(2).enumerate() {
            seen = counted.count(&pair[0], &pair[1]);
            let at = i64::try_from(at).unwrap() * 60_000;
            counted.stand(Timestamp::from_ms(at), pair[1].clone());
        }
        seen
    }

    #[test]
    fn counts_are_how_far_the_counters_went_divided_by_their_spread() {
        let seen = go(&[
            four([100.0, 10.0, 1_000.0, 20.0]),
            four([200.0, 16.0, 2_000.0, 30.0]),
        ]);
        // Nothing is known of the spread yet: two requests count as one.
        let expected = Seen::Units {
            exposed: Tally { units: 50, bad: 3 },
            held_back: Tally { units: 500, bad: 5 },
            assigned: Tally::default(),
            late: (0, 0),
            arrivals: None,
            is_approximate: true,
        };
        assert_eq!(seen, expected);
    }

    #[test]
    fn the_same_counters_again_and_again_are_no_data() {
        let still = four([100.0, 10.0, 1_000.0, 20.0]);
        let moments = |count| vec![still.clone(); count];
        assert!(matches!(go(&moments(3)), Seen::Units { .. }));
        assert_eq!(go(&moments(4)), Seen::NoData);
        let mut moves_again = moments(4);
        moves_again.push(four([101.0, 10.0, 1_001.0, 20.0]));
        assert!(matches!(go(&moves_again), Seen::Units { .. }));
    }

    #[test]
    fn one_that_is_missing_or_wrong_spoils_the_interval_and_an_error_is_told_first() {
        let good = four([1.0; 4]);
        for at in 0..4 {
            let with = |sample: Sample| {
                let mut moment = good.clone();
                moment.samples[at] = sample;
                moment
            };
            assert_eq!(go(&[good.clone(), with(Sample::NoData)]), Seen::NoData);
            assert_eq!(go(&[with(Sample::NoData), good.clone()]), Seen::NoData);
            let nan = go(&[good.clone(), with(Sample::NotANumber)]);
            assert!(matches!(nan, Seen::Untrusted { .. }));
            let mut both = with(Sample::NotANumber);
            both.samples[3 - at] = Sample::Error("gone".to_owned());
            assert!(matches!(go(&[good.clone(), both]), Seen::Error { .. }));
        }
    }

    #[test]
    fn more_bad_ones_than_all_is_not_believed() {
        let seen = go(&[four([0.0; 4]), four([5.0, 6.0, 10.0, 1.0])]);
        assert!(matches!(seen, Seen::Untrusted { .. }));
    }
}
