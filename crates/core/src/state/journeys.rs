//! What the journal says of plans, rollouts, freezes, effects and drills.

use std::sync::Arc;

use imbl::OrdMap;
use leverframe_flags::{EnvironmentKey, FlagKey};
use serde::{Deserialize, Serialize};

use super::State;
use crate::drill::{Drill, DrillSchedule};
use crate::effect::{Effect, EffectEntry};
use crate::event::Event;
use crate::freeze::Freeze;
use crate::limit::{DRILLS_KEPT_MAX, EFFECTS_KEPT_MAX, ROLLOUTS_KEPT_MAX};
use crate::record::Record;
use crate::rollout::{Cause, Move, Phase, Plan, Rollout};
use crate::time::Timestamp;

/// A plan and who last applied it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanEntry {
    /// The plan.
    pub plan: Arc<Plan>,
    /// The revision that last applied it.
    pub revision: u64,
    /// When.
    pub at: Timestamp,
    /// Who, as people call the actor.
    pub by: Box<str>,
}

/// All of it, as it is kept in memory.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Journeys {
    plans: OrdMap<Box<str>, Arc<PlanEntry>>,
    rollouts: OrdMap<Box<str>, Arc<Rollout>>,
    running: OrdMap<(FlagKey, EnvironmentKey), Box<str>>,
    /// The last rollout that is over, of each lever that none runs of.
    last: OrdMap<(FlagKey, EnvironmentKey), Box<str>>,
    /// By the revision that ended them, which may have ended several, and their name.
    over: OrdMap<(u64, Box<str>), ()>,
    freezes: OrdMap<EnvironmentKey, Freeze>,
    effects: OrdMap<Box<str>, Arc<EffectEntry>>,
    unsettled: OrdMap<Box<str>, ()>,
    /// By the revision that settled them.
    settled: OrdMap<u64, Box<str>>,
    drills: OrdMap<u64, Arc<Drill>>,
    schedules: OrdMap<(FlagKey, EnvironmentKey), DrillSchedule>,
    /// The last revision of each lever that nobody was to watch.
    declined: OrdMap<(FlagKey, EnvironmentKey), u64>,
}

/// All of it, as it is stored.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeptJourneys {
    plans: Vec<Arc<PlanEntry>>,
    rollouts: Vec<Arc<Rollout>>,
    freezes: Vec<Freeze>,
    effects: Vec<Arc<EffectEntry>>,
    /// The effects that are settled, by the revision that settled them.
    settled: Vec<(u64, Box<str>)>,
    drills: Vec<Arc<Drill>>,
    schedules: Vec<DrillSchedule>,
    #[serde(default)]
    declined: Vec<(FlagKey, EnvironmentKey, u64)>,
}

impl Journeys {
    pub(super) fn kept(&self) -> KeptJourneys {
        KeptJourneys {
            plans: self.plans.values().cloned().collect(),
            rollouts: self.rollouts.values().cloned().collect(),
            freezes: self.freezes.values().cloned().collect(),
            effects: self.effects.values().cloned().collect(),
            settled: self
                .settled
                .iter()
                .map(|(at, id)| (*at, id.clone()))
                .collect(),
            drills: self.drills.values().cloned().collect(),
            schedules: self.schedules.values().cloned().collect(),
            declined: self
                .declined
                .iter()
                .map(|((flag, environment), at)| (flag.clone(), environment.clone(), *at))
                .collect(),
        }
    }

    fn effect(&mut self, entry: EffectEntry) {
        let id = entry.effect.id.clone();
        if entry.settlement.is_none() {
            self.unsettled.insert(id.clone(), ());
        }
        self.effects.insert(id, Arc::new(entry));
    }

