//! What an evaluator must answer at one place of one environment, from a fresh snapshot.

use std::collections::BTreeMap;

use leverframe_core::{Entry, State, frame};
use leverframe_flags::{EnvironmentKey, FlagKey, RuleSet, Update};

use super::Auditor;
use crate::evaluator::read;
use crate::shop;

/// The answers of every flag to every customer, for builds that read everything and for old ones.
pub(super) struct Answers {
    pub(super) head: Box<str>,
    pub(super) new: Table,
    pub(super) old: Table,
}

pub(super) type Table = BTreeMap<FlagKey, Row>;

/// One flag's answers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// The variant that it gives when it is closed.
    pub(super) closed: Box<str>,
    /// For each customer, the variant.
    pub(super) variants: Vec<Box<str>>,
}

impl Auditor {
    /// Notes what has to be answered from now on, wherever that changed.
    pub(super) fn note_answers(&mut self, entry: &Entry) {
        for known in self.state.environments() {
            let environment = &known.environment.key;
            if known.revision != entry.record.revision {
                continue;
            }
            if let Some(answers) = fresh(&self.state, environment) {
                let place = (self.state.epoch(), environment.clone(), known.revision);
                self.answers.insert(place, answers);
            }
        }
    }

    pub(super) fn answers_of(
        &self,
        state: &State,
        environment: &EnvironmentKey,
    ) -> Option<&Answers> {
        let revision = state.environment(environment.as_str())?.revision;
        self.answers
            .get(&(state.epoch(), environment.clone(), revision))
    }
}

fn fresh(state: &State, environment: &EnvironmentKey) -> Option<Answers> {
    let snapshot = frame::snapshot(state, environment)?;
    let table = |is_old| match read(&snapshot, is_old) {
        Update::Snapshot {
            cursor,
            flags,
            segments,
        } => table(&RuleSet::compile(cursor.revision, flags, segments)),
        _ => Table::new(),
    };
    let Update::Snapshot { cursor, .. } = &snapshot else {
        return None;
    };
    Some(Answers {
        head: cursor.head.clone(),
        new: table(false),
        old: table(true),
    })
}

/// Asks everything.
pub(super) fn table(rules: &RuleSet) -> Table {
    shop::with_contexts(|contexts| {
        rules
            .flags()
            .map(|flag| {
                let closed = match flag.position {
                    leverframe_flags::Position::Closed { latch: Some(latch) } => &latch.variant,
                    _ => flag.closed.0,
                };
                let index = rules.find(flag.key.as_str());
                let variants = contexts
                    .iter()
                    .filter_map(|context| rules.evaluate_index(index?, context))
                    .map(|outcome| outcome.variant.into())
                    .collect();
                (
                    flag.key.clone(),
                    Row {
                        closed: closed.as_str().into(),
                        variants,
                    },
                )
            })
            .collect()
    })
}
