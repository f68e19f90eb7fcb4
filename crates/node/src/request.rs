//! What a surface asks of the node, and what it gets.

use std::time::Instant;

use leverframe_core::access::Actor;
use leverframe_core::command::Idempotency;
use leverframe_core::receipt::Receipt;
use leverframe_core::{Command, Rejection, Why};
use leverframe_flags::EnvironmentKey;

/// A command with everything a surface knows of it.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is wanted.
    pub command: Command,
    /// Who wants it.
    pub actor: Actor,
    /// Through what.
    pub via: Box<str>,
    /// Why.
    pub why: Why,
    /// What the actor had seen.
    pub if_match: Option<u64>,
    /// For a command that may be sent twice.
    pub idempotency: Option<Idempotency>,
    /// Whether to try only, and change nothing.
    pub dry_run: bool,
    /// When the request came in, on the monotonic clock: confirmations are timed from here.
    pub received: Instant,
}

impl Request {
    /// What the node itself asks, now.
    pub(crate) fn of_node(command: Command, via: &str, reason: Option<&str>) -> Self {
        Self {
            command,
            actor: Actor::System,
            via: via.into(),
            why: Why {
                reason: reason.map(Into::into),
                incident: None,
            },
            if_match: None,
            idempotency: None,
            dry_run: false,
            received: Instant::now(),
        }
    }
}

/// A command that was accepted, or would have been.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// What it changed.
    pub receipt: Receipt,
    /// It was so already.
    pub unchanged: bool,
    /// It was only tried.
    pub dry_run: bool,
    /// It is in the journal.
    pub stored: bool,
    /// The number of the kill that is out ahead of the journal, when it is not stored.
    pub brake: Option<u64>,
    /// The environments whose evaluators have to hear of it.
    pub environments: Vec<EnvironmentKey>,
}

/// Why a command was not accepted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SubmitError {
    /// It is not valid, not allowed, or out of date. The state is as it was.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The node cannot store it now.
    #[error("{why}")]
    Unavailable {
        /// Why, and what to do.
        why: String,
        /// When to try again, in seconds.
        retry_after_s: u32,
    },
}

impl SubmitError {
    pub(crate) fn unavailable(why: impl Into<String>) -> Self {
        Self::Unavailable {
            why: why.into(),
            retry_after_s: 1,
        }
    }
}

/// Where the evaluators are that a command which changed nothing is still asked about.
pub(crate) fn environments_of(command: &Command) -> Vec<EnvironmentKey> {
    match command {
        Command::Close { environment, .. }
        | Command::Open { environment, .. }
        | Command::Ramp { environment, .. }
        | Command::Pin { environment, .. } => vec![environment.clone()],
        Command::Unwatched { opening } => environments_of(opening),
        _ => Vec::new(),
    }
}
