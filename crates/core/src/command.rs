//! Commands: what somebody wants to be true.

use std::collections::BTreeSet;

use leverframe_flags::{
    EnvironmentKey, Exposure, FlagKey, Percentage, Rule, Segment, SegmentKey, VariantKey,
};
use serde::{Deserialize, Serialize};

use crate::access::{Actor, Token};
use crate::drill::DrillResult;
use crate::effect::Settlement;
use crate::flag::FlagDefinition;
use crate::limit::REASON_BYTES_MAX;
use crate::rollout::{Baseline, Observation, Plan, Steer};
use crate::time::Timestamp;

/// What somebody wants to be true. One accepted command is one record, however many events it has.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Adds an environment; every flag is closed in it.
    CreateEnvironment {
        /// Its name.
        key: EnvironmentKey,
        /// Whether openings are guarded from the start.
        guarded: bool,
    },
    /// Turns the guard of an environment on (a closing) or off (an opening).
    GuardEnvironment {
        /// Which.
        key: EnvironmentKey,
        /// On or off.
        guarded: bool,
    },
    /// Adds a flag, closed everywhere.
    CreateFlag {
        /// Its definition.
        definition: Box<FlagDefinition>,
    },
    /// Replaces the definition of a flag.
    EditFlag {
        /// The new definition.
        definition: Box<FlagDefinition>,
    },
    /// Takes a flag out of use. Refused while it is not closed somewhere or others need it.
    ArchiveFlag {
        /// Which.
        flag: FlagKey,
    },
    /// Adds a rule to a flag in one environment.
    AddRule {
        /// Whose.
        flag: FlagKey,
        /// Where.
        environment: EnvironmentKey,
        /// The rule; an empty id is given one.
        rule: Rule,
        /// The index it will have; last when absent.
        at: Option<usize>,
    },
    /// Removes a rule.
    RemoveRule {
        /// Whose.
        flag: FlagKey,
        /// Where.
        environment: EnvironmentKey,
        /// Which.
        rule: Box<str>,
    },
    /// Moves a rule to another place in the order.
    MoveRule {
        /// Whose.
        flag: FlagKey,
        /// Where.
        environment: EnvironmentKey,
        /// Which.
        rule: Box<str>,
        /// The index it will have.
        to: usize,
    },
    /// Adds a segment.
    CreateSegment {
        /// Its definition.
        segment: Box<Segment>,
    },
    /// Replaces the definition of a segment.
    EditSegment {
        /// The new definition.
        segment: Box<Segment>,
    },
    /// Removes a segment nobody uses.
    DeleteSegment {
        /// Which.
        segment: SegmentKey,
    },
    /// Closes levers, latched. Always a closing.
    Close {
        /// Which.
        flags: Selection,
        /// Where.
        environment: EnvironmentKey,
    },
    /// Opens a lever to an exposure; the way out of a latch.
    Open {
        /// Which.
        flag: FlagKey,
        /// Where.
        environment: EnvironmentKey,
        /// To whom.
        exposure: Exposure,
    },
    /// Changes the percentage of a lever that is open already; keeps its cohorts.
    Ramp {
        /// Which.
        flag: FlagKey,
        /// Where.
        environment: EnvironmentKey,
        /// The new percentage.
        percentage: Percentage,
    },
    /// An [`Command::Open`] or a [`Command::Ramp`] that no watch is to follow.
    Unwatched {
        /// Which.
        opening: Box<Command>,
    },
    /// Watches what a person opened, and closes it again by the evidence that convicts a stage. Only by
    /// the node.
    StartWatch {
        /// Whose.
        flag: FlagKey,
        /// Where.
        environment: EnvironmentKey,
        /// The revision that opened the lever.
        opened: u64,
        /// What the node knows of the lever's traffic and evaluators.
        survey: Box<Survey>,
    },
    /// Gives everybody one variant.
    Pin {
        /// Which.
        flag: FlagKey,
        /// Where.
        environment: EnvironmentKey,
        /// The variant.
        variant: VariantKey,
    },
    /// Takes back one revision, all of it, while it is still the last change of everything it touched.
    Undo {
        /// Which; this actor's last one when absent. A close is taken back only by name.
        revision: Option<u64>,
    },
    /// Makes a token; the secret itself never comes here.
    CreateToken {
        /// As it will be stored.
        token: Box<Token>,
    },
    /// Makes a token stop working. Cannot be undone.
    RevokeToken {
        /// Which.
        id: Box<str>,
    },
    /// Adds a plan or replaces it. Rollouts that run keep the one they started with.
    ApplyPlan {
        /// It.
        plan: Box<Plan>,
    },
    /// Removes a plan.
    DeletePlan {
        /// Which.
        plan: Box<str>,
    },
    /// Starts a rollout of a lever.
    StartRollout {
        /// Whose.
        flag: FlagKey,
        /// Where.
        environment: EnvironmentKey,
        /// By which plan.
        plan: PlanChoice,
        /// What is asked of the start.
        terms: Terms,
        /// What the node knows of the lever's traffic and evaluators.
        survey: Box<Survey>,
    },
    /// A person tells a rollout what to do.
    SteerRollout {
        /// Which.
        rollout: Box<str>,
        /// What.
        steer: Steer,
        /// What is seen of it, where going on depends on that.
        seen: Option<Box<Observation>>,
    },
    /// Stops the running rollout of a lever and goes back to where it was before it, or before the
    /// last finished one.
    Rollback {
        /// Whose.
        flag: FlagKey,
        /// Where.
        environment: EnvironmentKey,
    },
    /// What the node sees of a rollout: the step that follows from it is made. Only by the node.
    Observe {
        /// Of which.
        rollout: Box<str>,
        /// What.
        seen: Box<Observation>,
    },
    /// Stops every opening in an environment for a while. Always a closing.
    Freeze {
        /// Where.
        environment: EnvironmentKey,
        /// Until when.
        until: Timestamp,
    },
    /// Ends a freeze. An opening.
    Thaw {
        /// Where.
        environment: EnvironmentKey,
    },
    /// An effect was done, or given up. Only by the node.
    SettleEffect {
        /// Which.
        effect: Box<str>,
        /// What came of it.
        settlement: Settlement,
    },
    /// Closes a lever to see how long it takes until everybody has it; it is put back by
    /// [`Command::FinishDrill`].
    StartDrill {
        /// Whose.
        flag: FlagKey,
        /// Where.
        environment: EnvironmentKey,
    },
    /// What a drill measured; puts the lever back as it was. Only by the node.
    FinishDrill {
        /// The revision that started it.
        drill: u64,
        /// What was measured.
        result: DrillResult,
    },
    /// Has a lever drilled at regular times, or no more.
    ScheduleDrill {
        /// Whose.
        flag: FlagKey,
        /// Where.
        environment: EnvironmentKey,
        /// How often, in milliseconds; never when absent.
        every_ms: Option<i64>,
    },
    /// Starts a new epoch after a restore and keeps what was closed since the backup closed.
    Restore {
        /// The new epoch.
        epoch: u64,
        /// The levers that were latched when the backup was restored over them.
        keep_closed: Vec<(FlagKey, EnvironmentKey)>,
    },
}

