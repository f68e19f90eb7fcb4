//! `unleash-yggdrasil`: strategies compiled to closures, segments as constraints on the user id.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;
use serde_json::{Value, json};
use unleash_yggdrasil::{ClientFeatures, Context, EngineState};

use super::{Loading, Peer};
use crate::catalogue::{Catalogue, Flag, Person, SEGMENTS, STAFF, Shape};
use crate::eval::{QUESTIONS, Question};
use crate::timing::{Subject, Worker};

pub(super) struct Yggdrasil {
    engine: Arc<EngineState>,
}

impl Yggdrasil {
    pub(super) fn new(catalogue: &Catalogue) -> Result<Self> {
        let engine = engine(&text(catalogue, true)?)?;
        Ok(Self {
            engine: Arc::new(engine),
        })
    }
}

pub(super) fn loading(catalogue: &Catalogue, with_segments: bool) -> Result<Loading> {
    Ok(Loading {
        name: "unleash-yggdrasil",
        text: text(catalogue, with_segments)?,
        load: |text| Ok(Box::new(engine(text)?) as Box<dyn Any>),
    })
}

fn engine(text: &str) -> Result<EngineState> {
    let features: ClientFeatures = serde_json::from_str(text)?;
    let engine = EngineState::default();
    if let Some(warnings) = engine.apply_client_features(features)
        && !warnings.is_empty()
    {
        anyhow::bail!("unleash-yggdrasil: {warnings:?}");
    }
    Ok(engine)
}

/// A response of Unleash's client API.
pub(super) fn text(catalogue: &Catalogue, with_segments: bool) -> Result<String> {
    let features: Vec<Value> = catalogue
        .flags
        .iter()
        .filter(|flag| with_segments || matches!(flag.shape, Shape::Plain | Shape::Split))
        .map(|flag| {
            json!({
                "name": flag.key, "type": "release", "enabled": true, "project": "default",
                "stale": false, "impressionData": false, "strategies": strategies(flag),
                "variants": [],
            })
        })
        .collect();
    let segments: Vec<Value> = if with_segments {
        (0..)
            .zip(&catalogue.segments)
            .map(|(number, segment)| {
                let number: i32 = number;
                json!({"id": number, "constraints": [{
                    "contextName": "userId", "operator": "IN", "values": segment.units,
                }]})
            })
            .collect()
    } else {
        Vec::new()
    };
    Ok(serde_json::to_string(&json!({
        "version": 2, "features": features, "segments": segments,
    }))?)
}

fn strategies(flag: &Flag) -> Vec<Value> {
    let rollout = |percent: &str| {
        json!({"name": "flexibleRollout", "constraints": [], "parameters": {
            "rollout": percent, "stickiness": "userId", "groupId": flag.key,
        }})
    };
    let listed = |number: usize| {
        json!({
            "name": "default", "constraints": [], "parameters": {}, "segments": [number],
        })
    };
    match flag.shape {
        Shape::Plain => vec![json!({"name": "default", "constraints": [], "parameters": {}})],
        Shape::Split => vec![
            json!({"name": "default", "parameters": {}, "constraints": [{
                "contextName": "plan", "operator": "IN", "values": [STAFF],
            }]}),
            rollout("50"),
        ],
        Shape::Listed { segment } => vec![listed(segment), rollout("25")],
        Shape::Layered => (0..crate::catalogue::WIDE_SEGMENTS)
            .map(|number| listed(SEGMENTS + number))
            .collect(),
    }
}

fn context(person: &Person) -> Context {
    Context {
        user_id: Some(person.unit.clone()),
        session_id: None,
        environment: None,
        app_name: None,
        current_time: None,
        remote_address: None,
        properties: Some(HashMap::from([
            ("plan".to_owned(), person.plan.to_owned()),
            ("country".to_owned(), person.country.to_owned()),
            ("app_version".to_owned(), person.app_version.to_owned()),
        ])),
    }
}

impl Peer for Yggdrasil {
    fn subject(&self, catalogue: &Catalogue, people: &[Person], questions: &[Question]) -> Subject {
        let contexts: Arc<Vec<Context>> = Arc::new(people.iter().map(context).collect());
        let named: Arc<Vec<(String, usize)>> = Arc::new(
            questions
                .iter()
                .map(|asked| (catalogue.flags[asked.flag].key.clone(), asked.person))
                .collect(),
        );
        let engine = Arc::clone(&self.engine);
        Subject::new("unleash-yggdrasil, by name", move || {
            let (engine, contexts, named) = (
                Arc::clone(&engine),
                Arc::clone(&contexts),
                Arc::clone(&named),
            );
            Box::new(move |count| {
                let mut on = 0;
                for turn in 0..count {
                    let (name, person) = &named[turn % QUESTIONS];
                    on += u64::from(engine.is_enabled(name, &contexts[*person], &None));
                }
                on
            }) as Worker
        })
    }
}
