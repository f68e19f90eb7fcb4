//! The admin API: what operators, CI jobs and the command line send and get. Base path `/api/v1`.
//!
//! Common rules: `Authorization: Bearer <token>`; `ETag: "r57"` on what can be changed and
//! `If-Match: "r57"` on what opens or edits it; `Idempotency-Key` on every POST, PUT and DELETE;
//! `?dry_run=true` on every change; failures are [`Problem`]s.

mod drill;
mod environment;
mod evaluation;
mod evidence;
mod flag;
mod fleet;
mod freeze;
mod journal;
mod lever;
mod plan;
mod preflight;
mod probe;
mod problem;
mod receipt;
mod rollout;
mod segment;
mod sign_in;
mod span;
mod status;
mod token;

pub use drill::{Drill, DrillList, DrillSchedule, DrillState, PutDrillSchedule, RunDrill};
pub use environment::{CreateEnvironment, Environment, EnvironmentList, GuardEnvironment};
pub use evaluation::{Evaluate, Evaluation, ExplainedStep};
pub use evidence::{
    ArmCounts, Evidence, MeasurementList, MeasurementView, MetricEvidence, RateView, RatioView,
    ShareView, SoFar, Verdict,
};
pub use flag::{
    AddRule, Arm, EnvironmentRules, Flag, FlagDefinition, FlagList, Kind, MoveRule, Prerequisite,
    PutFlag, Rule, Serve, ValueType,
};
pub use fleet::{
    CacheEvidence, Confirmation, ConfirmationState, Evaluator, Fleet, Propagated, Quantiles,
    Straggler,
};
pub use freeze::{Freeze, PutFreeze};
pub use journal::{
    Difference, DifferenceLine, JournalPage, RecordView, Sign, Verification, WholeRecord,
};
pub use lever::{Exposure, Kill, Lever, LeverState, Open, Pin, Position, Ramp, Undo};
pub use plan::{
    Inconclusive, Look, Measure, OnBad, Plan, PlanDefinition, PlanList, PlanMetric, PlanStage,
    PutPlan, Standing,
};
pub use preflight::{AskPreflight, Preflight, StageForecast};
pub use probe::{Probe, ProbeState};
pub use problem::Problem;
pub use receipt::{Change, Receipt, Removal, Why};
pub use rollout::{
    Progress, Rollout, RolloutList, RolloutMove, RolloutState, StageView, StartRollout,
    StartedRollout, Steer, Told,
};
pub use segment::{PutSegment, Segment, SegmentDefinition, SegmentList};
pub use sign_in::SignInLink;
pub use span::{Span, SpanError};
pub use status::{Health, LeverStatus, Status, Whoami};
pub use token::{CreateToken, CreatedToken, Role, Token, TokenList};
