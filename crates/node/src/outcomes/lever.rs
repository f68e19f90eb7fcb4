//! The outcomes of one lever: open intervals, and the stage it is in.

use std::collections::{BTreeMap, VecDeque};

use leverframe_core::Timestamp;
use leverframe_core::rollout::{Histogram, LATENCY_ROW, Measurement, Seen};
use leverframe_store::{Series, StoredMeasurement};

use super::interval::Interval;
use super::limit::{OUTCOME_FORGET_MS, OUTCOME_MEMORY_MS, OUTCOME_NAMES_MAX};
use super::minute::{INTERVALS, Minute};
use super::note::Note;
use super::report::{Arm, ERRORS, Report};
use super::stage::{Added, Known, Stage};

/// Most moves remembered between two intervals that are closed.
const MOVES_MAX: usize = 64;

/// The outcomes of one lever.
#[derive(Debug, Clone)]
pub(super) struct Lever {
    /// Names of outcomes, and since which interval each is known.
    names: Vec<(Box<str>, Timestamp)>,
    open: BTreeMap<Timestamp, Interval>,
    stage: Option<Stage>,
    minute: Option<Minute>,
    /// Latencies count from here on: of the minute in which the process started nobody knows who was
    /// counted.
    latency_from: Timestamp,
    /// Exposed and held back units that came too late, and are in no measurement yet.
    late: (u64, u64),
    /// The first interval that was heard of, and the last.
    heard: Option<(Timestamp, Timestamp)>,
    /// When which revision was found to have moved the lever.
    moves: VecDeque<(Timestamp, u64)>,
    watched: bool,
}

/// How an interval is closed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Closing {
    pub(super) at: Timestamp,
    pub(super) length_ms: i64,
    pub(super) units_max: usize,
}

impl Lever {
    pub(super) fn new(latency_from: Timestamp) -> Self {
        Self {
            names: Vec::new(),
            open: BTreeMap::new(),
            stage: None,
            minute: None,
            latency_from,
            late: (0, 0),
            heard: None,
            moves: VecDeque::new(),
            watched: false,
        }
    }

    /// Takes a report of an open interval. Returns by how many units more are held.
    pub(super) fn take(&mut self, report: &Report, units_max: usize) -> i64 {
        self.hear(report.at);
        self.name(ERRORS, report.at);
        let bits: Vec<u8> = report
            .names
            .iter()
            .map(|name| self.name(name, report.at))
            .collect();
        let interval = self.open.entry(report.at).or_default();
        let before = interval.len();
        interval.lower(report.threshold);
        for unit in &report.units {
            let bad = (0..).zip(&bits).fold(0, |bad, (place, bit)| {
                let is_bad = unit.bad & 1_u8.checked_shl(place).unwrap_or(0) != 0;
                if is_bad { bad | bit } else { bad }
            });
            interval.join(*unit, bad, units_max);
        }
        interval.len() as i64 - before as i64
    }

    /// Counts the units of a report whose interval is closed.
    pub(super) fn take_late(&mut self, report: &Report) {
        for unit in &report.units {
            match unit.arm {
                Arm::Exposed => self.late.0 += 1,
                Arm::HeldBack => self.late.1 += 1,
                Arm::Assigned => {}
            }
        }
    }

