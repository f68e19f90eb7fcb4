//! What rollouts do about what happens to their levers otherwise: a person's move always stands, and
//! the rollout gives way in the same record. Only a move that would open further is refused, because
//! the rollout's evidence would be of something else.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use leverframe_flags::{EnvironmentKey, FlagKey, Position, SegmentKey};

use crate::event::Event;
use crate::position::{is_opening, is_shut};
use crate::rejection::Rejection;
use crate::rollout::{Interruption, Phase, Rollout, Target, interrupted};
use crate::state::State;

use super::authority::Case;
use super::rollout::moved;

/// The events of a command, with what the rollouts do about them.
pub(super) fn react(case: &Case<'_>, mut events: Vec<Event>) -> Result<Vec<Event>, Rejection> {
    let bystanders = Bystanders::of(case.state, &events);
    if bystanders.all().next().is_none() {
        return Ok(events);
    }
    let mut told: BTreeMap<&str, (&Rollout, Interruption)> = BTreeMap::new();
    for event in &events {
        for (rollout, interruption) in bystanders.interrupted_by(event)? {
            let known = told.get(&*rollout.id);
            let is_stronger =
                known.is_none_or(|(_, known)| interruption.is_end() && !known.is_end());
            if is_stronger {
                told.insert(&rollout.id, (rollout, interruption));
            }
        }
    }
    let mut reactions = Vec::new();
    for (rollout, interruption) in told.values() {
        if let Some(transition) = interrupted(rollout, interruption) {
            reactions.extend(moved(case, rollout, &transition, None));
        }
    }
    events.extend(reactions);
    Ok(events)
}

/// The rollouts that run and do not move by the command themselves.
struct Bystanders<'a> {
    state: &'a State,
    acting: BTreeSet<Box<str>>,
    /// By what they need: their own flag and its prerequisites, all the way down.
    needing: OnceCell<BTreeMap<(EnvironmentKey, FlagKey), Vec<&'a Rollout>>>,
}

