//! After a restore: a new epoch, and nothing that was closed since the backup comes open again.

use leverframe_core::access::Actor;
use leverframe_core::decide::{Decision, decide};
use leverframe_core::state::Flag;
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
/// backup was taken. Where the journal in place is lost nobody knows its epoch, and the new one is
/// taken from the clock, in milliseconds since 1970: an evaluator that has already seen the next number
/// would else refuse the restored history as older than its own, and go on with what it has.
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
            closed_since(&state, &replaced)
        }
        Replaced::CloseAll => {
            epoch = epoch.max(on_the_clock(now));
            not_closed(&state)
        }
        Replaced::KeepPositions => {
            epoch = epoch.max(on_the_clock(now));
            Vec::new()
        }
    };
    let epoch = epoch + 1;
    let command = Command::Restore {
        epoch,
        keep_closed: keep_closed.clone(),
    };
    let meta = Meta {
        now: now.max(state.at()),
        steady: now,
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

fn on_the_clock(now: Timestamp) -> u64 {
    u64::try_from(now.as_ms()).unwrap_or_default()
}

/// What was closed in `replaced` and is not in `restored`: by a kill, whose latch counts even where
/// the backup has the lever closed anyway, because that alone does not hold it against a pin; or by
/// an undo. A flag that was archived since comes back into use with the backup, and must not come
/// back open.
fn closed_since(restored: &State, replaced: &State) -> Vec<(FlagKey, EnvironmentKey)> {
    let comes_open = |flag: &Flag, environment: &EnvironmentKey, replaced: &Position| {
        let backed_up = flag.position(environment.as_str());
        if is_latch(replaced) {
            !is_latch(backed_up)
        } else {
            replaced.is_closed() && !backed_up.is_closed()
        }
    };
    levers_of(replaced)
        .filter(|(flag, environment, position)| {
            restored
                .flag(flag.key().as_str())
                .is_some_and(|flag| comes_open(flag, environment, position))
        })
        .map(|(flag, environment, _)| (flag.key().clone(), environment.clone()))
        .collect()
}

fn not_closed(restored: &State) -> Vec<(FlagKey, EnvironmentKey)> {
    levers_of(restored)
        .filter(|(flag, _, position)| !flag.is_archived && !is_latch(position))
        .map(|(flag, environment, _)| (flag.key().clone(), environment.clone()))
        .collect()
}

fn levers_of(state: &State) -> impl Iterator<Item = (&Flag, &EnvironmentKey, &Position)> {
    state.flags().flat_map(|flag| {
        let levers = flag.levers.iter();
        levers.map(|(environment, lever)| (&**flag, environment, &lever.position))
    })
}

fn is_latch(position: &Position) -> bool {
    matches!(position, Position::Closed { latch: Some(_) })
}
