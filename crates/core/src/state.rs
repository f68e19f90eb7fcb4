//! The state: the fold of the journal. Cloning is cheap, so that a reader and the writer's
//! speculation each hold one of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;
use leverframe_flags::{EnvironmentKey, FlagKey, Position, Segment, SegmentKey};
use serde::{Deserialize, Serialize};

use crate::access::Token;
use crate::environment::Environment;
use crate::flag::FlagDefinition;
use crate::record::Link;
use crate::time::Timestamp;

/// Everything the journal says is true.
#[derive(Debug, Clone)]
pub struct State {
    pub(crate) journal: Box<str>,
    pub(crate) epoch: u64,
    pub(crate) revision: u64,
    pub(crate) head: Link,
    pub(crate) at: Timestamp,
    pub(crate) environments: OrdMap<EnvironmentKey, EnvironmentEntry>,
    pub(crate) flags: OrdMap<FlagKey, Arc<Flag>>,
    pub(crate) segments: OrdMap<SegmentKey, Arc<SegmentEntry>>,
    pub(crate) tokens: OrdMap<Box<str>, Arc<TokenEntry>>,
}

/// An environment and the last revision its evaluators had to hear of.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvironmentEntry {
    /// The environment.
    pub environment: Environment,
    /// The last revision that changed what its evaluators see.
    pub revision: u64,
    /// The journal's head at that revision.
    pub head: Link,
}

/// A flag with its levers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flag {
    /// Its definition.
    pub definition: Arc<FlagDefinition>,
    /// When it was created.
    pub created_at: Timestamp,
    /// The revision that last changed the definition.
    pub defined_revision: u64,
    /// Whether it is out of use.
    pub is_archived: bool,
    /// Its position in every environment where it was ever moved; closed and unlatched elsewhere.
    pub levers: BTreeMap<EnvironmentKey, Lever>,
}

/// A flag's position in one environment and how it came there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lever {
    /// The position.
    pub position: Position,
    /// The revision that moved it there.
    pub moved_revision: u64,
    /// When.
    pub moved_at: Timestamp,
    /// Who, as people call the actor.
    pub moved_by: Box<str>,
    /// Why, if a reason was given.
    pub reason: Option<Box<str>>,
}

/// A segment and the revision that last changed it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentEntry {
    /// The segment.
    pub segment: Arc<Segment>,
    /// The revision that last changed it.
    pub revision: u64,
}

/// A token and whether it still works.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenEntry {
    /// The token.
    pub token: Arc<Token>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}
