//! What must be true of every evaluator, whatever its connection is like.

use std::collections::BTreeSet;

use leverframe_flags::{Cause, Context, FlagKey, RuleSet};

use super::answers::table;
use super::{Auditor, Verdict, demand};
use crate::evaluator::Evaluator;
use crate::shop;

/// No flag of the shop closes before it is this old, in milliseconds.
const STALE_MS_MIN: u64 = 5_000;

impl Auditor {
    /// Checks an evaluator that may have changed.
    pub(crate) fn check_evaluator(&mut self, evaluator: &Evaluator) -> Verdict {
        let name = evaluator.instance();
        let Some(rules) = evaluator.rules() else {
            return Ok(());
        };
        demand(
            rules
                .evaluate("nobody-knows-this", &Context::new("u-1"))
                .is_none(),
            "P1",
            || format!("{name} answers for a flag that does not exist"),
        )?;
        let Some(cursor) = evaluator.cursor() else {
            return demand(rules.is_empty(), "P1", || {
                format!("{name} answers before it was told anything")
            });
        };
        let here = (cursor.epoch, cursor.revision);
        let reached = self.reached.entry(name.clone()).or_default();
        demand(*reached <= here, "P5", || {
            format!(
                "{name} was at r{} of epoch {} and is at r{} of epoch {}",
                reached.1, reached.0, here.1, here.0
            )
        })?;
        *reached = here;

        let place = (cursor.epoch, evaluator.environment.clone(), cursor.revision);
        let known = self.answers.get(&place);
        let is_known = known.is_some_and(|answers| answers.head == cursor.head);
        demand(is_known, "P5", || {
            format!(
                "{name} is at r{} of epoch {}, which is not in the journal",
                here.1, here.0
            )
        })?;
        let told = table(rules);
        self.counts.answers += told
            .values()
            .map(|row| row.variants.len() as u64)
            .sum::<u64>();

        self.check_braked(evaluator, &told)?;
        let held = self.may_be_held(evaluator);
        let Some(known) = self.answers.get(&place) else {
            return Ok(());
        };
        let wanted = if evaluator.is_old {
            &known.old
        } else {
            &known.new
        };

        // P3, by the ledger and nothing else.
        if let Some(ledger) = self.ledgers.get(&cursor.epoch) {
            for (flag, closed) in ledger.killed(&evaluator.environment, cursor.revision) {
                let Some(row) = told.get(flag) else { continue };
                let is_closed = row.variants.iter().all(|variant| **variant == *closed);
                demand(is_closed, "P3", || {
                    format!(
                        "{flag} is killed at r{}, and {name} answers {:?}",
                        here.1, row.variants
                    )
                })?;
            }
        }
        // What is told is exactly what a fresh snapshot would say; less where something holds a
        // flag closed here.
        let is_held = evaluator.forced.is_some() || evaluator.aged_ms > STALE_MS_MIN;
        demand(told.keys().eq(wanted.keys()), "P5", || {
            format!("{name} knows other flags at r{} than there are", here.1)
        })?;
        for (flag, row) in &told {
            let Some(wanted) = wanted.get(flag) else {
                continue;
            };
            let is_held = is_held || held.contains(flag) || needs_held(rules, flag, &held);
            let answers = row.variants.iter().zip(&wanted.variants);
            for (customer, (told, fresh)) in answers.enumerate() {
                let is_right = told == fresh || (is_held && *told == wanted.closed);
                demand(is_right, "P7", || {
                    format!(
                        "{name} at r{} answers {told} for {flag} to customer {customer}; a fresh snapshot says {fresh}",
                        here.1
                    )
                })?;
            }
            let is_forced = evaluator.forced.as_ref() == Some(flag);
            demand(
                !is_forced || row.variants.iter().all(|variant| *variant == row.closed),
                "P3",
                || format!("{name} was told to keep {flag} closed, and does not"),
            )?;
        }
        shop::with_contexts(|contexts| self.check_words(evaluator, &held, &contexts[0]))
    }

    /// P1, P3: an answer that falls back says why, and one that is too old falls back.
    fn check_words(
        &self,
        evaluator: &Evaluator,
        held: &BTreeSet<FlagKey>,
        context: &Context,
    ) -> Verdict {
        let Some(rules) = evaluator.rules() else {
            return Ok(());
        };
        for flag in rules.flags() {
            let Some(outcome) = rules.evaluate(flag.key.as_str(), context) else {
                continue;
            };
            let is_unreadable = flag.definition().is_err() && !flag.position.is_closed();
            let is_said = held.contains(flag.key)
                || outcome.cause == Some(Cause::Undecodable)
                || outcome.cause == Some(Cause::ForcedClosed);
            let stale_after_s = flag
                .definition()
                .ok()
                .and_then(|definition| definition.stale_after_s);
            let is_stale = stale_after_s.is_some_and(|s| evaluator.aged_ms > u64::from(s) * 1_000);
            let is_closed = flag.position.is_closed() || outcome.cause == Some(Cause::Stale);
            demand(!is_stale || is_closed || is_said, "P3", || {
                format!(
                    "{} heard nothing for {} ms, and {} is not closed",
                    evaluator.instance(),
                    evaluator.aged_ms,
                    flag.key
                )
            })?;
            demand(!is_unreadable || is_said, "P1", || {
                format!(
                    "{} cannot read {} and does not say so",
                    evaluator.instance(),
                    flag.key
                )
            })?;
        }
        Ok(())
    }

    /// The furthest place that a process has really been at.
    pub(super) fn reached(&self, instance: &str) -> Option<(u64, u64)> {
        self.reached.get(instance).copied()
    }

    /// At the end: an evaluator has converged.
    pub(crate) fn check_converged(&self, evaluator: &Evaluator) -> Verdict {
        let here = evaluator
            .cursor()
            .map(|cursor| (cursor.epoch, cursor.revision));
        let head = self
            .state
            .environment(evaluator.environment.as_str())
            .map(|entry| (self.state.epoch(), entry.revision));
        demand(here == head, "live", || {
            format!(
                "everything works again, and {} is at {here:?} and not at {head:?}",
                evaluator.instance()
            )
        })
    }
}

/// Whether a flag needs one that is held closed.
fn needs_held(rules: &RuleSet, flag: &FlagKey, held: &BTreeSet<FlagKey>) -> bool {
    let known = rules.flags().find(|known| known.key == flag);
    let definition = known.and_then(|known| known.definition().ok());
    definition.is_some_and(|definition| {
        let needed = definition.prerequisites.iter();
        needed
            .map(|needed| &needed.flag)
            .any(|key| held.contains(key))
    })
}
