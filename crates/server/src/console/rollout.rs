//! One rollout: looked at, and steered.

use axum::extract::State;
use axum::response::Response;
use leverframe_console::page::{Powers, Typed, Verb};
use leverframe_console::{Failing, Link, Place, page};
use leverframe_core::access::{Permission, Role};
use leverframe_core::rollout::{Rollout, Steer};
use leverframe_flags::FlagKey;

use super::form::Form;
use super::visit::Visit;
use super::{Pages, answer, listed};
use crate::admin::fleet;
use crate::admin::rollout::{evidence, steer, view};
use crate::app::App;
use crate::problem::Failure;
use crate::request::Path;

/// After how many seconds a browser without a script looks again, of somebody who only looks.
const REFRESH_S: u32 = 2;

pub(super) fn pages() -> Pages {
    listed! {
        get "/rollouts/{rollout}" => show;
        post "/rollouts/{rollout}/pause" => pause;
        post "/rollouts/{rollout}/resume" => resume;
        post "/rollouts/{rollout}/advance" => advance;
        post "/rollouts/{rollout}/skip" => skip;
        post "/rollouts/{rollout}/approve" => approve;
        post "/rollouts/{rollout}/rollback" => roll_back;
    }
}

async fn show(
    visit: Visit,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let rollout = view::permitted(&visit, &app, &id)?;
    let page = page_of(visit, &app, &rollout).await?;
    Ok(answer::page(&page))
}

async fn page_of(mut visit: Visit, app: &App, rollout: &Rollout) -> Result<page::Rollout, Failure> {
    // A rollout is of one environment, whatever the address says.
    visit.environment = rollout.environment.clone();
    let mut shell = visit.shell(app, Place::Rollouts, format!("Rollout of {}", rollout.flag));
    for choice in &mut shell.environments {
        if !choice.is_current {
            choice.link = Link::to(["rollouts"]).with("env", &choice.words);
        }
    }
    // Not under the hands of whoever may be typing why.
    let only_looks = visit.permit(&Permission::Change).is_err();
    shell.refresh_s = (only_looks && !rollout.is_over()).then_some(REFRESH_S);
    let state = app.node().state();
    let done = visit
        .parameter("r")
        .and_then(|revision| revision.parse().ok())
        .filter(|revision| *revision <= state.revision());
    let confirmation = match done {
        Some(_) => Some(fleet::newest(app, &visit, rollout.environment.as_str())?),
        None => None,
    };
    let flag = state.flag(rollout.flag.as_str());
    Ok(page::Rollout {
        shell,
        evidence: evidence::evidence(app, rollout).await?,
        measurements: evidence::measurements(app, rollout).await?,
        powers: powers(&visit, &rollout.flag),
        if_match: flag.map_or(0, |flag| {
            state.lever_revision(flag, rollout.environment.as_str())
        }),
        typed: Typed::default(),
        confirmation,
        done,
    })
}

/// What is offered. What is allowed is core's to decide, when it is asked for.
pub(super) fn powers(visit: &Visit, flag: &FlagKey) -> Powers {
    let token = visit.token();
    let is_for_flag = token.allows_key(flag.as_str());
    Powers {
        may_stop: is_for_flag && token.role >= Role::Brake,
        may_go_on: is_for_flag && token.role >= Role::Operator,
    }
}

macro_rules! verbs {
    ($($(#[$doc:meta])* $handler:ident = $verb:ident, $steer:ident;)+) => {
        $(
            $(#[$doc])*
            async fn $handler(
                visit: Visit,
                State(app): State<App>,
                Path(id): Path<String>,
                form: Form,
            ) -> Result<Response, Failure> {
                order(visit, &app, &id, form, (Verb::$verb, Steer::$steer)).await
            }
        )+
    };
}
verbs! {
    /// Stops it where it stands.
    pause = Pause, Pause;
    /// Lets it go on.
    resume = Resume, Resume;
    /// To the next stage, if the evidence allows it.
    advance = Advance, Advance;
    /// To the next stage without evidence.
    skip = Skip, Skip;
    /// Somebody looked.
    approve = Approve, Approve;
    /// Back to where the lever was.
    roll_back = RollBack, RollBack;
}

async fn order(
    visit: Visit,
    app: &App,
    id: &str,
    form: Form,
    (verb, what): (Verb, Steer),
) -> Result<Response, Failure> {
    visit.permit(&Permission::Change)?;
    let rollout = view::permitted(&visit, app, id)?;
    let change = form.change()?;
    let ordered = steer::order(app, &visit, id, what, (change, form.why())).await;
    match ordered {
        Ok(receipt) => Ok(answer::go(
            &Link::to(["rollouts", id])
                .with("env", &rollout.environment)
                .with("r", receipt.revision),
        )),
        Err(failure) => {
            // As it is now: somebody may have been quicker.
            let rollout = view::permitted(&visit, app, id)?;
            let mut page = page_of(visit, app, &rollout).await?;
            page.shell.failing = Some(Failing::from(failure.problem()));
            page.typed = Typed {
                verb: Some(verb),
                reason: form.get("reason").to_owned(),
                chip: form.get("chip").to_owned(),
            };
            Ok(answer::page_with(failure.status(), &page))
        }
    }
}
