//! One flag, compiled: what it does at its position.

use std::sync::Arc;

use super::FlagView;
use super::program::Program;
use crate::context::Context;
use crate::definition::{Definition, joined};
use crate::key::{FlagKey, VariantKey};
use crate::outcome::{AnswerArm, Cause, Outcome, Reason};
use crate::percentage::Percentage;
use crate::position::{Exposure, Position};
use crate::segment_table::{SegmentId, SegmentTable};
use crate::update::FlagUpdate;
use crate::value::Value;

/// One flag of one rule set. Immutable, shared by all rule sets that do not differ in it.
#[derive(Debug)]
pub(crate) struct Flag {
    key: FlagKey,
    position: Position,
    /// What it is closed to if the definition cannot say.
    fallback: (VariantKey, Value),
    definition: Result<Arc<Definition>, Box<str>>,
    hold: Option<Hold>,
    /// What the definition compiled to, whatever the position is.
    program: Result<Arc<Program>, Box<str>>,
    plan: Plan,
    /// Why it is closed by itself, if it is.
    refusal: Option<Box<str>>,
}

/// What keeps a flag closed apart from its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// A kill that the journal has not stored yet.
    Braked,
    /// The process was told to (`LEVER_FORCE_CLOSED`).
    Forced,
    /// The configuration is older than the flag allows.
    Stale,
}

/// How a flag answers.
#[derive(Debug)]
pub(super) enum Plan {
    /// Everybody gets the same.
    Fixed(Fixed),
    /// The definition and the exposure decide.
    Decide {
        /// The compiled definition.
        program: Arc<Program>,
        /// Whom the open variant or split is given to.
        open_to: OpenTo,
    },
}

/// An answer that depends on nothing.
#[derive(Debug)]
pub(super) struct Fixed {
    pub(super) variant: VariantKey,
    pub(super) value: Value,
    pub(super) variant_number: Option<u32>,
    pub(super) reason: Reason,
    pub(super) cause: Option<Cause>,
    /// Whether it is what the flag is closed to, which meets no prerequisite.
    pub(super) is_closed: bool,
}

/// A compiled [`Exposure`].
#[derive(Debug)]
pub(super) struct OpenTo {
    pub(super) cohorts: Box<[SegmentId]>,
    pub(super) percentage: Percentage,
}

impl Flag {
    /// Compiles a flag that is new or defined anew.
    pub(super) fn new(update: FlagUpdate, hold: Option<Hold>, segments: &SegmentTable) -> Self {
        let definition = update
            .definition
            .map_err(Into::into)
            .and_then(|definition| readable(&update.key, *definition));
        Self::assemble(
            update.key,
            update.position,
            update.closed,
            definition,
            hold,
            None,
            segments,
        )
    }

    /// The same definition at another position or hold; nothing is compiled again.
    pub(super) fn moved(
        &self,
        position: Position,
        hold: Option<Hold>,
        segments: &SegmentTable,
    ) -> Self {
        Self::assemble(
            self.key.clone(),
            position,
            self.fallback.clone(),
            self.definition.clone(),
            hold,
            Some(self.program.clone()),
            segments,
        )
    }

    /// The same flag over other segments.
    pub(super) fn resolved(
        &self,
        position: Position,
        hold: Option<Hold>,
        segments: &SegmentTable,
    ) -> Self {
        Self::assemble(
            self.key.clone(),
            position,
            self.fallback.clone(),
            self.definition.clone(),
            hold,
            None,
            segments,
        )
    }

    fn assemble(
        key: FlagKey,
        position: Position,
        fallback: (VariantKey, Value),
        definition: Result<Arc<Definition>, Box<str>>,
        hold: Option<Hold>,
        program: Option<Result<Arc<Program>, Box<str>>>,
        segments: &SegmentTable,
    ) -> Self {
        let program = program.unwrap_or_else(|| match &definition {
            Ok(definition) => Program::new(definition, segments)
                .map(Arc::new)
                .map_err(Into::into),
            Err(why) => Err(why.clone()),
        });
        let (plan, unreadable_cohort) =
            Plan::new(&position, hold, program.as_ref().ok(), &fallback, segments);
        let refusal = program.as_ref().err().cloned().or(unreadable_cohort);
        Self {
            key,
            position,
            fallback,
            definition,
            hold,
            program,
            plan,
            refusal,
        }
    }

    pub(super) fn key(&self) -> &FlagKey {
        &self.key
    }

    pub(super) fn position(&self) -> &Position {
        &self.position
    }

    pub(super) fn hold(&self) -> Option<Hold> {
        self.hold
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(super) fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    /// How old the configuration may be before it closes, in milliseconds.
    pub(super) fn stale_after_ms(&self) -> Option<u64> {
        let seconds = self.definition.as_ref().ok()?.stale_after_s?;
        Some(u64::from(seconds).saturating_mul(1_000))
    }

    /// Whether its rules or its position ask about one of these segments.
    pub(super) fn uses_any(
        &self,
        segments: &std::collections::BTreeSet<crate::SegmentKey>,
    ) -> bool {
        let in_rules = self.definition.as_ref().is_ok_and(|definition| {
            definition
                .segments()
                .into_iter()
                .any(|segment| segments.contains(segment))
        });
        in_rules
            || self
                .position
                .cohorts()
                .any(|segment| segments.contains(segment))
    }

    pub(super) fn view(&self) -> FlagView<'_> {
        FlagView {
            key: &self.key,
            position: &self.position,
            definition: match &self.definition {
                Ok(definition) => Ok(definition),
                Err(why) => Err(why),
            },
            closed: (&self.fallback.0, &self.fallback.1),
        }
    }
}