/// The levers a close is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// These.
    Flags(BTreeSet<FlagKey>),
    /// Every flag of this owner.
    Owner(String),
    /// Every flag with this tag.
    Tag(String),
}

/// By which plan a rollout goes.
#[derive(Debug, Clone, PartialEq)]
pub enum PlanChoice {
    /// One that was applied, or that is built in.
    Named(Box<str>),
    /// One of its own.
    Inline(Box<Plan>),
}

/// What is asked of the start of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// A rollout that runs already ends, and this one takes its place.
    pub replace: bool,
    /// A release that was rolled back is tried again without a new build.
    pub again: bool,
    /// Evaluators that do not know the flag are no reason to refuse.
    pub undeclared_too: bool,
}

/// What the node knows of a lever before a rollout starts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Survey {
    /// The builds of the evaluators that were heard lately.
    pub builds: BTreeSet<Box<str>>,
    /// Those of them, by name, whose build does not declare the flag.
    pub undeclared: Vec<Box<str>>,
    /// What was frozen of each latency metric of the plan.
    pub baselines: Vec<Baseline>,
}

impl Survey {
    /// The journal has no word for what is not a number.
    pub(crate) fn finite_baselines(&self) -> Vec<Baseline> {
        let is_finite = |known: &&Baseline| known.share.is_finite();
        self.baselines.iter().filter(is_finite).cloned().collect()
    }
}

/// Everything about a command but what it wants. Time and identity are arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Meta {
    /// When it was decided, by the clock on the wall, which may jump; it dates the record.
    pub now: Timestamp,
    /// The same by the node's steady clock, which never does; stages are timed by it.
    pub steady: Timestamp,
    /// Who gave it.
    pub actor: Actor,
    /// Through what, such as `cli 0.1.0`; for the record only.
    pub via: Box<str>,
    /// Why.
    pub why: Why,
    /// The revision the actor had seen of what is changed (`If-Match`).
    pub if_match: Option<u64>,
    /// For a command that may be sent twice.
    pub idempotency: Option<Idempotency>,
    /// 128 injected random bits, for ids that the command makes.
    pub entropy: u128,
}

/// Why somebody did something.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Why {
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Box<str>>,
    /// The incident it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<Box<str>>,
}

impl Why {
    /// Without blanks around, and with nothing where there was only blank: "none given" is stored
    /// as absence.
    #[must_use]
    pub fn tidied(&self) -> Self {
        let tidy = |text: &Option<Box<str>>| {
            let text = text.as_deref()?.trim();
            (!text.is_empty()).then(|| cut(text))
        };
        Self {
            reason: tidy(&self.reason),
            incident: tidy(&self.incident),
        }
    }
}

/// A text of at most [`REASON_BYTES_MAX`] bytes, marked where it was cut.
fn cut(text: &str) -> Box<str> {
    const MARK: &str = "…";
    if text.len() <= REASON_BYTES_MAX {
        return text.into();
    }
    let end = text.floor_char_boundary(REASON_BYTES_MAX - MARK.len());
    [text.get(..end).unwrap_or_default(), MARK].concat().into()
}

/// What makes a repeated command recognisable, within one token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idempotency {
    /// The caller's key.
    pub key: Box<str>,
    /// SHA-256 of method, path and body, in hexadecimal: the same key with another body is refused.
    pub body_sha256: Box<str>,
}
