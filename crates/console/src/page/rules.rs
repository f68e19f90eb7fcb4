//! The rules of a flag in one environment: sentences that are added, edited, moved and removed.

use askama::Template;
use leverframe_wire::admin::{self, Prerequisite, Rule, Serve};

use crate::Link;
use crate::badge::Badge;
use crate::effect::Preview;
use crate::plain::{Plain, Sentence, sentence};
use crate::shell::Shell;

/// Rules, and a form for one of them.
#[derive(Debug, Template)]
#[template(path = "rules.html")]
pub struct Rules {
    /// Around it.
    pub shell: Shell,
    /// The flag as it is stored.
    pub flag: admin::Flag,
    /// The revision that the page was made from.
    pub if_match: u64,
    /// The rule that is typed.
    pub draft: RuleDraft,
    /// The prerequisites that are typed; empty where those that are stored are shown.
    pub needs: Vec<NeedDraft>,
    /// What the change would do, where that was asked for.
    pub preview: Option<Preview>,
    /// The fields that ask for it once more.
    pub asked: Vec<(String, String)>,
    /// Where the condition cannot be read: its line, a mark under the character, and why.
    pub caret: Option<String>,
    /// Why, as it was typed.
    pub reason: String,
    /// Whether this visitor may edit the flag.
    pub is_editor: bool,
}

/// A rule as it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleDraft {
    /// The rule that it replaces; empty for a new one.
    pub id: String,
    /// The condition.
    pub when: String,
    /// The place of the variant among the variants, or `split`.
    pub serve: String,
    /// The weight of each variant in a split, in the order of the variants.
    pub weights: Vec<String>,
    /// The index that it is to have; last when empty.
    pub at: String,
}

/// A prerequisite as it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NeedDraft {
    /// The flag.
    pub flag: String,
    /// The variants that meet it, with commas between them.
    pub variants: String,
}

impl RuleDraft {
    /// What is stored, to be edited.
    #[must_use]
    pub fn of(rule: &Rule, flag: &admin::FlagDefinition) -> Self {
        let place = |wanted: &str| flag.variants.keys().position(|name| name == wanted);
        let (serve, weights) = match &rule.serve {
            Serve::Variant(variant) => (
                place(variant)
                    .map(|place| place.to_string())
                    .unwrap_or_default(),
                Vec::new(),
            ),
            Serve::Split { split, .. } => {
                let weight = |name: &String| {
                    let arm = split.iter().find(|arm| arm.variant == *name);
                    arm.map(|arm| arm.weight.to_string()).unwrap_or_default()
                };
                (
                    "split".to_owned(),
                    flag.variants.keys().map(weight).collect(),
                )
            }
        };
        Self {
            id: rule.id.clone(),
            when: rule.when.clone(),
            serve,
            weights,
            at: String::new(),
        }
    }

    fn weight(&self, place: &usize) -> &str {
        self.weights.get(*place).map_or("", String::as_str)
    }
}

impl NeedDraft {
    /// What is stored, to be edited.
    #[must_use]
    pub fn of(wanted: &Prerequisite) -> Self {
        Self {
            flag: wanted.flag.clone(),
            variants: wanted.variants.join(", "),
        }
    }
}

/// What a condition may ask, for the form that puts one together.
const OPERATORS: [&str; 14] = [
    "==",
    "!=",
    "in",
    "not in",
    "starts_with",
    "ends_with",
    "contains",
    "matches",
    "<",
    ">=",
    "semver >=",
    "before",
    "after",
    "missing",
];

/// Conditions to learn from.
const EXAMPLES: [(&str, &str); 9] = [
    (r#"plan == "beta""#, "the plan is beta"),
    (r#"country in ["NO", "SE"]"#, "one of several"),
    (
        r#"email ends_with "@acme.test""#,
        "also starts_with, contains, matches",
    ),
    ("segment staff", "somebody in a segment"),
    ("age >= 18", "numbers, without quotes"),
    (r#"app_version semver >= "2.4.0""#, "versions"),
    ("ip in 10.0.0.0/8", "networks, without quotes"),
    (r#"signup before "2026-01-01""#, "dates; also after"),
    (
        r#"not (plan missing) and plan != "free""#,
        "and, or, not, parentheses; what is missing matches nothing",
    ),
];

impl Rules {
    fn key(&self) -> &str {
        &self.flag.definition.key
    }

    fn action(&self) -> Link {
        self.shell.link(["flags", self.key(), "rules"])
    }

    fn rules(&self) -> &[Rule] {
        let inside = self
            .flag
            .definition
            .environments
            .get(&self.shell.environment);
        inside.map_or(&[], |inside| &inside.rules)
    }

    fn sentences(&self) -> Vec<(&Rule, Sentence)> {
        self.rules()
            .iter()
            .map(|rule| (rule, sentence(rule)))
            .collect()
    }

    fn plain(&self) -> Plain {
        let mut levers = self.flag.levers.iter();
        let here = levers.find(|lever| lever.environment == self.shell.environment);
        let position = here.map(|lever| &lever.position);
        Plain::new(&self.flag.definition, &self.shell.environment, position)
    }

    fn badge(&self) -> Option<Badge> {
        let mut levers = self.flag.levers.iter();
        let here = levers.find(|lever| lever.environment == self.shell.environment)?;
        Some(Badge::position(&here.position))
    }

    fn edit_link(&self, id: &str) -> Link {
        self.action().with("rule", id).at("one")
    }

    /// A place in the order and whose it is to be, as a button sends it.
    fn shifted(&self, to: usize, id: &str) -> String {
        format!("{to}:{id}")
    }

    fn is_last(&self, index: &usize) -> bool {
        index + 1 == self.rules().len()
    }

    fn needs_shown(&self) -> Vec<NeedDraft> {
        let mut shown = match self.needs.is_empty() {
            false => self.needs.clone(),
            true => {
                let inside = self
                    .flag
                    .definition
                    .environments
                    .get(&self.shell.environment);
                let stored = inside.map_or(&[][..], |inside| &inside.prerequisites);
                stored.iter().map(NeedDraft::of).collect()
            }
        };
        shown.extend([NeedDraft::default(), NeedDraft::default()]);
        shown
    }

    /// What is chosen; the open variant where nothing is yet.
    fn is_served(&self, place: &usize) -> bool {
        if !self.draft.serve.is_empty() {
            return self.draft.serve == place.to_string();
        }
        let name = self.flag.definition.variants.keys().nth(*place);
        matches!(&self.flag.definition.open, Serve::Variant(open) if Some(open) == name)
    }
}