fn readable(key: &FlagKey, mut definition: Definition) -> Result<Arc<Definition>, Box<str>> {
    if definition.key != *key {
        return Err(format!("the definition is that of flag {}", definition.key).into());
    }
    definition.normalise();
    definition.validate().map_err(|errors| joined(&errors))?;
    Ok(Arc::new(definition))
}

impl Plan {
    /// The plan of a flag, and why a cohort of its position cannot be read.
    fn new(
        position: &Position,
        hold: Option<Hold>,
        program: Option<&Arc<Program>>,
        fallback: &(VariantKey, Value),
        segments: &SegmentTable,
    ) -> (Self, Option<Box<str>>) {
        let closed = |reason, cause| {
            let latched = match position {
                Position::Closed { latch: Some(latch) } => Some((&latch.variant, &latch.value)),
                _ => None,
            };
            let (variant, value) = latched
                .or_else(|| program?.closed())
                .unwrap_or((&fallback.0, &fallback.1));
            Self::Fixed(Fixed {
                variant: variant.clone(),
                value: value.clone(),
                variant_number: program.and_then(|program| program.number(variant)),
                reason,
                cause,
                is_closed: true,
            })
        };
        let plan = match (position, hold, program) {
            (_, Some(Hold::Forced), _) => closed(Reason::Disabled, Some(Cause::ForcedClosed)),
            (Position::Closed { .. }, _, _) | (_, Some(Hold::Braked), _) => {
                closed(Reason::Disabled, None)
            }
            (_, _, None) => closed(Reason::Default, Some(Cause::Undecodable)),
            (_, Some(Hold::Stale), _) => closed(Reason::Default, Some(Cause::Stale)),
            (Position::Pinned { variant }, None, Some(program)) => {
                match program.fixed(variant, Reason::Static) {
                    Some(fixed) => Self::Fixed(fixed),
                    None => closed(Reason::Default, Some(Cause::UnknownVariant)),
                }
            }
            (Position::Open { exposure }, None, Some(program)) => {
                return match OpenTo::new(exposure, segments) {
                    Ok(open_to) => (Self::open(open_to, program), None),
                    Err(why) => (closed(Reason::Default, Some(Cause::Undecodable)), Some(why)),
                };
            }
        };
        // A closed or pinned flag does not look at cohorts.
        (plan, None)
    }

    /// The plan of an open flag: fixed where no context can make a difference.
    fn open(open_to: OpenTo, program: &Arc<Program>) -> Self {
        let variant = match (open_to.percentage, program.only_open_variant()) {
            _ if program.looks_before_exposure() => None,
            (Percentage::FULL, only) => only,
            (Percentage::ZERO, _) if open_to.cohorts.is_empty() => program.closed_key(),
            _ => None,
        };
        match variant.and_then(|variant| program.fixed(variant, Reason::Static)) {
            Some(fixed) => Self::Fixed(fixed),
            None => Self::Decide {
                program: Arc::clone(program),
                open_to,
            },
        }
    }
}

impl OpenTo {
    fn new(exposure: &Exposure, segments: &SegmentTable) -> Result<Self, Box<str>> {
        Ok(Self {
            cohorts: exposure
                .cohorts
                .iter()
                .map(|cohort| segments.find(cohort))
                .collect::<Result<_, _>>()?,
            percentage: exposure.percentage,
        })
    }
}

impl Fixed {
    pub(super) fn outcome(&self, revision: u64) -> Outcome<'_> {
        Outcome {
            value: &self.value,
            variant: self.variant.as_str(),
            variant_number: self.variant_number,
            reason: self.reason,
            rule: None,
            arm: AnswerArm::Assigned,
            cause: self.cause,
            revision,
        }
    }
}

/// The unit of a flag, read from a context.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unit<'c> {
    Text(&'c str),
    /// A number, which is hashed as it is written in decimal.
    Number(i64),
}

impl<'c> Unit<'c> {
    /// Reads the unit: the targeting key, or the attribute that a definition names, where it is
    /// a text or an integer.
    pub(super) fn read(context: &'c Context, attribute: Option<&str>) -> Option<Self> {
        let Some(name) = attribute else {
            return context.unit().map(Self::Text);
        };
        match crate::matcher::Operand::named(context, name)? {
            crate::matcher::Operand::Text(text) => (1..=crate::limit::UNIT_BYTES_MAX)
                .contains(&text.len())
                .then_some(Self::Text(text)),
            crate::matcher::Operand::Integer(number) => Some(Self::Number(number)),
            _ => None,
        }
    }
}

impl std::fmt::Display for Unit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}
