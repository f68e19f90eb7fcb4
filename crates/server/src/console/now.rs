//! The first page: everything from memory, but for the journal of a day, which is not waited for long.

use std::cmp::Reverse;

use axum::extract::State;
use axum::response::Response;
use leverframe_console::page::{self, Need};
use leverframe_console::{Link, Place, Shell};
use leverframe_core::rollout::{Phase, Rollout};
use leverframe_wire::admin::{self, Evidence, RolloutState, Status};

use super::visit::Visit;
use super::{Pages, answer, day, listed};
use crate::admin::status;
use crate::app::App;
use crate::convert::{Known, evidence_view, whole_rollout_view};
use crate::limit::{NOW_LEVERS_MAX, NOW_ROLLOUTS_MAX};
use crate::problem::Failure;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Most stragglers that are named; the fleet's page has them all.
const STRAGGLERS_NAMED: usize = 3;

pub(super) fn pages() -> Pages {
    listed! {
        get "/now" => show;
    }
}

async fn show(visit: Visit, State(app): State<App>) -> Result<Response, Failure> {
    let environment = visit.environment.as_str();
    let since = app.node().wall_now().plus_ms(-DAY_MS);
    // Open, or killed in the last day.
    let is_wanted = |lever: &leverframe_core::state::Lever| {
        !lever.position.is_closed()
            || (leverframe_core::position::latch(&lever.position).is_some()
                && lever.moved_at >= since)
    };
    let glance = status::glance(&app, &visit, environment, is_wanted, NOW_LEVERS_MAX)?;
    let status = glance.status;
    let mut running = running(&app, &visit);
    let running_more = running.len().saturating_sub(NOW_ROLLOUTS_MAX);
    running.truncate(NOW_ROLLOUTS_MAX);
    let changed = day::changed(&app, &visit, since).await;
    let shell = visit.shell(&app, Place::Now, format!("Now in {environment}"));
    Ok(answer::page(&page::Now {
        needs: needs(&app, &shell, &status),
        rolled_back: rolled_back(&app, &visit, since),
        running,
        running_more,
        levers: status.levers,
        levers_len: glance.wanted,
        never_moved: status.never_moved,
        changed,
        fleet: status.fleet,
        freeze: status.freeze,
        shell,
    }))
}

/// Rollouts that run here, as they are seen now, those that somebody waits for first.
fn running(app: &App, visit: &Visit) -> Vec<Evidence> {
    let state = app.node().state();
    let now = app.node().steady_now();
    let mut running: Vec<_> = state
        .running()
        .filter(|rollout| rollout.environment == visit.environment)
        .collect();
    running.sort_by_key(|rollout| (Reverse(rollout.started_at), rollout.id.clone()));
    running
        .into_iter()
        .map(|rollout| {
            let look = app.node().look(&rollout.id);
            let known = Known {
                seen: look.as_ref().map(|look| &*look.observation),
                last: Vec::new(),
                freeze: state.freeze(visit.environment.as_str(), app.node().wall_now()),
                now,
            };
            let view = whole_rollout_view(&state, rollout, now);
            evidence_view(view, rollout, &known)
        })
        .collect()
}

/// Rollouts of the last day that were taken back, the last first.
fn rolled_back(app: &App, visit: &Visit, since: leverframe_core::Timestamp) -> Vec<admin::Rollout> {
    let state = app.node().state();
    let now = app.node().steady_now();
    let mut back: Vec<&Rollout> = state
        .rollouts()
        .map(|rollout| &**rollout)
        .filter(|one| one.environment == visit.environment && one.since >= since)
        .filter(|one| matches!(one.phase, Phase::RolledBack))
        .collect();
    back.sort_by_key(|one| (Reverse(one.since), one.id.clone()));
    back.into_iter()
        .take(NOW_ROLLOUTS_MAX)
        .map(|one| whole_rollout_view(&state, one, now))
        .collect()
}

/// What somebody should look at.
fn needs(app: &App, shell: &Shell, status: &Status) -> Vec<Need> {
    let say = |words: String, is_urgent: bool| Need {
        words,
        link: None,
        is_urgent,
    };
    let mut needs: Vec<Need> = Vec::new();
    let health = app.node().health();
    needs.extend(health.problems.into_iter().map(|why| say(why, true)));
    needs.extend(
        status
            .pages_failing
            .iter()
            .map(|why| say(why.clone(), true)),
    );
    for rollout in &status.rollouts {
        let words = match rollout.state {
            RolloutState::Asking => "asks a person",
            RolloutState::Looking => "waits for a look",
            RolloutState::Holding => "holds: its evidence is not enough",
            RolloutState::Retreated => "was taken back a stage",
            RolloutState::Paused => "is paused",
            _ => continue,
        };
        let is_urgent = matches!(rollout.state, RolloutState::Asking | RolloutState::Looking);
        needs.push(Need {
            words: format!("The rollout of {} {words}.", rollout.flag),
            link: Some(of_rollout(shell, rollout)),
            is_urgent,
        });
    }
    if !status.fleet.stragglers.is_empty() {
        needs.push(behind(shell, &status.fleet));
    }
    needs.extend(
        status
            .not_drilled
            .iter()
            .take(STRAGGLERS_NAMED)
            .map(|why| say(why.clone(), false)),
    );
    let more = status.not_drilled.len().saturating_sub(STRAGGLERS_NAMED);
    if more > 0 {
        needs.push(say(
            format!("{more} more levers were not drilled for 90 days."),
            false,
        ));
    }
    needs
}

fn of_rollout(shell: &Shell, rollout: &admin::Rollout) -> (Link, String) {
    let words = format!("Look at {}", rollout.flag);
    (shell.rollout_link(&rollout.id), words)
}

fn behind(shell: &Shell, fleet: &admin::Confirmation) -> Need {
    let mut names: Vec<String> = fleet
        .stragglers
        .iter()
        .take(STRAGGLERS_NAMED)
        .map(|one| format!("{} (build {})", one.instance, one.build))
        .collect();
    let more = fleet.stragglers.len() - names.len();
    if more > 0 {
        names.push(format!("{more} more"));
    }
    let words = format!(
        "{} of {} evaluators do not have r{}: {}.",
        fleet.stragglers.len(),
        fleet.expected,
        fleet.revision,
        names.join(", ")
    );
    let link = shell.link(["fleet"]).with("behind", 1);
    Need {
        words,
        link: Some((link, "What to do".to_owned())),
        is_urgent: false,
    }
}
