//! A definition as it was typed, as the one that the API takes.

use std::collections::{BTreeMap, BTreeSet};

use leverframe_console::page::{Draft, DraftVariant, typed};
use leverframe_console::word::{KINDS, VALUE_TYPES};
use leverframe_flags::limit::VARIANTS_MAX;
use leverframe_wire::admin::{FlagDefinition, Kind, Serve, ValueType};
use serde_json::Value as Json;

use crate::console::flags::chosen;
use crate::console::form::Form;
use crate::problem::Failure;

/// What was typed, as it was.
pub(super) fn read(form: &Form) -> Draft {
    let text = |name: &str| form.get(name).to_owned();
    let variants = form
        .all("variant_name")
        .zip(form.all("variant_value"))
        .map(|(name, value)| DraftVariant {
            name: name.to_owned(),
            value: value.to_owned(),
        })
        .take(VARIANTS_MAX + 1)
        .collect();
    Draft {
        key: text("key"),
        kind: text("kind"),
        value_type: text("type"),
        owner: text("owner"),
        sunset: text("sunset"),
        description: text("description"),
        runbook: text("runbook"),
        tags: text("tags"),
        variants,
        closed: form.get("closed").parse().ok(),
        open: form.get("open").parse().ok(),
        client_visible: form.is_ticked("client_visible"),
        unit: text("unit"),
        stale_after_s: text("stale_after_s"),
        closing: text("closing"),
    }
}

/// The definition that was meant. What the form does not show stays as it is stored.
pub(super) fn definition(
    draft: &Draft,
    stored: Option<&FlagDefinition>,
) -> Result<FlagDefinition, Failure> {
    let value_type = of("type", &VALUE_TYPES, &draft.value_type)?;
    let kind: Kind = of("kind", &KINDS, &draft.kind)?;
    let variants = variants(draft, value_type, stored)?;
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let kept = |typed: &str, stored: Option<&String>| match stored {
        Some(stored) if is_same_line(typed, stored) => stored.clone(),
        _ => typed.to_owned(),
    };
    Ok(FlagDefinition {
        key: draft.key.clone(),
        kind,
        value_type,
        variants,
        closed: row(draft, draft.closed).ok_or_else(|| {
            Failure::invalid(
                "closed",
                "choose which variant is the closed one: the safe one, that everybody gets while the lever is closed",
            )
        })?,
        open: open(draft, stored)?,
        owner: kept(&draft.owner, stored.map(|stored| &stored.owner)),
        description: kept(&draft.description, stored.map(|stored| &stored.description)),
        tags: tags(&draft.tags, stored),
        runbook: match stored.map(|stored| &stored.runbook) {
            Some(stored) if is_same(&draft.runbook, stored) => stored.clone(),
            _ => draft.runbook.clone(),
        },
        sunset: some(&draft.sunset),
        client_visible: draft.client_visible,
        stale_after_s: stale_after(&draft.stale_after_s)?,
        closing: some(&draft.closing),
        unit: some(&draft.unit),
        salt: stored.and_then(|stored| stored.salt.clone()),
        hash: stored.and_then(|stored| stored.hash.clone()),
        environments: stored.map_or_else(BTreeMap::new, |stored| stored.environments.clone()),
    })
}

fn of<T: Copy>(
    field: &str,
    words: &[leverframe_console::word::Word<T>],
    name: &str,
) -> Result<T, Failure> {
    chosen(field, words, name)?.ok_or_else(|| Failure::invalid(field, format!("choose a {field}")))
}

/// Whether a text is what is stored, but for what a form leaves out of it.
fn is_same(typed: &str, stored: &str) -> bool {
    typed == stored.replace("\r\n", "\n").trim()
}

/// The same for a field of one line, which a browser takes line breaks out of.
fn is_same_line(typed: &str, stored: &str) -> bool {
    typed == stored.replace(['\r', '\n'], "").trim()
}

fn tags(text: &str, stored: Option<&FlagDefinition>) -> BTreeSet<String> {
    let tags: BTreeSet<String> = text
        .split(',')
        .map(|tag| tag.trim().to_owned())
        .filter(|tag| !tag.is_empty())
        .collect();
    // A tag that has a comma in it was not made here.
    match stored {
        Some(stored) if Draft::of(stored).tags.trim() == text => stored.tags.clone(),
        _ => tags,
    }
}

fn row(draft: &Draft, index: Option<usize>) -> Option<String> {
    let variant = draft.variants.get(index?)?;
    Some(variant.name.clone()).filter(|name| !name.is_empty())
}

fn open(draft: &Draft, stored: Option<&FlagDefinition>) -> Result<Serve, Failure> {
    if let Some(name) = row(draft, draft.open) {
        return Ok(Serve::Variant(name));
    }
    match stored.map(|stored| &stored.open) {
        Some(split @ Serve::Split { .. }) if draft.open.is_none() => Ok(split.clone()),
        _ => Err(Failure::invalid(
            "open",
            "choose which variant is the open one: what the exposed get",
        )),
    }
}

fn stale_after(text: &str) -> Result<Option<u32>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        Failure::invalid(
            "stale_after_s",
            "this is a number of whole seconds, such as 300",
        )
    })
}

fn variants(
    draft: &Draft,
    value_type: ValueType,
    stored: Option<&FlagDefinition>,
) -> Result<BTreeMap<String, Json>, Failure> {
    let mut variants = BTreeMap::new();
    let rows = draft.variants.iter();
    for row in rows.filter(|row| !row.name.is_empty() || !row.value.is_empty()) {
        if row.name.is_empty() {
            return Err(Failure::invalid(
                "variants",
                format!("the variant with the value {:?} needs a name", row.value),
            ));
        }
        let known = stored.and_then(|stored| stored.variants.get(&row.name));
        let value = match known {
            Some(known) if is_same_line(&row.value, &typed(known, value_type)) => known.clone(),
            _ => value(row, value_type)?,
        };
        if variants.insert(row.name.clone(), value).is_some() {
            return Err(Failure::invalid(
                "variants",
                format!("there are two variants {:?}", row.name),
            ));
        }
    }
    Ok(variants)
}

fn value(row: &DraftVariant, value_type: ValueType) -> Result<Json, Failure> {
    if value_type == ValueType::String {
        return Ok(row.value.clone().into());
    }
    serde_json::from_str(&row.value).map_err(|error| {
        let wanted = match value_type {
            ValueType::Boolean => "true or false",
            ValueType::Integer => "a whole number",
            ValueType::Float => "a number",
            ValueType::Object => "JSON",
            ValueType::String => "a text",
        };
        Failure::invalid(
            format!("variants.{}", row.name),
            format!("{:?} is not {wanted}: {error}", row.value),
        )
    })
}
