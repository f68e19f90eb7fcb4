//! Outcomes: what an evaluation answers, and why.

use std::fmt;

use crate::value::Value;

/// The answer to one question. Borrows everything from the rule set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome<'a> {
    /// The decided value.
    pub value: &'a Value,
    /// The name of the decided variant.
    pub variant: &'a str,
    /// The variant's place in the definition, whose variants are in the order of their names: for
    /// counting answers without comparing texts. `None` where the definition does not have it.
    pub variant_number: Option<u32>,
    /// Why, in OpenFeature's words.
    pub reason: Reason,
    /// The id of the rule that decided, if one did.
    pub rule: Option<&'a str>,
    /// How the context came to its variant, and so whether it is evidence.
    pub arm: AnswerArm,
    /// What was in the way, where the answer is the closed variant for want of something.
    pub cause: Option<Cause>,
    /// The revision of the environment that answered.
    pub revision: u64,
}

/// OpenFeature's resolution reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Nothing had to be decided.
    Static,
    /// A rule matched.
    TargetingMatch,
    /// A bucket decided.
    Split,
    /// The lever is closed.
    Disabled,
    /// Something needed was missing; the closed variant.
    Default,
}

impl Reason {
    /// The word on the wire, such as `TARGETING_MATCH`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Static => "STATIC",
            Self::TargetingMatch => "TARGETING_MATCH",
            Self::Split => "SPLIT",
            Self::Disabled => "DISABLED",
            Self::Default => "DEFAULT",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a context came to its variant. Only `Exposed` and `HeldBack` were decided by chance and can
/// be compared with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnswerArm {
    /// The percentage let it through.
    Exposed,
    /// The percentage held it back.
    HeldBack,
    /// A rule, a cohort, a pin, a prerequisite or a closed lever decided: never evidence.
    Assigned,
}

impl AnswerArm {
    /// The word used in files, APIs and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exposed => "exposed",
            Self::HeldBack => "held back",
            Self::Assigned => "assigned",
        }
    }
}

/// On which side of a comparison a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The percentage let it through.
    Exposed,
    /// The percentage held it back, or the lever is closed to it.
    HeldBack,
    /// A cohort let it through, or everybody is: nothing to be compared with.
    LetThrough,
}

/// Why an answer fell back to the closed variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// A bucket was needed and the context has no unit.
    NoUnit,
    /// A prerequisite is closed, missing, or gives a variant that does not meet it.
    Prerequisite,
    /// Prerequisites refer to each other in a circle, or in a chain that is too long.
    PrerequisiteCycle,
    /// This evaluator cannot read the flag's definition.
    Undecodable,
    /// The position names a variant the definition does not have.
    UnknownVariant,
    /// The configuration is older than the flag allows.
    Stale,
    /// The process was told to keep it closed (`LEVER_FORCE_CLOSED`).
    ForcedClosed,
}

impl Cause {
    /// One sentence for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoUnit => "the context has no unit to compute a bucket from",
            Self::Prerequisite => "a prerequisite is not met",
            Self::PrerequisiteCycle => "prerequisites refer to each other in a circle",
            Self::Undecodable => "this evaluator cannot read the definition",
            Self::UnknownVariant => {
                "the position names a variant that the definition does not have"
            }
            Self::Stale => "the configuration is older than stale_after",
            Self::ForcedClosed => "the process keeps it closed (LEVER_FORCE_CLOSED)",
        }
    }
}
