//! How a flag answers, step by step. The order is the design's, and there is no other:
//! the position; prerequisites; the first rule that is true; the exposure.
//!
//! The *arm* of an answer says whether it is evidence. Only a bucket that was compared with a
//! percentage between 0 and 100 makes it so: `exposed` below it, `held back` above. Everything
//! else is `assigned`: closed, pinned, a rule (its split too), a cohort, a prerequisite, a missing
//! unit, and an exposure of 0 or 100 %, where chance decides nothing and there is nobody on the
//! other side to compare with.
//!
//! The reason of a fixed exposure is STATIC only where nothing at all had to be decided, so that a
//! client that caches static answers never caches one that depends on the context; after rules,
//! prerequisites or cohorts were looked at, it is SPLIT.

use super::RuleSet;
use super::decision::{Decision, Given, RuleNumber};
use super::flag::Flag;
use super::plan::Plan;
use super::program::{CompiledRule, CompiledServe, CompiledSplit, Program};
use super::unit::Unit;
use crate::context::Context;
use crate::definition::Prerequisite;
use crate::limit::{PREREQUISITE_DEPTH_MAX, PREREQUISITE_VISITS_MAX};
use crate::matcher::{Matcher, Reads};
use crate::outcome::{AnswerArm, Cause, Outcome, Reason};
use crate::percentage::Percentage;
use crate::segment_table::{SegmentId, Segments};
use crate::truth::Truth;

