//! How things are. `GET /environments/{environment}/status`, `GET /whoami`, `GET /health`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fleet::Confirmation;
use super::freeze::Freeze;
use super::lever::Lever;
use super::rollout::Rollout;
use super::token::Token;

/// One environment at a glance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Where.
    pub environment: String,
    /// Whether openings are guarded.
    pub guarded: bool,
    /// The last revision its evaluators had to hear of.
    pub revision: u64,
    /// Levers that somebody has moved, the last moved first.
    pub levers: Vec<LeverStatus>,
    /// Kills that are out and not in the journal yet, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_stored: Vec<String>,
    /// Rollouts that run here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollouts: Vec<Rollout>,
    /// Why nothing is opened here now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freeze: Option<Freeze>,
    /// Levers let through here that no drill has pulled for 90 days, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_drilled: Vec<String>,
    /// Pages that could not be delivered in the last day, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages_failing: Vec<String>,
    /// Flags that were never moved here.
    pub never_moved: usize,
    /// Who has `revision`.
    pub fleet: Confirmation,
}

/// A lever and who has its last move.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LeverStatus {
    /// The lever.
    pub lever: Lever,
    /// Who answers for the flag.
    pub owner: String,
    /// How many evaluators count.
    pub expected: usize,
    /// How many of them have its last move, or the kill that is not stored.
    pub confirmed: usize,
    /// The number of a kill that is out and not in the journal: evaluators answer closed, whatever
    /// `lever` says, which is what the journal knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brake: Option<u64>,
}

/// Who the token is and whom it talks to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Whoami {
    /// The token, without its secret.
    pub token: Token,
    /// The server's version.
    pub version: String,
    /// The journal's id.
    pub journal: String,
    /// The epoch.
    pub epoch: u64,
    /// The journal's head.
    pub revision: u64,
    /// The server's clock, in RFC 3339.
    pub now: String,
}

/// How the server is, for `lever doctor` and for machines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Whether it takes changes.
    pub writable: bool,
    /// Where it keeps the journal, such as `sqlite`.
    pub store: String,
    /// The journal's head.
    pub revision: u64,
    /// How long the last durable write took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_commit_ms: Option<f64>,
    /// Since when it runs, in seconds.
    pub uptime_s: u64,
    /// What is wrong, in sentences; empty when nothing is.
    pub problems: Vec<String>,
}
