//! Rollouts. `POST|GET /environments/{environment}/flags/{flag}/rollout`,
//! `GET /rollouts?environment=&flag=&state=`, `GET /rollouts/{rollout}`,
//! `POST /rollouts/{rollout}/pause|resume|advance|skip|approve|rollback`,
//! `POST /environments/{environment}/flags/{flag}/rollback`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::plan::PlanDefinition;
use super::receipt::{Receipt, Why};

/// Starts a rollout; exactly one of `plan` and `definition`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartRollout {
    /// By the plan of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// By this plan, which is kept with the rollout only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<PlanDefinition>,
    /// In the place of the one that is running.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replace: bool,
    /// Although the last one was rolled back and no new build is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// Although not every evaluator's build declares the flag.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undeclared_too: bool,
    /// Why.
    #[serde(default)]
    pub why: Why,
}

/// A rollout that was started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StartedRollout {
    /// Its name; absent for a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<String>,
    /// What the start did.
    #[serde(flatten)]
    pub receipt: Receipt,
}

/// Says why a rollout is paused, resumed, advanced, skipped, approved or rolled back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Steer {
    /// Why.
    #[serde(default)]
    pub why: Why,
}

/// Where a rollout is, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RolloutState {
    /// It collects evidence at a stage.
    Baking,
    /// The bake is over and the evidence not enough.
    Holding,
    /// It held as long as it may, and asks a person.
    Asking,
    /// It waits for a person to look.
    Looking,
    /// It was taken back to an earlier exposure, as a precaution.
    Retreated,
    /// Open to all but those who are held back to compare with.
    Warm,
    /// Somebody stopped it where it stands.
    Paused,
    /// Open to everybody; over.
    Done,
    /// Taken back to where the lever was; over.
    RolledBack,
    /// Given up, such as when the lever was moved by hand; over.
    Ended,
}

/// One rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Rollout {
    /// Its name, such as `ro_01jd7k`.
    pub id: String,
    /// Whose lever.
    pub flag: String,
    /// Where.
    pub environment: String,
    /// What was planned, as it was when the rollout started.
    pub plan: PlanDefinition,
    /// Where it is.
    pub state: RolloutState,
    /// The index of the stage it is at, or was at last.
    pub stage: usize,
    /// Since when it is there, in RFC 3339.
    pub since: String,
    /// The same in words, with the numbers of its last transition.
    pub sentence: String,
    /// The stages, one for each of the plan.
    pub stages: Vec<StageView>,
    /// Who started it.
    pub started_by: String,
    /// When, in RFC 3339.
    pub started_at: String,
    /// Why; "none given" when nobody said.
    pub reason: String,
    /// Every transition so far, the oldest first.
    pub moves: Vec<RolloutMove>,
    /// Whom it told, and whether that went out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Told>,
}

/// A page or a notice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Told {
    /// Its name.
    pub id: String,
    /// The revision of the transition that it tells of.
    #[serde(default)]
    pub revision: u64,
    /// Whether it wakes somebody.
    pub page: bool,
    /// What happened, in a few words.
    pub title: String,
    /// Whether it went out: `pending`, `delivered`, `failed` or `nobody`.
    pub state: String,
    /// To which channels, or why not, in a sentence.
    pub sentence: String,
}

/// How a stage went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StageView {
    /// What it is called: `5 %`, `staff`, `look: ana`.
    pub label: String,
    /// How far it is.
    pub progress: Progress,
    /// When it was reached first, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached_at: Option<String>,
    /// How long it took, or takes so far, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<i64>,
}

/// How far a stage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// It was passed.
    Passed,
    /// The rollout is there.
    Current,
    /// The rollout was taken back from it.
    Left,
    /// It was not reached.
    Ahead,
}

/// A transition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RolloutMove {
    /// Its revision.
    pub revision: u64,
    /// When, in RFC 3339.
    pub at: String,
    /// Where it led.
    pub to: RolloutState,
    /// The stage it led to.
    pub stage: usize,
    /// Why, in one word, such as `harm`.
    pub cause: String,
    /// By whom.
    pub by: String,
    /// Why, in one sentence with its numbers.
    pub sentence: String,
}

/// Some rollouts. `GET /rollouts?environment=&flag=&state=running|over&after=&limit=`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RolloutList {
    /// The last started first.
    pub rollouts: Vec<Rollout>,
    /// Pass as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl RolloutState {
    /// Whether nothing more will happen by itself.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::RolledBack | Self::Ended)
    }
}
