//! Drills: a lever is pulled to see how long it takes until everybody has it, and put back.

use leverframe_flags::{EnvironmentKey, FlagKey, Position};
use serde::{Deserialize, Serialize};

use crate::limit::DRILL_MS_MAX;
use crate::time::Timestamp;

/// A drill, running or over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drill {
    /// The revision that closed the lever; the drill's name.
    pub revision: u64,
    /// Whose.
    pub flag: FlagKey,
    /// Where.
    pub environment: EnvironmentKey,
    /// Where the lever stood, and is put back to.
    pub before: Position,
    /// When it began.
    pub at: Timestamp,
    /// Who began it, as people call the actor.
    pub by: Box<str>,
    /// What was measured; nothing yet while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<DrillResult>,
    /// Whether the lever was put back. It is not when somebody moved it meanwhile.
    #[serde(default)]
    pub is_restored: bool,
    /// The revision that ended it, and put the lever back if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_revision: Option<u64>,
}

impl Drill {
    /// Whether somebody followed, everybody had it in time, and the lever stands as it did before.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        let is_in_time = |result: &DrillResult| {
            result.expected > 0
                && result
                    .confirmed_ms
                    .is_some_and(|confirmed_ms| confirmed_ms <= DRILL_MS_MAX)
        };
        self.is_restored && self.result.as_ref().is_some_and(is_in_time)
    }

    /// How it went, for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        let (flag, environment) = (&self.flag, &self.environment);
        let Some(result) = &self.result else {
            return format!("{flag} is being drilled in {environment}");
        };
        let put_back = if self.is_restored {
            format!("it is {} again", self.before)
        } else {
            "somebody moved it meanwhile, so it was not put back".to_owned()
        };
        format!("{flag} in {environment}: {}; {put_back}", result.sentence())
    }
}

/// What a drill measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrillResult {
    /// How long it took until everybody had it, in milliseconds; nothing when somebody did not have it
    /// in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_ms: Option<u64>,
    /// How many evaluators were on the roll.
    pub expected: u64,
    /// How many of them confirmed.
    pub confirmed: u64,
    /// Those that did not, by name; not more than fit into a message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Box<str>>,
}

/// How often a lever is drilled by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrillSchedule {
    /// Whose.
    pub flag: FlagKey,
    /// Where.
    pub environment: EnvironmentKey,
    /// How often, in milliseconds.
    pub every_ms: i64,
    /// The revision that set it.
    pub revision: u64,
    /// When that was; the first drill is one interval later.
    pub at: Timestamp,
    /// Who set it, as people call the actor.
    pub by: Box<str>,
}

impl DrillResult {
    /// Who had it and how soon, for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self {
            expected,
            confirmed,
            ..
        } = self;
        match self.confirmed_ms {
            _ if *expected == 0 => "nobody follows, so nothing was measured".to_owned(),
            Some(ms) if ms > DRILL_MS_MAX => {
                format!(
                    "{confirmed}/{expected} evaluators had it, but only after {} s",
                    ms / 1_000
                )
            }
            Some(ms) => format!("{confirmed}/{expected} evaluators had it after {ms} ms"),
            None => format!(
                "only {confirmed} of {expected} evaluators had it in time; without it: {}",
                self.missing.join(", ")
            ),
        }
    }
}
