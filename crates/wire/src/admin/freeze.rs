//! Freezes: no forward step in an environment. `PUT|DELETE /environments/{environment}/freeze`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::receipt::Why;
use super::span::Span;

/// Stops every forward step for a while; closing still works.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutFreeze {
    /// For how long from now; at most 30d.
    #[serde(rename = "for")]
    pub lasts: Span,
    /// Why.
    #[serde(default)]
    pub why: Why,
}

/// A freeze that holds now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Freeze {
    /// Until when, in RFC 3339.
    pub until: String,
    /// Who; `system` for the server itself.
    pub by: String,
    /// Why; "none given" when nobody said.
    pub reason: String,
}
