//! Every bound of the control plane, in one place. The engine's own bounds are in
//! [`leverframe_flags::limit`].

/// Most commands in one group commit.
pub const GROUP_COMMANDS_MAX: usize = 256;
/// Most events of one record; a close has as many as it closes levers, up to [`FLAGS_MAX`].
pub const EVENTS_PER_RECORD_MAX: usize = 10_000;
/// Longest reason or incident, in bytes.
pub const REASON_BYTES_MAX: usize = 1_024;
/// Longest owner, tag or token name, in bytes.
pub const LABEL_BYTES_MAX: usize = 128;
/// Most tags of one flag.
pub const TAGS_MAX: usize = 50;
/// Longest description or runbook, in bytes.
pub const PROSE_BYTES_MAX: usize = 16 * 1024;
/// Most flags that are not archived.
pub const FLAGS_MAX: usize = 50_000;
/// Most segments.
pub const SEGMENTS_MAX: usize = 10_000;
/// Most environments.
pub const ENVIRONMENTS_MAX: usize = 100;
/// Most tokens that are neither revoked nor expired.
pub const TOKENS_MAX: usize = 10_000;
/// Most environments or key globs one token names.
pub const TOKEN_SCOPES_MAX: usize = 100;
/// Most cohorts of one exposure.
pub const COHORTS_MAX: usize = 100;
/// Most names spelt out in one message; the others are counted.
pub const NAMES_IN_MESSAGE_MAX: usize = 20;
/// Most names looked at for a "did you mean".
pub const SIMILAR_NAMES_MAX: usize = 20_000;
/// `stale_after_s` of a kill flag that names none, in seconds.
pub const KILL_STALE_AFTER_S: u32 = 300;
/// How long an idempotency key is remembered, in milliseconds.
pub const IDEMPOTENCY_MS_MAX: i64 = 24 * 60 * 60 * 1_000;
/// Most idempotency keys remembered; the oldest goes first.
pub const IDEMPOTENCY_KEYS_MAX: usize = 100_000;
/// Longest idempotency key, in bytes.
pub const IDEMPOTENCY_BYTES_MAX: usize = 128;
/// How many revisions back an undo can reach.
pub const UNDO_REVISIONS_MAX: usize = 10_000;
/// About how much memory undo may hold, in bytes.
pub const UNDO_BYTES_MAX: usize = 64 * 1024 * 1024;
/// An evaluator counts on the roll for this long after it was last heard, in milliseconds.
pub const ROLL_MS: i64 = 10 * 60 * 1_000;
/// A connected evaluator that was not heard for this long has stopped answering, in milliseconds.
pub const SILENT_MS: i64 = 5_000;
/// Most refused definitions kept for one evaluator on the roll.
pub const REFUSALS_MAX: usize = 100;
/// Longest text an evaluator may say about itself, in bytes; the rest is cut off.
pub const MEMBER_TEXT_BYTES_MAX: usize = 256;
/// Most builds of which is remembered which flags they know.
pub const DECLARING_BUILDS_MAX: usize = 100;
/// Deepest nesting of the targeting of one imported flag, its evaluators included.
pub const TARGETING_DEPTH_MAX: usize = 64;
/// Most parts of the targeting of one imported flag, evaluators counted wherever they are used.
pub const TARGETING_NODES_MAX: usize = 20_000;
/// Most evaluators on the roll of one environment.
pub const ROLL_MAX: usize = 50_000;
/// Most frames one environment's ring holds.
pub const RING_FRAMES_MAX: usize = 1_024;
/// Most bytes of frames one environment's ring holds.
pub const RING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most stages of one plan.
pub const PLAN_STAGES_MAX: usize = 30;
/// Most metrics of one plan.
pub const PLAN_METRICS_MAX: usize = 20;
/// Longest bake or hold of a stage, in milliseconds.
pub const PLAN_MS_MAX: i64 = 30 * 24 * 60 * 60 * 1_000;
/// Longest warm time of a plan, in milliseconds.
pub const PLAN_WARM_MS_MAX: i64 = 7 * 24 * 60 * 60 * 1_000;
/// Most plans.
pub const PLANS_MAX: usize = 1_000;
/// Most rollouts that run at once.
pub const ROLLOUTS_RUNNING_MAX: usize = 2_000;
/// Most rollouts that are over and still kept in memory; the journal has them all.
pub const ROLLOUTS_KEPT_MAX: usize = 2_000;
/// Most transitions kept with a rollout.
pub const ROLLOUT_MOVES_MAX: usize = 100;
/// Most channels a plan names for one purpose.
pub const PLAN_CHANNELS_MAX: usize = 10;
/// Longest name of a metric, plan, source or channel, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// Most builds of an application that a rollout remembers.
pub const ROLLOUT_BUILDS_MAX: usize = 100;
/// Most settled effects kept in memory; the journal has them all.
pub const EFFECTS_KEPT_MAX: usize = 2_000;
/// Most drills kept in memory; the journal has them all.
pub const DRILLS_KEPT_MAX: usize = 2_000;
/// Longest freeze, in milliseconds.
pub const FREEZE_MS_MAX: i64 = 30 * 24 * 60 * 60 * 1_000;
/// Shortest time between two scheduled drills of a lever, in milliseconds.
pub const DRILL_EVERY_MS_MIN: i64 = 60 * 1_000;
/// How long a drilled lever may take until everybody has it, in milliseconds.
pub const DRILL_MS_MAX: u64 = 60 * 1_000;
/// Most evaluators that a drill names which did not have it in time.
pub const DRILL_MISSING_MAX: usize = 20;
/// A lever that is open and was not drilled for this long is named, in milliseconds.
pub const UNDRILLED_MS_MAX: i64 = 90 * 24 * 60 * 60 * 1_000;
/// Most levers that are drilled by themselves.
pub const DRILL_SCHEDULES_MAX: usize = 1_000;
