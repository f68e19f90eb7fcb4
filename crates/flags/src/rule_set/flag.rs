//! One flag of a rule set: its name, its position, and how it answers there.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::FlagView;
use super::body::{Body, Shared};
use super::decision::{Decision, Given};
use super::plan::Plan;
use super::program::Program;
use crate::bucket::BucketSalt;
use crate::definition::Definition;
use crate::key::{FlagKey, SegmentKey, VariantKey};
use crate::outcome::Outcome;
use crate::position::Position;
use crate::segment_table::{SegmentId, SegmentTable};
use crate::update::FlagUpdate;
use crate::value::Value;

/// One flag. Immutable, and made to be copied: what is large is shared. One line of the
/// processor's cache, so that asking one of many flags fetches little.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub(crate) struct Flag {
    key: FlagKey,
    /// The key, hashed as a salt.
    hashed_key: BucketSalt,
    plan: Plan,
    /// `None` where the definition cannot be read.
    body: Option<Arc<Body>>,
    position: Arc<Position>,
    /// What few flags have.
    apart: Option<Box<Apart>>,
}

const _: () = assert!(size_of::<Flag>() == 64);

#[derive(Debug, Clone, Default)]
struct Apart {
    hold: Option<Hold>,
    /// What it is closed to by what came beside the definition, where the definition does not
    /// say the same.
    closed: Option<(VariantKey, Value)>,
    /// Why the definition cannot be read.
    unreadable: Option<Box<str>>,
    /// Why a cohort of its position cannot be asked.
    cohort_refusal: Option<Box<str>>,
    /// The cohorts of its position.
    cohorts: Box<[SegmentId]>,
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

/// What a flag is made of.
pub(super) struct Parts {
    pub(super) key: FlagKey,
    pub(super) position: Arc<Position>,
    /// What it is closed to, if the definition does not say the same.
    pub(super) closed: Option<(VariantKey, Value)>,
    /// The definition, or why it cannot be read.
    pub(super) body: Result<Arc<Body>, Box<str>>,
    pub(super) hold: Option<Hold>,
}

impl Flag {
    /// A flag that is new or defined anew; `known` is it before that, over the same segments.
    pub(super) fn new(
        update: FlagUpdate,
        known: Option<&Self>,
        hold: Option<Hold>,
        segments: &SegmentTable,
        shared: &mut Shared,
    ) -> Self {
        let known_body = known.and_then(|known| known.body.as_ref());
        let body = update
            .definition
            .map_err(Into::into)
            .and_then(|definition| shared.body(&update.key, *definition, known_body, segments));
        let parts = Parts {
            // The name that is there already need not be held twice.
            key: known.map_or(update.key, |known| known.key.clone()),
            position: shared.position(update.position),
            closed: Some(update.closed),
            body,
            hold,
        };
        Self::assemble(parts, segments)
    }

    /// The same definition at another position or hold; nothing is compiled again.
    pub(super) fn moved(
        &self,
        position: Arc<Position>,
        hold: Option<Hold>,
        segments: &SegmentTable,
    ) -> Self {
        let body = self.body();
        Self::assemble(self.parts(body.map(Arc::clone), position, hold), segments)
    }

    /// The same flag over other segments.
    pub(super) fn resolved(
        &self,
        position: Arc<Position>,
        hold: Option<Hold>,
        segments: &SegmentTable,
        shared: &mut Shared,
    ) -> Self {
        let body = self
            .body()
            .map(|body| shared.resolved(&self.key, body, segments));
        Self::assemble(self.parts(body, position, hold), segments)
    }

    fn parts(
        &self,
        body: Result<Arc<Body>, &str>,
        position: Arc<Position>,
        hold: Option<Hold>,
    ) -> Parts {
        Parts {
            key: self.key.clone(),
            position,
            closed: self
                .closed()
                .map(|(variant, value)| (variant.clone(), value.clone())),
            body: body.map_err(Into::into),
            hold,
        }
    }

    pub(super) fn assemble(parts: Parts, segments: &SegmentTable) -> Self {
        let Parts {
            key,
            position,
            closed,
            body,
            hold,
        } = parts;
        let program = body.as_ref().ok().and_then(|body| body.program().ok());
        let closed = closed
            .filter(|(variant, value)| program.and_then(Program::closed) != Some((variant, value)));
        let (plan, cohorts) = Plan::new(&position, hold, program, segments);
        let (cohorts, cohort_refusal) = match cohorts {
            Ok(cohorts) => (cohorts, None),
            Err(why) => (Box::default(), Some(why)),
        };
        let is_apart = hold.is_some()
            || closed.is_some()
            || body.is_err()
            || cohort_refusal.is_some()
            || !cohorts.is_empty();
        let (body, unreadable) = match body {
            Ok(body) => (Some(body), None),
            Err(why) => (None, Some(why)),
        };
        Self {
            hashed_key: BucketSalt::new(key.as_str()),
            key,
            plan,
            body,
            position,
            apart: is_apart.then(|| {
                Box::new(Apart {
                    hold,
                    closed,
                    unreadable,
                    cohort_refusal,
                    cohorts,
                })
            }),
        }
    }

    #[inline]
    pub(super) fn key(&self) -> &FlagKey {
        &self.key
    }

    #[inline]
    pub(super) fn hashed_key(&self) -> BucketSalt {
        self.hashed_key
    }

    pub(super) fn position(&self) -> &Arc<Position> {
        &self.position
    }

