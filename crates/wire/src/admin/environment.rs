//! Environments. `GET|POST /environments`, `POST /environments/{environment}/guard`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::receipt::Why;

/// One environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Environment {
    /// Its name.
    pub key: String,
    /// Whether an opening needs a reason and a current If-Match here.
    pub guarded: bool,
    /// The last revision its evaluators had to hear of.
    pub revision: u64,
    /// How many flags are not closed here.
    pub not_closed: usize,
    /// How many evaluators are on its roll.
    pub evaluators: usize,
}

/// All environments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EnvironmentList {
    /// By name.
    pub environments: Vec<Environment>,
}

/// Adds an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateEnvironment {
    /// Its name.
    pub key: String,
    /// Guarded from the start.
    #[serde(default)]
    pub guarded: bool,
    /// Why.
    #[serde(default)]
    pub why: Why,
}

/// Turns a guard on or off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GuardEnvironment {
    /// On or off.
    pub guarded: bool,
    /// Why.
    #[serde(default)]
    pub why: Why,
}