    /// Files a rollout by what it is now.
    fn file(&mut self, rollout: Arc<Rollout>) {
        let lever = (rollout.flag.clone(), rollout.environment.clone());
        let id = rollout.id.clone();
        let ended = rollout.moves.last().map_or(0, |last| last.revision);
        if rollout.is_over() {
            if self.running.get(&lever) == Some(&id) {
                self.running.remove(&lever);
            }
            let is_latest = self.last.get(&lever).is_none_or(|other| {
                let other = self.rollouts.get(other);
                other.is_none_or(|other| {
                    other.moves.last().is_none_or(|last| last.revision <= ended)
                })
            });
            // A watch that did nothing leaves nothing to go back to.
            let is_quiet = rollout.is_watch && rollout.phase == Phase::Ended;
            if is_latest && !is_quiet {
                self.last.insert(lever, id.clone());
            }
            self.over.insert((ended, id.clone()), ());
        } else {
            self.running.insert(lever, id.clone());
        }
        self.rollouts.insert(id, rollout);
        while self.over.len() > ROLLOUTS_KEPT_MAX {
            let Some((oldest, ())) = self.over.get_min().cloned() else {
                break;
            };
            self.over.remove(&oldest);
            let (_, id) = oldest;
            if let Some(gone) = self.rollouts.remove(&id) {
                let lever = (gone.flag.clone(), gone.environment.clone());
                if self.last.get(&lever) == Some(&id) {
                    self.last.remove(&lever);
                }
            }
        }
    }

    fn drill(&mut self, drill: Arc<Drill>) {
        self.drills.insert(drill.revision, drill);
        while self.drills.len() > DRILLS_KEPT_MAX {
            let Some(oldest) = self.drills.get_min().map(|(at, _)| *at) else {
                break;
            };
            self.drills.remove(&oldest);
        }
    }
}

impl From<KeptJourneys> for Journeys {
    fn from(kept: KeptJourneys) -> Self {
        let mut journeys = Self::default();
        for entry in kept.plans {
            journeys.plans.insert(entry.plan.key.clone(), entry);
        }
        for rollout in kept.rollouts {
            journeys.file(rollout);
        }
        for freeze in kept.freezes {
            journeys.freezes.insert(freeze.environment.clone(), freeze);
        }
        for entry in kept.effects {
            journeys.effect(EffectEntry::clone(&entry));
        }
        journeys.settled = kept.settled.into_iter().collect();
        for drill in kept.drills {
            journeys.drill(drill);
        }
        for schedule in kept.schedules {
            let lever = (schedule.flag.clone(), schedule.environment.clone());
            journeys.schedules.insert(lever, schedule);
        }
        for (flag, environment, at) in kept.declined {
            journeys.declined.insert((flag, environment), at);
        }
        journeys
    }
}

impl State {
    /// Every plan that was applied, sorted by name.
    pub fn plans(&self) -> impl Iterator<Item = &Arc<PlanEntry>> {
        self.journeys.plans.values()
    }

    /// One plan that was applied.
    #[must_use]
    pub fn plan(&self, key: &str) -> Option<&Arc<PlanEntry>> {
        self.journeys.plans.get(key)
    }

    /// Every rollout that runs or is kept, sorted by name.
    pub fn rollouts(&self) -> impl Iterator<Item = &Arc<Rollout>> {
        self.journeys.rollouts.values()
    }

    /// One rollout.
    #[must_use]
    pub fn rollout(&self, id: &str) -> Option<&Arc<Rollout>> {
        self.journeys.rollouts.get(id)
    }

    /// Every rollout that runs, sorted by lever.
    pub fn running(&self) -> impl Iterator<Item = &Arc<Rollout>> {
        let ids = self.journeys.running.values();
        ids.filter_map(|id| self.rollout(id))
    }

    /// The rollout of a lever that runs.
    #[must_use]
    pub fn running_of(
        &self,
        flag: &FlagKey,
        environment: &EnvironmentKey,
    ) -> Option<&Arc<Rollout>> {
        let lever = (flag.clone(), environment.clone());
        self.rollout(self.journeys.running.get(&lever)?)
    }

