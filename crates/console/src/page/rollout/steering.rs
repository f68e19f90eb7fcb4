//! What a person can have a rollout do, where it stands, with the rights they have.

use leverframe_wire::admin::{Progress, Rollout, RolloutState};

/// What a person may do here, by the role of their token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Powers {
    /// Stop: pause and take back.
    pub may_stop: bool,
    /// Go on: resume, advance, skip, approve and start.
    pub may_go_on: bool,
}

/// What a person has a rollout do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Stop where it stands.
    Pause,
    /// Go on from there.
    Resume,
    /// To the next stage, if the evidence allows it.
    Advance,
    /// To the next stage without evidence.
    Skip,
    /// Looked, and it is fine.
    Approve,
    /// Back to where the lever was.
    RollBack,
}

/// What was typed into a form that was refused.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    /// Into which form.
    pub verb: Option<Verb>,
    /// The reason.
    pub reason: String,
    /// The chip.
    pub chip: String,
}

/// Reasons that need no typing when something has to be stopped.
pub(super) const CHIPS: [&str; 4] = [
    "errors are up",
    "it is slow",
    "customers complain",
    "as a precaution",
];

impl Verb {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::Pause,
        Self::Resume,
        Self::Advance,
        Self::Skip,
        Self::Approve,
        Self::RollBack,
    ];

    /// The last part of its form's address.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Advance => "advance",
            Self::Skip => "skip",
            Self::Approve => "approve",
            Self::RollBack => "rollback",
        }
    }

    /// What the button says.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Pause => "⏸ Pause",
            Self::Resume => "▶ Let it go on",
            Self::Advance => "Next stage now",
            Self::Skip => "Skip without evidence",
            Self::Approve => "✓ I looked, and it is fine",
            Self::RollBack => "↩ Roll back now",
        }
    }

    /// What it does, in a sentence.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Pause => "Stops it where it stands. Who is exposed stays exposed.",
            Self::Resume => "Its stage begins anew.",
            Self::Advance => "Goes on if the evidence allows it, and is refused if not.",
            Self::Skip => {
                "Goes on although it is not proved that the release does no harm. Needs a reason."
            }
            Self::Approve => "Lets it go on from the look.",
            Self::RollBack => {
                "Takes the lever back to where it was before the rollout, for everybody, at once. Never asks twice."
            }
        }
    }

    /// Whether it can let more through, and so has to have seen what there is.
    #[must_use]
    pub fn is_opening(self) -> bool {
        !matches!(self, Self::Pause | Self::RollBack)
    }
}

/// What makes sense, with these rights, where a rollout stands.
pub(super) fn verbs(rollout: &Rollout, powers: Powers) -> Vec<Verb> {
    let first = rollout.moves.first();
    // One that only watches what somebody opened can only be taken back.
    let is_watch = first.is_some_and(|first| first.cause == "watched");
    let has_somewhere = rollout
        .stages
        .iter()
        .any(|stage| stage.progress == Progress::Current);
    let wanted: &[Verb] = match rollout.state {
        RolloutState::Done | RolloutState::RolledBack | RolloutState::Ended => &[],
        _ if is_watch => &[Verb::RollBack],
        RolloutState::Paused => &[Verb::RollBack, Verb::Resume],
        RolloutState::Looking => &[Verb::RollBack, Verb::Pause, Verb::Approve, Verb::Skip],
        RolloutState::Warm => &[Verb::RollBack, Verb::Pause, Verb::Skip],
        RolloutState::Retreated if has_somewhere => &[Verb::RollBack, Verb::Pause, Verb::Skip],
        RolloutState::Retreated => &[Verb::RollBack, Verb::Pause],
        RolloutState::Baking | RolloutState::Holding | RolloutState::Asking => {
            &[Verb::RollBack, Verb::Pause, Verb::Advance, Verb::Skip]
        }
    };
    wanted
        .iter()
        .copied()
        .filter(|verb| match verb.is_opening() {
            true => powers.may_go_on,
            false => powers.may_stop,
        })
        .collect()
}