impl<'a> Bystanders<'a> {
    fn of(state: &'a State, events: &[Event]) -> Self {
        let acting = events.iter().filter_map(|event| match event {
            Event::RolloutMoved { rollout, .. } => Some(rollout.clone()),
            _ => None,
        });
        Self {
            state,
            acting: acting.collect(),
            needing: OnceCell::new(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &'a Rollout> {
        let running = self.state.running().map(|rollout| &**rollout);
        running.filter(|rollout| !self.acting.contains(&rollout.id))
    }

    /// Those that need a flag in an environment.
    fn needing(&self, flag: &FlagKey, environment: &EnvironmentKey) -> &[&'a Rollout] {
        let index = self.needing.get_or_init(|| {
            let mut index: BTreeMap<_, Vec<_>> = BTreeMap::new();
            for rollout in self.all() {
                for flag in needs(self.state, &rollout.flag, &rollout.environment) {
                    let place = (rollout.environment.clone(), flag);
                    index.entry(place).or_default().push(rollout);
                }
            }
            index
        });
        let found = index.get(&(environment.clone(), flag.clone()));
        found.map_or(&[], Vec::as_slice)
    }

    fn interrupted_by(&self, event: &Event) -> Result<Vec<(&'a Rollout, Interruption)>, Rejection> {
        Ok(match event {
            Event::PositionMoved {
                flag,
                environment,
                from,
                to,
            } => self.by_move((flag, environment), (from, to))?,
            Event::FlagEdited { definition } => {
                let before = self.state.flag(definition.key.as_str());
                let is_other = |environment: &EnvironmentKey| {
                    before.map(|flag| flag.definition.in_environment(environment.as_str()))
                        != Some(definition.in_environment(environment.as_str()))
                };
                self.edited(&definition.key, is_other)
            }
            Event::FlagArchived { flag } => self
                .all()
                .filter(|rollout| rollout.flag == *flag)
                .map(|rollout| (rollout, Interruption::Archived))
                .collect(),
            Event::SegmentEdited { segment } => self
                .state
                .flags_reached_by_segment(&segment.key)
                .iter()
                .flat_map(|(flag, there)| self.edited(flag, |environment| environment == there))
                .collect(),
            Event::SegmentDeleted { segment } => {
                self.demand_unplanned(segment)?;
                Vec::new()
            }
            Event::EpochRaised { .. } => self
                .all()
                .map(|rollout| (rollout, Interruption::Restored))
                .collect(),
            _ => Vec::new(),
        })
    }

    fn edited(
        &self,
        flag: &FlagKey,
        is_affected: impl Fn(&EnvironmentKey) -> bool,
    ) -> Vec<(&'a Rollout, Interruption)> {
        let environments = self.state.environments();
        environments
            .map(|entry| &entry.environment.key)
            .filter(|environment| is_affected(environment))
            .flat_map(|environment| self.needing(flag, environment))
            .map(|rollout| (*rollout, Interruption::Edited))
            .collect()
    }

    fn by_move(
        &self,
        (flag, environment): (&FlagKey, &EnvironmentKey),
        (from, to): (&Position, &Position),
    ) -> Result<Vec<(&'a Rollout, Interruption)>, Rejection> {
        let Some(entry) = self.state.flag(flag.as_str()) else {
            return Ok(Vec::new());
        };
        let closed = &entry.definition.closed;
        let mut found = Vec::new();
        let own = self.state.running_of(flag, environment);
        if let Some(own) = own.filter(|own| !self.acting.contains(&own.id)) {
            if to.is_closed() {
                found.push((&**own, Interruption::Killed));
            } else if is_opening(from, to, closed) && !own.is_watch {
                return Err(in_hand(own));
            } else {
                found.push((&**own, Interruption::Moved));
            }
        }
        if is_shut(to, closed) {
            let others = self.needing(flag, environment).iter();
            found.extend(
                others
                    .filter(|rollout| rollout.flag != *flag)
                    .map(|rollout| {
                        let flag = flag.clone();
                        (*rollout, Interruption::PrerequisiteClosed { flag })
                    }),
            );
        }
        Ok(found)
    }

    /// A segment that a later stage lets through is in use, though nothing names it yet.
    fn demand_unplanned(&self, segment: &SegmentKey) -> Result<(), Rejection> {
        let names = |target: &Target| match target {
            Target::Cohorts { cohorts } => cohorts.contains(segment),
            Target::Synthetic => segment.as_str() == "synthetic",
            Target::Share { .. } | Target::Look { .. } => false,
        };
        let user = self
            .all()
            .find(|rollout| rollout.plan.stages.iter().any(|stage| names(&stage.to)));
        match user {
            Some(rollout) => Err(Rejection::Conflict {
                why: format!(
                    "{} lets {segment} through in one of its stages; delete it when that is over",
                    rollout.id
                ),
            }),
            None => Ok(()),
        }
    }
}

/// The lever is in the rollout's hand; how to open it further.
fn in_hand(rollout: &Rollout) -> Rejection {
    let (id, flag, environment) = (&rollout.id, &rollout.flag, &rollout.environment);
    let verb = match rollout.phase {
        Phase::Paused { .. } => "resume",
        _ => "advance",
    };
    Rejection::Conflict {
        why: format!(
            "{id} takes {flag} through its stages in {environment}; to open it further: lever rollout \
             {verb} {flag} -e {environment} -r \"…\", or take it back first: lever rollback {flag} -e \
             {environment}"
        ),
    }
}

/// A flag and what it needs in an environment, all the way down.
fn needs(state: &State, flag: &FlagKey, environment: &EnvironmentKey) -> BTreeSet<FlagKey> {
    let mut needed = BTreeSet::from([flag.clone()]);
    let mut ahead = vec![flag.clone()];
    while let Some(next) = ahead.pop() {
        let Some(entry) = state.flag(next.as_str()) else {
            continue;
        };
        for prerequisite in entry.definition.prerequisites_in(environment.as_str()) {
            if needed.insert(prerequisite.flag.clone()) {
                ahead.push(prerequisite.flag.clone());
            }
        }
    }
    needed
}
