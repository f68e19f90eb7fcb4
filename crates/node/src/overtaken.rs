//! Openings that a kill overtook on the way to the writer.

use leverframe_core::position::lifts_latch;
use leverframe_core::{Event, Rejection, State};

/// Kills come first, so one may be decided ahead of an opening that was asked for before it. Such an
/// opening was not meant to lift it.
pub(crate) fn demand_not_overtaken(
    state: &State,
    events: &[Event],
    seen: u64,
) -> Result<(), Rejection> {
    for event in events {
        let Event::PositionMoved {
            flag,
            environment,
            from,
            to,
        } = event
        else {
            continue;
        };
        let lever = state
            .flag(flag.as_str())
            .and_then(|flag| flag.lever(environment.as_str()));
        if let Some(lever) = lever
            && lever.moved_revision > seen
            && lifts_latch(from, to)
        {
            return Err(Rejection::Stale {
                given: seen,
                current: lever.moved_revision,
            });
        }
    }
    Ok(())
}
