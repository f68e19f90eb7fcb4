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
use super::flag::{Flag, OpenTo, Plan, Unit};
use super::program::{CompiledRule, CompiledServe, Program, arm_of};
use crate::context::Context;
use crate::definition::Prerequisite;
use crate::limit::{PREREQUISITE_DEPTH_MAX, PREREQUISITE_VISITS_MAX};
use crate::matcher::Reads;
use crate::outcome::{AnswerArm, Cause, Outcome, Reason};
use crate::percentage::Percentage;
use crate::segment_table::{SegmentId, Segments};
use crate::truth::Truth;

/// Is told every step, for an explanation. `()` listens to nothing and costs nothing.
pub(super) trait Witness {
    fn prerequisite(&mut self, _: &Prerequisite, _: Option<&Outcome<'_>>, _met: bool) {}
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
    fn split(&mut self, _: &Program, _salt: &str, _: Option<(Unit<'_>, u32)>) {}
}

impl Witness for () {}

impl RuleSet {
    /// The answer of one of this set's flags.
    pub(super) fn outcome<'s>(&'s self, flag: &'s Flag, context: &Context) -> Outcome<'s> {
        match flag.plan() {
            Plan::Fixed(fixed) => fixed.outcome(self.revision),
            Plan::Decide { .. } => self.witnessed(flag, context, &mut ()),
        }
    }

    /// The answer of one of this set's flags, told to `witness` step by step.
    pub(super) fn witnessed<'s>(
        &'s self,
        flag: &'s Flag,
        context: &Context,
        witness: &mut impl Witness,
    ) -> Outcome<'s> {
        Asking {
            set: self,
            context,
            segments: Segments::new(&self.segments, context),
            visits_left: PREREQUISITE_VISITS_MAX,
        }
        .answer(flag, PREREQUISITE_DEPTH_MAX, witness)
        .outcome
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

struct Answer<'s> {
    outcome: Outcome<'s>,
    /// Whether it is what the flag is closed to, which meets no prerequisite.
    is_closed: bool,
}

/// What a flag that is neither closed nor pinned decides by.
#[derive(Clone, Copy)]
struct Case<'s, 'c> {
    flag: &'s Flag,
    program: &'s Program,
    unit: Option<Unit<'c>>,
}

/// Why a part of the flag serves what it serves.
struct Grounds<'s> {
    reason: Reason,
    rule: Option<&'s str>,
    arm: AnswerArm,
}

impl<'s, 'c> Asking<'s, 'c> {
    fn answer(
        &mut self,
        flag: &'s Flag,
        depth_left: usize,
        witness: &mut impl Witness,
    ) -> Answer<'s> {
        let (program, open_to) = match flag.plan() {
            Plan::Fixed(fixed) => {
                return Answer {
                    outcome: fixed.outcome(self.set.revision),
                    is_closed: fixed.is_closed,
                };
            }
            Plan::Decide { program, open_to } => (&**program, open_to),
        };
        let case = Case {
            flag,
            program,
            unit: Unit::read(self.context, program.unit_attribute()),
        };
        if let Some(cause) = self.unmet_prerequisite(program, depth_left, witness) {
            return self.closed(case, Reason::Default, None, Some(cause));
        }
        if let Some(answer) = self.first_true_rule(case, witness) {
            return answer;
        }
        self.exposure(case, open_to, witness)
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
            let asked = set.roster.share(prerequisite.flag.as_str());
            let answer = asked.map(|flag| self.answer(flag, depth_left, &mut ()));
            let is_met = answer
                .as_ref()
                .is_some_and(|answer| !answer.is_closed && accepts(prerequisite, &answer.outcome));
            let outcome = answer.map(|answer| answer.outcome);
            witness.prerequisite(prerequisite, outcome.as_ref(), is_met);
            if !is_met {
                let is_circle =
                    outcome.is_some_and(|outcome| outcome.cause == Some(Cause::PrerequisiteCycle));
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
    ) -> Option<Answer<'s>> {
        let mut reads = Reads::new(self.context, case.program.subjects());
        for (index, compiled) in case.program.compiled_rules().iter().enumerate() {
            let truth = compiled.when.ask(&mut reads, &mut self.segments);
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
                    rule: case.program.rule(index).map(|rule| &*rule.id),
                    arm: AnswerArm::Assigned,
                };
                return Some(self.serve(case, &compiled.serve, &grounds, witness));
            }
        }
        None
    }

    fn exposure(
        &mut self,
        case: Case<'s, 'c>,
        open_to: &OpenTo,
        witness: &mut impl Witness,
    ) -> Answer<'s> {
        let grounds = |arm| Grounds {
            reason: Reason::Split,
            rule: None,
            arm,
        };
        for cohort in &open_to.cohorts {
            let truth = self.segments.holds(*cohort);
            witness.cohort(*cohort, truth);
            if truth.is_true() {
                let grounds = grounds(AnswerArm::Assigned);
                return self.serve(case, case.program.open(), &grounds, witness);
            }
        }
        let percentage = open_to.percentage;
        if percentage == Percentage::FULL {
            witness.exposure(case.program, percentage, None);
            let grounds = grounds(AnswerArm::Assigned);
            return self.serve(case, case.program.open(), &grounds, witness);
        }
        if percentage == Percentage::ZERO {
            witness.exposure(case.program, percentage, None);
            return self.closed(case, Reason::Split, None, None);
        }
        let Some(unit) = case.unit else {
            witness.exposure(case.program, percentage, None);
            return self.closed(case, Reason::Default, None, Some(Cause::NoUnit));
        };
        let bucket = case.program.exposure_bucket(unit);
        witness.exposure(case.program, percentage, Some((unit, bucket)));
        if bucket < percentage.thousandths() {
            let grounds = grounds(AnswerArm::Exposed);
            return self.serve(case, case.program.open(), &grounds, witness);
        }
        let mut answer = self.closed(case, Reason::Split, None, None);
        answer.outcome.arm = AnswerArm::HeldBack;
        answer
    }

    fn serve(
        &self,
        case: Case<'s, 'c>,
        serve: &'s CompiledServe,
        grounds: &Grounds<'s>,
        witness: &mut impl Witness,
    ) -> Answer<'s> {
        let (number, reason) = match serve {
            // With everybody exposed and one variant to give, the caller has seen to STATIC.
            CompiledServe::Variant(number) => (*number, grounds.reason),
            CompiledServe::Split {
                salt,
                salt_text,
                arms,
            } => {
                let Some(unit) = case.unit else {
                    witness.split(case.program, salt_text, None);
                    let cause = Some(Cause::NoUnit);
                    return self.closed(case, Reason::Default, grounds.rule, cause);
                };
                let (bucket, number) = arm_of(salt, arms, unit);
                witness.split(case.program, salt_text, Some((unit, bucket)));
                (number, Reason::Split)
            }
        };
        let Some((variant, value)) = case.program.variant(number) else {
            let cause = Some(Cause::UnknownVariant);
            return self.closed(case, Reason::Default, grounds.rule, cause);
        };
        Answer {
            outcome: Outcome {
                value,
                variant: variant.as_str(),
                variant_number: u32::try_from(number).ok(),
                reason,
                rule: grounds.rule,
                arm: grounds.arm,
                cause: None,
                revision: self.set.revision,
            },
            is_closed: number == case.program.closed_number(),
        }
    }

    fn closed(
        &self,
        case: Case<'s, 'c>,
        reason: Reason,
        rule: Option<&'s str>,
        cause: Option<Cause>,
    ) -> Answer<'s> {
        let fallback = case.flag.view().closed;
        let (variant, value) = case.program.closed().unwrap_or(fallback);
        let variant_number = u32::try_from(case.program.closed_number()).ok();
        Answer {
            outcome: Outcome {
                value,
                variant: variant.as_str(),
                variant_number,
                reason,
                rule,
                arm: AnswerArm::Assigned,
                cause,
                revision: self.set.revision,
            },
            is_closed: true,
        }
    }
}

/// Whether an answer is one of the variants that meet a prerequisite.
fn accepts(prerequisite: &Prerequisite, outcome: &Outcome<'_>) -> bool {
    prerequisite.variants.is_empty()
        || prerequisite
            .variants
            .iter()
            .any(|variant| variant.as_str() == outcome.variant)
}
