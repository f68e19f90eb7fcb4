//! Flags and rules.

use leverframe_core::Table;
use leverframe_core::flag::{EnvironmentRules, FlagDefinition, Kind};
use leverframe_core::state::{Flag, State};
use leverframe_flags as flags;
use leverframe_flags::{Hash, Value, ValueType, VariantKey};
use leverframe_wire::admin;

use super::checked;
use super::lever::lever_view;
use super::percentage::{number, percentage};
use crate::problem::Failure;

/// A definition as it came, checked field by field; whether it makes sense is decided by core.
pub(crate) fn definition(wire: admin::FlagDefinition) -> Result<FlagDefinition, Failure> {
    let value_type = value_type(wire.value_type);
    let mut variants = Table::new();
    for (name, value) in wire.variants {
        let field = || format!("definition.variants.{name}");
        let key: VariantKey = checked(field(), &name)?;
        variants.insert(key, value_of(&field(), value, value_type)?);
    }
    let mut environments = Table::new();
    for (name, rules) in wire.environments {
        let field = format!("definition.environments.{name}");
        environments.insert(
            checked(field.as_str(), &name)?,
            environment_rules(&field, rules)?,
        );
    }
    Ok(FlagDefinition {
        key: checked("definition.key", &wire.key)?,
        kind: kind(wire.kind),
        value_type,
        variants,
        closed: checked("definition.closed", &wire.closed)?,
        open: serve("definition.open", wire.open)?,
        owner: wire.owner,
        description: wire.description,
        tags: wire.tags,
        runbook: wire.runbook,
        sunset: wire
            .sunset
            .as_deref()
            .map(|date| checked("definition.sunset", date))
            .transpose()?,
        client_visible: wire.client_visible,
        stale_after_s: wire.stale_after_s,
        unsafe_closing: wire
            .closing
            .as_deref()
            .filter(|text| text.trim() != "safe")
            .map(|text| checked("definition.closing", text))
            .transpose()?,
        unit: wire.unit.map(String::into_boxed_str),
        salt: wire.salt.unwrap_or_default().into(),
        hash: hash(wire.hash.as_deref())?,
        environments,
    })
}

/// A value of the flag's type. A whole number in a float flag is a float; everything else must be
/// what it is called.
fn value_of(field: &str, json: serde_json::Value, wanted: ValueType) -> Result<Value, Failure> {
    let found = Value::from_json(json).ok_or_else(|| {
        Failure::invalid(
            field,
            "a value is a boolean, a string, a number, an object or an array",
        )
    })?;
    let kind = found.value_type();
    found.coerced_to(wanted).ok_or_else(|| {
        Failure::invalid(
            field,
            format!("this is a value of type {kind}, the flag is of type {wanted}"),
        )
    })
}

fn environment_rules(
    field: &str,
    wire: admin::EnvironmentRules,
) -> Result<EnvironmentRules, Failure> {
    let rules = wire
        .rules
        .into_iter()
        .enumerate()
        .map(|(index, wire)| rule(&format!("{field}.rules[{index}]"), wire))
        .collect::<Result<_, _>>()?;
    let prerequisites = wire
        .prerequisites
        .into_iter()
        .enumerate()
        .map(|(index, wire)| prerequisite(&format!("{field}.prerequisites[{index}]"), &wire))
        .collect::<Result<_, _>>()?;
    Ok(EnvironmentRules {
        rules,
        prerequisites,
    })
}

fn prerequisite(field: &str, wire: &admin::Prerequisite) -> Result<flags::Prerequisite, Failure> {
    Ok(flags::Prerequisite {
        flag: checked(format!("{field}.flag"), &wire.flag)?,
        variants: wire
            .variants
            .iter()
            .map(|variant| checked(format!("{field}.variants"), variant))
            .collect::<Result<_, _>>()?,
    })
}

/// One rule; `field` is where it stands in the request.
pub(crate) fn rule(field: &str, wire: admin::Rule) -> Result<flags::Rule, Failure> {
    Ok(flags::Rule {
        id: wire.id.into(),
        when: checked(format!("{field}.when"), &wire.when)?,
        serve: serve(&format!("{field}.serve"), wire.serve)?,
    })
}

fn serve(field: &str, wire: admin::Serve) -> Result<flags::Serve, Failure> {
    match wire {
        admin::Serve::Variant(variant) => Ok(flags::Serve::Variant(checked(field, &variant)?)),
        admin::Serve::Split { split, salt } => {
            let arm = |(index, arm): (usize, admin::Arm)| {
                let field = format!("{field}.split[{index}]");
                Ok(flags::Arm {
                    variant: checked(format!("{field}.variant"), &arm.variant)?,
                    weight: percentage(&format!("{field}.weight"), arm.weight)?,
                })
            };
            let split = split
                .into_iter()
                .enumerate()
                .map(arm)
                .collect::<Result<_, Failure>>()?;
            Ok(flags::Serve::Split(flags::Split {
                split,
                salt: salt.into(),
            }))
        }
    }
}

