//! Events: what became true. The journal is made of them, so a variant is never changed or removed,
//! only added.

use std::sync::Arc;

use leverframe_flags::{EnvironmentKey, FlagKey, Position, Segment, SegmentKey};
use serde::{Deserialize, Serialize};

use crate::access::Token;
use crate::drill::DrillResult;
use crate::effect::{Effect, Settlement};
use crate::environment::Environment;
use crate::flag::FlagDefinition;
use crate::rollout::{Cause, Phase, Plan, Rollout, Sight};
use crate::time::Timestamp;

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
    /// A plan was added or replaced.
    PlanApplied {
        /// It.
        plan: Arc<Plan>,
    },
    /// A plan was removed.
    PlanDeleted {
        /// Which.
        plan: Box<str>,
    },
    /// A rollout was made. Its first move follows in the same record.
    RolloutStarted {
        /// It, before any move.
        rollout: Arc<Rollout>,
    },
    /// A rollout made a transition. Where its lever moved with it, that stands before this event.
    RolloutMoved {
        /// Which.
        rollout: Box<str>,
        /// When, by the node's steady clock.
        at: Timestamp,
        /// Where it is now.
        to: Phase,
        /// The stage that is proved with this, if one is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proved: Option<usize>,
        /// Why.
        cause: Cause,
        /// Why, as a sentence with its numbers.
        sentence: Box<str>,
        /// The numbers, where it was decided by evidence.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sights: Vec<Sight>,
    },
    /// Nothing is opened in an environment for a while.
    FreezeSet {
        /// Where.
        environment: EnvironmentKey,
        /// Until when.
        until: Timestamp,
    },
    /// A freeze ended before its time.
    FreezeLifted {
        /// Where.
        environment: EnvironmentKey,
    },
    /// Somebody outside is to be told.
    EffectWanted {
        /// What.
        effect: Arc<Effect>,
    },
    /// Somebody outside was told, or could not be.
    EffectSettled {
        /// Which effect.
        effect: Box<str>,
        /// What came of it.
        settlement: Settlement,
    },
    /// A lever was closed to see how long it takes. The move follows in the same record.
    DrillStarted {
        /// Whose.
        flag: FlagKey,
        /// Where.
        environment: EnvironmentKey,
        /// Where the lever stood.
        before: Position,
    },
    /// What a drill measured. Where the lever was put back, that stands before this event.
    DrillFinished {
        /// The revision that started it.
        drill: u64,
        /// What was measured.
        result: DrillResult,
        /// Whether the lever was put back.
        is_restored: bool,
    },
    /// Who opened a lever in this record wants no watch of that.
    WatchDeclined {
        /// Whose.
        flag: FlagKey,
        /// Where.
        environment: EnvironmentKey,
    },
    /// A lever is drilled at regular times, or no more.
    DrillScheduled {
        /// Whose.
        flag: FlagKey,
        /// Where.
        environment: EnvironmentKey,
        /// How often, in milliseconds; never when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        every_ms: Option<i64>,
    },
}
