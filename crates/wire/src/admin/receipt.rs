//! Why a change was asked for, and what it did.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a change is made; part of every changing body.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Why {
    /// In words. Needed for an opening in a guarded environment; asked for, never waited for, on a
    /// closing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The incident it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
}

/// Takes something away: the optional body of a DELETE.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// Why.
    #[serde(default)]
    pub why: Why,
}

/// What a change did. Says "stored", never "arrived": ask the environment's confirmation for that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// The revision it has; for `unchanged` the one that already made it so, for a dry run the one
    /// it would have had.
    pub revision: u64,
    /// When, in RFC 3339.
    pub at: String,
    /// Nothing was stored: the command was only tried.
    #[serde(default)]
    pub dry_run: bool,
    /// It was so already.
    #[serde(default)]
    pub unchanged: bool,
    /// Whether it is in the journal.
    #[serde(default)]
    pub stored: bool,
    /// The number of a kill that is out and not in the journal yet (`stored` is false): pass it to the
    /// confirmation as `brake`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brake: Option<u64>,
    /// The environments whose evaluators have to hear of it.
    #[serde(default)]
    pub environments: Vec<String>,
    /// What changed, one by one.
    pub changes: Vec<Change>,
    /// The command that takes it back, as it would have to be typed; absent when nothing can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<String>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// What kind of thing: `flag`, `lever`, `segment`, `environment`, `token`, `journal`.
    pub noun: String,
    /// Its name.
    pub key: String,
    /// Where, for a lever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// How it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// How it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// In one sentence.
    pub sentence: String,
}
