//! The auditor of rollouts: folds the journal for itself, reads what was stored, and knows which
//! release is bad and who said stop.

use std::collections::{BTreeMap, BTreeSet};

use leverframe_core::effect::Settlement;
use leverframe_core::position::is_opening;
use leverframe_core::rollout::{Cause, Phase, Rollout, Seen};
use leverframe_core::{Entry, Event, State, Timestamp};
use leverframe_flags::{FlagKey, Percentage, Position};
use leverframe_store::memory::Disk;
use leverframe_store::{Beside, MemoryStore, Reader, Store as _};

use super::pager::Pager;
use super::report::RolloutReport;
use super::traffic::Traffic;
use super::{BAKE_MS, ENVIRONMENT, INTERVAL_MS, WATERMARK_MS, people};
use crate::audit::{Broken, demand};

/// What is older than this says nothing of now, in milliseconds: the six intervals that the ledger
/// allows, after up to three that were empty.
const STALE_MS: i64 = 9 * INTERVAL_MS + WATERMARK_MS;

#[derive(Default)]
pub(super) struct Auditor {
    state: State,
    /// Flags whose rollout a person stopped, and no person let go on since.
    stopped: BTreeSet<FlagKey>,
    wanted: BTreeMap<Box<str>, (Box<str>, u64)>,
    settled: BTreeSet<Box<str>>,
    /// Steps forward by evidence: whose and to where, for the end.
    forward: Vec<(FlagKey, u64)>,
}

impl Auditor {
    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Looks at every record that is new. `boot` is the process that leads.
    pub(super) fn observe(
        &mut self,
        disk: &Disk,
        boot: u64,
        story: &mut Vec<String>,
        report: &mut RolloutReport,
    ) -> Result<(), Broken> {
        let unreadable = |error: leverframe_store::StoreError| Broken {
            promise: "P5",
            what: error.to_string(),
        };
        let entries = Reader::read(disk, self.state.revision(), usize::MAX).map_err(unreadable)?;
        for entry in entries {
            let before = self.state.clone();
            self.state.apply(&entry).map_err(|error| Broken {
                promise: "P5",
                what: error.to_string(),
            })?;
            story.extend(told(&entry));
            let beside = MemoryStore::open(disk).beside();
            self.check(&before, &entry, boot, &*beside, report)?;
        }
        Ok(())
    }

    fn check(
        &mut self,
        before: &State,
        entry: &Entry,
        boot: u64,
        beside: &dyn Beside,
        report: &mut RolloutReport,
    ) -> Result<(), Broken> {
        let record = &entry.record;
        demand(*record.via == *format!("leader {boot}"), "P5", || {
            format!(
                "r{} is by {}, and {boot} leads",
                record.revision, record.via
            )
        })?;
        let is_by_node = &*record.actor == "system";
        for event in &record.events {
            match event {
                Event::RolloutStarted { .. } => report.started += 1,
                Event::RolloutMoved { rollout, at, .. } if is_by_node => {
                    let was = before.rollout(rollout).cloned();
                    let is = self.state.rollout(rollout).cloned();
                    let (Some(was), Some(is)) = (was, is) else {
                        continue;
                    };
                    self.check_step(&was, &is, *at, beside, report)?;
                }
                Event::PositionMoved { flag, from, to, .. } if is_by_node => {
                    self.check_move(before, entry, flag, (from, to))?;
                }
                Event::EffectWanted { effect } => {
                    let about = (effect.message.rollout.clone(), effect.message.revision);
                    let is_twice = self.wanted.insert(effect.id.clone(), about).is_some();
                    demand(!is_twice, "effects", || {
                        format!("{} is wanted twice", effect.id)
                    })?;
                }
                Event::EffectSettled { effect, settlement } => {
                    report.settled += 1;
                    let is_first = self.settled.insert(effect.clone());
                    demand(is_first, "effects", || format!("{effect} is settled twice"))?;
                    let is_told = matches!(settlement, Settlement::Delivered { .. });
                    demand(is_told, "effects", || format!("{effect} was given up"))?;
                }
                _ => {}
            }
        }
        self.check_levers()?;
        if !is_by_node {
            self.note_people(entry, report);
        }
        Ok(())
    }

