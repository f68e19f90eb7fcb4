//! A rollout before it starts, and its start.

use axum::extract::State;
use axum::response::Response;
use leverframe_console::page::{self, Terms};
use leverframe_console::{Failing, Link, Place};
use leverframe_core::access::{Permission, Role};
use leverframe_wire::admin::{AskPreflight, StartRollout};

use super::form::Form;
use super::visit::Visit;
use super::{Pages, answer, listed};
use crate::admin::{plan, preflight, rollout};
use crate::app::App;
use crate::limit::PAGE_MAX;
use crate::problem::Failure;

/// The plan that is looked at when nobody chose one.
const PLAN: &str = "safe";

pub(super) fn pages() -> Pages {
    listed! {
        get "/rollouts/new" => show;
    }
}

async fn show(visit: Visit, State(app): State<App>) -> Result<Response, Failure> {
    let flag = visit.parameter("flag").unwrap_or_default();
    let plan = visit.parameter("plan").unwrap_or_else(|| PLAN.to_owned());
    let mut page = page_of(&visit, &app, flag, plan)?;
    match look(&visit, &app, &mut page).await {
        Ok(()) => Ok(answer::page(&page)),
        Err(failure) => {
            page.shell.failing = Some(Failing::from(failure.problem()));
            Ok(answer::page_with(failure.status(), &page))
        }
    }
}

/// The page without what was found.
fn page_of(visit: &Visit, app: &App, flag: String, plan: String) -> Result<page::Launch, Failure> {
    let plans = plan::list(app, visit, None, PAGE_MAX)?.plans.into_iter();
    let state = app.node().state();
    let if_match = state.flag(&flag).map_or(0, |flag| {
        state.lever_revision(flag, visit.environment.as_str())
    });
    let token = visit.token();
    Ok(page::Launch {
        shell: visit.shell(app, Place::Rollouts, "Start a rollout"),
        if_match,
        may_start: token.role >= Role::Operator && token.allows_key(&flag),
        plans: plans.map(|plan| plan.definition.key).collect(),
        found: None,
        ticked: Terms::default(),
        reason: String::new(),
        flag,
        plan,
    })
}

/// Puts what was found before the start on the page, once a flag is chosen.
async fn look(visit: &Visit, app: &App, page: &mut page::Launch) -> Result<(), Failure> {
    if page.flag.is_empty() {
        return Ok(());
    }
    let ask = AskPreflight {
        plan: Some(page.plan.clone()),
        definition: None,
    };
    let lever = (visit.environment.as_str(), page.flag.as_str());
    page.found = Some(preflight::found(app, visit, lever, ask).await?);
    Ok(())
}

pub(super) async fn start(
    visit: Visit,
    State(app): State<App>,
    form: Form,
) -> Result<Response, Failure> {
    visit.permit(&Permission::Change)?;
    visit.named_environment()?;
    let ticked = Terms {
        replace: form.is_ticked("replace"),
        again: form.is_ticked("again"),
        undeclared_too: form.is_ticked("undeclared_too"),
    };
    let wanted = StartRollout {
        plan: form.some("plan"),
        definition: None,
        replace: ticked.replace,
        again: ticked.again,
        undeclared_too: ticked.undeclared_too,
        why: form.why(),
    };
    let change = form.change()?;
    let lever = (visit.environment.as_str(), form.get("flag"));
    let failure = match rollout::start(&app, &visit, lever, wanted, change).await {
        Ok(started) => {
            let id = started.rollout.unwrap_or_default();
            let to = Link::to(["rollouts", &id]).with("env", &visit.environment);
            return Ok(answer::go(&to.with("r", started.receipt.revision)));
        }
        Err(failure) => failure,
    };
    let (flag, plan) = (form.get("flag").to_owned(), form.get("plan").to_owned());
    let mut page = page_of(&visit, &app, flag, plan)?;
    // What it was refused for is more than that there is nothing to show beside it.
    if let Err(missing) = look(&visit, &app, &mut page).await {
        tracing::debug!(
            detail = missing.detail(),
            "a refused start cannot be looked at"
        );
    }
    page.shell.failing = Some(Failing::from(failure.problem()));
    page.ticked = ticked;
    page.reason = form.get("reason").to_owned();
    Ok(answer::page_with(failure.status(), &page))
}
