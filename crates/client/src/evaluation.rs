//! Evaluations: answers that outlive the rule set they came from.

use leverframe_flags::{AnswerArm, Cause, Outcome, Reason, Value, ValueType};

/// One answer with everything that is known of how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The flag.
    pub flag: String,
    /// The decided value.
    pub value: Value,
    /// The name of the decided variant.
    pub variant: String,
    /// Why, in OpenFeature's words.
    pub reason: Reason,
    /// The id of the rule that decided, if one did.
    pub rule: Option<String>,
    /// How the context came to its variant.
    pub arm: AnswerArm,
    /// What was in the way, where the answer is the closed variant for want of something.
    pub cause: Option<Cause>,
    /// The revision of the environment that answered.
    pub revision: u64,
}

impl Evaluation {
    pub(crate) fn of(flag: &str, outcome: &Outcome<'_>) -> Self {
        Self {
            flag: flag.to_owned(),
            value: outcome.value.clone(),
            variant: outcome.variant.to_owned(),
            reason: outcome.reason,
            rule: outcome.rule.map(str::to_owned),
            arm: outcome.arm,
            cause: outcome.cause,
            revision: outcome.revision,
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// No rule set has come yet, from the server or the disk.
    #[error("no rule set has come yet")]
    NotReady,
    /// The environment has no such flag.
    #[error("there is no such flag in this environment")]
    UnknownFlag,
    /// The flag has another type than was asked for.
    #[error("the flag's type is {found}, not {wanted}")]
    WrongType {
        /// What was asked for.
        wanted: ValueType,
        /// What the flag has.
        found: ValueType,
    },
}
