//! Updates: what an evaluator is told. The wire turns frames into these; the follower applies them.

use serde::{Deserialize, Serialize};

use crate::definition::{Definition, Segment};
use crate::key::{EnvironmentKey, FlagKey, SegmentKey, VariantKey};
use crate::position::Position;
use crate::value::Value;

/// Where in the history of one environment an update stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Which journal. Another journal is another history.
    pub journal: Box<str>,
    /// Raised by a restore: a newer epoch wins over any revision of an older one.
    pub epoch: u64,
    /// The environment that is followed.
    pub environment: EnvironmentKey,
    /// The revision this update builds on; 0 for a snapshot.
    pub previous: u64,
    /// The revision an evaluator is at once it has applied this.
    pub revision: u64,
    /// The number of the last kill that is out and that the journal has not stored yet; 0 when
    /// there is none. A snapshot shows the flags of such kills as closed.
    pub brake: u64,
    /// The journal's head hash at `revision`, in hexadecimal; the evaluator sends it back, so that
    /// a truncated or rewritten journal is noticed.
    pub head: Box<str>,
}

/// One step of an evaluator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Update {
    /// Everything; replaces what was known.
    Snapshot {
        /// The state it describes.
        cursor: Cursor,
        /// Every flag of the environment.
        flags: Vec<FlagUpdate>,
        /// Every segment.
        segments: Vec<SegmentUpdate>,
    },
    /// What one revision changed; builds on `cursor.previous`.
    Change {
        /// The step it makes.
        cursor: Cursor,
        /// Positions that moved. Applied before anything else, so that no definition can hold up a kill.
        positions: Vec<(FlagKey, Position)>,
        /// Flags that are new or defined anew.
        flags: Vec<FlagUpdate>,
        /// Segments that are new or defined anew.
        segments: Vec<SegmentUpdate>,
        /// Flags that are gone.
        removed_flags: Vec<FlagKey>,
        /// Segments that are gone.
        removed_segments: Vec<SegmentKey>,
    },
    /// Kills that are out ahead of the journal. Outside the chain of revisions: applied at once,
    /// and kept until a revision says otherwise.
    Brake {
        /// The state it was decided on; `brake` numbers it.
        cursor: Cursor,
        /// The flags to close.
        closed: Vec<FlagKey>,
    },
}

/// One flag: its position, its definition if this evaluator can read it, and what to serve if not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlagUpdate {
    /// The flag.
    pub key: FlagKey,
    /// Its position.
    pub position: Position,
    /// The closed variant, apart from the definition.
    pub closed: (VariantKey, Value),
    /// The definition, or why it cannot be read.
    pub definition: Result<Box<Definition>, String>,
}

/// One segment, if this evaluator can read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentUpdate {
    /// The segment.
    pub key: SegmentKey,
    /// The definition, or why it cannot be read; flags that use an unreadable one are refused.
    pub definition: Result<Box<Segment>, String>,
}
