//! Taking a change back, from wherever it is shown.

use axum::extract::State;
use axum::response::Response;
use leverframe_console::page::{self, Pulled, UndoOf};
use leverframe_console::{Failing, Link, Place};
use leverframe_core::state::Before;
use leverframe_wire::admin;

use super::form::Form;
use super::visit::Visit;
use super::{Pages, answer, confirmation, listed};
use crate::admin::lever;
use crate::app::App;
use crate::problem::Failure;

pub(super) fn pages() -> Pages {
    listed! {
        get "/undo" => show;
        post "/undo" => take_back;
    }
}

async fn show(visit: Visit, State(app): State<App>) -> Result<Response, Failure> {
    let pulled = confirmation::asked(&app, &visit).await?;
    Ok(shown(&app, &visit, pulled, None))
}

async fn take_back(mut visit: Visit, State(app): State<App>, form: Form) -> Response {
    let revision = form.get("revision").parse::<u64>().ok();
    // The journal shows every environment's revisions on one page; told is it where the levers are.
    let home = revision.map(|revision| confirmation::home(&app.node().state(), &visit, revision));
    if let Some(home) = home.filter(|home| visit.token().allows_environment(home.as_str())) {
        visit.environment = home;
    }
    match take(&app, &visit, revision, &form).await {
        Ok(receipt) => answer::go(&place(&app, &visit, &receipt)),
        Err(failure) => {
            let mut pulled = match revision {
                Some(revision) => confirmation::of_revision(&app, &visit, revision).await.ok(),
                None => None,
            };
            if let Some(Pulled {
                undo: page::Undo::Form { reason, .. },
                ..
            }) = &mut pulled
            {
                form.get("reason").clone_into(reason);
            }
            shown(&app, &visit, pulled, Some(failure))
        }
    }
}

async fn take(
    app: &App,
    visit: &Visit,
    revision: Option<u64>,
    form: &Form,
) -> Result<admin::Receipt, Failure> {
    if revision.is_none() {
        return Err(Failure::invalid("revision", "say which revision to undo"));
    }
    let wanted = admin::Undo {
        revision,
        why: form.why(),
    };
    lever::take_back(app, visit, wanted, form.change()?).await
}

/// Where it is told what became of the undo: at its lever, where it moved one.
fn place(app: &App, visit: &Visit, receipt: &admin::Receipt) -> Link {
    let state = app.node().state();
    let mut levers = state
        .touched(receipt.revision)
        .into_iter()
        .flat_map(|touched| &touched.before)
        .filter_map(|before| match before {
            Before::Position {
                flag, environment, ..
            } => Some((flag, environment)),
            _ => None,
        });
    let place = match (levers.next(), levers.next()) {
        (Some((flag, environment)), None) => {
            Link::to(["levers", flag.as_str()]).with("env", environment)
        }
        (Some(_), Some(_)) => Link::to(["kill"]).with("env", &visit.environment),
        (None, _) => {
            let revision = receipt.revision.to_string();
            return Link::to(["audit", &revision]).with("env", &visit.environment);
        }
    };
    confirmation::link(place, receipt, "")
}

fn shown(app: &App, visit: &Visit, pulled: Option<Pulled>, failure: Option<Failure>) -> Response {
    let title = match pulled.as_ref().and_then(|pulled| pulled.revision) {
        Some(revision) => format!("Undo r{revision}"),
        None => "Undo".to_owned(),
    };
    let mut shell = visit.shell(app, Place::Audit, title);
    shell.refresh_s = pulled.as_ref().and_then(Pulled::refresh_s);
    shell.failing = failure.as_ref().map(|why| Failing::from(why.problem()));
    let page = UndoOf { shell, pulled };
    match failure {
        Some(failure) => answer::page_with(failure.status(), &page),
        None => answer::page(&page),
    }
}
