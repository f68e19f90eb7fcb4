//! Events: what became true. The journal is made of them, so a variant is never changed or removed,
//! only added.

use std::sync::Arc;

use leverframe_flags::{EnvironmentKey, FlagKey, Position, Segment, SegmentKey};
use serde::{Deserialize, Serialize};

use crate::access::Token;
use crate::environment::Environment;
use crate::flag::FlagDefinition;

/// One thing that became true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// The first event of every journal.
    JournalStarted {
        /// The journal's own id: another one is another history.
        journal: Box<str>,
    },
    /// A restore began a new epoch.
    EpochRaised {
        /// The new epoch.
        epoch: u64,
    },
    /// An environment was added.
    EnvironmentCreated {
        /// It.
        environment: Environment,
    },
    /// An environment's guard was turned on or off.
    EnvironmentGuarded {
        /// Which.
        environment: EnvironmentKey,
        /// On or off.
        guarded: bool,
    },
    /// A flag was added, closed everywhere.
    FlagCreated {
        /// Its definition.
        definition: Arc<FlagDefinition>,
    },
    /// A flag's definition was replaced.
    FlagEdited {
        /// The new definition.
        definition: Arc<FlagDefinition>,
    },
    /// A flag was taken out of use.
    FlagArchived {
        /// Which.
        flag: FlagKey,
    },
    /// An archived flag was taken back into use, closed everywhere.
    FlagRestored {
        /// Which.
        flag: FlagKey,
    },
    /// A segment was added.
    SegmentCreated {
        /// Its definition.
        segment: Arc<Segment>,
    },
    /// A segment's definition was replaced.
    SegmentEdited {
        /// The new definition.
        segment: Arc<Segment>,
    },
    /// A segment was removed.
    SegmentDeleted {
        /// Which.
        segment: SegmentKey,
    },
    /// A lever was moved.
    PositionMoved {
        /// Whose.
        flag: FlagKey,
        /// Where.
        environment: EnvironmentKey,
        /// From here.
        from: Position,
        /// To here.
        to: Position,
    },
    /// A revision was taken back by the other events of this record.
    Undone {
        /// Which.
        revision: u64,
    },
    /// A token was made.
    TokenCreated {
        /// It, without its secret.
        token: Arc<Token>,
    },
    /// A token stopped working.
    TokenRevoked {
        /// Which.
        id: Box<str>,
    },
}
