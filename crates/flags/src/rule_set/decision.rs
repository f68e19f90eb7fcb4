//! Decisions: answers in a few bytes, which become outcomes with the flag's names and values.

use super::program::VariantNumber;
use crate::limit::RULES_MAX;
use crate::outcome::{AnswerArm, Cause, Reason};

/// What a flag answers, by numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decision {
    pub(super) given: Given,
    /// Of the given variant, or none where the definition does not have it.
    pub(super) variant: VariantNumber,
    pub(super) reason: Reason,
    pub(super) rule: RuleNumber,
    pub(super) arm: AnswerArm,
    pub(super) cause: Option<Cause>,
    /// Whether it is what the flag is closed to, which meets no prerequisite.
    pub(super) is_closed: bool,
}

/// Where the given variant and its value are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    /// In the definition.
    Defined,
    /// In the position's latch.
    Latched,
    /// Beside the definition, which cannot be read.
    Apart,
}

/// The number of a rule, or no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RuleNumber(u16);

const _: () = assert!(RULES_MAX < u16::MAX as usize);

impl RuleNumber {
    pub(super) const NONE: Self = Self(u16::MAX);

    pub(super) fn new(number: usize) -> Self {
        u16::try_from(number).map_or(Self::NONE, Self)
    }

    pub(super) fn get(self) -> Option<usize> {
        (self != Self::NONE).then_some(usize::from(self.0))
    }
}

impl Decision {
    /// A variant of the definition, for everybody.
    pub(super) fn defined(variant: VariantNumber, reason: Reason) -> Self {
        Self {
            given: Given::Defined,
            variant,
            reason,
            rule: RuleNumber::NONE,
            arm: AnswerArm::Assigned,
            cause: None,
            is_closed: false,
        }
    }
}
