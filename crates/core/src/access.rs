//! Who may do what: actors, tokens and roles. The surfaces authenticate; this decides.

mod glob;
mod permission;
mod secret;

use std::collections::BTreeSet;
use std::fmt;

use leverframe_flags::EnvironmentKey;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

pub use glob::is_glob;
pub use permission::Permission;
pub use secret::{TokenSecret, authenticate};

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Reads everything but secrets.
    Viewer,
    /// Follows exactly one whole environment and evaluates in it; a server-side process.
    Evaluator,
    /// Evaluates flags that are marked client-visible, in one environment; may be seen by anybody.
    ClientEvaluator,
    /// Reads, and may only close or lower.
    Brake,
    /// Everything with flags and segments; not tokens or environments.
    Operator,
    /// Everything.
    Admin,
}

/// A token as the journal knows it: never the secret, only its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// A short public id, such as `tok_5f3a…`; part of the secret text, so that one look-up finds it.
    pub id: Box<str>,
    /// What people call it.
    pub name: Box<str>,
    /// What it may do.
    pub role: Role,
    /// The environments it is for; every one when empty. An evaluator token has exactly one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub environments: BTreeSet<EnvironmentKey>,
    /// Globs (`team-pay-*`) of the flag keys it may write or, for client evaluators, see; every one
    /// when empty.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub keys: BTreeSet<Box<str>>,
    /// SHA-256 of the whole secret text, in hexadecimal.
    pub secret_sha256: Box<str>,
    /// When it stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// Who gave a command, after authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The holder of a token; what it may do is looked up in the state when the command is decided,
    /// so that a revocation counts at once.
    Token {
        /// The token's id.
        id: Box<str>,
    },
    /// The node itself, such as at its first start or a restore.
    System,
}

impl Actor {
    /// The token's id, or `system`, as records name the actor.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Token { id } => id,
            Self::System => "system",
        }
    }
}

impl Token {
    /// Whether it has not expired.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    /// Whether it is for this environment.
    #[must_use]
    pub fn allows_environment(&self, environment: &str) -> bool {
        self.environments.is_empty() || self.environments.contains(environment)
    }

    /// Whether it is for flags of this key.
    #[must_use]
    pub fn allows_key(&self, flag: &str) -> bool {
        self.keys.is_empty() || self.keys.iter().any(|glob| glob::matches(glob, flag))
    }
}

impl Role {
    /// The word used in files, the API and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Evaluator => "evaluator",
            Self::ClientEvaluator => "client-evaluator",
            Self::Brake => "brake",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