    /// The last rollout of a lever that is over, as long as it is kept.
    #[must_use]
    pub fn last_of(&self, flag: &FlagKey, environment: &EnvironmentKey) -> Option<&Arc<Rollout>> {
        let lever = (flag.clone(), environment.clone());
        self.rollout(self.journeys.last.get(&lever)?)
    }

    /// The freeze of an environment, if it is frozen now.
    #[must_use]
    pub fn freeze(&self, environment: &str, now: Timestamp) -> Option<&Freeze> {
        let freeze = self.journeys.freezes.get(environment)?;
        (now < freeze.until).then_some(freeze)
    }

    /// Every effect that is kept, sorted by name.
    pub fn effects(&self) -> impl Iterator<Item = &Arc<EffectEntry>> {
        self.journeys.effects.values()
    }

    /// The effects that nothing came of yet, sorted by name.
    pub fn unsettled(&self) -> impl Iterator<Item = &Arc<EffectEntry>> {
        let ids = self.journeys.unsettled.keys();
        ids.filter_map(|id| self.journeys.effects.get(id))
    }

    /// One effect.
    #[must_use]
    pub fn effect(&self, id: &str) -> Option<&Arc<EffectEntry>> {
        self.journeys.effects.get(id)
    }

    /// Whether whoever moved a lever by that revision wanted no watch of it.
    pub(super) fn is_watch_declined(
        &self,
        flag: &FlagKey,
        environment: &EnvironmentKey,
        revision: u64,
    ) -> bool {
        let lever = (flag.clone(), environment.clone());
        self.journeys.declined.get(&lever) == Some(&revision)
    }

    /// The drills that are kept, the oldest first.
    pub fn drills(&self) -> impl DoubleEndedIterator<Item = &Arc<Drill>> {
        self.journeys.drills.values()
    }

    /// One drill, by the revision that started it.
    #[must_use]
    pub fn drill(&self, revision: u64) -> Option<&Arc<Drill>> {
        self.journeys.drills.get(&revision)
    }

    /// Which levers are drilled by themselves, sorted by lever.
    pub fn drill_schedules(&self) -> impl Iterator<Item = &DrillSchedule> {
        self.journeys.schedules.values()
    }

