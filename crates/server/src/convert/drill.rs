//! Freezes and drills.

use leverframe_core::drill::{Drill, DrillSchedule};
use leverframe_core::freeze::Freeze;
use leverframe_wire::admin::{self, DrillState};

use super::plan::span;

pub(crate) fn freeze_view(freeze: &Freeze) -> admin::Freeze {
    admin::Freeze {
        until: freeze.until.to_string(),
        by: freeze.by.to_string(),
        reason: freeze.reason.as_deref().unwrap_or("none given").to_owned(),
    }
}

pub(crate) fn drill_view(drill: &Drill) -> admin::Drill {
    let state = match &drill.result {
        None => DrillState::Running,
        Some(_) if drill.is_passed() => DrillState::Passed,
        Some(_) => DrillState::Failed,
    };
    let result = drill.result.as_ref();
    admin::Drill {
        revision: drill.revision,
        flag: drill.flag.to_string(),
        environment: drill.environment.to_string(),
        at: drill.at.to_string(),
        by: drill.by.to_string(),
        state,
        expected: result.map_or(0, |result| result.expected),
        confirmed: result.map_or(0, |result| result.confirmed),
        confirmed_ms: result.and_then(|result| result.confirmed_ms),
        missing: result
            .iter()
            .flat_map(|result| &result.missing)
            .map(ToString::to_string)
            .collect(),
        restored: drill.is_restored,
        sentence: drill.sentence(),
    }
}

pub(crate) fn schedule_view(schedule: &DrillSchedule) -> admin::DrillSchedule {
    admin::DrillSchedule {
        flag: schedule.flag.to_string(),
        environment: schedule.environment.to_string(),
        every: span(schedule.every_ms),
        by: schedule.by.to_string(),
        at: schedule.at.to_string(),
    }
}