    /// It is watched, and so has an interval even when nobody says anything.
    pub(super) fn watch<'a>(&mut self, names: impl Iterator<Item = &'a str>, from: Timestamp) {
        self.watched = true;
        if self.heard.is_none() {
            self.heard = Some((from, from));
        }
        self.name(ERRORS, from);
        for name in names {
            self.name(name, from);
        }
    }

    pub(super) fn unwatch(&mut self) {
        self.watched = false;
    }

    /// Notes which revision has moved the lever last.
    pub(super) fn note_revision(&mut self, now: Timestamp, revision: u64) {
        if self.moves.back().is_none_or(|(_, last)| *last != revision) {
            self.moves.push_back((now, revision));
            if self.moves.len() > MOVES_MAX {
                self.moves.pop_front();
            }
        }
    }

    /// Whether an interval is written down although nobody said anything.
    fn is_kept(&self, at: Timestamp) -> bool {
        self.heard.is_some_and(|(first, last)| {
            at >= first && (self.watched || at.ms_since(last) <= OUTCOME_FORGET_MS)
        })
    }

    /// Whether nothing will be written of it any more.
    pub(super) fn is_forgotten(&self, at: Timestamp) -> bool {
        self.open.is_empty() && !self.watched && {
            self.heard
                .is_none_or(|(_, last)| at.ms_since(last) > OUTCOME_FORGET_MS)
        }
    }

    /// How many units are held in open intervals, and in the stage.
    pub(super) fn held(&self) -> (usize, usize) {
        let open = self.open.values().map(Interval::len).sum();
        (open, self.stage.as_ref().map_or(0, Stage::len))
    }

    /// Closes an interval: what was seen of every name, and of latency.
    pub(super) fn close(
        &mut self,
        (environment, flag, prefix): (&str, &str, &str),
        closing: Closing,
    ) -> Vec<StoredMeasurement> {
        let Closing { at, length_ms, .. } = closing;
        let interval = self.open.remove(&at);
        if interval.is_none() && !self.is_kept(at) {
            return Vec::new();
        }
        let interval = interval.unwrap_or_default();
        let revision = self.revision_at(at);
        let added = self.add(revision, &interval, closing);
        let late = std::mem::take(&mut self.late);
        let row = |metric: &str, seen, private| StoredMeasurement {
            series: Series::new(environment, flag, [prefix, metric].concat()),
            measurement: Measurement {
                at,
                length_ms,
                lever_revision: revision,
                seen,
            },
            private,
        };
        let mut rows = Vec::with_capacity(self.names.len() + 1);
        for (index, (name, since)) in self.names.iter().enumerate() {
            if *since > at {
                continue;
            }
            let seen = Seen::Units {
                exposed: added.tally(index, Arm::Exposed),
                held_back: added.tally(index, Arm::HeldBack),
                assigned: added.tally(index, Arm::Assigned),
                late,
                arrivals: Some(added.arrivals()),
                is_approximate: false,
            };
            // What was learned of units is of all names, and written once.
            let is_note_due = index == 0 && self.watched && !added.learned.is_empty();
            let note = is_note_due.then(|| self.note(&added).write());
            rows.push(row(name, seen, note));
        }
        let [exposed, held_back, assigned] = self.latencies(&interval, &added, closing);
        let seen = Seen::Latency {
            exposed,
            held_back,
            assigned,
            late,
        };
        rows.push(row(LATENCY_ROW, seen, None));
        rows
    }

    fn add(&mut self, revision: u64, interval: &Interval, closing: Closing) -> Added {
        // Where no rollout runs, nothing asks for units of longer ago; remembering them for ever
        // would leave ever fewer to count.
        let period = if self.watched {
            self.stage.as_ref().map_or(0, |stage| stage.period)
        } else {
            closing.at.as_ms().div_euclid(OUTCOME_MEMORY_MS)
        };
        let is_same = |stage: &&mut Stage| stage.revision == revision && stage.period == period;
        let stage = match self.stage.as_mut().filter(is_same) {
            Some(stage) => stage,
            None => self.stage.insert(Stage::new(revision, period)),
        };
        stage.add(interval, closing.units_max)
    }

    fn latencies(
        &mut self,
        interval: &Interval,
        added: &Added,
        closing: Closing,
    ) -> [Histogram; 3] {
        if closing.at < self.latency_from {
            return Default::default();
        }
        let number = minute_of(closing.at, closing.length_ms);
        let minute = self.minute.get_or_insert_with(|| Minute::new(number));
        minute.add(number, interval, added.threshold, closing.units_max)
    }

    fn note(&self, added: &Added) -> Note {
        Note {
            names: self.names.iter().map(|(name, _)| name.clone()).collect(),
            threshold: self.stage.as_ref().map_or(u64::MAX, Stage::threshold),
            learned: added.learned.clone(),
        }
    }

    /// Goes on from what was written before a restart, one interval after another.
    pub(super) fn recall(&mut self, one: &StoredMeasurement, units_max: usize) {
        let Measurement {
            at, lever_revision, ..
        } = one.measurement;
        self.note_revision(at, lever_revision);
        let note = one.private.as_deref().and_then(Note::read);
        let Some(note) = note else {
            return;
        };
        let bits: Vec<u8> = note.names.iter().map(|name| self.name(name, at)).collect();
        let learned: Vec<(u64, Known)> = note
            .learned
            .iter()
            .map(|(hash, known)| {
                let bad = (0..).zip(&bits).fold(0, |bad, (place, bit)| {
                    let is_bad = known.bad & 1_u8.checked_shl(place).unwrap_or(0) != 0;
                    if is_bad { bad | bit } else { bad }
                });
                let arms = known.arms;
                (*hash, Known { arms, bad })
            })
            .collect();
        let is_same = |stage: &&mut Stage| stage.revision == lever_revision;
        let stage = match self.stage.as_mut().filter(is_same) {
            Some(stage) => stage,
            None => self.stage.insert(Stage::new(lever_revision, 0)),
        };
        stage.recall(&learned, note.threshold, units_max);
    }

    /// It was heard of before a restart, up to this interval, under these names.
    pub(super) fn recall_names<'a>(
        &mut self,
        names: impl IntoIterator<Item = &'a str>,
        last: Timestamp,
    ) {
        self.hear(last);
        self.name(ERRORS, last);
        for name in names {
            self.name(name, last);
        }
    }

    fn hear(&mut self, at: Timestamp) {
        let (first, last) = self.heard.unwrap_or((at, at));
        self.heard = Some((first.min(at), last.max(at)));
    }

    /// The bit of a name, known since an interval; none when there are too many names.
    fn name(&mut self, name: &str, at: Timestamp) -> u8 {
        if name == LATENCY_ROW {
            // Its row is another.
            return 0;
        }
        let known = self.names.iter_mut().zip(0..);
        for ((known, since), place) in known {
            if **known == *name {
                *since = (*since).min(at);
                return 1 << place;
            }
        }
        let place = self.names.len();
        if place >= OUTCOME_NAMES_MAX {
            return 0;
        }
        self.names.push((name.into(), at));
        1 << place
    }

    /// The revision that had moved the lever last when an interval began, as far as is known. A move
    /// is noticed a little late; the interval then counts as one of the stage before, which evidence
    /// leaves out.
    fn revision_at(&mut self, at: Timestamp) -> u64 {
        while let [_, (second, _), ..] = self.moves.make_contiguous()
            && *second <= at
        {
            self.moves.pop_front();
        }
        self.moves.front().map_or(0, |(_, revision)| *revision)
    }
}

/// The number of the minute that an interval is in.
pub(super) fn minute_of(at: Timestamp, length_ms: i64) -> i64 {
    at.as_ms()
        .div_euclid(length_ms.saturating_mul(INTERVALS).max(1))
}

const _: () = assert!(OUTCOME_NAMES_MAX <= u8::BITS as usize);
