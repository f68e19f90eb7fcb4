//! Every bound of the control plane, in one place. The engine's own bounds are in
//! [`leverframe_flags::limit`].

/// Most commands in one group commit.
pub const GROUP_COMMANDS_MAX: usize = 256;
/// Most events of one record.
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
/// How long an idempotency key is remembered, in milliseconds.
pub const IDEMPOTENCY_MS_MAX: i64 = 24 * 60 * 60 * 1_000;
/// Most idempotency keys remembered; the oldest goes first.
pub const IDEMPOTENCY_KEYS_MAX: usize = 100_000;
/// Longest idempotency key, in bytes.
pub const IDEMPOTENCY_BYTES_MAX: usize = 128;
/// How many revisions back an undo can reach.
pub const UNDO_REVISIONS_MAX: usize = 10_000;
/// An evaluator counts on the roll for this long after it was last heard, in milliseconds.
pub const ROLL_MS: i64 = 10 * 60 * 1_000;
/// Most evaluators on the roll of one environment.
pub const ROLL_MAX: usize = 50_000;
/// Most frames one environment's ring holds.
pub const RING_FRAMES_MAX: usize = 1_024;
/// Most bytes of frames one environment's ring holds.
pub const RING_BYTES_MAX: usize = 4 * 1024 * 1024;
