//! Levers: positions, exposures, and what a close is for.

use std::collections::BTreeSet;

use leverframe_core::Selection;
use leverframe_core::state::{Flag, State};
use leverframe_flags::{Exposure, Position, SegmentKey};
use leverframe_wire::admin;

use super::checked;
use super::definition::json;
use super::percentage::{number, percentage};
use crate::problem::Failure;

/// To whom a lever is to be opened.
pub(crate) fn exposure(wire: &admin::Exposure) -> Result<Exposure, Failure> {
    Ok(Exposure {
        cohorts: wire
            .cohorts
            .iter()
            .map(|cohort| checked("exposure.cohorts", cohort))
            .collect::<Result<_, _>>()?,
        percentage: percentage("exposure.percentage", wire.percentage)?,
    })
}

/// The levers a close is for: exactly one way of naming them.
pub(crate) fn selection(kill: admin::Kill) -> Result<Selection, Failure> {
    match (kill.flags.as_slice(), kill.owner, kill.tag) {
        ([], Some(owner), None) => Ok(Selection::Owner(owner)),
        ([], None, Some(tag)) => Ok(Selection::Tag(tag)),
        ([_, ..], None, None) => {
            let flags: BTreeSet<_> = kill
                .flags
                .iter()
                .map(|flag| checked("flags", flag))
                .collect::<Result<_, _>>()?;
            Ok(Selection::Flags(flags))
        }
        _ => Err(Failure::invalid(
            "flags",
            "say which flags to close by exactly one of flags, owner and tag",
        )),
    }
}

/// A flag in one environment.
pub(crate) fn lever_view(state: &State, flag: &Flag, environment: &str) -> admin::Lever {
    let position = flag.position(environment);
    let lever = flag.lever(environment);
    admin::Lever {
        flag: flag.key().to_string(),
        environment: environment.to_owned(),
        position: position_view(flag, position),
        sentence: format!("{} {position} in {environment}", flag.key()),
        revision: state.lever_revision(flag, environment),
        moved_revision: lever.map(|lever| lever.moved_revision),
        moved_at: lever.map(|lever| lever.moved_at.to_string()),
        moved_by: lever.map(|lever| lever.moved_by.to_string()),
        reason: lever
            .and_then(|lever| lever.reason.as_deref())
            .map(str::to_owned),
    }
}

fn position_view(flag: &Flag, position: &Position) -> admin::Position {
    match position {
        Position::Closed { latch: Some(latch) } => admin::Position::Closed {
            latched: true,
            variant: latch.variant.to_string(),
            value: json(&latch.value),
        },
        Position::Closed { latch: None } => {
            let closed = &flag.definition.closed;
            admin::Position::Closed {
                latched: false,
                variant: closed.to_string(),
                value: flag
                    .definition
                    .variants
                    .get(closed)
                    .map_or(serde_json::Value::Null, json),
            }
        }
        Position::Open { exposure } => admin::Position::Open {
            exposure: admin::Exposure {
                cohorts: exposure.cohorts.iter().map(SegmentKey::to_string).collect(),
                percentage: number(exposure.percentage),
            },
        },
        Position::Pinned { variant } => admin::Position::Pinned {
            variant: variant.to_string(),
        },
    }
}
