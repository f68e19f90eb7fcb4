//! Ours: the engine behind a cached pointer, as every evaluator reads it, and the client whole,
//! which counts every answer too.

use std::sync::Arc;

use anyhow::Result;
use arc_swap::{ArcSwap, Cache};
use leverframe::Client;
use leverframe_flags::{Context, FlagIndex, RuleSet};

use super::case::{Case, QUESTIONS, Question};
use crate::catalogue::Catalogue;
use crate::ours;
use crate::timing::{Subject, Worker};

pub(crate) struct Engine {
    rules: Arc<ArcSwap<RuleSet>>,
    client: Client,
}

impl Engine {
    pub(crate) fn new(catalogue: &Catalogue) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let frame = ours::snapshot(catalogue, true)?;
        let (bare, _) = ours::write_snapshots(directory.path(), &frame)?;
        Ok(Self {
            rules: Arc::new(ArcSwap::from_pointee(ours::rule_set(&frame)?)),
            client: Client::offline(bare)?,
        })
    }

    pub(crate) fn subjects(
        &self,
        catalogue: &Catalogue,
        case: Case,
        questions: &[Question],
    ) -> Vec<Subject> {
        let contexts: Arc<Vec<Context>> =
            Arc::new(case.people(catalogue).iter().map(ours::context).collect());
        let named: Arc<Vec<(String, usize)>> = Arc::new(
            questions
                .iter()
                .map(|asked| (catalogue.flags[asked.flag].key.clone(), asked.person))
                .collect(),
        );
        vec![
            self.engine_by_name(&named, &contexts),
            self.engine_by_number(&named, &contexts),
            self.client_by_name(&named, &contexts),
            self.client_by_handle(&named, &contexts),
        ]
    }

    fn engine_by_name(
        &self,
        named: &Arc<Vec<(String, usize)>>,
        contexts: &Arc<Vec<Context>>,
    ) -> Subject {
        let (rules, named, contexts) = (
            Arc::clone(&self.rules),
            Arc::clone(named),
            Arc::clone(contexts),
        );
        Subject::new("leverframe engine, by name", move || {
            let (named, contexts) = (Arc::clone(&named), Arc::clone(&contexts));
            let mut cache = Cache::new(Arc::clone(&rules));
            Box::new(move |count| {
                let mut on = 0;
                for turn in 0..count {
                    let (name, person) = &named[turn % QUESTIONS];
                    let answer = cache.load().evaluate(name, &contexts[*person]);
                    on += u64::from(answer.and_then(|answer| answer.value.as_bool()) == Some(true));
                }
                on
            }) as Worker
        })
    }

    fn engine_by_number(
        &self,
        named: &Arc<Vec<(String, usize)>>,
        contexts: &Arc<Vec<Context>>,
    ) -> Subject {
        let held = self.rules.load_full();
        let generation = held.generation();
        let numbered: Arc<Vec<(FlagIndex, usize)>> = Arc::new(
            named
                .iter()
                .filter_map(|(name, person)| Some((held.find(name)?, *person)))
                .collect(),
        );
        let (rules, contexts) = (Arc::clone(&self.rules), Arc::clone(contexts));
        Subject::new("leverframe engine, by number", move || {
            let (numbered, contexts) = (Arc::clone(&numbered), Arc::clone(&contexts));
            let mut cache = Cache::new(Arc::clone(&rules));
            Box::new(move |count| {
                let mut on = 0;
                for turn in 0..count {
                    let (number, person) = numbered[turn % QUESTIONS];
                    let rules = cache.load();
                    if rules.generation() != generation {
                        continue;
                    }
                    let answer = rules.evaluate_index(number, &contexts[person]);
                    on += u64::from(answer.and_then(|answer| answer.value.as_bool()) == Some(true));
                }
                on
            }) as Worker
        })
    }

    fn client_by_name(
        &self,
        named: &Arc<Vec<(String, usize)>>,
        contexts: &Arc<Vec<Context>>,
    ) -> Subject {
        let (client, named, contexts) =
            (self.client.clone(), Arc::clone(named), Arc::clone(contexts));
        Subject::new("leverframe client, by name, counted", move || {
            let (client, named, contexts) =
                (client.clone(), Arc::clone(&named), Arc::clone(&contexts));
            Box::new(move |count| {
                let mut on = 0;
                for turn in 0..count {
                    let (name, person) = &named[turn % QUESTIONS];
                    on += u64::from(client.is_on(name, &contexts[*person]));
                }
                on
            }) as Worker
        })
    }

    fn client_by_handle(
        &self,
        named: &Arc<Vec<(String, usize)>>,
        contexts: &Arc<Vec<Context>>,
    ) -> Subject {
        let mut known = std::collections::HashMap::new();
        let handles: Arc<Vec<_>> = Arc::new(
            named
                .iter()
                .map(|(name, person)| {
                    let flag = known
                        .entry(name.clone())
                        .or_insert_with(|| self.client.flag(name));
                    (flag.clone(), *person)
                })
                .collect(),
        );
        let contexts = Arc::clone(contexts);
        Subject::new("leverframe client, by handle, counted", move || {
            let (handles, contexts) = (Arc::clone(&handles), Arc::clone(&contexts));
            Box::new(move |count| {
                let mut on = 0;
                for turn in 0..count {
                    let (flag, person) = &handles[turn % QUESTIONS];
                    on += u64::from(flag.is_on(&contexts[*person]));
                }
                on
            }) as Worker
        })
    }
}
