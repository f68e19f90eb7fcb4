//! What became of the change that an address names: `r=57`, or `brake=3` for a kill that was out before
//! it was stored. Everything is read from memory, so that it can be said while the store is slow.

use std::time::{Duration, Instant};

use leverframe_console::Link;
use leverframe_console::page::{Moved, Pulled, Undo};
use leverframe_core::Timestamp;
use leverframe_core::state::{Before, State, Touched};
use leverframe_flags::EnvironmentKey;
use leverframe_wire::admin;

use super::form::fresh_key;
use super::visit::{Visit, now};
use crate::admin::{fleet, lever};
use crate::app::App;
use crate::problem::Failure;
use crate::request::Change;

/// How young a change is for which a page waits a moment, and how long: most are had by everybody
/// within it, and the first page says so.
const YOUNG_MS: i64 = 1_000;
const MOMENT: Duration = Duration::from_millis(250);

/// What became of the change that the address names, if it names one.
///
/// # Errors
/// 404 when there is no such change.
pub(super) async fn asked(app: &App, visit: &Visit) -> Result<Option<Pulled>, Failure> {
    let number = |name: &str| {
        let Some(text) = visit.parameter(name) else {
            return Ok(None);
        };
        let digits = text.strip_prefix('r').unwrap_or(&text);
        let number: u64 = digits
            .parse()
            .map_err(|_| Failure::not_found("revision", &text))?;
        Ok::<_, Failure>(Some(number))
    };
    if let Some(revision) = number("r")? {
        return of_revision(app, visit, revision).await.map(Some);
    }
    match number("brake")? {
        Some(brake) => of_brake(app, visit, brake).await.map(Some),
        None => Ok(None),
    }
}

/// The page that tells what became of a change that was accepted.
pub(super) fn link(place: Link, receipt: &admin::Receipt, incident: &str) -> Link {
    let place = match receipt.brake {
        Some(brake) => place.with("brake", brake),
        None => place.with("r", receipt.revision),
    };
    place
        .with_some("same", receipt.unchanged.then_some(1))
        .with_some("inc", Some(incident))
}

/// What became of a revision.
///
/// # Errors
/// 404 when there is none, or when every lever that it moved is of another environment.
pub(super) async fn of_revision(
    app: &App,
    visit: &Visit,
    revision: u64,
) -> Result<Pulled, Failure> {
    let state = app.node().state();
    if home(&state, visit, revision) != visit.environment {
        return Err(Failure::not_found(
            "revision of this environment",
            &format!("r{revision}"),
        ));
    }
    let story = Story::of(&state, revision);
    let pull = fleet::Pull {
        revision,
        brake: None,
    };
    let had = had(app, visit, pull, story.at).await?;
    let moves = match state.touched(revision) {
        Some(touched) => moves(touched, visit),
        None => Vec::new(),
    };
    Ok(Pulled {
        environment: visit.environment.to_string(),
        revision: Some(revision),
        at: story.at.as_ref().map(ToString::to_string),
        by: story.by,
        reason: story.reason,
        incident: visit.parameter("inc"),
        was_so: visit.parameter("same").is_some(),
        moves,
        had,
        undo: undo(app, visit, revision).await,
        now: now(app),
        idempotency: fresh_key(),
    })
}

/// What became of a kill that went out before it was stored.
async fn of_brake(app: &App, visit: &Visit, number: u64) -> Result<Pulled, Failure> {
    let kill = app
        .node()
        .brakes()
        .into_iter()
        .find(|one| one.number == number);
    if kill
        .as_ref()
        .is_some_and(|kill| kill.environment != visit.environment)
    {
        return Err(no_kill(number));
    }
    let Some(kill) = kill else {
        return match app.node().brake_stored_as(number) {
            Some(revision) => of_revision(app, visit, revision).await,
            None => Err(no_kill(number)),
        };
    };
    let state = app.node().state();
    let pull = fleet::Pull {
        revision: kill.decided_on,
        brake: Some(number),
    };
    let by = kill.actor.as_deref().and_then(|id| state.token(id));
    let moves = kill.flags.iter().filter_map(|key| {
        let flag = state.flag(key.as_str())?;
        let from = flag.position(kill.environment.as_str());
        Some(Moved {
            flag: key.to_string(),
            environment: kill.environment.to_string(),
            from: from.to_string(),
            to: "closed".to_owned(),
            is_closing: true,
            was_closed: from.is_closed(),
        })
    });
    Ok(Pulled {
        environment: visit.environment.to_string(),
        revision: None,
        at: Some(kill.at.to_string()),
        by: by.map(|entry| entry.token.name.to_string()),
        reason: kill.why.reason.as_deref().map(str::to_owned),
        incident: kill.why.incident.as_deref().map(str::to_owned),
        was_so: false,
        moves: moves.collect(),
        had: had(app, visit, pull, Some(kill.at)).await?,
        undo: Undo::Not("it is not in the journal yet".to_owned()),
        now: now(app),
        idempotency: fresh_key(),
    })
}

