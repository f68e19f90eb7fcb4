//! After a restore: a new epoch, and nothing that was closed since the backup comes open again.

use leverframe_core::access::Actor;
use leverframe_core::decide::{Decision, decide};
use leverframe_core::{Command, Entry, Meta, Rejection, State, Timestamp, Why};
use leverframe_flags::{EnvironmentKey, FlagKey, Position};
use leverframe_store::{Reader, Store};

use crate::start::{StartError, fold};

/// What the record after a restore says.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The revision of that record.
    pub revision: u64,
    /// The new epoch.
    pub epoch: u64,
    /// Levers that the backup had open and that were closed after it: they stay closed.
    pub kept_closed: Vec<(FlagKey, EnvironmentKey)>,
}

/// Why a restore could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// One of the two journals cannot be read or written.
    #[error(transparent)]
    Journal(#[from] StartError),
    /// The record after the restore was refused.
    #[error(transparent)]
    Rejected(#[from] Rejection),
}

/// What is known of the levers that were closed after the backup was taken.
pub enum Replaced<'a> {
    /// The journal that the backup takes the place of: what it had latched stays closed.
    Journal(&'a dyn Reader),
    /// Nothing: close every lever that the backup has open.
    CloseAll,
    /// Nothing, and somebody answers for the positions in the backup.
    KeepPositions,
}

/// Ends a restore: raises the epoch beyond both journals' and closes again what was closed after the
/// backup was taken.
///
/// # Errors
/// [`RestoreError`]; the restored journal is then as the backup had it.
pub fn continue_after_restore(
    store: &mut dyn Store,
    replaced: &Replaced<'_>,
    now: Timestamp,
    via: &str,
    why: Why,
) -> Result<Restored, RestoreError> {
    let fence = store.take_leadership(now).map_err(StartError::from)?;
    let mut state = State::new();
    fold(&mut state, &*store.reader())?;
    let mut epoch = state.epoch();
    let keep_closed = match replaced {
        Replaced::Journal(reader) => {
            let mut replaced = State::new();
            fold(&mut replaced, *reader)?;
            epoch = epoch.max(replaced.epoch());
            levers_to_close(&state, |flag, environment| {
                is_latched(&replaced, flag, environment)
            })
        }
        Replaced::CloseAll => levers_to_close(&state, |_, _| true),
        Replaced::KeepPositions => Vec::new(),
    };
    let epoch = epoch + 1;
    let command = Command::Restore {
        epoch,
        keep_closed: keep_closed.clone(),
    };
    let meta = Meta {
        now: now.max(state.at()),
        actor: Actor::System,
        via: via.into(),
        why,
        if_match: None,
        idempotency: None,
        entropy: 0,
    };
    let Decision::Append(events) = decide(&state, &command, &meta)? else {
        return Ok(Restored {
            revision: state.revision(),
            epoch: state.epoch(),
            kept_closed: Vec::new(),
        });
    };
    let entry = Entry::seal(state.next_record(events, &meta), state.head())
        .map_err(|error| StartError::System(error.to_string()))?;
    store
        .append(state.revision(), fence, std::slice::from_ref(&entry))
        .map_err(StartError::from)?;
    Ok(Restored {
        revision: entry.record.revision,
        epoch,
        kept_closed: keep_closed,
    })
}

fn levers_to_close(
    restored: &State,
    must_close: impl Fn(&FlagKey, &EnvironmentKey) -> bool,
) -> Vec<(FlagKey, EnvironmentKey)> {
    let mut levers = Vec::new();
    for flag in restored.flags().filter(|flag| !flag.is_archived) {
        for (environment, lever) in &flag.levers {
            let is_latched = matches!(lever.position, Position::Closed { latch: Some(_) });
            if !is_latched && must_close(flag.key(), environment) {
                levers.push((flag.key().clone(), environment.clone()));
            }
        }
    }
    levers
}

fn is_latched(state: &State, flag: &FlagKey, environment: &EnvironmentKey) -> bool {
    state.flag(flag.as_str()).is_some_and(|flag| {
        matches!(
            flag.position(environment.as_str()),
            Position::Closed { latch: Some(_) }
        )
    })
}
