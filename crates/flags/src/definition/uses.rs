//! What a definition uses: other flags and segments.

use std::collections::BTreeSet;

use super::{Definition, Segment, Serve};
use crate::key::{FlagKey, SegmentKey};
use crate::position::Position;

impl Definition {
    /// The segments that its rules ask about; not those that its position opens to.
    #[must_use]
    pub fn segments(&self) -> BTreeSet<&SegmentKey> {
        self.rules
            .iter()
            .flat_map(|rule| rule.when.segments())
            .collect()
    }

    /// The flags it has as prerequisites.
    #[must_use]
    pub fn prerequisite_flags(&self) -> BTreeSet<&FlagKey> {
        self.prerequisites
            .iter()
            .map(|prerequisite| &prerequisite.flag)
            .collect()
    }

    /// Brings a definition from a file into the stored form: whole numbers of a float flag become
    /// floats, and absent salts are filled in: the flag's key for the exposure and for the splits
    /// of rules, `<key>/open` for an open split, so that it is independent of the exposure.
    ///
    /// A value that is of the wrong type stays as it is; [`Definition::validate`] names it.
    pub fn normalise(&mut self) {
        for value in self.variants.values_mut() {
            if value.value_type() != self.value_type
                && let Some(coerced) = value.clone().coerced_to(self.value_type)
            {
                *value = coerced;
            }
        }
        if self.salt.is_empty() {
            self.salt = self.key.as_str().into();
        }
        if let Serve::Split(split) = &mut self.open
            && split.salt.is_empty()
        {
            split.salt = format!("{}/open", self.key).into();
        }
        for rule in &mut self.rules {
            if let Serve::Split(split) = &mut rule.serve
                && split.salt.is_empty()
            {
                split.salt = self.key.as_str().into();
            }
        }
    }
}

impl Segment {
    /// The segments that its condition asks about.
    #[must_use]
    pub fn segments(&self) -> BTreeSet<&SegmentKey> {
        self.when
            .as_ref()
            .map(|when| when.segments())
            .unwrap_or_default()
    }
}

impl Position {
    /// The segments it is opened to.
    pub fn cohorts(&self) -> impl Iterator<Item = &SegmentKey> {
        match self {
            Self::Open { exposure } => Some(&exposure.cohorts),
            Self::Closed { .. } | Self::Pinned { .. } => None,
        }
        .into_iter()
        .flatten()
    }
}
