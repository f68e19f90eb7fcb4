//! `launchdarkly-server-sdk-evaluation`: pure evaluation over a store that the caller brings, here
//! the plainest, two hash maps. Its store gives segments away by value, so every look at one copies
//! its list.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use launchdarkly::{Context, ContextBuilder, Flag as Theirs, FlagValue, Segment as TheirSegment};
use launchdarkly_server_sdk_evaluation as launchdarkly;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Loading, Peer};
use crate::catalogue::{Catalogue, Flag, Person, STAFF, Segment, Shape};
use crate::eval::{QUESTIONS, Question};
use crate::timing::{Subject, Worker};

pub(super) struct LaunchDarkly {
    store: Arc<Store>,
}

#[derive(Deserialize)]
struct Store {
    flags: HashMap<String, Theirs>,
    segments: HashMap<String, TheirSegment>,
}

impl launchdarkly::Store for Store {
    fn flag(&self, key: &str) -> Option<Theirs> {
        self.flags.get(key).cloned()
    }

    fn segment(&self, key: &str) -> Option<TheirSegment> {
        self.segments.get(key).cloned()
    }
}

impl LaunchDarkly {
    pub(super) fn new(catalogue: &Catalogue) -> Result<Self> {
        Ok(Self {
            store: Arc::new(serde_json::from_str(&text(catalogue, true)?)?),
        })
    }
}

pub(super) fn loading(catalogue: &Catalogue, with_segments: bool) -> Result<Loading> {
    Ok(Loading {
        name: "launchdarkly-server-sdk-evaluation",
        text: text(catalogue, with_segments)?,
        load: |text| {
            let store: Store = serde_json::from_str(text)?;
            Ok(Box::new(store) as Box<dyn Any>)
        },
    })
}

fn text(catalogue: &Catalogue, with_segments: bool) -> Result<String> {
    let flags: Map<String, Value> = catalogue
        .flags
        .iter()
        .filter(|flag| with_segments || matches!(flag.shape, Shape::Plain | Shape::Split))
        .map(|flag| (flag.key.clone(), definition(catalogue, flag)))
        .collect();
    let segments: Map<String, Value> = if with_segments {
        catalogue.segments.iter().map(segment).collect()
    } else {
        Map::new()
    };
    Ok(serde_json::to_string(
        &json!({"flags": flags, "segments": segments}),
    )?)
}

fn segment(segment: &Segment) -> (String, Value) {
    let definition = json!({
        "key": segment.key, "version": 1, "included": segment.units, "excluded": [],
        "rules": [], "salt": segment.key,
    });
    (segment.key.clone(), definition)
}

fn definition(catalogue: &Catalogue, flag: &Flag) -> Value {
    let rule = |id: &str, attribute: &str, op: &str, value: &str| {
        json!({"id": id, "variation": 1, "clauses": [{
            "attribute": attribute, "op": op, "values": [value], "negate": false,
        }], "trackEvents": false})
    };
    let listed = |segment: &Segment| rule(&segment.key, "", "segmentMatch", &segment.key);
    let share = |on: u32| {
        json!({"rollout": {"variations": [
            {"variation": 1, "weight": on}, {"variation": 0, "weight": 100_000 - on},
        ]}})
    };
    let (rules, fallthrough) = match flag.shape {
        Shape::Plain => (vec![], json!({"variation": 1})),
        Shape::Split => (vec![rule("staff", "plan", "in", STAFF)], share(50_000)),
        Shape::Listed { segment } => (vec![listed(&catalogue.segments[segment])], share(25_000)),
        Shape::Layered => (
            catalogue.wide_segments().iter().map(listed).collect(),
            json!({"variation": 0}),
        ),
    };
    json!({
        "key": flag.key, "version": 1, "on": true, "targets": [], "rules": rules,
        "prerequisites": [], "fallthrough": fallthrough, "offVariation": 0,
        "variations": [false, true], "salt": flag.key,
        "clientSideAvailability": {"usingEnvironmentId": false, "usingMobileKey": false},
    })
}

fn context(person: &Person) -> Result<Context> {
    ContextBuilder::new(person.unit.clone())
        .set_string("plan", person.plan)
        .set_string("country", person.country)
        .set_string("app_version", person.app_version)
        .build()
        .map_err(|why| anyhow!(why))
}

impl Peer for LaunchDarkly {
    fn subject(&self, catalogue: &Catalogue, people: &[Person], questions: &[Question]) -> Subject {
        let contexts: Arc<Vec<Context>> = Arc::new(people.iter().flat_map(context).collect());
        let named: Arc<Vec<(String, usize)>> = Arc::new(
            questions
                .iter()
                .map(|asked| (catalogue.flags[asked.flag].key.clone(), asked.person))
                .collect(),
        );
        let store = Arc::clone(&self.store);
        Subject::new("launchdarkly, by name", move || {
            let (store, contexts, named) = (
                Arc::clone(&store),
                Arc::clone(&contexts),
                Arc::clone(&named),
            );
            Box::new(move |count| {
                let mut on = 0;
                for turn in 0..count {
                    let (name, person) = &named[turn % QUESTIONS];
                    let Some(flag) = store.flags.get(name) else {
                        continue;
                    };
                    let detail = launchdarkly::evaluate(&*store, flag, &contexts[*person], None);
                    on += u64::from(matches!(detail.value, Some(FlagValue::Bool(true))));
                }
                on
            }) as Worker
        })
    }
}
