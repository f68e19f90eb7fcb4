//! `eppo_core`: allocations tried in order, splits by MD5. It knows no segments: their units stand
//! in the rules.

use std::any::Any;
use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Utc};
use eppo_core::eval::get_assignment;
use eppo_core::ufc::{AssignmentValue, UniversalFlagConfig, VariationType};
use eppo_core::{AttributeValue, Attributes, Configuration, SdkMetadata, Str};
use serde_json::{Map, Value, json};

use super::{Loading, Peer};
use crate::catalogue::{Catalogue, Flag, Person, STAFF, Segment, Shape};
use crate::eval::{QUESTIONS, Question};
use crate::timing::{Subject, Worker};

pub(super) struct Eppo {
    configuration: Arc<Configuration>,
}

impl Eppo {
    pub(super) fn new(catalogue: &Catalogue) -> Result<Self> {
        Ok(Self {
            configuration: Arc::new(configuration(&text(catalogue, true)?)?),
        })
    }
}

pub(super) fn loading(catalogue: &Catalogue, with_segments: bool) -> Result<Loading> {
    Ok(Loading {
        name: "eppo_core",
        text: text(catalogue, with_segments)?,
        load: |text| Ok(Box::new(configuration(text)?) as Box<dyn Any>),
    })
}

fn configuration(text: &str) -> Result<Configuration> {
    let metadata = SdkMetadata {
        name: "bench",
        version: "0.1.0",
    };
    let flags = UniversalFlagConfig::from_json(metadata, text.as_bytes().to_vec())?;
    Ok(Configuration::from_server_response(flags, None))
}

fn text(catalogue: &Catalogue, with_segments: bool) -> Result<String> {
    let flags: Map<String, Value> = catalogue
        .flags
        .iter()
        .filter(|flag| with_segments || matches!(flag.shape, Shape::Plain | Shape::Split))
        .map(|flag| {
            let definition = json!({
                "key": flag.key, "enabled": true, "variationType": "BOOLEAN",
                "variations": {
                    "on": {"key": "on", "value": true},
                    "off": {"key": "off", "value": false},
                },
                "totalShards": 10_000,
                "allocations": allocations(catalogue, flag),
            });
            (flag.key.clone(), definition)
        })
        .collect();
    Ok(serde_json::to_string(&json!({
        "createdAt": "2026-01-01T00:00:00.000Z", "format": "SERVER",
        "environment": {"name": "prod"}, "flags": flags, "bandits": {},
    }))?)
}

fn allocations(catalogue: &Catalogue, flag: &Flag) -> Vec<Value> {
    let allocation = |key: &str, rules: Value, splits: Value| {
        json!({
            "key": key, "rules": rules, "splits": splits, "doLog": false,
        })
    };
    let everybody = || json!([{"variationKey": "on", "shards": []}]);
    let rule = |attribute: &str, values: Value| {
        json!([{"conditions": [{
            "attribute": attribute, "operator": "ONE_OF", "value": values,
        }]}])
    };
    let share = |end: u32| {
        json!([
            {"variationKey": "on", "shards": [{"salt": flag.key, "ranges": [{"start": 0, "end": end}]}]},
            {"variationKey": "off", "shards": []},
        ])
    };
    let listed =
        |segment: &Segment| allocation(&segment.key, rule("id", json!(segment.units)), everybody());
    match flag.shape {
        Shape::Plain => vec![allocation("all", json!([]), everybody())],
        Shape::Split => vec![
            allocation("staff", rule("plan", json!([STAFF])), everybody()),
            allocation("half", json!([]), share(5_000)),
        ],
        Shape::Listed { segment } => vec![
            listed(&catalogue.segments[segment]),
            allocation("quarter", json!([]), share(2_500)),
        ],
        Shape::Layered => catalogue.wide_segments().iter().map(listed).collect(),
    }
}

fn subject_of(person: &Person) -> (Str, Arc<Attributes>) {
    let attribute = |name: &str, value: &str| (Str::new(name), AttributeValue::categorical(value));
    let attributes = [
        attribute("plan", person.plan),
        attribute("country", person.country),
        attribute("app_version", person.app_version),
    ]
    .into_iter()
    .collect();
    (Str::new(&person.unit), Arc::new(attributes))
}

impl Peer for Eppo {
    fn subject(&self, catalogue: &Catalogue, people: &[Person], questions: &[Question]) -> Subject {
        let subjects: Arc<Vec<(Str, Arc<Attributes>)>> =
            Arc::new(people.iter().map(subject_of).collect());
        let named: Arc<Vec<(String, usize)>> = Arc::new(
            questions
                .iter()
                .map(|asked| (catalogue.flags[asked.flag].key.clone(), asked.person))
                .collect(),
        );
        let configuration = Arc::clone(&self.configuration);
        Subject::new("eppo_core, by name", move || {
            let (configuration, subjects, named) = (
                Arc::clone(&configuration),
                Arc::clone(&subjects),
                Arc::clone(&named),
            );
            // Its caller owns the clock; reading it is not part of what is measured.
            let now: DateTime<Utc> = Utc::now();
            Box::new(move |count| {
                let mut on = 0;
                for turn in 0..count {
                    let (name, person) = &named[turn % QUESTIONS];
                    let (unit, attributes) = &subjects[*person];
                    let answer = get_assignment(
                        Some(&configuration),
                        name,
                        unit,
                        attributes,
                        Some(VariationType::Boolean),
                        now,
                    );
                    let is_on = answer.ok().flatten().is_some_and(|assignment| {
                        matches!(assignment.value, AssignmentValue::Boolean(true))
                    });
                    on += u64::from(is_on);
                }
                on
            }) as Worker
        })
    }
}
