//! What users do, as a source would report it: closed intervals, some of them late, doubled, empty,
//! missing or cut off; releases that are good or bad; and harm that hits everybody.

use std::collections::{BTreeMap, BTreeSet};

use leverframe_core::analysis::Tally;
use leverframe_core::rollout::{Arrivals, Measurement, Seen};
use leverframe_core::{State, Timestamp};
use leverframe_flags::Position;
use leverframe_store::{Series, StoredMeasurement};

use super::{ENVIRONMENT, FLAGS, INTERVAL_MS, WATERMARK_MS};
use crate::chance::Chance;

/// Users in one interval.
const USERS: u64 = 4_000;
/// How many in ten thousand have trouble of their own.
const BASE: u64 = 50;
/// How many do while something hits everybody.
const OUTAGE: u64 = 600;
/// How many times as many do with a bad release, whatever else is wrong.
const BAD_TIMES: u64 = 15;

/// What a source is like just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Well,
    /// It answers, and there is nothing.
    Empty,
    /// It does not answer.
    Away,
    /// Nothing at all comes.
    Silent,
    /// Much comes too late.
    Late,
    /// It counts from zero again: a few are seen where there are many.
    Reset,
    /// Everything comes twice.
    Doubled,
    /// Both arms fail.
    Outage,
}

#[derive(Debug)]
pub(super) struct Traffic {
    moods: BTreeMap<&'static str, (Mood, Timestamp)>,
    /// The releases that are bad.
    bad: BTreeSet<&'static str>,
    /// Intervals by when they close.
    closed: Vec<StoredMeasurement>,
    until: Option<Timestamp>,
}

impl Traffic {
    pub(super) fn new(chance: &mut Chance) -> Self {
        let bad = FLAGS.into_iter().filter(|_| chance.percent(45)).collect();
        Self {
            moods: BTreeMap::new(),
            bad,
            closed: Vec::new(),
            until: None,
        }
    }

    pub(super) fn is_bad(&self, flag: &str) -> bool {
        self.bad.contains(flag)
    }

    /// Something is wrong with a source, or with everybody, for a while.
    pub(super) fn trouble(&mut self, now: Timestamp, chance: &mut Chance) {
        let flag = FLAGS[chance.index(FLAGS.len())];
        let moods = [
            Mood::Empty,
            Mood::Away,
            Mood::Silent,
            Mood::Late,
            Mood::Reset,
            Mood::Doubled,
            Mood::Outage,
        ];
        let mood = moods[chance.index(moods.len())];
        let until = now.plus_ms(chance.between(10_000, 300_000) as i64);
        self.moods.insert(flag, (mood, until));
    }

    pub(super) fn mend(&mut self) {
        self.moods.clear();
    }

    /// Time passes; intervals end.
    pub(super) fn pass(&mut self, now: Timestamp, state: &State, chance: &mut Chance) {
        let floor = |at: Timestamp| at.as_ms().div_euclid(INTERVAL_MS) * INTERVAL_MS;
        let mut at = self.until.map_or_else(|| floor(now), floor);
        while at + INTERVAL_MS <= now.as_ms() {
            for flag in FLAGS {
                let begin = Timestamp::from_ms(at);
                self.interval(flag, begin, state, chance);
            }
            at += INTERVAL_MS;
        }
        self.until = Some(Timestamp::from_ms(at));
    }

    fn interval(&mut self, flag: &'static str, at: Timestamp, state: &State, chance: &mut Chance) {
        let Some(known) = state.flag(flag) else {
            return;
        };
        let share = match known.position(ENVIRONMENT) {
            Position::Open { exposure } => u64::from(exposure.percentage.thousandths()),
            _ => 0,
        };
        let lever = known.lever(ENVIRONMENT);
        let mood = match self.moods.get(flag) {
            Some((mood, until)) if at < *until => *mood,
            _ => Mood::Well,
        };
        let mut users = USERS + chance.below(USERS / 10);
        if mood == Mood::Reset {
            users = chance.below(30);
        }
        let exposed = users * share / 100_000;
        let base = if mood == Mood::Outage { OUTAGE } else { BASE };
        let rate = if self.is_bad(flag) {
            base * BAD_TIMES
        } else {
            base
        };
        let seen = match mood {
            Mood::Silent => return,
            Mood::Empty => Seen::NoData,
            Mood::Away => Seen::Error {
                why: "connection refused".into(),
            },
            _ => units(
                (exposed, fail(exposed, rate, chance)),
                (users - exposed, fail(users - exposed, base, chance)),
                mood == Mood::Late,
            ),
        };
        let row = StoredMeasurement {
            series: Series::new(ENVIRONMENT, flag, "errors"),
            measurement: Measurement {
                at,
                length_ms: INTERVAL_MS,
                lever_revision: lever.map_or(0, |lever| lever.moved_revision),
                seen,
            },
            private: None,
        };
        if mood == Mood::Doubled {
            self.closed.push(row.clone());
        }
        self.closed.push(row);
    }

    /// What has closed since a leader last asked. One that crashes before it has stored them asks
    /// again, as evaluators send again what was not acknowledged.
    pub(super) fn closed(&self, now: Timestamp) -> Vec<StoredMeasurement> {
        let is_closed = |row: &&StoredMeasurement| {
            now.ms_since(row.measurement.at) >= INTERVAL_MS + WATERMARK_MS
        };
        self.closed.iter().filter(is_closed).cloned().collect()
    }

    /// These are stored, and are not sent again.
    pub(super) fn acknowledge(&mut self, stored: &[StoredMeasurement]) {
        let is_stored = |row: &StoredMeasurement| {
            stored.iter().any(|known| {
                known.series == row.series && known.measurement.at == row.measurement.at
            })
        };
        self.closed.retain(|row| !is_stored(row));
    }
}

fn fail(units: u64, rate: u64, chance: &mut Chance) -> u64 {
    let expected = units * rate / 10_000;
    let wobble = chance.below(expected / 4 + 2);
    (expected + wobble).saturating_sub(expected / 8).min(units)
}

fn units(exposed: (u64, u64), held_back: (u64, u64), is_late: bool) -> Seen {
    let tally = |(units, bad)| Tally { units, bad };
    Seen::Units {
        exposed: tally(exposed),
        held_back: tally(held_back),
        assigned: Tally::default(),
        late: match is_late {
            true => (exposed.0 / 5, held_back.0 / 5),
            false => (0, 0),
        },
        arrivals: Some(Arrivals {
            exposed: exposed.0,
            held_back: held_back.0,
            assigned: 0,
        }),
        is_approximate: false,
    }
}
