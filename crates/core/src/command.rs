//! Commands: what somebody wants to be true.

use std::collections::BTreeSet;

use leverframe_flags::{
    EnvironmentKey, Exposure, FlagKey, Percentage, Rule, Segment, SegmentKey, VariantKey,
};
use serde::{Deserialize, Serialize};

use crate::access::{Actor, Token};
use crate::flag::FlagDefinition;
use crate::limit::REASON_BYTES_MAX;
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

/// Everything about a command but what it wants. Time and identity are arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Meta {
    /// When it was decided.
    pub now: Timestamp,
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
