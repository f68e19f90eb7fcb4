//! Tokens. `GET|POST /tokens`, `DELETE /tokens/{id}`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::receipt::{Receipt, Why};

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Follows one environment and evaluates in it.
    Evaluator,
    /// Evaluates client-visible flags in one environment; may be seen by anybody.
    ClientEvaluator,
    /// Reads, and may only close or lower.
    Brake,
    /// Everything with flags and segments.
    Operator,
    /// Everything.
    Admin,
}

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Its public id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The environments it is for; every one when empty.
    pub environments: Vec<String>,
    /// Globs of the flag keys it is for; every one when empty.
    pub keys: Vec<String>,
    /// When it was made, in RFC 3339.
    pub created_at: String,
    /// When it stops working, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// When it was revoked, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
}

/// All tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TokenList {
    /// By time of creation.
    pub tokens: Vec<Token>,
}

/// Makes a token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The environments it is for; every one when empty. An evaluator has exactly one.
    #[serde(default)]
    pub environments: Vec<String>,
    /// Globs of the flag keys it is for.
    #[serde(default)]
    pub keys: Vec<String>,
    /// How long it works, in seconds; for ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<u64>,
    /// Why.
    #[serde(default)]
    pub why: Why,
}

/// A new token with its secret, which is shown this once and stored nowhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreatedToken {
    /// The secret text to send as a bearer token; empty in a dry run.
    pub token: String,
    /// What it is.
    pub about: Token,
    /// What making it did.
    pub receipt: Receipt,
}
