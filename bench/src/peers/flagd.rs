//! `flagd-evaluation-engine`: JSON logic. Asked as its provider asks it: look the flag up, hand the
//! targeting over as text, look the variant up. Lists of units stand in the targeting.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;
use flagd_evaluation_engine::{FeatureFlag, FlagParser, Operator};
use open_feature::EvaluationContext;
use serde_json::{Map, Value, json};

use super::{Loading, Peer};
use crate::catalogue::{Catalogue, Flag, Person, STAFF, Segment, Shape};
use crate::eval::{QUESTIONS, Question};
use crate::timing::{Subject, Worker};

pub(super) struct Flagd {
    flags: Arc<HashMap<String, FeatureFlag>>,
}

impl Flagd {
    pub(super) fn new(catalogue: &Catalogue) -> Result<Self> {
        let parsed = FlagParser::parse_string(&text(catalogue, true)?)?;
        Ok(Self {
            flags: Arc::new(parsed.flags),
        })
    }
}

pub(super) fn loading(catalogue: &Catalogue, with_segments: bool) -> Result<Loading> {
    Ok(Loading {
        name: "flagd-evaluation-engine",
        text: text(catalogue, with_segments)?,
        load: |text| Ok(Box::new(FlagParser::parse_string(text)?) as Box<dyn Any>),
    })
}

fn text(catalogue: &Catalogue, with_segments: bool) -> Result<String> {
    let flags: Map<String, Value> = catalogue
        .flags
        .iter()
        .filter(|flag| with_segments || matches!(flag.shape, Shape::Plain | Shape::Split))
        .map(|flag| {
            let mut definition = json!({
                "state": "ENABLED", "variants": {"on": true, "off": false},
                "defaultVariant": "on",
            });
            if let Some(targeting) = targeting(catalogue, flag) {
                definition["targeting"] = targeting;
            }
            (flag.key.clone(), definition)
        })
        .collect();
    Ok(serde_json::to_string(&json!({"flags": flags}))?)
}

fn targeting(catalogue: &Catalogue, flag: &Flag) -> Option<Value> {
    let share = |on: u32| json!({"fractional": [["on", on], ["off", 100 - on]]});
    let listed = |segment: &Segment| json!({"in": [{"var": "targetingKey"}, segment.units]});
    match flag.shape {
        Shape::Plain => None,
        Shape::Split => Some(json!({"if": [
            {"==": [{"var": "plan"}, STAFF]}, "on", share(50),
        ]})),
        Shape::Listed { segment } => Some(json!({"if": [
            listed(&catalogue.segments[segment]), "on", share(25),
        ]})),
        Shape::Layered => {
            let mut arms = Vec::new();
            for segment in catalogue.wide_segments() {
                arms.extend([listed(segment), json!("on")]);
            }
            arms.push(json!("off"));
            Some(json!({"if": arms}))
        }
    }
}

fn context(person: &Person) -> EvaluationContext {
    EvaluationContext::default()
        .with_targeting_key(person.unit.clone())
        .with_custom_field("plan", person.plan)
        .with_custom_field("country", person.country)
        .with_custom_field("app_version", person.app_version)
}

fn is_on(
    flags: &HashMap<String, FeatureFlag>,
    operator: &Operator,
    name: &str,
    context: &EvaluationContext,
) -> bool {
    let Some(flag) = flags.get(name) else {
        return false;
    };
    let variant = match &flag.targeting {
        None => None,
        Some(_) => operator
            .apply(name, &flag.get_targeting(), context)
            .ok()
            .flatten(),
    };
    let variant = variant.as_deref().unwrap_or(&flag.default_variant);
    flag.variants.get(variant) == Some(&Value::Bool(true))
}

impl Peer for Flagd {
    fn subject(&self, catalogue: &Catalogue, people: &[Person], questions: &[Question]) -> Subject {
        let contexts: Arc<Vec<EvaluationContext>> = Arc::new(people.iter().map(context).collect());
        let named: Arc<Vec<(String, usize)>> = Arc::new(
            questions
                .iter()
                .map(|asked| (catalogue.flags[asked.flag].key.clone(), asked.person))
                .collect(),
        );
        let flags = Arc::clone(&self.flags);
        Subject::new("flagd-evaluation-engine, by name", move || {
            let (flags, contexts, named) = (
                Arc::clone(&flags),
                Arc::clone(&contexts),
                Arc::clone(&named),
            );
            let operator = Operator::new();
            Box::new(move |count| {
                let mut on = 0;
                for turn in 0..count {
                    let (name, person) = &named[turn % QUESTIONS];
                    on += u64::from(is_on(&flags, &operator, name, &contexts[*person]));
                }
                on
            }) as Worker
        })
    }
}
