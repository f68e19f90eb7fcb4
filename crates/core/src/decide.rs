//! Decisions: what a command means against the state. Pure: the same state, command and meta give
//! the same answer, and nothing is changed by asking.
//!
//! The order of the checks is the same for every command: who (token, still valid, of a role that
//! may give commands), whether the command came before (idempotency key), what it names (exists,
//! is covered by the token), whether it is true already, what it would do (opening or closing, and
//! so which role), and what that needs (`If-Match`, a reason).
//!
//! - **A closing is free**: a role of brake or above, the right environment and keys, and nothing
//!   else. A reason is stored when given, `If-Match` is not looked at.
//! - **An opening** in a guarded environment needs a reason and the lever's ETag
//!   ([`State::lever_revision`]: the later of the lever's last move and the flag's last definition)
//!   in `If-Match`. Elsewhere neither is needed, but an `If-Match` that is given is checked.
//! - **An edit** always needs `If-Match`: the revision that last defined the flag
//!   ([`crate::state::Flag::defined_revision`], for rules too) or the segment. Where it changes
//!   what a lever that is not closed does in a guarded environment it is an opening and needs a
//!   reason; so does changing what `closed` means, because then even closed levers answer
//!   differently.
//! - A token for certain environments or keys may edit only what changes behaviour nowhere else.

mod authority;
mod completion;
mod definition;
mod drill;
mod effect;
mod environment;
mod flag;
mod freeze;
mod lever;
mod names;
mod plan;
mod reaction;
mod reference;
mod restore;
mod rollout;
mod rule;
mod segment;
mod start;
mod token;
mod undo;
mod watch;

pub use undo::demand_undoable;

use crate::access::Token;
use crate::command::{Command, Meta};
use crate::environment::Environment;
use crate::event::Event;
use crate::limit::{EVENTS_PER_RECORD_MAX, IDEMPOTENCY_BYTES_MAX, REASON_BYTES_MAX};
use crate::rejection::Rejection;
use crate::rollout::Steer;
use crate::state::State;

use authority::Case;

/// What an accepted command comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// These become one record.
    Append(Vec<Event>),
    /// What is wanted is true already, since this revision: no record, and a caller that waits
    /// waits for that revision.
    Unchanged {
        /// Since when.
        revision: u64,
    },
    /// The command came before under its idempotency key: the answer is that of this revision.
    Repeat {
        /// What it became.
        revision: u64,
    },
}

