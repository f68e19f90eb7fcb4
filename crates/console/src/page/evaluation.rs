//! "Is this user in?": a question, and the answer with every step that led to it.

use leverframe_wire::admin::{Evaluation, ExplainedStep};

use crate::Link;
use crate::shell::{Failing, Shell};

/// A question to a flag, as it stands in the address, and its answer.
#[derive(Debug, Clone, Default)]
pub struct Trial {
    /// The user, or whatever the flag's unit is.
    pub unit: String,
    /// Further attributes: `key=value` lines, or JSON.
    pub context: String,
    /// What was answered, where something was asked.
    pub answer: Option<Evaluation>,
    /// Why nothing could be answered.
    pub failing: Option<Failing>,
}

impl Trial {
    /// Whether something was asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.answer.is_some() || self.failing.is_some()
    }

    /// Who was asked about.
    #[must_use]
    pub fn who(&self) -> String {
        match self.unit.as_str() {
            "" => "Somebody whom nothing is known of".to_owned(),
            unit => unit.to_owned(),
        }
    }

    /// The answer in a sentence, for somebody who never saw a flag.
    #[must_use]
    pub fn sentence(&self, closed: &str) -> String {
        let Some(answer) = &self.answer else {
            return String::new();
        };
        let why = match (
            answer.reason.as_str(),
            answer.rule.as_ref(),
            answer.arm.as_str(),
        ) {
            ("DISABLED", ..) => "the lever is closed".to_owned(),
            ("DEFAULT", ..) => answer
                .cause
                .clone()
                .unwrap_or_else(|| "something that was needed is missing".to_owned()),
            (_, Some(_), _) => "a rule says so".to_owned(),
            (_, None, "exposed") => "they are among those the percentage lets through".to_owned(),
            (_, None, "held back") => "the percentage does not reach them yet".to_owned(),
            ("STATIC", None, _) => "everybody does".to_owned(),
            _ => "they are in a cohort that is let through".to_owned(),
        };
        let verb = match answer.variant == closed {
            true => "gets the closed variant",
            false => "gets",
        };
        format!("{} {verb} {}, because {why}.", self.who(), answer.variant)
    }

    /// Whether the closed variant was answered.
    #[must_use]
    pub fn is_in(&self, closed: &str) -> bool {
        self.answer
            .as_ref()
            .is_some_and(|answer| answer.variant != closed)
    }

    /// Where the rule that decided is edited.
    #[must_use]
    pub fn rule_link(&self, shell: &Shell) -> Option<Link> {
        let answer = self.answer.as_ref()?;
        let rule = answer.rule.as_ref()?;
        Some(
            shell
                .link(["flags", &answer.key, "rules"])
                .at(&format!("rule-{rule}")),
        )
    }

    /// The steps that were taken.
    #[must_use]
    pub fn steps(&self) -> &[ExplainedStep] {
        self.answer.as_ref().map_or(&[], |answer| &answer.steps)
    }

    /// The value, as JSON writes it.
    #[must_use]
    pub fn value(&self) -> String {
        let answer = self.answer.as_ref();
        answer.map_or_else(String::new, |answer| answer.value.to_string())
    }
}
