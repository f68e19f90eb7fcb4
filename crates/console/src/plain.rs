//! Rules in plain words: what a definition does in one environment, as sentences for somebody who
//! never saw the `when` language.

mod condition;
#[cfg(test)]
mod tests;

use leverframe_wire::admin::{
    Exposure, FlagDefinition, Position, Prerequisite, Rule, Serve, ValueType,
};

use crate::text::percent;

pub use condition::condition;

/// What a flag does in one environment while its lever is open, step by step in the order in which it
/// is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain {
    /// What everything below depends on: the position, where it alone decides.
    pub first: Option<String>,
    /// What has to hold before any rule is asked.
    pub prerequisites: Vec<String>,
    /// One for each rule, in order.
    pub rules: Vec<Sentence>,
    /// What everybody else gets.
    pub rest: Vec<String>,
}

/// One rule in plain words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// The rule's name.
    pub id: String,
    /// `If plan is "beta"`.
    pub condition: String,
    /// `everybody gets on`.
    pub outcome: String,
}

impl Plain {
    /// Of a definition in an environment. Without a position, as when a definition is compared with
    /// another one, the rest is said for whoever the lever is open to.
    #[must_use]
    pub fn new(
        definition: &FlagDefinition,
        environment: &str,
        position: Option<&Position>,
    ) -> Self {
        let inside = definition.environments.get(environment);
        let rules = inside.map_or(&[][..], |inside| &inside.rules);
        let prerequisites = inside.map_or(&[][..], |inside| &inside.prerequisites);
        Self {
            first: position.and_then(|position| first(definition, position)),
            prerequisites: prerequisites.iter().map(prerequisite).collect(),
            rules: rules.iter().map(sentence).collect(),
            rest: rest(definition, position, rules.is_empty()),
        }
    }

    /// Every sentence, one a line, as two definitions are compared by.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let numbered =
            self.rules.iter().enumerate().map(|(index, rule)| {
                format!("{}. {} → {}", index + 1, rule.condition, rule.outcome)
            });
        self.first
            .iter()
            .chain(&self.prerequisites)
            .cloned()
            .chain(numbered)
            .chain(self.rest.iter().cloned())
            .collect()
    }
}

/// One rule.
#[must_use]
pub fn sentence(rule: &Rule) -> Sentence {
    let condition = match condition(&rule.when).as_str() {
        "always" => "Always".to_owned(),
        "never" => "Never".to_owned(),
        other => format!("If {other}"),
    };
    Sentence {
        id: rule.id.clone(),
        condition,
        outcome: outcome(&rule.serve),
    }
}

fn outcome(serve: &Serve) -> String {
    match serve {
        Serve::Variant(variant) => format!("everybody gets {variant}"),
        Serve::Split { .. } => shares(serve),
    }
}

/// `50 % get a, 50 % get b`; a single variant by its name.
#[must_use]
pub fn shares(serve: &Serve) -> String {
    match serve {
        Serve::Variant(variant) => variant.clone(),
        Serve::Split { split, .. } => {
            let shares: Vec<String> = split
                .iter()
                .map(|arm| format!("{} get {}", percent(&arm.weight), arm.variant))
                .collect();
            shares.join(", ")
        }
    }
}

fn first(definition: &FlagDefinition, position: &Position) -> Option<String> {
    match position {
        Position::Closed {
            latched, variant, ..
        } => {
            let why = match latched {
                true => "was killed",
                false => "has not been opened",
            };
            let inside = definition.environments.values();
            let asks = inside.map(|inside| inside.rules.len()).sum::<usize>() > 0;
            let rules = match asks {
                true => " What follows counts once it is open.",
                false => "",
            };
            Some(format!("The lever {why}: everybody gets {variant}.{rules}"))
        }
        Position::Pinned { variant } => Some(format!(
            "The lever is pinned: everybody gets {variant}, whatever follows."
        )),
        Position::Open { .. } => None,
    }
}

fn prerequisite(wanted: &Prerequisite) -> String {
    match wanted.variants.as_slice() {
        [] => format!(
            "Only while {} is not closed to them; otherwise they get the closed variant.",
            wanted.flag
        ),
        variants => format!(
            "Only while {} gives them {}; otherwise they get the closed variant.",
            wanted.flag,
            either(variants)
        ),
    }
}

/// `a`, `a or b`, `a, b or c`.
fn either(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [many @ .., last] => format!("{} or {last}", many.join(", ")),
    }
}

fn rest(definition: &FlagDefinition, position: Option<&Position>, is_all: bool) -> Vec<String> {
    let closed = &definition.closed;
    let open = match &definition.open {
        Serve::Variant(variant) => variant.clone(),
        split @ Serve::Split { .. } => format!("by chance: {}", shares(split)),
    };
    // A lever that lets nobody through has said so already, unless there are rules to go on from.
    let is_shut = matches!(
        position,
        Some(Position::Closed { .. } | Position::Pinned { .. })
    );
    if is_shut && is_all {
        return Vec::new();
    }
    let others = match is_all {
        true => "everybody",
        false => "everybody else",
    };
    let Some(Position::Open { exposure }) = position else {
        let what = match is_all {
            true => "Whoever the lever is open to",
            false => "Of everybody else, whoever the lever is open to",
        };
        return vec![format!("{what} gets {open}, the rest {closed}.")];
    };
    let Exposure {
        cohorts,
        percentage,
    } = exposure;
    let mut said = Vec::new();
    if !cohorts.is_empty() {
        said.push(format!("Whoever is in {} gets {open}.", either(cohorts)));
    }
    let others = match cohorts.is_empty() {
        true => others,
        false => "everybody else",
    };
    said.push(match percentage {
        share if *share >= 100.0 => format!("{} gets {open}.", capital(others)),
        share if *share <= 0.0 => format!("{} gets {closed}.", capital(others)),
        share if definition.value_type == ValueType::Boolean => {
            format!(
                "Of {others} {} get {open}, the rest {closed}.",
                percent(share)
            )
        }
        share => format!(
            "Of {others} {} get {open}; the rest gets {closed}.",
            percent(share)
        ),
    });
    said
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