    /// P6: a step of the node itself rests on what was stored, once, and overrules nobody.
    fn check_step(
        &mut self,
        was: &Rollout,
        is: &Rollout,
        at: Timestamp,
        beside: &dyn Beside,
        report: &mut RolloutReport,
    ) -> Result<(), Broken> {
        let Some(made) = is.moves.last() else {
            return Ok(());
        };
        let broken = |why: &str| {
            let (id, revision) = (&is.id, made.revision);
            format!(
                "{id} goes to {:?} at r{revision} by {:?}, {why}",
                is.phase, made.cause
            )
        };
        match is.phase {
            Phase::RolledBack => report.rolled_back += 1,
            Phase::Retreated { .. } => report.retreats += 1,
            Phase::Done => report.done += 1,
            Phase::Stage { .. } if matches!(made.cause, Cause::NotProved { .. }) => {
                report.held += 1;
            }
            _ => {}
        }
        let is_repeat = was.moves.last().is_some_and(|last| {
            last.to == made.to && last.cause == made.cause && &*last.by == "system"
        });
        demand(!is_repeat, "P6", || broken("for the second time"))?;
        let is_forward = matches!(made.cause, Cause::Proved | Cause::Recovered | Cause::Cooled);
        if !is_forward {
            return Ok(());
        }
        report.forward += 1;
        demand(!self.stopped.contains(&is.flag), "P6", || {
            broken("although a person stopped it")
        })?;
        let series = people::series(is.flag.as_str());
        let rows = beside
            .measurements(&series, was.since, at, usize::MAX)
            .map_err(|error| Broken {
                promise: "P5",
                what: error.to_string(),
            })?;
        let good = rows.iter().map(|row| &row.measurement).filter(|seen| {
            matches!(seen.seen, Seen::Units { exposed, held_back, .. } if exposed.units + held_back.units > 0)
        });
        let (mut analysed_ms, mut last) = (0, None);
        for seen in good {
            analysed_ms += seen.length_ms;
            last = Some(seen.at.plus_ms(seen.length_ms));
        }
        // The ends of the warm time and of a clean bake after a retreat go by the clock.
        let is_baked = made.cause != Cause::Proved || analysed_ms >= BAKE_MS;
        demand(is_baked, "P6", || {
            broken(&format!(
                "and only {analysed_ms} ms of it were measured and stored"
            ))
        })?;
        let age_ms = last.map_or(i64::MAX, |last| at.ms_since(last));
        demand(age_ms <= STALE_MS, "P6", || {
            broken(&format!("and the last that was seen is {age_ms} ms old"))
        })?;
        if made.cause == Cause::Proved {
            self.forward.push((is.flag.clone(), made.revision));
        }
        Ok(())
    }

    /// An exposure grows by the node only in the record of a step forward of its rollout, to where the
    /// plan leads, and not where it is frozen.
    fn check_move(
        &self,
        before: &State,
        entry: &Entry,
        flag: &FlagKey,
        (from, to): (&Position, &Position),
    ) -> Result<(), Broken> {
        let Some(known) = before.flag(flag.as_str()) else {
            return Ok(());
        };
        if !is_opening(from, to, &known.definition.closed) {
            return Ok(());
        }
        let record = &entry.record;
        let steps = record.events.iter().any(|event| match event {
            Event::RolloutMoved { rollout, cause, .. } => {
                let is_own = self
                    .state
                    .rollout(rollout)
                    .is_some_and(|rollout| rollout.flag == *flag);
                is_own && matches!(cause, Cause::Proved | Cause::Recovered | Cause::Cooled)
            }
            _ => false,
        });
        demand(steps, "P6", || {
            format!(
                "{flag} is opened to {to} at r{} without a step",
                record.revision
            )
        })?;
        let frozen = before.freeze(ENVIRONMENT, record.at);
        demand(frozen.is_none(), "P6", || {
            format!(
                "{flag} is opened to {to} at r{} in a freeze",
                record.revision
            )
        })
    }

