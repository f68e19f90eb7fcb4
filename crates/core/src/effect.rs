//! Effects: what somebody outside is to be told. Wanted in the same record as the transition that
//! wants them, done by the node, and settled by a record of its own; what is not settled is done again
//! after a restart, under the same id.

use leverframe_flags::{EnvironmentKey, FlagKey};
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Something that is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// Its name and the key under which a receiver drops a repeat: the rollout and the revision of
    /// the transition, such as `ro_01jd7k-r57-page`.
    pub id: Box<str>,
    /// How loud.
    pub urgency: Urgency,
    /// The names of channels. A page goes to the first that takes it; a notice to every one.
    pub channels: Vec<Box<str>>,
    /// What is to be said.
    pub message: Message,
    /// When it was wanted.
    pub wanted_at: Timestamp,
}

/// How loud something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// For the starter and the owner, when they look.
    Notify,
    /// Wakes somebody.
    Page,
}

/// What is to be said, for any channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// What happened, in a few words.
    pub title: Box<str>,
    /// The verdict as one sentence with its numbers.
    pub sentence: Box<str>,
    /// Whose lever.
    pub flag: FlagKey,
    /// Where.
    pub environment: EnvironmentKey,
    /// Which rollout.
    pub rollout: Box<str>,
    /// Which transition.
    pub revision: u64,
    /// Who started it, as people call them.
    pub started_by: Box<str>,
    /// Who owns the flag.
    pub owner: Box<str>,
    /// What was already done, such as `closed at the 5 % stage`.
    pub done: Box<str>,
    /// The command that takes it back, or that should be typed now.
    pub undo: Box<str>,
    /// The flag's runbook, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<Box<str>>,
    /// Whether the first thing to be offered is the way to the kill page.
    #[serde(default)]
    pub kill_first: bool,
}

/// What came of an effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "came", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Settlement {
    /// It was taken.
    Delivered {
        /// By which channels.
        channels: Vec<Box<str>>,
        /// Whether it was read back there.
        read_back: bool,
        /// Those that were tried before and failed, and why.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        failed: Vec<Box<str>>,
    },
    /// Every channel failed, for as long as it makes sense to try.
    Failed {
        /// Why, a sentence for each channel.
        why: Vec<Box<str>>,
    },
    /// No channel is there to tell.
    Nobody,
}

/// An effect and what came of it so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EffectEntry {
    /// It.
    pub effect: Effect,
    /// What came of it; nothing yet while it is being tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement: Option<Settlement>,
}
