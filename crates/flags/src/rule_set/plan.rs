//! Plans: how a flag answers at its position.

use super::decision::{Decision, Given};
use super::flag::Hold;
use super::program::{Program, VariantNumber};
use crate::outcome::{Cause, Reason};
use crate::percentage::Percentage;
use crate::position::{Latch, Position};
use crate::segment_table::{SegmentId, SegmentTable};

/// How a flag answers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Plan {
    /// Everybody gets the same.
    Fixed(Decision),
    /// The definition and the exposure decide.
    Decide {
        percentage: Percentage,
        has_cohorts: bool,
    },
}

/// The cohorts of a position, or why one of them cannot be asked.
type Cohorts = Result<Box<[SegmentId]>, Box<str>>;

impl Plan {
    /// The plan of a flag, and the cohorts it looks at. A closed or pinned flag looks at none.
    pub(super) fn new(
        position: &Position,
        hold: Option<Hold>,
        program: Option<&Program>,
        segments: &SegmentTable,
    ) -> (Self, Cohorts) {
        let closed = |reason, cause| Self::closed(position, program, reason, cause);
        let plan = match (position, hold, program) {
            (_, Some(Hold::Forced), _) => closed(Reason::Disabled, Some(Cause::ForcedClosed)),
            (Position::Closed { .. }, _, _) | (_, Some(Hold::Braked), _) => {
                closed(Reason::Disabled, None)
            }
            (_, _, None) => closed(Reason::Default, Some(Cause::Undecodable)),
            (_, Some(Hold::Stale), _) => closed(Reason::Default, Some(Cause::Stale)),
            (Position::Pinned { variant }, None, Some(program)) => match program.number(variant) {
                VariantNumber::NONE => closed(Reason::Default, Some(Cause::UnknownVariant)),
                number => Self::fixed(program, number),
            },
            (Position::Open { exposure }, None, Some(program)) => {
                let cohorts = exposure.cohorts.iter();
                let cohorts = cohorts
                    .map(|cohort| segments.find(cohort))
                    .collect::<Result<Box<[SegmentId]>, _>>();
                return match cohorts {
                    Ok(cohorts) => {
                        let plan = Self::open(exposure.percentage, &cohorts, program);
                        (plan, Ok(cohorts))
                    }
                    Err(why) => (
                        closed(Reason::Default, Some(Cause::Undecodable)),
                        Err(why.into()),
                    ),
                };
            }
        };
        (plan, Ok(Box::default()))
    }

    fn closed(
        position: &Position,
        program: Option<&Program>,
        reason: Reason,
        cause: Option<Cause>,
    ) -> Self {
        let (given, variant) = match (position, program) {
            (Position::Closed { latch: Some(latch) }, Some(program)) => latched(latch, program),
            (Position::Closed { latch: Some(_) }, None) => (Given::Latched, VariantNumber::NONE),
            (_, Some(program)) => (Given::Defined, program.closed_number()),
            (_, None) => (Given::Apart, VariantNumber::NONE),
        };
        Self::Fixed(Decision {
            given,
            cause,
            is_closed: true,
            ..Decision::defined(variant, reason)
        })
    }

    /// The plan of an open flag: fixed where no context can make a difference.
    fn open(percentage: Percentage, cohorts: &[SegmentId], program: &Program) -> Self {
        let variant = match (percentage, program.only_open_variant()) {
            _ if program.looks_before_exposure() => None,
            (Percentage::FULL, only) => only,
            (Percentage::ZERO, _) if cohorts.is_empty() => Some(program.closed_number()),
            _ => None,
        };
        match variant {
            Some(number) => Self::fixed(program, number),
            None => Self::Decide {
                percentage,
                has_cohorts: !cohorts.is_empty(),
            },
        }
    }

    /// The answer that gives everybody one variant of the definition.
    fn fixed(program: &Program, number: VariantNumber) -> Self {
        Self::Fixed(Decision {
            is_closed: number == program.closed_number(),
            ..Decision::defined(number, Reason::Static)
        })
    }
}

/// A latch: the definition's variant while that is still the same, else the latch's own.
fn latched(latch: &Latch, program: &Program) -> (Given, VariantNumber) {
    let number = program.number(&latch.variant);
    let is_same = program
        .variant(number)
        .is_some_and(|(_, value)| *value == latch.value);
    let given = if is_same {
        Given::Defined
    } else {
        Given::Latched
    };
    (given, number)
}
