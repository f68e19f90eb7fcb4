//! Definitions as files in git: one a file, in a stable order, never a position.
//!
//! A directory called `flags` holds the flags themselves, `flags/<key>.yaml`, and segments and plans
//! below it, `flags/segments/<key>.yaml`, `flags/plans/<key>.yaml`. Any other directory holds
//! `flags/<key>.yaml`, `segments/<key>.yaml` and `plans/<key>.yaml`. What is there already counts more than the name.

mod layout;
mod read;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use leverframe_wire::admin::{FlagDefinition, PlanDefinition, SegmentDefinition};

pub(crate) use read::{one, read};
pub(crate) use write::write;

/// Definitions by key.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Definitions {
    pub(crate) flags: BTreeMap<String, FlagDefinition>,
    pub(crate) segments: BTreeMap<String, SegmentDefinition>,
    pub(crate) plans: BTreeMap<String, PlanDefinition>,
}
