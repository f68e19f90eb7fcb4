//! Exit codes: what a script learns without reading a word.

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Exit {
    #[default]
    Done,
    Failed,
    Usage,
    Gate,
    Unauthenticated,
    NotFound,
    Conflict,
    Denied,
    Pending,
    Unconfirmed,
    Different,
    Interrupted,
}

impl Exit {
    /// Every exit, in the order of the codes; the reference page is made from it.
    pub(crate) const ALL: [Self; 12] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Gate,
        Self::Unauthenticated,
        Self::NotFound,
        Self::Conflict,
        Self::Denied,
        Self::Pending,
        Self::Unconfirmed,
        Self::Different,
        Self::Interrupted,
    ];

    /// The process exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Gate => 3,
            Self::Unauthenticated => 4,
            Self::NotFound => 5,
            Self::Conflict => 6,
            Self::Denied => 7,
            Self::Pending => 8,
            Self::Unconfirmed => 9,
            Self::Different => 10,
            Self::Interrupted => 130,
        }
    }

    /// What it means.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done; for waits: the good end state",
            Self::Failed => "failed",
            Self::Usage => "usage, or a missing reason or environment; nothing changed",
            Self::Gate => "the gate said no: probe failed, rolled back, verify found a break",
            Self::Unauthenticated => "not authenticated",
            Self::NotFound => "not found",
            Self::Conflict => "conflict (stale revision, exists already, already running)",
            Self::Denied => "denied by policy or role",
            Self::Pending => "a rollout or promotion still pending at the timeout",
            Self::Unconfirmed => {
                "a lever pull that is out but not confirmed by everybody on the roll at the timeout"
            }
            Self::Different => "`diff`: there are differences",
            Self::Interrupted => "interrupted; the server goes on, and the message says so",
        }
    }
}
