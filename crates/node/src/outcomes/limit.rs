//! Every bound of the outcomes, in one place.

/// Most outcome names of one flag, `errors` among them; further ones are not counted apart.
pub(crate) const OUTCOME_NAMES_MAX: usize = 8;
/// Most levers whose outcomes are kept at once; those of further ones are not counted.
pub(crate) const OUTCOME_LEVERS_MAX: usize = 5_000;
/// Most units kept of one lever in one interval: those with the smallest hashes, of both arms alike.
pub(crate) const OUTCOME_INTERVAL_UNITS_MAX: usize = 65_536;
/// Most units of one lever that a stage remembers; those with the smallest hashes, of both arms
/// alike, and only they count.
pub(crate) const OUTCOME_STAGE_UNITS_MAX: usize = 262_144;
/// Most units of all levers together in open intervals, and as many again in stages; when half of it is
/// used, a lever keeps at most [`OUTCOME_CROWDED_UNITS_MAX`] of each.
pub(crate) const OUTCOME_UNITS_MAX: usize = 4_000_000;
/// Most units of one lever in one interval or stage while there is little room.
pub(crate) const OUTCOME_CROWDED_UNITS_MAX: usize = 1_024;
/// Most gauges of one environment; further ones are not kept.
pub(crate) const OUTCOME_GAUGES_MAX: usize = 64;
/// Most evaluators whose last late report is remembered.
pub(crate) const OUTCOME_INSTANCES_MAX: usize = 50_000;
/// A flag that nothing was heard of for this long is no longer written down, in milliseconds, unless
/// somebody watches it.
pub(crate) const OUTCOME_FORGET_MS: i64 = 10 * 60 * 1_000;
/// What was not closed this long before a restart is not opened again, in milliseconds.
pub(crate) const OUTCOME_REOPEN_MS_MAX: i64 = 5 * 60 * 1_000;
/// A unit counts as new and as bad again after this long where no rollout runs, in milliseconds.
pub(crate) const OUTCOME_MEMORY_MS: i64 = 60 * 60 * 1_000;
/// Most intervals that wait for a store that fails; then no further one is closed.
pub(crate) const OUTCOME_UNSAVED_MAX: usize = 1_000;
