//! The ledger of kills: which lever was killed from which revision to which, as the journal says,
//! independently of the state.

use std::collections::BTreeMap;

use leverframe_core::position::latch;
use leverframe_core::{Entry, Event};
use leverframe_flags::{EnvironmentKey, FlagKey, Position};

/// The kills of one epoch's history.
#[derive(Debug, Default, Clone)]
pub(super) struct Ledger {
    kills: BTreeMap<(FlagKey, EnvironmentKey), Vec<Kill>>,
}

/// From its revision until the lever was reopened.
#[derive(Debug, Clone)]
pub(super) struct Kill {
    from: u64,
    until: Option<u64>,
    variant: Box<str>,
}

/// What a record did to the ledger.
#[derive(Debug, Default)]
pub(super) struct Noted {
    pub(super) kills: u64,
    /// The levers whose latch it lifted.
    pub(super) reopened: Vec<(FlagKey, EnvironmentKey)>,
}

impl Ledger {
    /// Notes a record. `earlier` are those before it.
    pub(super) fn note(&mut self, entry: &Entry, earlier: &[Entry]) -> Result<Noted, String> {
        let record = &entry.record;
        let mut noted = Noted::default();
        for event in &record.events {
            let Event::PositionMoved {
                flag,
                environment,
                to,
                ..
            } = event
            else {
                continue;
            };
            let lever = (flag.clone(), environment.clone());
            let kills = self.kills.entry(lever.clone()).or_default();
            let last = kills.last_mut().filter(|kill| kill.until.is_none());
            match (last, latch(to)) {
                (None, Some(latch)) => {
                    noted.kills += 1;
                    kills.push(Kill {
                        from: record.revision,
                        until: None,
                        variant: latch.variant.as_str().into(),
                    });
                }
                (Some(kill), None) => {
                    demand_way_out(entry, earlier, &lever, to)?;
                    kill.until = Some(record.revision);
                    noted.reopened.push(lever);
                }
                (Some(kill), Some(latch)) if *kill.variant != *latch.variant.as_str() => {
                    return Err(format!(
                        "{flag} stays killed in {environment} at r{}, but to another variant",
                        record.revision
                    ));
                }
                _ => {}
            }
        }
        Ok(noted)
    }

    /// The levers of an environment that are killed at a revision, with the variant they answer.
    pub(super) fn killed<'a>(
        &'a self,
        environment: &'a EnvironmentKey,
        revision: u64,
    ) -> impl Iterator<Item = (&'a FlagKey, &'a str)> {
        let ours = self
            .kills
            .iter()
            .filter(move |((_, killed_in), _)| killed_in == environment);
        ours.filter_map(move |((flag, _), kills)| {
            let is_within = |kill: &&Kill| {
                kill.from <= revision && kill.until.is_none_or(|until| revision < until)
            };
            kills
                .iter()
                .find(is_within)
                .map(|kill| (flag, &*kill.variant))
        })
    }
}

/// Only an open, or an undo that names the close itself, leads out of a latch.
fn demand_way_out(
    entry: &Entry,
    earlier: &[Entry],
    lever: &(FlagKey, EnvironmentKey),
    to: &Position,
) -> Result<(), String> {
    let record = &entry.record;
    let (flag, environment) = lever;
    let undone = record.events.iter().find_map(|event| match event {
        Event::Undone { revision } => Some(*revision),
        _ => None,
    });
    let is_way_out = match undone {
        Some(revision) => earlier.get(revision as usize - 1).is_some_and(|undone| {
            undone
                .record
                .events
                .iter()
                .any(|event| closes(event, lever))
        }),
        None => record.events.len() == 1 && matches!(to, Position::Open { .. }),
    };
    if is_way_out {
        return Ok(());
    }
    Err(format!(
        "r{} reopens {flag} in {environment}, and is neither an open nor an undo of the close: {:?}",
        record.revision, record.events
    ))
}

fn closes(event: &Event, lever: &(FlagKey, EnvironmentKey)) -> bool {
    match event {
        Event::PositionMoved {
            flag,
            environment,
            to,
            ..
        } => (flag, environment) == (&lever.0, &lever.1) && latch(to).is_some(),
        _ => false,
    }
}
