//! Rejections: why a command was not accepted. Every one leaves the state as it was and says what,
//! which and what to do next.

/// Why a command was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Something in the command is not valid.
    #[error("{field}: {why}")]
    Invalid {
        /// Which part, such as `variants.low`.
        field: String,
        /// What is wrong and what would be right.
        why: String,
    },
    /// What the command names does not exist.
    #[error("there is no {noun} {key:?}{}", suggestion(.similar))]
    NotFound {
        /// What kind of thing.
        noun: &'static str,
        /// The name that was given.
        key: String,
        /// The nearest name that does exist.
        similar: Option<String>,
    },
    /// What the command would create exists already.
    #[error("the {noun} {key:?} exists already")]
    Exists {
        /// What kind of thing.
        noun: &'static str,
        /// Its name.
        key: String,
    },
    /// The command contradicts what is there, such as removing a segment that is used.
    #[error("{why}")]
    Conflict {
        /// What is in the way and what to do.
        why: String,
    },
    /// An opening or edit must say which revision it has seen.
    #[error(
        "this change must say what it has seen: send If-Match with the current revision, r{current}"
    )]
    MatchRequired {
        /// The revision that last changed what is to be changed.
        current: u64,
    },
    /// What is to be changed has changed since the actor saw it.
    #[error("it has changed since: you saw r{given}, it is at r{current}; look again, then repeat")]
    Stale {
        /// What the actor had seen.
        given: u64,
        /// What is there now.
        current: u64,
    },
    /// An opening in a guarded environment needs a reason.
    #[error("an opening in {environment} needs a reason: give one with -r")]
    ReasonRequired {
        /// The guarded environment.
        environment: String,
    },
    /// The actor may not do this.
    #[error("{why}")]
    Denied {
        /// What is missing, and who could do it.
        why: String,
    },
    /// The token is unknown, expired or revoked.
    #[error("this token is not known, has expired or was revoked")]
    Unauthenticated,
    /// The idempotency key came before, with another command.
    #[error("the idempotency key {key:?} was used for another command; use a new key")]
    IdempotencyReused {
        /// The key.
        key: String,
    },
    /// A bound is reached.
    #[error("there are {max} {noun} already, which is the most there may be; remove some first")]
    Full {
        /// Of what.
        noun: &'static str,
        /// The bound.
        max: usize,
    },
}

impl Rejection {
    /// A stable word for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::NotFound { .. } => "not-found",
            Self::Exists { .. } => "exists",
            Self::Conflict { .. } => "conflict",
            Self::MatchRequired { .. } => "match-required",
            Self::Stale { .. } => "stale",
            Self::ReasonRequired { .. } => "reason-required",
            Self::Denied { .. } => "denied",
            Self::Unauthenticated => "unauthenticated",
            Self::IdempotencyReused { .. } => "idempotency-reused",
            Self::Full { .. } => "full",
        }
    }
}

fn suggestion(similar: &Option<String>) -> String {
    similar
        .as_ref()
        .map(|key| format!("; did you mean {key:?}?"))
        .unwrap_or_default()
}
