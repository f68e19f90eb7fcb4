//! Who follows an environment, and who has a revision.
//! `GET /environments/{environment}/fleet`,
//! `GET /environments/{environment}/confirmations/{revision}?wait_ms=`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who has a revision. With `wait_ms` the answer comes when everybody has it, or at the end of the wait.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Confirmation {
    /// Where.
    pub environment: String,
    /// What is asked about.
    pub revision: u64,
    /// The answer in one word.
    pub state: ConfirmationState,
    /// How many evaluators count.
    pub expected: usize,
    /// How many of them have acknowledged it.
    pub confirmed: usize,
    /// From the request to the last acknowledgement, in milliseconds, both received by this server
    /// and measured on its monotonic clock; absent while pending and after a restart in between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<f64>,
    /// How long the evaluators that have it took, one by one: request received to acknowledgement
    /// received; absent as `elapsed_ms` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm_ms: Option<Quantiles>,
    /// Those who have not.
    pub stragglers: Vec<Straggler>,
    /// Clients that cannot acknowledge, by the evidence they give.
    pub caches: CacheEvidence,
}

/// How a set of times is spread, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Quantiles {
    /// Half of them took at most this.
    pub p50: f64,
    /// 99 % of them took at most this.
    pub p99: f64,
    /// None took longer.
    pub max: f64,
}

/// Whether everybody has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ConfirmationState {
    /// Everybody on the roll has acknowledged it.
    Confirmed,
    /// Somebody has not.
    Pending,
    /// Nobody follows this environment; never called confirmed.
    Nobody,
}

/// An evaluator that has not acknowledged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Straggler {
    /// The process.
    pub instance: String,
    /// Its application.
    pub application: String,
    /// Its build.
    pub build: String,
    /// When it was last heard, in RFC 3339.
    pub last_seen: String,
    /// How long ago, in milliseconds.
    pub silent_ms: i64,
    /// Whether its connection is up.
    pub connected: bool,
    /// The revision it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// What to do about it.
    pub advice: String,
}

/// OFREP bulk clients: they keep answers and cannot acknowledge.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CacheEvidence {
    /// How many were seen in the last ten minutes.
    pub seen: usize,
    /// How many of them have fetched this revision or a later one.
    pub fetched: usize,
    /// How many have since shown, by the ETag they sent, that they use it.
    pub applied: usize,
}

/// Who follows an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Fleet {
    /// Where.
    pub environment: String,
    /// The revision everybody should have.
    pub revision: u64,
    /// The roll, stragglers first.
    pub evaluators: Vec<Evaluator>,
    /// Clients that cannot acknowledge.
    pub caches: CacheEvidence,
    /// How long the acknowledgements of the last twenty changes took, the shortest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub propagation: Vec<Propagated>,
}

/// Acknowledgements that took about as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Propagated {
    /// At most this long, in milliseconds, and longer than the group before; absent for the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_ms: Option<u64>,
    /// How many.
    pub acknowledgements: u64,
}

/// One evaluator on the roll.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Evaluator {
    /// The process.
    pub instance: String,
    /// Its application.
    pub application: String,
    /// Its build.
    pub build: String,
    /// Its client and version.
    pub client: String,
    /// Whether its connection is up.
    pub connected: bool,
    /// Whether it has the environment's revision.
    pub current: bool,
    /// The revision it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// When it was last heard, in RFC 3339.
    pub last_seen: String,
    /// How long ago, in milliseconds.
    pub silent_ms: i64,
    /// Flags it cannot decide and keeps closed, with why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
}
