//! A rule set: everything one environment's evaluators decide by, compiled and immutable.
//!
//! A change makes another rule set, which shares every flag that it did not touch. Asking one
//! allocates nothing, takes no lock and cannot fail.

mod body;
mod decide;
mod decision;
mod explain;
mod flag;
mod packed;
mod plan;
mod program;
mod revise;
mod roster;
mod salt;
mod unit;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::context::Context;
use crate::key::{FlagKey, SegmentKey, VariantKey};
use crate::outcome::{AnswerArm, Outcome, Side};
use crate::position::Position;
use crate::segment_table::SegmentTable;
use crate::update::{FlagUpdate, SegmentUpdate};
use crate::value::Value;

pub use explain::{Bucket, Explanation, ExplanationStep};
use flag::Flag;
pub use packed::PackedError;
pub(crate) use revise::{Holds, Revision};
use roster::Roster;

/// Every flag and segment of one environment at one revision.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    revision: u64,
    roster: Roster,
    segments: Arc<SegmentTable>,
    refused: Arc<BTreeMap<FlagKey, Box<str>>>,
}

/// The number of a flag within a rule set and all that grow out of it while their
/// [`RuleSet::generation`] stays the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlagIndex(u32);

impl FlagIndex {
    /// The number itself, from 0 up in the order of [`RuleSet::flags`].
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }

    /// A number that [`FlagIndex::number`] gave, for callers that keep it in a word of their own.
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        Self(number)
    }
}

/// One flag as a rule set knows it.
#[derive(Debug, Clone, Copy)]
pub struct FlagView<'a> {
    /// The flag.
    pub key: &'a FlagKey,
    /// Its position.
    pub position: &'a Position,
    /// The variant and value it is closed to, apart from the definition.
    pub closed: (&'a VariantKey, &'a Value),
    flag: &'a Flag,
}

impl RuleSet {
    /// A rule set that knows no flag.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Compiles everything. A flag that cannot be read is closed by itself and listed by
    /// [`RuleSet::refused`]; it never holds up the others. Of two updates about one flag or
    /// segment the last counts.
    #[must_use]
    pub fn compile(revision: u64, flags: Vec<FlagUpdate>, segments: Vec<SegmentUpdate>) -> Self {
        Self::empty().revised(
            revision,
            Revision {
                flags,
                segments,
                ..Revision::default()
            },
            &Holds::default(),
        )
    }

    /// The revision of the environment that this is.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Changes whenever a flag comes or goes, and so whenever a [`FlagIndex`] may have become
    /// wrong. Comparable only between rule sets of one [`crate::Follower`].
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.roster.generation()
    }

    /// How many flags there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.roster.len()
    }

    /// Whether there are no flags.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.roster.is_empty()
    }

    /// The number of a flag, for asking it often.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<FlagIndex> {
        self.roster.find(key)
    }

    /// Asks a flag by name; `None` when there is no such flag.
    #[must_use]
    pub fn evaluate(&self, key: &str, context: &Context) -> Option<Outcome<'_>> {
        self.evaluate_index(self.find(key)?, context)
    }

    /// Asks a flag by number. `None` when there is none of that number; another flag's answer
    /// when the number is from another [`RuleSet::generation`], which the caller compares.
    #[must_use]
    pub fn evaluate_index(&self, index: FlagIndex, context: &Context) -> Option<Outcome<'_>> {
        self.outcome(self.roster.get(index)?, context)
    }

    /// A fingerprint of the unit that a flag decides by, for telling units apart without their names.
    /// `None` where the context has no unit.
    #[must_use]
    pub fn fingerprint(&self, index: FlagIndex, context: &Context) -> Option<u64> {
        let attribute = self.roster.get(index)?.unit_attribute();
        unit::Unit::read(context, attribute).map(unit::Unit::fingerprint)
    }

    /// On which side of a comparison an answer of a flag puts its unit. `None` for what is no evidence: a
    /// rule's answer, and one for want of something. While a lever is closed everybody is held back, so
    /// that what will be compared with is known before anybody is let through.
    #[must_use]
    pub fn side(&self, index: FlagIndex, outcome: &Outcome<'_>) -> Option<Side> {
        match outcome.arm {
            AnswerArm::Exposed => Some(Side::Exposed),
            AnswerArm::HeldBack => Some(Side::HeldBack),
            AnswerArm::Assigned if outcome.rule.is_some() || outcome.cause.is_some() => None,
            AnswerArm::Assigned => {
                let closed = self.flag_at(index)?.closed.0.as_str();
                Some(if outcome.variant == closed {
                    Side::HeldBack
                } else {
                    Side::LetThrough
                })
            }
        }
    }

    /// The answer of a flag that gives everybody the same. `None` when the context decides, or
    /// when there is none of that number.
    #[must_use]
    pub fn fixed(&self, index: FlagIndex) -> Option<Outcome<'_>> {
        self.roster.get(index)?.fixed(self.revision)
    }

    /// Whether the mere passing of time may change an answer: whether any condition that is still
    /// asked looks at `now`.
    #[must_use]
    pub fn asks_the_time(&self) -> bool {
        self.segments.asks_the_time() || self.roster.iter().any(Flag::asks_the_time)
    }

    /// Asks a flag and tells how the answer came about; `None` when there is no such flag.
    #[must_use]
    pub fn explain(&self, key: &str, context: &Context) -> Option<Explanation> {
        let flag = self.roster.get(self.find(key)?)?;
        self.explanation(flag, context)
    }

    /// One flag by name.
    #[must_use]
    pub fn flag(&self, key: &str) -> Option<FlagView<'_>> {
        self.flag_at(self.find(key)?)
    }

    /// One flag by number.
    #[must_use]
    pub fn flag_at(&self, index: FlagIndex) -> Option<FlagView<'_>> {
        self.roster.get(index)?.view()
    }

    /// Every flag, sorted by key.
    pub fn flags(&self) -> impl Iterator<Item = FlagView<'_>> {
        self.roster.iter().filter_map(Flag::view)
    }

    /// Every segment as it came, sorted by key.
    pub fn segments(&self) -> impl Iterator<Item = SegmentUpdate> {
        self.segments.sources().map(|(key, source)| SegmentUpdate {
            key: key.clone(),
            definition: match source {
                Ok(segment) => Ok(Box::new(segment.segment(key))),
                Err(why) => Err(why.to_string()),
            },
        })
    }

    pub(crate) fn segment_keys(&self) -> impl Iterator<Item = &SegmentKey> {
        self.segments.sources().map(|(key, _)| key)
    }

    /// The flags that close when the configuration is too old, with the age in milliseconds.
    pub(crate) fn stale_after(&self) -> impl Iterator<Item = (FlagKey, u64)> {
        self.roster
            .iter()
            .filter_map(|flag| Some((flag.key().clone(), flag.stale_after_ms()?)))
    }

    /// How old the configuration may be before a flag closes, in milliseconds.
    pub(crate) fn stale_after_ms(&self, key: &FlagKey) -> Option<u64> {
        self.roster.named(key.as_str())?.stale_after_ms()
    }

    /// The flags that are closed because they cannot be read, with the reason, sorted by key.
    pub fn refused(&self) -> impl Iterator<Item = (&FlagKey, &str)> {
        self.refused.iter().map(|(flag, why)| (flag, &**why))
    }
}
