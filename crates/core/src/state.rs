//! The state: the fold of the journal. Cloning is cheap, so that a reader and the writer's
//! speculation each hold one of their own.

mod apply;
mod drills;
mod history;
mod journeys;
mod repeat;
mod snapshot;
mod text;
mod thrift;
mod uses;
mod watches;

use std::sync::Arc;

use imbl::OrdMap;
use leverframe_flags::{EnvironmentKey, FlagKey, Position, Segment, SegmentKey};
use serde::{Deserialize, Serialize};

use crate::access::{Actor, Token};
use crate::command::Meta;
use crate::environment::Environment;
use crate::event::Event;
use crate::flag::{FlagDefinition, is_internal};
use crate::record::{Link, Record};
use crate::table::Table;
use crate::time::Timestamp;

pub use apply::ApplyError;
pub(crate) use history::why_final;
pub use history::{Before, Touched};
pub use journeys::PlanEntry;
pub(crate) use repeat::Answered;
pub use snapshot::{SNAPSHOT_FORMAT, Snapshot, SnapshotError};
pub use uses::SegmentUsers;

/// Everything the journal says is true.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    journal: Arc<str>,
    epoch: u64,
    revision: u64,
    head: Link,
    at: Timestamp,
    environments: OrdMap<EnvironmentKey, EnvironmentEntry>,
    flags: Flags,
    segments: Segments,
    tokens: OrdMap<Box<str>, Arc<TokenEntry>>,
    repeats: repeat::Repeats,
    history: history::History,
    journeys: journeys::Journeys,
}

type Flags = OrdMap<FlagKey, Arc<Flag>>;
type Segments = OrdMap<SegmentKey, Arc<SegmentEntry>>;

/// An environment and the last revision its evaluators had to hear of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentEntry {
    /// The environment.
    pub environment: Environment,
    /// The last revision that changed what its evaluators see.
    pub revision: u64,
    /// The journal's head at that revision.
    pub head: Link,
    /// The revision that last turned its guard on or off, or made it.
    pub guarded_revision: u64,
}

/// A flag with its levers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flag {
    /// Its definition.
    pub definition: Arc<FlagDefinition>,
    /// When it was created.
    pub created_at: Timestamp,
    /// The revision that last changed the definition, archived the flag or restored it.
    pub defined_revision: u64,
    /// Whether it is out of use.
    pub is_archived: bool,
    /// Its position in every environment where it was ever moved; closed and unlatched elsewhere.
    pub levers: Table<EnvironmentKey, Lever>,
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
    pub moved_by: Arc<str>,
    /// Why, if a reason was given.
    pub reason: Option<Arc<str>>,
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
    /// The revision that made or revoked it.
    pub revision: u64,
}

/// Where every lever stands until it is moved.
static START: Position = Position::Closed { latch: None };

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    /// Before the first record.
    #[must_use]
    pub fn new() -> Self {
        Self {
            journal: Arc::from(""),
            epoch: 0,
            revision: 0,
            head: Link::START,
            at: Timestamp::default(),
            environments: OrdMap::new(),
            flags: OrdMap::new(),
            segments: OrdMap::new(),
            tokens: OrdMap::new(),
            repeats: repeat::Repeats::default(),
            history: history::History::default(),
            journeys: journeys::Journeys::default(),
        }
    }

    /// The journal's own id; empty before the first record.
    #[must_use]
    pub fn journal(&self) -> &str {
        &self.journal
    }

    /// The epoch; 1 from the first record, raised by every restore.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The revision of the last record; 0 before the first.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The link of the last record.
    #[must_use]
    pub fn head(&self) -> Link {
        self.head
    }

    /// When the last record was decided.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Every environment, sorted by key.
    pub fn environments(&self) -> impl Iterator<Item = &EnvironmentEntry> {
        self.environments.values()
    }

    /// One environment.
    #[must_use]
    pub fn environment(&self, key: &str) -> Option<&EnvironmentEntry> {
        self.environments.get(key)
    }

    /// Every flag, archived ones included, sorted by key.
    pub fn flags(&self) -> impl Iterator<Item = &Arc<Flag>> {
        self.flags.values()
    }

    /// How many flags there are, archived ones included.
    #[must_use]
    pub fn flags_len(&self) -> usize {
        self.flags.len()
    }

    /// One flag, archived or not.
    #[must_use]
    pub fn flag(&self, key: &str) -> Option<&Arc<Flag>> {
        self.flags.get(key)
    }

    /// Every segment, sorted by key.
    pub fn segments(&self) -> impl Iterator<Item = &Arc<SegmentEntry>> {
        self.segments.values()
    }

    /// One segment.
    #[must_use]
    pub fn segment(&self, key: &str) -> Option<&Arc<SegmentEntry>> {
        self.segments.get(key)
    }

    /// Every token, revoked and expired ones included, sorted by id.
    pub fn tokens(&self) -> impl Iterator<Item = &Arc<TokenEntry>> {
        self.tokens.values()
    }

    /// One token, working or not.
    #[must_use]
    pub fn token(&self, id: &str) -> Option<&Arc<TokenEntry>> {
        self.tokens.get(id)
    }

    /// The ETag of a lever: the revision that last changed this flag in this environment, by a
    /// move there or by a new definition (which is the same in every environment).
    #[must_use]
    pub fn lever_revision(&self, flag: &Flag, environment: &str) -> u64 {
        flag.lever(environment)
            .map_or(0, |lever| lever.moved_revision)
            .max(flag.defined_revision)
    }

    /// The record that these events would be: numbered, named and with its reason tidied. It is
    /// never dated before the record in front of it, whatever the clock says, and is true only once
    /// it is sealed, stored and applied.
    #[must_use]
    pub fn next_record(&self, events: Vec<Event>, meta: &Meta) -> Record {
        let actor_name = match &meta.actor {
            Actor::System => "system".into(),
            Actor::Token { id } => self
                .token(id)
                .map_or_else(|| id.clone(), |entry| entry.token.name.clone()),
        };
        Record {
            revision: self.revision + 1,
            at: meta.now.max(self.at),
            actor: meta.actor.id().into(),
            actor_name,
            via: meta.via.clone(),
            why: meta.why.tidied(),
            idempotency: meta.idempotency.clone(),
            events,
        }
    }
}

impl Flag {
    /// The flag's name.
    #[must_use]
    pub fn key(&self) -> &FlagKey {
        &self.definition.key
    }

    /// Where the flag stands in an environment; [`Position::start`] where it was never moved.
    #[must_use]
    pub fn position(&self, environment: &str) -> &Position {
        self.lever(environment)
            .map_or(&START, |lever| &lever.position)
    }

    /// Whether it is the server's own: lists of people's flags leave it out.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        is_internal(self.key())
    }

    /// The services it belongs to: what its tags `service:…` name.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        let tags = self.definition.tags.iter();
        tags.filter_map(|tag| tag.strip_prefix("service:"))
    }

    /// The lever in an environment, if it was ever moved there.
    #[must_use]
    pub fn lever(&self, environment: &str) -> Option<&Lever> {
        self.levers.get(environment)
    }
}
