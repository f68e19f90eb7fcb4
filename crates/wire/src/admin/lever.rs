//! Levers. `GET /flags/{flag}/environments/{environment}`, `POST …/open|ramp|pin`,
//! `POST /environments/{environment}/kill`, `POST /undo`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::receipt::Why;

/// How far a flag is let through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Position {
    /// Nobody is.
    Closed {
        /// Whether somebody closed it, rather than nobody having opened it yet.
        latched: bool,
        /// The variant that is served.
        variant: String,
        /// Its value.
        value: serde_json::Value,
    },
    /// The rules and the exposure decide.
    Open {
        /// To whom.
        exposure: Exposure,
    },
    /// Everybody gets one variant.
    Pinned {
        /// The variant.
        variant: String,
    },
}

/// Where a lever stands, in one word, to look for flags by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LeverState {
    /// Open to some or all.
    Open,
    /// Everybody gets one variant.
    Pinned,
    /// Closed by somebody.
    Killed,
    /// Closed, by somebody or because nobody has opened it.
    Closed,
}

/// Whom the open variant is given to when no rule matches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Exposure {
    /// Segments that are let through whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cohorts: Vec<String>,
    /// The share of everybody else, in per cent, at most three decimals.
    #[serde(default)]
    pub percentage: f64,
}

/// A flag in one environment. The ETag is `revision`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Lever {
    /// The flag.
    pub flag: String,
    /// Where.
    pub environment: String,
    /// How far it is let through.
    pub position: Position,
    /// The same in words.
    pub sentence: String,
    /// The revision that last changed this flag in this environment.
    pub revision: u64,
    /// The revision that moved it here; absent when it was never moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_revision: Option<u64>,
    /// When, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_at: Option<String>,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Closes levers; exactly one of `flags`, `owner` and `tag`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Kill {
    /// These flags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// Every flag of this owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Every flag with this tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Why.
    #[serde(default)]
    pub why: Why,
}

/// Opens a lever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// To whom.
    pub exposure: Exposure,
    /// In a guarded environment what is opened by hand is watched for an hour, and closed again when it
    /// does harm; not with this.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unwatched: bool,
    /// Why.
    #[serde(default)]
    pub why: Why,
}

/// Changes the percentage of an open lever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// In per cent, at most three decimals.
    pub percentage: f64,
    /// In a guarded environment what is opened by hand is watched for an hour, and closed again when it
    /// does harm; not with this.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unwatched: bool,
    /// Why.
    #[serde(default)]
    pub why: Why,
}

/// Gives everybody one variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The variant.
    pub variant: String,
    /// Why.
    #[serde(default)]
    pub why: Why,
}

/// Takes back one revision.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// Which; the caller's last one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// Why.
    #[serde(default)]
    pub why: Why,
}