    pub(super) fn hold(&self) -> Option<Hold> {
        self.apart.as_ref()?.hold
    }

    #[inline]
    pub(super) fn plan(&self) -> Plan {
        self.plan
    }

    /// The cohorts that its position opens to.
    pub(super) fn cohorts(&self) -> &[SegmentId] {
        self.apart.as_ref().map_or(&[], |apart| &apart.cohorts)
    }

    /// The definition, or why it cannot be read.
    pub(super) fn body(&self) -> Result<&Arc<Body>, &str> {
        self.body.as_ref().ok_or_else(|| {
            let apart = self.apart.as_ref();
            let why = apart.and_then(|apart| apart.unreadable.as_deref());
            why.unwrap_or("it cannot be read")
        })
    }

    #[inline]
    pub(super) fn program(&self) -> Option<&Program> {
        self.body.as_ref()?.program().ok()
    }

    /// Why it is closed by itself, if it is.
    pub(super) fn refusal(&self) -> Option<&str> {
        match self.body().and_then(|body| body.program()) {
            Ok(_) => self.apart.as_ref()?.cohort_refusal.as_deref(),
            Err(why) => Some(why),
        }
    }

    /// How old the configuration may be before it closes, in milliseconds.
    pub(super) fn stale_after_ms(&self) -> Option<u64> {
        self.body.as_ref()?.stale_after_ms()
    }

    /// What it is closed to by what came beside the definition.
    pub(super) fn closed(&self) -> Option<(&VariantKey, &Value)> {
        let apart = self.apart.as_ref().and_then(|apart| apart.closed.as_ref());
        match apart {
            Some((variant, value)) => Some((variant, value)),
            None => self.program()?.closed(),
        }
    }

    /// Whether that differs from what the definition says.
    pub(super) fn is_closed_apart(&self) -> bool {
        let apart = self.apart.as_ref();
        apart.is_some_and(|apart| apart.closed.is_some())
    }

    /// Whether its rules or its position ask about one of these segments.
    pub(super) fn uses_any(&self, segments: &BTreeSet<SegmentKey>) -> bool {
        let in_rules = || {
            let body = self.body.as_ref().filter(|body| body.asks_segments());
            let definition = body.and_then(|body| body.definition(&self.key).ok());
            definition.is_some_and(|definition| {
                let mut used = definition.segments().into_iter();
                used.any(|segment| segments.contains(segment))
            })
        };
        let mut cohorts = self.position.cohorts();
        cohorts.any(|segment| segments.contains(segment)) || in_rules()
    }

    /// The variant and value of a decision.
    #[inline]
    pub(super) fn given(&self, decision: Decision) -> Option<(&VariantKey, &Value)> {
        match decision.given {
            Given::Defined => self.program()?.variant(decision.variant),
            Given::Latched => match &*self.position {
                Position::Closed { latch } => {
                    latch.as_ref().map(|latch| (&latch.variant, &latch.value))
                }
                Position::Open { .. } | Position::Pinned { .. } => None,
            },
            Given::Apart => self.closed(),
        }
    }

    /// A decision with its names and values; by construction there always is one.
    #[inline]
    pub(super) fn outcome(&self, decision: Decision, revision: u64) -> Option<Outcome<'_>> {
        let (variant, value) = self.given(decision)?;
        Some(Outcome {
            value,
            variant: variant.as_str(),
            variant_number: decision.variant.get(),
            reason: decision.reason,
            rule: decision.rule.get().and_then(|rule| {
                let rule = self.program()?.rules().get(rule)?;
                Some(&*rule.id)
            }),
            arm: decision.arm,
            cause: decision.cause,
            revision,
        })
    }

    /// The attribute that holds its unit; none for the targeting key.
    pub(super) fn unit_attribute(&self) -> Option<&str> {
        self.program().and_then(Program::unit_attribute)
    }

    /// The answer, where everybody gets the same.
    pub(super) fn fixed(&self, revision: u64) -> Option<Outcome<'_>> {
        match self.plan {
            Plan::Fixed(decision) => self.outcome(decision, revision),
            Plan::Decide { .. } => None,
        }
    }

    /// Whether it is still asked rules that look at the time.
    pub(super) fn asks_the_time(&self) -> bool {
        match self.plan {
            Plan::Fixed(_) => false,
            Plan::Decide { .. } => self.program().is_some_and(Program::asks_the_time),
        }
    }

    pub(super) fn view(&self) -> Option<FlagView<'_>> {
        Some(FlagView {
            key: &self.key,
            position: &self.position,
            closed: self.closed()?,
            flag: self,
        })
    }
}

impl<'a> FlagView<'a> {
    /// Its definition, or why this evaluator could not read it. Put together anew each time.
    ///
    /// # Errors
    /// Why it could not be read.
    pub fn definition(&self) -> Result<Definition, &'a str> {
        let body = self.flag.body()?;
        body.definition(self.key).map_err(|_| "it cannot be read")
    }

    /// Its variants, in the order of their names; none where its definition could not be read.
    pub fn variants(&self) -> impl Iterator<Item = (&'a VariantKey, &'a Value)> + use<'a> {
        let program = self.flag.program();
        program.into_iter().flat_map(Program::variants)
    }

    /// Whether client-side tokens may see its values.
    #[must_use]
    pub fn is_client_visible(&self) -> bool {
        self.flag.body().is_ok_and(|body| body.is_client_visible())
    }
}
