//! Who uses what: segments in rules, cohorts and other segments; flags as prerequisites.

use std::collections::BTreeSet;

use leverframe_flags::{EnvironmentKey, FlagKey, Position, Rule, SegmentKey};

use super::{Flag, State};
use crate::flag::FlagDefinition;

/// Who uses a segment directly.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SegmentUsers {
    /// Flags, with the environment in whose rules or cohorts it stands. Archived flags do not count.
    pub flags: BTreeSet<(FlagKey, EnvironmentKey)>,
    /// Segments that refer to it.
    pub segments: BTreeSet<SegmentKey>,
}

impl SegmentUsers {
    /// Whether nobody uses it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flags.is_empty() && self.segments.is_empty()
    }
}

impl State {
    /// Who uses a segment directly.
    #[must_use]
    pub fn users_of_segment(&self, key: &str) -> SegmentUsers {
        let wanted = |segment: &SegmentKey| segment == key;
        SegmentUsers {
            flags: self.flags_using(wanted),
            segments: self
                .segments()
                .filter(|entry| entry.segment.segments().into_iter().any(wanted))
                .map(|entry| entry.segment.key.clone())
                .collect(),
        }
    }

    /// The flags, with the environment, whose rules or cohorts name a wanted segment themselves.
    fn flags_using(
        &self,
        wanted: impl Fn(&SegmentKey) -> bool + Copy,
    ) -> BTreeSet<(FlagKey, EnvironmentKey)> {
        let mut found = BTreeSet::new();
        for flag in self.flags().filter(|flag| !flag.is_archived) {
            for environment in self.environments.keys() {
                if flag.segments_in(environment.as_str()).any(wanted) {
                    found.insert((flag.key().clone(), environment.clone()));
                }
            }
        }
        found
    }

    /// The flags, with the environment, that behave differently when this segment does, through
    /// however many other segments.
    #[must_use]
    pub(crate) fn flags_reached_by_segment(
        &self,
        key: &SegmentKey,
    ) -> BTreeSet<(FlagKey, EnvironmentKey)> {
        let mut reached = BTreeSet::from([key.clone()]);
        loop {
            let more: Vec<SegmentKey> = self
                .segments()
                .filter(|entry| !reached.contains(&entry.segment.key))
                .filter(|entry| {
                    entry
                        .segment
                        .segments()
                        .into_iter()
                        .any(|segment| reached.contains(segment))
                })
                .map(|entry| entry.segment.key.clone())
                .collect();
            if more.is_empty() {
                return self.flags_using(|segment| reached.contains(segment));
            }
            reached.extend(more);
        }
    }

    /// The flags that have this one as a prerequisite, with the environment. Archived ones do not
    /// count.
    #[must_use]
    pub fn dependents(&self, flag: &str) -> BTreeSet<(FlagKey, EnvironmentKey)> {
        self.flags()
            .filter(|dependent| !dependent.is_archived)
            .flat_map(|dependent| {
                let environments = dependent.definition.environments.iter();
                environments
                    .filter(|(_, rules)| rules.prerequisites.iter().any(|p| &p.flag == flag))
                    .map(|(environment, _)| (dependent.key().clone(), environment.clone()))
            })
            .collect()
    }

    /// The last revision that changed what this flag does in an environment when it is not closed:
    /// its own definition, the segments it uses and its prerequisites' definitions, all the way
    /// down; with the name of what that revision changed.
    #[must_use]
    pub(crate) fn behaviour_revision(
        &self,
        flag: &Flag,
        position: &Position,
        environment: &str,
    ) -> (u64, String) {
        let mut latest = (0, String::new());
        let mut flags = vec![flag];
        let mut seen: BTreeSet<&str> = BTreeSet::from([flag.key().as_str()]);
        let mut segments: Vec<&SegmentKey> = position.cohorts().collect();
        while let Some(flag) = flags.pop() {
            latest = latest.max((
                flag.defined_revision,
                format!("the definition of {}", flag.key()),
            ));
            segments.extend(flag.definition.segments_in(environment));
            for prerequisite in flag.definition.prerequisites_in(environment) {
                if let Some(next) = self.flags.get(&prerequisite.flag)
                    && seen.insert(next.key().as_str())
                {
                    flags.push(next);
                }
            }
        }
        let mut seen: BTreeSet<&SegmentKey> = BTreeSet::new();
        while let Some(key) = segments.pop() {
            if let Some(entry) = self.segments.get(key)
                && seen.insert(key)
            {
                latest = latest.max((entry.revision, format!("segment {key}")));
                segments.extend(entry.segment.segments());
            }
        }
        latest
    }
}

impl Flag {
    /// The segments this flag names in an environment: in rules, and as cohorts of its position.
    pub(crate) fn segments_in(&self, environment: &str) -> impl Iterator<Item = &SegmentKey> {
        self.definition
            .segments_in(environment)
            .chain(self.position(environment).cohorts())
    }
}

impl FlagDefinition {
    /// The segments that this definition's rules name in an environment.
    pub(crate) fn segments_in(&self, environment: &str) -> impl Iterator<Item = &SegmentKey> {
        self.rules_in(environment)
            .iter()
            .flat_map(|rule: &Rule| rule.when.segments())
    }
}
