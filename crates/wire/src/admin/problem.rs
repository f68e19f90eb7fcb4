//! What went wrong, after RFC 9457 (`application/problem+json`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong, which, and what to do next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A stable name: `urn:leverframe:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for every problem of this type.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// This one, in words that say what to do.
    pub detail: String,
    /// The last part of `type`, for programs.
    pub code: String,
    /// The part of the request that is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The current revision, for `stale` and `match-required`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<u64>,
}
