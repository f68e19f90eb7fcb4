//! What changed in definitions: a record holds the new one, and the one before is in memory or
//! further back in the journal.

use leverframe_core::rollout::Plan;
use leverframe_core::state::{Before, State as Fold};
use leverframe_core::{Entry, Event};
use leverframe_node::StoreError;
use leverframe_wire::admin::Difference;
use serde::Serialize;

use crate::convert::{definition_view, difference, plan_view, segment_definition_view};
use crate::limit::{DIFFERENCES_MAX, JOURNAL_CHUNK, JOURNAL_SCAN_MAX};

/// Reads records: so many after this revision.
type Read<'r> = &'r dyn Fn(u64, u64) -> Result<Vec<Entry>, StoreError>;

/// What a look back came to.
enum Found<T> {
    It(T),
    /// There was none before.
    Nothing,
    /// Further back than is looked.
    TooFar,
}

/// What changed in the definitions of a record.
pub(super) fn differences(
    entry: &Entry,
    state: &Fold,
    read: Read<'_>,
) -> Result<Vec<Difference>, StoreError> {
    let mut differences = Vec::new();
    for event in &entry.record.events {
        if differences.len() == DIFFERENCES_MAX {
            break;
        }
        differences.extend(of(event, entry.record.revision, state, read)?);
    }
    Ok(differences)
}

fn of(
    event: &Event,
    revision: u64,
    state: &Fold,
    read: Read<'_>,
) -> Result<Option<Difference>, StoreError> {
    let kept = state.touched(revision);
    let kept = || kept.into_iter().flat_map(|touched| &touched.before);
    Ok(Some(match event {
        Event::FlagCreated { definition } => {
            let after = definition_view(definition);
            difference("flag", &after.key, None, Some(&after))
        }
        Event::FlagEdited { definition: after } => {
            let known = kept().find_map(|before| match before {
                Before::Definition { definition } if definition.key == after.key => {
                    Some(definition_view(definition))
                }
                _ => None,
            });
            let before = known_or(known, revision, read, |event| match event {
                Event::FlagCreated { definition } | Event::FlagEdited { definition }
                    if definition.key == after.key =>
                {
                    Some(definition_view(definition))
                }
                _ => None,
            })?;
            let after = definition_view(after);
            shown("flag", &after.key, before, Some(&after))
        }
        Event::SegmentCreated { segment } => {
            let after = segment_definition_view(segment);
            difference("segment", &after.key, None, Some(&after))
        }
        Event::SegmentEdited { segment } => {
            let before = segment_before(segment.key.as_str(), revision, kept(), read)?;
            let after = segment_definition_view(segment);
            shown("segment", &after.key, before, Some(&after))
        }
        Event::SegmentDeleted { segment } => {
            let before = segment_before(segment.as_str(), revision, kept(), read)?;
            shown("segment", segment.as_str(), before, None)
        }
        Event::PlanApplied { plan } => {
            let before = plan_before(&plan.key, revision, read)?;
            shown("plan", &plan.key, before, Some(&plan_view(plan)))
        }
        Event::PlanDeleted { plan } => {
            shown("plan", plan, plan_before(plan, revision, read)?, None)
        }
        _ => return Ok(None),
    }))
}

fn segment_before<'b>(
    key: &str,
    revision: u64,
    mut kept: impl Iterator<Item = &'b Before>,
    read: Read<'_>,
) -> Result<Found<leverframe_wire::admin::SegmentDefinition>, StoreError> {
    let known = kept.find_map(|before| match before {
        Before::Segment { segment } | Before::DeletedSegment { segment }
            if segment.key.as_str() == key =>
        {
            Some(segment_definition_view(segment))
        }
        _ => None,
    });
    known_or(known, revision, read, |event| match event {
        Event::SegmentCreated { segment } | Event::SegmentEdited { segment }
            if segment.key.as_str() == key =>
        {
            Some(segment_definition_view(segment))
        }
        _ => None,
    })
}

fn plan_before(
    key: &str,
    revision: u64,
    read: Read<'_>,
) -> Result<Found<leverframe_wire::admin::PlanDefinition>, StoreError> {
    // A plan that was deleted is, for what comes after, the built-in one or none.
    let built_in = || Plan::built_in(key).as_ref().map(plan_view);
    let found = known_or(None, revision, read, |event| match event {
        Event::PlanApplied { plan } if *plan.key == *key => Some(Some(plan_view(plan))),
        Event::PlanDeleted { plan } if **plan == *key => Some(built_in()),
        _ => None,
    })?;
    Ok(match found {
        Found::It(Some(plan)) => Found::It(plan),
        Found::It(None) | Found::Nothing => built_in().map_or(Found::Nothing, Found::It),
        Found::TooFar => Found::TooFar,
    })
}

fn shown<T: Serialize>(noun: &str, key: &str, before: Found<T>, after: Option<&T>) -> Difference {
    match before {
        Found::It(before) => difference(noun, key, Some(&before), after),
        Found::Nothing => difference(noun, key, None, after),
        Found::TooFar => Difference {
            noun: noun.to_owned(),
            key: key.to_owned(),
            lines: Vec::new(),
            missing: Some(format!(
                "the definition before is more than {JOURNAL_SCAN_MAX} records back"
            )),
        },
    }
}

/// What is known, or else the last that was so before this revision.
fn known_or<T>(
    known: Option<T>,
    revision: u64,
    read: Read<'_>,
    is: impl Fn(&Event) -> Option<T>,
) -> Result<Found<T>, StoreError> {
    if let Some(known) = known {
        return Ok(Found::It(known));
    }
    let stop = revision.saturating_sub(JOURNAL_SCAN_MAX).max(1);
    let mut end = revision;
    while end > stop {
        let begin = end.saturating_sub(JOURNAL_CHUNK).max(stop);
        let entries = read(begin - 1, end - begin)?;
        let events = entries
            .iter()
            .rev()
            .flat_map(|entry| entry.record.events.iter().rev());
        if let Some(found) = events.into_iter().find_map(&is) {
            return Ok(Found::It(found));
        }
        end = begin;
    }
    Ok(if stop == 1 {
        Found::Nothing
    } else {
        Found::TooFar
    })
}
