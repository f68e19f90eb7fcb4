//! Segments: creating, editing, deleting. They are global, so an edit reaches every environment
//! where a flag uses them, directly or through other segments, in a rule or as a cohort.

use std::sync::Arc;

use leverframe_flags::{Segment, SegmentKey};

use crate::access::Role;
use crate::event::Event;
use crate::limit::SEGMENTS_MAX;
use crate::rejection::Rejection;
use crate::state::SegmentEntry;

use super::Decision;
use super::authority::{Case, append};
use super::definition::invalid;
use super::flag::Seen;
use super::names::listed;
use super::reference::demand_segment_references;

pub(super) fn create(case: &Case<'_>, segment: &Segment) -> Result<Decision, Rejection> {
    case.demand_role(Role::Operator, "create a segment")?;
    if case.state.segment(segment.key.as_str()).is_some() {
        return Err(Rejection::Exists {
            noun: "segment",
            key: segment.key.to_string(),
        });
    }
    if case.state.segments().count() >= SEGMENTS_MAX {
        return Err(Rejection::Full {
            noun: "segments",
            max: SEGMENTS_MAX,
        });
    }
    demand_valid(case, segment)?;
    Ok(append(Event::SegmentCreated {
        segment: Arc::new(segment.clone()),
    }))
}

pub(super) fn edit(case: &Case<'_>, segment: &Segment) -> Result<Decision, Rejection> {
    case.demand_role(Role::Operator, "edit a segment")?;
    let entry = case.segment(&segment.key)?;
    edit_to(case, entry, segment, Seen::IfMatch)
}

pub(super) fn edit_to(
    case: &Case<'_>,
    entry: &SegmentEntry,
    segment: &Segment,
    seen: Seen,
) -> Result<Decision, Rejection> {
    case.demand_role(Role::Operator, "edit a segment")?;
    if *entry.segment == *segment {
        return Ok(Decision::Unchanged {
            revision: entry.revision,
        });
    }
    if seen == Seen::IfMatch {
        case.demand_match(entry.revision, true)?;
    }
    demand_valid(case, segment)?;
    for (key, environment) in case.state.flags_reached_by_segment(&segment.key) {
        case.demand_environment(environment.as_str())?;
        case.demand_key(key.as_str())?;
        let is_open = case
            .state
            .flag(key.as_str())
            .is_some_and(|flag| !flag.position(environment.as_str()).is_closed());
        if is_open {
            case.demand_opening(
                case.environment(&environment)?,
                &format!("edit a segment that {key} uses in {environment}"),
            )?;
        }
    }
    Ok(append(Event::SegmentEdited {
        segment: Arc::new(segment.clone()),
    }))
}

pub(super) fn delete(case: &Case<'_>, key: &SegmentKey) -> Result<Decision, Rejection> {
    case.demand_role(Role::Operator, "delete a segment")?;
    let entry = case.segment(key)?;
    case.demand_match(entry.revision, true)?;
    delete_now(case, key)
}

pub(super) fn delete_now(case: &Case<'_>, key: &SegmentKey) -> Result<Decision, Rejection> {
    case.demand_role(Role::Operator, "delete a segment")?;
    let users = case.state.users_of_segment(key.as_str());
    if !users.is_empty() {
        let flags = users
            .flags
            .iter()
            .map(|(flag, environment)| format!("{flag} in {environment}"));
        let segments = users
            .segments
            .iter()
            .map(|segment| format!("segment {segment}"));
        return Err(Rejection::Conflict {
            why: format!("segment {key} is used by {}", listed(flags.chain(segments))),
        });
    }
    Ok(append(Event::SegmentDeleted {
        segment: key.clone(),
    }))
}

/// Refuses a segment that could not be served, or that refers to what does not exist.
pub(super) fn demand_valid(case: &Case<'_>, segment: &Segment) -> Result<(), Rejection> {
    segment.validate().map_err(|errors| {
        let why: Vec<String> = errors.iter().map(ToString::to_string).collect();
        invalid("segment", &why.join("; "))
    })?;
    demand_segment_references(case, segment)
}