/// Is told every step, for an explanation. `()` listens to nothing and costs nothing.
pub(super) trait Witness {
    /// With the variant that the other flag gave, where there is such a flag.
    fn prerequisite(&mut self, _: &Prerequisite, _variant: Option<&str>, _met: bool) {}
    fn rule<'s, 'c>(
        &mut self,
        _index: usize,
        _: &CompiledRule,
        _: Truth,
        _: &Program,
        _: &mut Reads<'s, 'c>,
        _: &mut Segments<'s, 'c>,
    ) {
    }
    fn cohort(&mut self, _: SegmentId, _: Truth) {}
    fn exposure(&mut self, _: &Program, _: Percentage, _: Option<(Unit<'_>, u32)>) {}
    fn split(&mut self, _: &Program, _: &CompiledSplit, _: Option<(Unit<'_>, u32)>) {}
}

impl Witness for () {}

impl RuleSet {
    /// The answer of one of this set's flags; by construction there always is one.
    #[inline]
    pub(super) fn outcome<'s>(&'s self, flag: &'s Flag, context: &Context) -> Option<Outcome<'s>> {
        let decision = match flag.plan() {
            Plan::Fixed(fixed) => fixed,
            Plan::Decide { .. } => self.decision(flag, context, &mut ()),
        };
        flag.outcome(decision, self.revision)
    }

    /// What one of this set's flags answers, told to `witness` step by step.
    pub(super) fn decision(
        &self,
        flag: &Flag,
        context: &Context,
        witness: &mut impl Witness,
    ) -> Decision {
        Asking {
            set: self,
            context,
            segments: Segments::new(&self.segments, context),
            visits_left: PREREQUISITE_VISITS_MAX,
        }
        .answer(flag, PREREQUISITE_DEPTH_MAX, witness)
    }
}

/// One question, with what has been found out for it so far.
struct Asking<'s, 'c> {
    set: &'s RuleSet,
    context: &'c Context,
    segments: Segments<'s, 'c>,
    /// How many more prerequisites may be asked.
    visits_left: u32,
}

/// What a flag that is neither closed nor pinned decides by.
#[derive(Clone, Copy)]
struct Case<'s, 'c> {
    flag: &'s Flag,
    program: &'s Program,
    unit: Option<Unit<'c>>,
}

/// Why a part of the flag serves what it serves.
#[derive(Clone, Copy)]
struct Grounds {
    reason: Reason,
    rule: RuleNumber,
    arm: AnswerArm,
}

impl<'s, 'c> Asking<'s, 'c> {
    fn answer(
        &mut self,
        flag: &'s Flag,
        depth_left: usize,
        witness: &mut impl Witness,
    ) -> Decision {
        let (percentage, has_cohorts) = match flag.plan() {
            Plan::Fixed(fixed) => return fixed,
            Plan::Decide {
                percentage,
                has_cohorts,
            } => (percentage, has_cohorts),
        };
        let Some(program) = flag.program() else {
            // By construction only what has a program is left to decide.
            return Decision {
                given: Given::Apart,
                cause: Some(Cause::Undecodable),
                is_closed: true,
                ..Decision::defined(super::program::VariantNumber::NONE, Reason::Default)
            };
        };
        let case = Case {
            flag,
            program,
            unit: Unit::read(self.context, program.unit_attribute()),
        };
        if !program.prerequisites().is_empty()
            && let Some(cause) = self.unmet_prerequisite(program, depth_left, witness)
        {
            return closed(case, Reason::Default, RuleNumber::NONE, Some(cause));
        }
        if !program.rules().is_empty()
            && let Some(decision) = self.first_true_rule(case, witness)
        {
            return decision;
        }
        let cohorts = if has_cohorts { flag.cohorts() } else { &[] };
        self.exposure(case, cohorts, percentage, witness)
    }

    /// Why the prerequisites are not met; `None` when they are.
    fn unmet_prerequisite(
        &mut self,
        program: &'s Program,
        depth_left: usize,
        witness: &mut impl Witness,
    ) -> Option<Cause> {
        for prerequisite in program.prerequisites() {
            let (Some(depth_left), Some(visits_left)) =
                (depth_left.checked_sub(1), self.visits_left.checked_sub(1))
            else {
                return Some(Cause::PrerequisiteCycle);
            };
            self.visits_left = visits_left;
            let set = self.set;
            let asked = set.roster.named(prerequisite.flag.as_str());
            let answer = asked.map(|flag| (flag, self.answer(flag, depth_left, &mut ())));
            let variant = answer.and_then(|(flag, decision)| flag.given(decision));
            let variant = variant.map(|(variant, _)| variant.as_str());
            let is_met = answer.is_some_and(|(_, decision)| !decision.is_closed)
                && variant.is_some_and(|variant| accepts(prerequisite, variant));
            witness.prerequisite(prerequisite, variant, is_met);
            if !is_met {
                let is_circle = answer
                    .is_some_and(|(_, decision)| decision.cause == Some(Cause::PrerequisiteCycle));
                return Some(if is_circle {
                    Cause::PrerequisiteCycle
                } else {
                    Cause::Prerequisite
                });
            }
        }
        None
    }

    fn first_true_rule(
        &mut self,
        case: Case<'s, 'c>,
        witness: &mut impl Witness,
    ) -> Option<Decision> {
        let mut reads = Reads::new(self.context, case.program.subjects());
        for (index, compiled) in case.program.rules().iter().enumerate() {
            let truth = match compiled.when {
                // What most rules ask is not worth a call.
                Matcher::Segment(segment) => self.segments.holds(segment),
                ref when => when.ask(&mut reads, &mut self.segments),
            };
            witness.rule(
                index,
                compiled,
                truth,
                case.program,
                &mut reads,
                &mut self.segments,
            );
            if truth.is_true() {
                let grounds = Grounds {
                    reason: Reason::TargetingMatch,
                    rule: RuleNumber::new(index),
                    arm: AnswerArm::Assigned,
                };
                return Some(serve(case, &compiled.serve, grounds, witness));
            }
        }
        None
    }

    fn exposure(
        &mut self,
        case: Case<'s, 'c>,
        cohorts: &[SegmentId],
        percentage: Percentage,
        witness: &mut impl Witness,
    ) -> Decision {
        let grounds = |arm| Grounds {
            reason: Reason::Split,
            rule: RuleNumber::NONE,
            arm,
        };
        let open = case.program.open();
        for cohort in cohorts {
            let truth = self.segments.holds(*cohort);
            witness.cohort(*cohort, truth);
            if truth.is_true() {
                return serve(case, open, grounds(AnswerArm::Assigned), witness);
            }
        }
        if percentage == Percentage::FULL {
            witness.exposure(case.program, percentage, None);
            return serve(case, open, grounds(AnswerArm::Assigned), witness);
        }
        if percentage == Percentage::ZERO {
            witness.exposure(case.program, percentage, None);
            return closed(case, Reason::Split, RuleNumber::NONE, None);
        }
        let Some(unit) = case.unit else {
            witness.exposure(case.program, percentage, None);
            let cause = Some(Cause::NoUnit);
            return closed(case, Reason::Default, RuleNumber::NONE, cause);
        };
        let salt = case.program.exposure_salt().of(case.flag.hashed_key());
        let bucket = unit.bucket(&salt);
        witness.exposure(case.program, percentage, Some((unit, bucket)));
        if bucket < percentage.thousandths() {
            return serve(case, open, grounds(AnswerArm::Exposed), witness);
        }
        Decision {
            arm: AnswerArm::HeldBack,
            ..closed(case, Reason::Split, RuleNumber::NONE, None)
        }
    }
}

fn serve(
    case: Case<'_, '_>,
    serve: &CompiledServe,
    grounds: Grounds,
    witness: &mut impl Witness,
) -> Decision {
    let (number, reason) = match serve {
        // With everybody exposed and one variant to give, the plan has seen to STATIC.
        CompiledServe::Variant(number) => (*number, grounds.reason),
        CompiledServe::Split(split) => {
            let Some(unit) = case.unit else {
                witness.split(case.program, split, None);
                let cause = Some(Cause::NoUnit);
                return closed(case, Reason::Default, grounds.rule, cause);
            };
            let (bucket, number) = split.arm_of(case.flag.hashed_key(), unit);
            witness.split(case.program, split, Some((unit, bucket)));
            (number, Reason::Split)
        }
    };
    if case.program.variant(number).is_none() {
        let cause = Some(Cause::UnknownVariant);
        return closed(case, Reason::Default, grounds.rule, cause);
    }
    Decision {
        rule: grounds.rule,
        arm: grounds.arm,
        is_closed: number == case.program.closed_number(),
        ..Decision::defined(number, reason)
    }
}

fn closed(case: Case<'_, '_>, reason: Reason, rule: RuleNumber, cause: Option<Cause>) -> Decision {
    Decision {
        rule,
        cause,
        is_closed: true,
        ..Decision::defined(case.program.closed_number(), reason)
    }
}

/// Whether a variant is one of those that meet a prerequisite.
fn accepts(prerequisite: &Prerequisite, given: &str) -> bool {
    prerequisite.variants.is_empty()
        || prerequisite
            .variants
            .iter()
            .any(|variant| variant.as_str() == given)
}
