//! A rule set: everything one environment's evaluators decide by, compiled and immutable.
//!
//! A change makes another rule set, which shares every flag that it did not touch. Asking one
//! allocates nothing, takes no lock and cannot fail.

mod decide;
mod explain;
mod flag;
mod program;
mod revise;
mod roster;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::context::Context;
use crate::definition::Definition;
use crate::key::{FlagKey, VariantKey};
use crate::outcome::Outcome;
use crate::position::Position;
use crate::segment_table::SegmentTable;
use crate::update::{FlagUpdate, SegmentUpdate};
use crate::value::Value;

pub use explain::{Bucket, Explanation, ExplanationStep};
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
    /// Its definition, or why this evaluator could not read it.
    pub definition: Result<&'a Definition, &'a str>,
    /// The variant and value it is closed to, apart from the definition.
    pub closed: (&'a VariantKey, &'a Value),
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
        self.len() == 0
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
        let flag = self.roster.get(index)?;
        Some(self.outcome(flag, context))
    }

    /// Asks a flag and tells how the answer came about; `None` when there is no such flag.
    #[must_use]
    pub fn explain(&self, key: &str, context: &Context) -> Option<Explanation> {
        let flag = self.roster.get(self.find(key)?)?;
        Some(self.explanation(flag, context))
    }

    /// One flag by name.
    #[must_use]
    pub fn flag(&self, key: &str) -> Option<FlagView<'_>> {
        self.flag_at(self.find(key)?)
    }

    /// One flag by number.
    #[must_use]
    pub fn flag_at(&self, index: FlagIndex) -> Option<FlagView<'_>> {
        self.roster.get(index).map(|flag| flag.view())
    }

    /// Every flag, sorted by key.
    pub fn flags(&self) -> impl Iterator<Item = FlagView<'_>> {
        self.roster.iter().map(|flag| flag.view())
    }

    /// Every segment as it came, sorted by key.
    pub fn segments(&self) -> impl Iterator<Item = SegmentUpdate> {
        self.segments.sources()
    }

    /// How old the configuration may be before a flag closes, in milliseconds.
    pub(crate) fn stale_after_ms(&self, key: &FlagKey) -> Option<u64> {
        self.roster.share(key.as_str())?.stale_after_ms()
    }

    /// The flags that are closed because they cannot be read, with the reason, sorted by key.
    pub fn refused(&self) -> impl Iterator<Item = (&FlagKey, &str)> {
        self.refused.iter().map(|(flag, why)| (flag, &**why))
    }
}
