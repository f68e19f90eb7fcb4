//! Making a flag and editing what it is.

use askama::Template;
use leverframe_wire::admin::{FlagDefinition, Serve, ValueType};

use crate::Link;
use crate::effect::Preview;
use crate::plain::shares;
use crate::shell::Shell;
use crate::word::{KINDS, VALUE_TYPES, kind_name, type_name};

/// Empty rows for variants that there is room for without asking for more.
const ROWS_EMPTY: usize = 2;

/// A form with what a flag is.
#[derive(Debug, Template)]
#[template(path = "definition.html")]
pub struct Definition {
    /// Around it.
    pub shell: Shell,
    /// What is typed.
    pub draft: Draft,
    /// The flag as it is stored; none for one that is to be made.
    pub stored: Option<FlagDefinition>,
    /// The revision that the form was made from.
    pub if_match: u64,
    /// What it would change, where that was asked for.
    pub preview: Option<Preview>,
    /// Why, as it was typed.
    pub reason: String,
}

/// A definition as it is typed: every text as it came, right or wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// Its name.
    pub key: String,
    /// What it is for.
    pub kind: String,
    /// The type of its values.
    pub value_type: String,
    /// Who answers for it.
    pub owner: String,
    /// The date by which it should be gone.
    pub sunset: String,
    /// One line for people.
    pub description: String,
    /// What closing does.
    pub runbook: String,
    /// Words to group by, with commas between them.
    pub tags: String,
    /// Its values.
    pub variants: Vec<DraftVariant>,
    /// The row of the closed variant.
    pub closed: Option<usize>,
    /// The row of the open variant; none keeps the split that there is.
    pub open: Option<usize>,
    /// Whether client-side tokens may see it.
    pub client_visible: bool,
    /// What buckets are computed from.
    pub unit: String,
    /// Closed by an evaluator itself after so many seconds.
    pub stale_after_s: String,
    /// When closing does harm.
    pub closing: String,
}

/// A variant as it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DraftVariant {
    /// Its name.
    pub name: String,
    /// Its value: a text of the type string as it is, everything else as JSON.
    pub value: String,
}

impl Draft {
    /// A boolean release flag that is gone by this date.
    #[must_use]
    pub fn new(sunset: &str) -> Self {
        let variant = |name: &str, value: &str| DraftVariant {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        Self {
            kind: "release".to_owned(),
            value_type: "boolean".to_owned(),
            sunset: sunset.to_owned(),
            variants: vec![variant("on", "true"), variant("off", "false")],
            closed: Some(1),
            open: Some(0),
            ..Self::default()
        }
    }

    /// What is stored, to be edited.
    #[must_use]
    pub fn of(definition: &FlagDefinition) -> Self {
        let row = |wanted: &str| definition.variants.keys().position(|name| name == wanted);
        Self {
            key: definition.key.clone(),
            kind: kind_name(&definition.kind).to_owned(),
            value_type: type_name(&definition.value_type).to_owned(),
            owner: definition.owner.clone(),
            sunset: definition.sunset.clone().unwrap_or_default(),
            description: definition.description.clone(),
            runbook: definition.runbook.clone(),
            tags: joined(definition),
            variants: definition
                .variants
                .iter()
                .map(|(name, value)| DraftVariant {
                    name: name.clone(),
                    value: typed(value, definition.value_type),
                })
                .collect(),
            closed: row(&definition.closed),
            open: match &definition.open {
                Serve::Variant(variant) => row(variant),
                Serve::Split { .. } => None,
            },
            client_visible: definition.client_visible,
            unit: definition.unit.clone().unwrap_or_default(),
            stale_after_s: definition
                .stale_after_s
                .map(|seconds| seconds.to_string())
                .unwrap_or_default(),
            closing: definition.closing.clone().unwrap_or_default(),
        }
    }

    /// With room for more variants.
    #[must_use]
    pub fn with_room(mut self) -> Self {
        let empty = self.variants.iter().rev();
        let empty = empty.take_while(|row| row.name.is_empty() && row.value.is_empty());
        let missing = ROWS_EMPTY.saturating_sub(empty.count());
        let rows = self.variants.len() + missing;
        self.variants.resize_with(rows, DraftVariant::default);
        self
    }
}

fn joined(definition: &FlagDefinition) -> String {
    let tags: Vec<&str> = definition.tags.iter().map(String::as_str).collect();
    tags.join(", ")
}

/// A value as it is typed.
#[must_use]
pub fn typed(value: &serde_json::Value, value_type: ValueType) -> String {
    match (value, value_type) {
        (serde_json::Value::String(text), ValueType::String) => text.clone(),
        (value, _) => value.to_string(),
    }
}

impl Definition {
    fn action(&self) -> Link {
        match &self.stored {
            Some(stored) => self.shell.link(["flags", &stored.key, "edit"]),
            None => self.shell.link(["flags"]),
        }
    }

    fn back(&self) -> Link {
        match &self.stored {
            Some(stored) => self.shell.flag_link(&stored.key),
            None => self.shell.link(["flags"]),
        }
    }

    /// The split that the exposed get, which the form keeps.
    fn split(&self) -> Option<String> {
        let stored = self.stored.as_ref()?;
        let is_split = matches!(stored.open, Serve::Split { .. });
        is_split.then(|| shares(&stored.open))
    }

    fn is_closed(&self, row: &usize) -> bool {
        self.draft.closed == Some(*row)
    }

    fn is_open(&self, row: &usize) -> bool {
        self.draft.open == Some(*row)
    }
}