fn no_kill(number: u64) -> Failure {
    Failure::not_found("kill that is not stored", &number.to_string())
}

/// Where it is told what became of a revision: in the visitor's environment, unless every lever that
/// it moved is of others. Who has it there, and why it was, is for their pages to say.
pub(super) fn home(state: &State, visit: &Visit, revision: u64) -> EnvironmentKey {
    let before = state.touched(revision).map(|touched| touched.before.iter());
    let mut places = before
        .into_iter()
        .flatten()
        .filter_map(|before| match before {
            Before::Position { environment, .. } => Some(environment),
            _ => None,
        });
    match places.next() {
        Some(first) if places.all(|place| *place != visit.environment) => first.clone(),
        _ => visit.environment.clone(),
    }
}

async fn had(
    app: &App,
    visit: &Visit,
    pull: fleet::Pull,
    at: Option<Timestamp>,
) -> Result<admin::Confirmation, Failure> {
    let wall = app.node().wall_now();
    let is_young = at.is_some_and(|at| wall.ms_since(at) < YOUNG_MS);
    let at_most = if is_young { MOMENT } else { Duration::ZERO };
    fleet::confirmation(app, visit, visit.environment.as_str(), pull, at_most).await
}

/// Who, when and why, as far as memory knows: it does of a lever's last move, and of the head.
#[derive(Default)]
struct Story {
    at: Option<Timestamp>,
    by: Option<String>,
    reason: Option<String>,
}

impl Story {
    fn of(state: &State, revision: u64) -> Self {
        let moved = state.touched(revision).into_iter().flat_map(|touched| {
            touched.before.iter().filter_map(|before| match before {
                Before::Position {
                    flag, environment, ..
                } => state.flag(flag.as_str())?.lever(environment.as_str()),
                _ => None,
            })
        });
        let lever = moved
            .into_iter()
            .find(|lever| lever.moved_revision == revision);
        match lever {
            Some(lever) => Self {
                at: Some(lever.moved_at),
                by: Some(lever.moved_by.to_string()),
                reason: lever.reason.as_deref().map(str::to_owned),
            },
            None => Self {
                at: (state.revision() == revision).then(|| state.at()),
                ..Self::default()
            },
        }
    }
}

/// The levers it moved, as far as this visitor may see them: those of the page's environment first.
fn moves(touched: &Touched, visit: &Visit) -> Vec<Moved> {
    let mut moves: Vec<Moved> = touched
        .before
        .iter()
        .filter_map(|before| match before {
            Before::Position {
                flag,
                environment,
                from,
                to,
            } => Some(Moved {
                flag: flag.to_string(),
                environment: environment.to_string(),
                from: from.to_string(),
                to: to.to_string(),
                is_closing: to.is_closed(),
                was_closed: from.is_closed(),
            }),
            _ => None,
        })
        .filter(|one| visit.token().allows_environment(&one.environment))
        .collect();
    moves.sort_by_key(|one| one.environment != visit.environment.as_str());
    moves
}

/// Whether and how it can be taken back: core is asked, and nothing is changed.
async fn undo(app: &App, visit: &Visit, revision: u64) -> Undo {
    let wanted = admin::Undo {
        revision: Some(revision),
        why: admin::Why {
            reason: Some("asked before".to_owned()),
            incident: None,
        },
    };
    let tried = match Change::of_form(None, None, "/undo", &[], Instant::now()) {
        Ok(change) => lever::take_back(app, visit, wanted, change.dry()).await,
        Err(failure) => Err(failure),
    };
    let state = app.node().state();
    let is_guarded = |environment: &String| {
        let entry = state.environment(environment);
        entry.is_some_and(|entry| entry.environment.guarded)
    };
    match tried {
        Ok(receipt) => Undo::Form {
            needs_reason: receipt.environments.iter().any(is_guarded)
                && is_kept_closed(&state, revision),
            reason: String::new(),
        },
        Err(failure) => Undo::Not(failure.detail().to_owned()),
    }
}

/// Whether taking it back opens something, and so asks for a reason where that is guarded.
fn is_kept_closed(state: &State, revision: u64) -> bool {
    let touched = state.touched(revision);
    touched.is_some_and(|touched| {
        touched.before.iter().any(|before| match before {
            Before::Position { flag, from, to, .. } => {
                let closed = state
                    .flag(flag.as_str())
                    .map(|flag| &flag.definition.closed);
                closed.is_none_or(|closed| leverframe_core::position::is_opening(to, from, closed))
                    || leverframe_core::position::lifts_latch(to, from)
            }
            _ => true,
        })
    })
}
