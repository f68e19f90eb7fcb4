//! What kinds and types are called, and what they are for.

use leverframe_wire::admin::{Kind, LeverState, ValueType};

/// A name that can be chosen, with what it means.
#[derive(Debug, Clone, Copy)]
pub struct Word<T> {
    /// What is meant.
    pub value: T,
    /// As it is written in files and addresses.
    pub name: &'static str,
    /// What it is for.
    pub hint: &'static str,
}

/// The kinds of flags.
pub const KINDS: [Word<Kind>; 6] = [
    Word {
        value: Kind::Release,
        name: "release",
        hint: "lets a release through; has a date by which it is gone",
    },
    Word {
        value: Kind::Kill,
        name: "kill",
        hint: "a brake for operations",
    },
    Word {
        value: Kind::Job,
        name: "job",
        hint: "lets background work through",
    },
    Word {
        value: Kind::Ops,
        name: "ops",
        hint: "an operational setting that stays",
    },
    Word {
        value: Kind::Experiment,
        name: "experiment",
        hint: "compares variants",
    },
    Word {
        value: Kind::Permission,
        name: "permission",
        hint: "who may use what",
    },
];

/// The types of values.
pub const VALUE_TYPES: [Word<ValueType>; 5] = [
    Word {
        value: ValueType::Boolean,
        name: "boolean",
        hint: "true or false",
    },
    Word {
        value: ValueType::String,
        name: "string",
        hint: "a text",
    },
    Word {
        value: ValueType::Integer,
        name: "integer",
        hint: "a whole number",
    },
    Word {
        value: ValueType::Float,
        name: "float",
        hint: "a number",
    },
    Word {
        value: ValueType::Object,
        name: "object",
        hint: "JSON: an object or a list",
    },
];

/// Where a lever may stand, to look for flags by.
pub const LEVER_STATES: [Word<LeverState>; 4] = [
    Word {
        value: LeverState::Open,
        name: "open",
        hint: "● open",
    },
    Word {
        value: LeverState::Pinned,
        name: "pinned",
        hint: "◆ pinned",
    },
    Word {
        value: LeverState::Killed,
        name: "killed",
        hint: "■ killed",
    },
    Word {
        value: LeverState::Closed,
        name: "closed",
        hint: "□ closed (killed, too)",
    },
];

/// What is meant by a name, if anything is.
#[must_use]
pub fn named<T: Copy>(words: &[Word<T>], name: &str) -> Option<T> {
    let word = words.iter().find(|word| word.name == name)?;
    Some(word.value)
}

/// What a kind is called.
#[must_use]
pub fn kind_name(kind: &Kind) -> &'static str {
    name_of(&KINDS, kind)
}

/// What a type is called.
#[must_use]
pub fn type_name(value_type: &ValueType) -> &'static str {
    name_of(&VALUE_TYPES, value_type)
}

fn name_of<T: PartialEq>(words: &[Word<T>], value: &T) -> &'static str {
    let word = words.iter().find(|word| word.value == *value);
    word.map_or("", |word| word.name)
}