    pub(super) fn apply_to_journeys(
        &mut self,
        event: &Event,
        record: &Record,
    ) -> Result<(), String> {
        match event {
            Event::PlanApplied { plan } => {
                let entry = PlanEntry {
                    plan: Arc::clone(plan),
                    revision: record.revision,
                    at: record.at,
                    by: record.actor_name.clone(),
                };
                self.journeys
                    .plans
                    .insert(plan.key.clone(), Arc::new(entry));
            }
            Event::PlanDeleted { plan } => {
                let gone = self.journeys.plans.remove(plan);
                gone.ok_or_else(|| format!("there is no plan {plan}"))?;
            }
            Event::RolloutStarted { rollout } => {
                if self
                    .running_of(&rollout.flag, &rollout.environment)
                    .is_some()
                {
                    return Err(format!("a rollout of {} runs already", rollout.flag));
                }
                if self.rollout(&rollout.id).is_some() {
                    return Err(format!("rollout {} exists already", rollout.id));
                }
                self.journeys.file(Arc::clone(rollout));
            }
            Event::RolloutMoved {
                rollout,
                at,
                to,
                proved,
                cause,
                sentence,
                ..
            } => self.move_rollout(rollout, (*at, to, *proved), cause, sentence, record)?,
            Event::FreezeSet { environment, until } => {
                let freeze = Freeze {
                    environment: environment.clone(),
                    until: *until,
                    at: record.at,
                    by: record.actor_name.clone(),
                    reason: record.why.reason.clone(),
                    revision: record.revision,
                };
                self.journeys.freezes.insert(environment.clone(), freeze);
            }
            Event::FreezeLifted { environment } => {
                let gone = self.journeys.freezes.remove(environment);
                gone.ok_or_else(|| format!("{environment} is not frozen"))?;
            }
            Event::EffectWanted { effect } => {
                if self.effect(&effect.id).is_some() {
                    return Err(format!("effect {} is wanted already", effect.id));
                }
                self.journeys.effect(EffectEntry {
                    effect: Effect::clone(effect),
                    settlement: None,
                });
            }
            Event::EffectSettled { effect, settlement } => {
                let entry = self.journeys.effects.get_mut(effect);
                let entry = entry.ok_or_else(|| format!("there is no effect {effect}"))?;
                Arc::make_mut(entry).settlement = Some(settlement.clone());
                self.journeys.unsettled.remove(effect);
                self.journeys
                    .settled
                    .insert(record.revision, effect.clone());
                while self.journeys.settled.len() > EFFECTS_KEPT_MAX {
                    let Some((at, id)) = self.journeys.settled.get_min().cloned() else {
                        break;
                    };
                    self.journeys.settled.remove(&at);
                    self.journeys.effects.remove(&id);
                }
            }
            Event::DrillStarted {
                flag,
                environment,
                before,
            } => self.journeys.drill(Arc::new(Drill {
                revision: record.revision,
                flag: flag.clone(),
                environment: environment.clone(),
                before: before.clone(),
                at: record.at,
                by: record.actor_name.clone(),
                result: None,
                is_restored: false,
                ended_revision: None,
            })),
            Event::DrillFinished {
                drill,
                result,
                is_restored,
            } => {
                let entry = self.journeys.drills.get_mut(drill);
                let entry = entry.ok_or_else(|| format!("there is no drill r{drill}"))?;
                let entry = Arc::make_mut(entry);
                entry.result = Some(result.clone());
                entry.is_restored = *is_restored;
                entry.ended_revision = Some(record.revision);
            }
            Event::WatchDeclined { flag, environment } => {
                let lever = (flag.clone(), environment.clone());
                self.journeys.declined.insert(lever, record.revision);
            }
            Event::DrillScheduled {
                flag,
                environment,
                every_ms,
            } => {
                let lever = (flag.clone(), environment.clone());
                match every_ms {
                    Some(every_ms) => {
                        let schedule = DrillSchedule {
                            flag: flag.clone(),
                            environment: environment.clone(),
                            every_ms: *every_ms,
                            revision: record.revision,
                            at: record.at,
                            by: record.actor_name.clone(),
                        };
                        self.journeys.schedules.insert(lever, schedule);
                    }
                    None => {
                        self.journeys.schedules.remove(&lever);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn move_rollout(
        &mut self,
        id: &str,
        (at, to, proved): (Timestamp, &Phase, Option<usize>),
        cause: &Cause,
        sentence: &str,
        record: &Record,
    ) -> Result<(), String> {
        let rollout = self.rollout(id);
        let rollout = rollout.ok_or_else(|| format!("there is no rollout {id}"))?;
        if rollout.is_over() {
            return Err(format!("rollout {id} is over"));
        }
        let mut rollout = Rollout::clone(rollout);
        let lever_revision = self
            .flag(rollout.flag.as_str())
            .and_then(|flag| flag.lever(rollout.environment.as_str()))
            .map_or(0, |lever| lever.moved_revision);
        // What moves with a rollout, or is told to it in the same record, is in its hand.
        if lever_revision == record.revision || rollout.moves.is_empty() {
            rollout.lever_revision = lever_revision;
        }
        rollout.follow(Move {
            revision: record.revision,
            at,
            to: to.clone(),
            cause: cause.clone(),
            by: record.actor_name.clone(),
            sentence: sentence.into(),
        });
        rollout.proved = proved.or(rollout.proved);
        self.journeys.file(Arc::new(rollout));
        Ok(())
    }
}
