//! Which levers are to be drilled now.

use std::collections::BTreeMap;

use leverframe_core::drill::DrillSchedule;
use leverframe_core::{State, Timestamp};
use leverframe_flags::{EnvironmentKey, FlagKey};

/// A lever, by flag and environment.
pub(super) type Lever = (FlagKey, EnvironmentKey);

/// The schedules that are due, the longest overdue first: one interval after the last drill of the
/// lever, or after the schedule was set, or after it was tried in vain.
pub(super) fn due<'a>(
    state: &'a State,
    tried: &BTreeMap<Lever, Timestamp>,
    now: Timestamp,
) -> Vec<&'a DrillSchedule> {
    let mut due: Vec<(i64, &DrillSchedule)> = state
        .drill_schedules()
        .filter_map(|schedule| {
            let lever = (schedule.flag.clone(), schedule.environment.clone());
            let drilled = state.last_drill(&lever.0, &lever.1).map(|drill| drill.at);
            let since = [drilled, tried.get(&lever).copied()];
            let since = since.into_iter().flatten().fold(schedule.at, Ord::max);
            let overdue_ms = now.ms_since(since).saturating_sub(schedule.every_ms);
            (overdue_ms >= 0).then_some((overdue_ms, schedule))
        })
        .collect();
    due.sort_by_key(|(overdue_ms, _)| std::cmp::Reverse(*overdue_ms));
    due.into_iter().map(|(_, schedule)| schedule).collect()
}
