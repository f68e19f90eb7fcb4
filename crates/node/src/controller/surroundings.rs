//! What there is to see round rollouts beside their metrics, gathered once a tick.

use std::collections::{BTreeMap, BTreeSet};

use leverframe_core::rollout::{Glance, Rollout};
use leverframe_core::{State, Timestamp};
use leverframe_flags::EnvironmentKey;

use super::builds::{builds, new_build};
use crate::shared::Shared;

pub(super) struct Surroundings<'a> {
    state: &'a State,
    now: Timestamp,
    looked_since: Timestamp,
    builds: BTreeMap<&'a EnvironmentKey, BTreeSet<Box<str>>>,
    frozen: BTreeSet<&'a EnvironmentKey>,
    /// When rollouts that share a service last stepped.
    steps: BTreeMap<(&'a EnvironmentKey, &'a str), Vec<(&'a str, Timestamp)>>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn of(
        shared: &Shared,
        state: &'a State,
        now: Timestamp,
        looked_since: Timestamp,
    ) -> Self {
        let wall = shared.clock.wall();
        let mut around = Self {
            state,
            now,
            looked_since,
            builds: BTreeMap::new(),
            frozen: BTreeSet::new(),
            steps: BTreeMap::new(),
        };
        for rollout in state.running() {
            let environment = &rollout.environment;
            around.builds.entry(environment).or_insert_with(|| {
                let feed = shared.feed(environment.as_str());
                let members = feed.map_or_else(Vec::new, |feed| feed.presence().members());
                builds(&members, now)
            });
            let is_held = shared.guard.is_frozen(environment).is_some();
            if is_held || state.freeze(environment.as_str(), wall).is_some() {
                around.frozen.insert(environment);
            }
            let flag = state.flag(rollout.flag.as_str());
            for service in flag.into_iter().flat_map(|flag| flag.services()) {
                let steps = around.steps.entry((environment, service)).or_default();
                steps.push((&rollout.id, rollout.since));
            }
        }
        around
    }

    pub(super) fn glance(&self, rollout: &Rollout) -> Glance {
        let environment = &rollout.environment;
        let flag = self.state.flag(rollout.flag.as_str());
        let lever = flag.and_then(|flag| flag.lever(environment.as_str()));
        Glance {
            now: self.now,
            looked_since: self.looked_since,
            lever_revision: lever.map_or(0, |lever| lever.moved_revision),
            is_frozen: self.frozen.contains(environment) || self.is_too_soon(rollout),
            new_build: self
                .builds
                .get(environment)
                .and_then(|builds| new_build(&rollout.builds, builds)),
        }
    }

    /// Rollouts of one service step at least a bake apart, so that a fault has one suspect.
    fn is_too_soon(&self, rollout: &Rollout) -> bool {
        let flag = self.state.flag(rollout.flag.as_str());
        flag.into_iter()
            .flat_map(|flag| flag.services())
            .filter_map(|service| self.steps.get(&(&rollout.environment, service)))
            .flatten()
            .any(|(other, since)| {
                *other != &*rollout.id && self.now.ms_since(*since) < rollout.plan.bake_ms
            })
    }
}
