//! Rollouts, listed: those that run first.

use axum::extract::State;
use axum::response::Response;
use leverframe_console::Place;
use leverframe_console::page::{self, Running};
use leverframe_core::access::Role;
use leverframe_wire::admin::RolloutList;

use super::visit::Visit;
use super::{Pages, answer, launch, listed};
use crate::admin::rollout::evidence;
use crate::admin::rollout::view::{self, Wanted, Which};
use crate::app::App;
use crate::limit::{PAGE_MAX, ROLLOUTS_SHOWN};
use crate::problem::Failure;

pub(super) fn pages() -> Pages {
    listed! {
        get "/rollouts" => show;
        post "/rollouts" => launch::start;
    }
}

async fn show(visit: Visit, State(app): State<App>) -> Result<Response, Failure> {
    let state = visit.parameter("state").unwrap_or_default();
    let flag = visit.parameter("flag");
    let after = visit.parameter("after");
    let wanted = |which: Which, after: Option<String>| Wanted {
        environment: Some(visit.environment.to_string()),
        flag: flag.clone(),
        state: Some(which),
        after,
        ..Wanted::default()
    };
    let nothing = RolloutList {
        rollouts: Vec::new(),
        next: None,
    };
    let running = match state.as_str() {
        "over" => nothing.clone(),
        _ => view::list(&app, &visit, &wanted(Which::Running, None), PAGE_MAX)?,
    };
    let over = match state.as_str() {
        "running" => nothing,
        _ => view::list(
            &app,
            &visit,
            &wanted(Which::Over, after.clone()),
            ROLLOUTS_SHOWN,
        )?,
    };
    let mut runs = Vec::with_capacity(running.rollouts.len());
    for one in running.rollouts {
        // One that ended in between is among the others with the next look.
        let Ok(rollout) = view::permitted(&visit, &app, &one.id) else {
            continue;
        };
        let seen = evidence::evidence(&app, &rollout).await?;
        runs.push(Running {
            rollout: one,
            users_hit: seen.users_hit,
            holds: seen.holds,
            next: seen.next,
        });
    }
    let shell = visit.shell(&app, Place::Rollouts, "Rollouts");
    Ok(answer::page(&page::Rollouts {
        shell,
        running: runs,
        over,
        flag: flag.unwrap_or_default(),
        state,
        is_first: after.is_none(),
        may_start: visit.token().role >= Role::Operator,
    }))
}