    /// A rollout and its lever agree.
    fn check_levers(&self) -> Result<(), Broken> {
        for rollout in self.state.running() {
            let Some(flag) = self.state.flag(rollout.flag.as_str()) else {
                continue;
            };
            let lever = flag.lever(ENVIRONMENT);
            let moved = lever.map_or(0, |lever| lever.moved_revision);
            let position = flag.position(ENVIRONMENT);
            let expected = match rollout.phase {
                Phase::Stage { index, .. } => Some(rollout.exposure(index).percentage),
                Phase::Warm => Some(Percentage::FULL),
                _ => None,
            };
            let most = Percentage::FULL.thousandths() - rollout.plan.hold_back.thousandths();
            let agrees = match (expected, position) {
                (Some(expected), Position::Open { exposure }) => {
                    exposure.percentage.thousandths() == expected.thousandths().min(most)
                }
                (Some(_), _) => false,
                (None, _) => true,
            };
            demand(agrees && moved == rollout.lever_revision, "P6", || {
                format!(
                    "{} is at {:?} and its lever is {position}, moved at r{moved} and not at r{}",
                    rollout.id, rollout.phase, rollout.lever_revision
                )
            })?;
        }
        Ok(())
    }

    /// Who said stop, and who let go on.
    fn note_people(&mut self, entry: &Entry, report: &mut RolloutReport) {
        for event in &entry.record.events {
            let Event::RolloutMoved { rollout, cause, .. } = event else {
                continue;
            };
            let Some(rollout) = self.state.rollout(rollout) else {
                continue;
            };
            match cause {
                Cause::Started | Cause::Resumed | Cause::Skipped => {
                    self.stopped.remove(&rollout.flag);
                }
                Cause::PausedByHand
                | Cause::RolledBackByHand
                | Cause::MovedByHand
                | Cause::Killed => {
                    report.stops += 1;
                    self.stopped.insert(rollout.flag.clone());
                }
                _ => {}
            }
        }
    }

    /// Once nothing goes wrong any more and everybody had time.
    pub(super) fn check_end(&self, pager: &Pager, traffic: &Traffic) -> Result<(), Broken> {
        for (flag, revision) in &self.forward {
            demand(!traffic.is_bad(flag.as_str()), "P6", || {
                format!("{flag} is a bad release and went forward as proved at r{revision}")
            })?;
        }
        let heard: BTreeSet<&str> = pager.heard().map(|(name, _)| name).collect();
        for id in self.wanted.keys() {
            demand(self.settled.contains(id), "effects", || {
                format!("{id} is wanted and never settled")
            })?;
            let is_heard = pager
                .heard()
                .any(|(_, heard)| Some(&heard.about) == self.wanted.get(id));
            demand(is_heard, "effects", || {
                format!("{id} is settled and nobody heard of it")
            })?;
        }
        let once: BTreeSet<&(Box<str>, u64)> =
            pager.heard().map(|(_, heard)| &heard.about).collect();
        demand(heard.len() == once.len(), "effects", || {
            format!(
                "the pager made {} noises for {} things",
                heard.len(),
                once.len()
            )
        })?;
        for rollout in self.state.running() {
            let is_open = matches!(rollout.phase, Phase::Stage { .. } | Phase::Warm);
            let is_bad = traffic.is_bad(rollout.flag.as_str());
            demand(!(is_open && is_bad), "live", || {
                format!("{} is bad and still at {:?}", rollout.id, rollout.phase)
            })?;
        }
        Ok(())
    }
}

/// A record in words.
fn told(entry: &Entry) -> Vec<String> {
    let record = &entry.record;
    let moves = record.events.iter().filter_map(|event| match event {
        Event::RolloutMoved {
            rollout,
            to,
            sentence,
            ..
        } => Some(format!(
            "r{} {} {rollout} {to:?}: {sentence}",
            record.revision, record.actor
        )),
        _ => None,
    });
    moves.collect()
}