/// What a command means.
///
/// # Errors
/// [`Rejection`] says what is wrong or missing and what to do; nothing has changed.
pub fn decide(state: &State, command: &Command, meta: &Meta) -> Result<Decision, Rejection> {
    let case = Case::open(state, meta)?;
    if let Some(revision) = repeated(state, meta)? {
        return Ok(Decision::Repeat { revision });
    }
    // A brake is never refused for its words (P2); the record cuts them.
    if !is_brake(command) {
        for (field, text) in [
            ("reason", &meta.why.reason),
            ("incident", &meta.why.incident),
        ] {
            at_most(field, text.as_deref().unwrap_or_default(), REASON_BYTES_MAX)?;
        }
    }
    let decision = match command {
        Command::CreateEnvironment { key, guarded } => environment::create(&case, key, *guarded),
        Command::GuardEnvironment { key, guarded } => environment::guard(&case, key, *guarded),
        Command::CreateFlag { definition } => flag::create(&case, definition),
        Command::EditFlag { definition } => flag::edit(&case, definition),
        Command::ArchiveFlag { flag } => flag::archive(&case, flag),
        Command::AddRule {
            flag,
            environment,
            rule,
            at,
        } => rule::add(&case, flag, environment, rule, *at),
        Command::RemoveRule {
            flag,
            environment,
            rule,
        } => rule::remove(&case, flag, environment, rule),
        Command::MoveRule {
            flag,
            environment,
            rule,
            to,
        } => rule::shift(&case, flag, environment, rule, *to),
        Command::CreateSegment { segment } => segment::create(&case, segment),
        Command::EditSegment { segment } => segment::edit(&case, segment),
        Command::DeleteSegment { segment } => segment::delete(&case, segment),
        Command::Close { flags, environment } => lever::close(&case, flags, environment),
        Command::Open {
            flag,
            environment,
            exposure,
        } => lever::open(&case, flag, environment, exposure),
        Command::Ramp {
            flag,
            environment,
            percentage,
        } => lever::ramp(&case, flag, environment, *percentage),
        Command::Unwatched { opening } => watch::declined(&case, opening),
        Command::StartWatch {
            flag,
            environment,
            opened,
            survey,
        } => watch::start(&case, flag, environment, *opened, survey),
        Command::Pin {
            flag,
            environment,
            variant,
        } => lever::pin(&case, flag, environment, variant),
        Command::Undo { revision } => undo::undo(&case, *revision),
        Command::ApplyPlan { plan } => plan::apply(&case, plan),
        Command::DeletePlan { plan } => plan::delete(&case, plan),
        Command::StartRollout {
            flag,
            environment,
            plan,
            terms,
            survey,
        } => start::start(
            &case,
            &start::Start {
                flag,
                environment,
                plan,
                terms: *terms,
                survey,
            },
        ),
        Command::SteerRollout {
            rollout,
            steer,
            seen,
        } => rollout::steer(&case, rollout, *steer, seen.as_deref()),
        Command::Rollback { flag, environment } => rollout::rollback(&case, flag, environment),
        Command::Observe { rollout, seen } => rollout::observe(&case, rollout, seen),
        Command::Freeze { environment, until } => freeze::freeze(&case, environment, *until),
        Command::Thaw { environment } => freeze::thaw(&case, environment),
        Command::SettleEffect { effect, settlement } => effect::settle(&case, effect, settlement),
        Command::StartDrill { flag, environment } => drill::start(&case, flag, environment),
        Command::FinishDrill { drill, result } => drill::finish(&case, *drill, result),
        Command::ScheduleDrill {
            flag,
            environment,
            every_ms,
        } => drill::schedule(&case, flag, environment, *every_ms),
        Command::CreateToken { token } => token::create(&case, token),
        Command::RevokeToken { id } => token::revoke(&case, id),
        Command::Restore { epoch, keep_closed } => restore::restore(&case, *epoch, keep_closed),
    }?;
    let decision = match decision {
        Decision::Append(events) => Decision::Append(reaction::react(&case, events)?),
        decision => decision,
    };
    // Nor is it refused for its size (P2), which the number of flags bounds.
    if let Decision::Append(events) = &decision
        && events.len() > EVENTS_PER_RECORD_MAX
        && !is_brake(command)
    {
        return Err(Rejection::Invalid {
            field: "command".to_owned(),
            why: format!(
                "it would change {} things at once; at most {EVENTS_PER_RECORD_MAX} fit into one \
                 revision: do it in parts",
                events.len()
            ),
        });
    }
    Ok(decision)
}

/// Whether a command is one that somebody stops something with.
fn is_brake(command: &Command) -> bool {
    matches!(
        command,
        Command::Close { .. }
            | Command::Rollback { .. }
            | Command::Freeze { .. }
            | Command::SteerRollout {
                steer: Steer::Pause | Steer::RollBack,
                ..
            }
    )
}

/// The events of a journal's first record, which [`crate::access::Actor::System`] gives: the start,
/// the environments and the first admin token. `journal` is its own id and must not be empty.
#[must_use]
pub fn first_events(
    journal: &str,
    environments: impl IntoIterator<Item = Environment>,
    admin: Token,
) -> Vec<Event> {
    let mut events = vec![Event::JournalStarted {
        journal: journal.into(),
    }];
    events.extend(
        environments
            .into_iter()
            .map(|environment| Event::EnvironmentCreated { environment }),
    );
    events.push(Event::TokenCreated {
        token: admin.into(),
    });
    events
}

/// The revision this command became when it came before.
fn repeated(state: &State, meta: &Meta) -> Result<Option<u64>, Rejection> {
    let Some(idempotency) = &meta.idempotency else {
        return Ok(None);
    };
    if idempotency.key.is_empty() {
        return Err(Rejection::Invalid {
            field: "idempotency key".to_owned(),
            why: "it must not be empty".to_owned(),
        });
    }
    at_most("idempotency key", &idempotency.key, IDEMPOTENCY_BYTES_MAX)?;
    match state.answered(meta.actor.id(), &idempotency.key, meta.now) {
        None => Ok(None),
        Some(before) if before.body_sha256 == idempotency.body_sha256 => Ok(Some(before.revision)),
        Some(_) => Err(Rejection::IdempotencyReused {
            key: idempotency.key.to_string(),
        }),
    }
}

/// Refuses a text that is longer than it may be.
fn at_most(field: &str, text: &str, bytes_max: usize) -> Result<(), Rejection> {
    if text.len() <= bytes_max {
        return Ok(());
    }
    Err(Rejection::Invalid {
        field: field.to_owned(),
        why: format!("it has {} bytes; {bytes_max} are the most", text.len()),
    })
}