fn hash(name: Option<&str>) -> Result<Hash, Failure> {
    match name {
        None | Some("native") => Ok(Hash::Native),
        Some("unsalted") => Ok(Hash::Unsalted),
        Some(other) => Err(Failure::invalid(
            "definition.hash",
            format!("there is no hash {other:?}; there are native and unsalted"),
        )),
    }
}

fn kind(wire: admin::Kind) -> Kind {
    match wire {
        admin::Kind::Release => Kind::Release,
        admin::Kind::Kill => Kind::Kill,
        admin::Kind::Job => Kind::Job,
        admin::Kind::Ops => Kind::Ops,
        admin::Kind::Experiment => Kind::Experiment,
        admin::Kind::Permission => Kind::Permission,
    }
}

pub(crate) fn kind_view(kind: Kind) -> admin::Kind {
    match kind {
        Kind::Release => admin::Kind::Release,
        Kind::Kill => admin::Kind::Kill,
        Kind::Job => admin::Kind::Job,
        Kind::Ops => admin::Kind::Ops,
        Kind::Experiment => admin::Kind::Experiment,
        Kind::Permission => admin::Kind::Permission,
    }
}

fn value_type(wire: admin::ValueType) -> ValueType {
    match wire {
        admin::ValueType::Boolean => ValueType::Boolean,
        admin::ValueType::String => ValueType::String,
        admin::ValueType::Integer => ValueType::Integer,
        admin::ValueType::Float => ValueType::Float,
        admin::ValueType::Object => ValueType::Object,
    }
}

fn value_type_view(value_type: ValueType) -> admin::ValueType {
    match value_type {
        ValueType::Boolean => admin::ValueType::Boolean,
        ValueType::String => admin::ValueType::String,
        ValueType::Integer => admin::ValueType::Integer,
        ValueType::Float => admin::ValueType::Float,
        ValueType::Object => admin::ValueType::Object,
    }
}

/// A value as JSON; a float keeps its fraction.
pub(super) fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Boolean(value) => (*value).into(),
        Value::Integer(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::String(value) => value.to_string().into(),
        Value::Object(value) => value.clone(),
    }
}

/// A definition, as it would have to be sent to make the same one.
pub(crate) fn definition_view(definition: &FlagDefinition) -> admin::FlagDefinition {
    admin::FlagDefinition {
        key: definition.key.to_string(),
        kind: kind_view(definition.kind),
        value_type: value_type_view(definition.value_type),
        variants: definition
            .variants
            .iter()
            .map(|(key, value)| (key.to_string(), json(value)))
            .collect(),
        closed: definition.closed.to_string(),
        open: serve_view(&definition.open),
        owner: definition.owner.clone(),
        description: definition.description.clone(),
        tags: definition.tags.clone(),
        runbook: definition.runbook.clone(),
        sunset: definition.sunset.map(|date| date.to_string()),
        client_visible: definition.client_visible,
        stale_after_s: definition.stale_after_s,
        closing: definition.unsafe_closing.as_ref().map(ToString::to_string),
        unit: definition.unit.as_deref().map(str::to_owned),
        salt: (!definition.salt.is_empty()).then(|| definition.salt.to_string()),
        hash: match definition.hash {
            Hash::Native => None,
            Hash::Unsalted => Some("unsalted".to_owned()),
        },
        environments: definition
            .environments
            .iter()
            .map(|(key, rules)| (key.to_string(), rules_view(rules)))
            .collect(),
    }
}

fn rules_view(rules: &EnvironmentRules) -> admin::EnvironmentRules {
    admin::EnvironmentRules {
        rules: rules
            .rules
            .iter()
            .map(|rule| admin::Rule {
                id: rule.id.to_string(),
                when: rule.when.to_string(),
                serve: serve_view(&rule.serve),
            })
            .collect(),
        prerequisites: rules
            .prerequisites
            .iter()
            .map(|prerequisite| admin::Prerequisite {
                flag: prerequisite.flag.to_string(),
                variants: prerequisite
                    .variants
                    .iter()
                    .map(VariantKey::to_string)
                    .collect(),
            })
            .collect(),
    }
}

fn serve_view(serve: &flags::Serve) -> admin::Serve {
    match serve {
        flags::Serve::Variant(variant) => admin::Serve::Variant(variant.to_string()),
        flags::Serve::Split(split) => admin::Serve::Split {
            split: split
                .split
                .iter()
                .map(|arm| admin::Arm {
                    variant: arm.variant.to_string(),
                    weight: number(arm.weight),
                })
                .collect(),
            salt: split.salt.to_string(),
        },
    }
}

/// A flag with its levers in the environments that `is_shown` lets through.
pub(crate) fn flag_view(
    state: &State,
    flag: &Flag,
    is_shown: impl Fn(&str) -> bool,
) -> admin::Flag {
    admin::Flag {
        definition: definition_view(&flag.definition),
        defined_revision: flag.defined_revision,
        created_at: flag.created_at.to_string(),
        archived: flag.is_archived,
        levers: state
            .environments()
            .map(|entry| entry.environment.key.as_str())
            .filter(|environment| is_shown(environment))
            .map(|environment| lever_view(state, flag, environment))
            .collect(),
    }
}
