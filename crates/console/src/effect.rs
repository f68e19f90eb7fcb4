//! What an edit comes to for people, before it is stored.

use leverframe_wire::admin::{FlagDefinition, Lever, Position};

use crate::badge::Badge;
use crate::diff::{self, Line};
use crate::plain::Plain;
use crate::text::percent;

/// What an edit would do.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// The definition as JSON, line by line.
    pub lines: Vec<Line>,
    /// The same in plain words, where rules or what the exposed get change.
    pub plain: Vec<PlainChange>,
    /// What it comes to in each environment that it concerns.
    pub effects: Vec<Effect>,
    /// Whether a guarded environment asks for a reason.
    pub is_opening: bool,
    /// Whether it is so already.
    pub is_unchanged: bool,
}

/// What changes in an environment, in plain words.
#[derive(Debug, Clone)]
pub struct PlainChange {
    /// Where.
    pub environment: String,
    /// Sentence by sentence.
    pub lines: Vec<Line>,
}

/// What an edit comes to in one environment.
#[derive(Debug, Clone)]
pub struct Effect {
    /// Where.
    pub environment: String,
    /// Where the lever stands.
    pub badge: Badge,
    /// Whom it reaches, in a sentence.
    pub sentence: String,
}

impl Preview {
    /// Of an edit of a flag whose levers stand so.
    #[must_use]
    pub fn new(from: &FlagDefinition, to: &FlagDefinition, levers: &[Lever]) -> Self {
        let concerned: Vec<&Lever> = levers
            .iter()
            .filter(|lever| acts_otherwise(from, to, &lever.environment))
            .collect();
        Self {
            lines: diff::definitions(Some(from), Some(to)),
            plain: concerned
                .iter()
                .map(|lever| plain_change(from, to, lever))
                .filter(|change| !change.lines.is_empty())
                .collect(),
            effects: concerned.into_iter().map(effect).collect(),
            is_opening: false,
            is_unchanged: from == to,
        }
    }

    /// Of a flag that is to be made.
    #[must_use]
    pub fn of_new(to: &FlagDefinition) -> Self {
        Self {
            lines: diff::definitions(None, Some(to)),
            ..Self::default()
        }
    }
}

/// Whether evaluators of an environment would answer anything otherwise.
fn acts_otherwise(from: &FlagDefinition, to: &FlagDefinition, environment: &str) -> bool {
    // What people read is left out, and so are the other environments.
    let bare = |definition: &FlagDefinition| {
        let mut bare = definition.clone();
        bare.kind = from.kind;
        bare.owner.clear();
        bare.description.clear();
        bare.runbook.clear();
        bare.tags.clear();
        bare.sunset = None;
        bare.closing = None;
        bare.environments.retain(|key, _| key == environment);
        bare
    };
    bare(from) != bare(to)
}

fn plain_change(from: &FlagDefinition, to: &FlagDefinition, lever: &Lever) -> PlainChange {
    let told = |definition| {
        let position = match &lever.position {
            position @ Position::Open { .. } => Some(position),
            Position::Closed { .. } | Position::Pinned { .. } => None,
        };
        Plain::new(definition, &lever.environment, position).lines()
    };
    PlainChange {
        environment: lever.environment.clone(),
        lines: diff::lines(&told(from), &told(to)),
    }
}

fn effect(lever: &Lever) -> Effect {
    let sentence = match &lever.position {
        Position::Closed { variant, .. } => {
            format!("Closed: everybody keeps getting {variant}, until it is opened.")
        }
        Position::Pinned { variant } => {
            format!("Pinned: everybody keeps getting {variant}, until it is moved.")
        }
        Position::Open { exposure } => format!(
            "Open to {}: this reaches people as soon as it is stored.",
            percent(&exposure.percentage)
        ),
    };
    Effect {
        environment: lever.environment.clone(),
        badge: Badge::position(&lever.position),
        sentence,
    }
}
