//! The admin API: what operators, CI jobs and the command line send and get. Base path `/api/v1`.
//!
//! Common rules: `Authorization: Bearer <token>`; `ETag: "r57"` on what can be changed and
//! `If-Match: "r57"` on what opens or edits it; `Idempotency-Key` on every POST, PUT and DELETE;
//! `?dry_run=true` on every change; failures are [`Problem`]s.

mod environment;
mod evaluation;
mod flag;
mod fleet;
mod journal;
mod lever;
mod problem;
mod receipt;
mod segment;
mod status;
mod token;

pub use environment::{CreateEnvironment, Environment, EnvironmentList, GuardEnvironment};
pub use evaluation::{Evaluate, Evaluation, ExplainedStep};
pub use flag::{
    AddRule, Arm, EnvironmentRules, Flag, FlagDefinition, FlagList, Kind, MoveRule, Prerequisite,
    PutFlag, Rule, Serve, ValueType,
};
pub use fleet::{
    CacheEvidence, Confirmation, ConfirmationState, Evaluator, Fleet, Quantiles, Straggler,
};
pub use journal::{JournalPage, RecordView, Verification};
pub use lever::{Exposure, Kill, Lever, Open, Pin, Position, Ramp, Undo};
pub use problem::Problem;
pub use receipt::{Change, Receipt, Removal, Why};
pub use segment::{PutSegment, Segment, SegmentDefinition, SegmentList};
pub use status::{Health, LeverStatus, Status, Whoami};
pub use token::{CreateToken, CreatedToken, Role, Token, TokenList};
