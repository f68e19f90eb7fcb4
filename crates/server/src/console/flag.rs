//! One flag: looked at, taken out of use and back.

use axum::extract::State;
use axum::response::Response;
use leverframe_console::{Failing, Link, Place, page};
use leverframe_core::Command;
use leverframe_core::access::{Permission, Role};
use leverframe_core::state::Before;
use leverframe_wire::admin;

use super::form::Form;
use super::stored::told;
use super::visit::Visit;
use super::{Pages, answer, evaluation, listed};
use crate::admin::{flag, fleet, journal, rollout};
use crate::app::App;
use crate::convert::checked;
use crate::problem::Failure;
use crate::request::Path;

/// How many records of its history are on a flag's page.
const HISTORY_MAX: usize = 20;

pub(super) fn pages() -> Pages {
    listed! {
        get "/flags/{flag}" => show;
        post "/flags/{flag}/archive" => archive;
        post "/flags/{flag}/restore" => restore;
    }
}

async fn show(
    visit: Visit,
    State(app): State<App>,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    Ok(answer::page(&page_of(&visit, &app, &key).await?))
}

/// Everything about one flag.
async fn page_of(visit: &Visit, app: &App, key: &str) -> Result<page::Flag, Failure> {
    let flag = flag::read(app, visit, key)?;
    let wanted = journal::Wanted {
        flag: Some(key.to_owned()),
        limit: Some(HISTORY_MAX),
        ..journal::Wanted::default()
    };
    let stored = told(visit, |revision| is_of_flag(app, &flag, revision));
    let newest = fleet::newest(app, visit, visit.environment.as_str());
    Ok(page::Flag {
        stored: stored.zip(newest.ok()),
        shell: visit.shell(app, Place::Flags, key),
        trial: evaluation::trial(visit, app, key),
        rollout: rollout::of(app, visit, visit.environment.as_str(), key).ok(),
        history: journal::list(app, visit, &wanted).await.ok(),
        is_editor: visit.may_edit(key),
        is_brake: visit.token().role >= Role::Brake && visit.token().allows_key(key),
        flag,
    })
}

async fn archive(
    visit: Visit,
    State(app): State<App>,
    Path(key): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    let asked = async {
        let command = Command::ArchiveFlag {
            flag: checked("flag", &key)?,
        };
        submit(&visit, &app, command, &form).await
    };
    let asked = asked.await;
    back(&visit, &app, &key, asked).await
}

/// What was archived is taken back by undoing the revision that did it.
async fn restore(
    visit: Visit,
    State(app): State<App>,
    Path(key): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    let asked = async {
        let command = Command::Undo {
            revision: Some(checked("revision", form.get("revision"))?),
        };
        submit(&visit, &app, command, &form).await
    };
    let asked = asked.await;
    back(&visit, &app, &key, asked).await
}

async fn submit(visit: &Visit, app: &App, command: Command, form: &Form) -> Result<(), Failure> {
    visit.permit(&Permission::Change)?;
    let change = form.change()?;
    change.submit(app, visit, command, form.why()).await?;
    Ok(())
}

/// Back to the flag's page, which says why where it was not done.
async fn back(
    visit: &Visit,
    app: &App,
    key: &str,
    asked: Result<(), Failure>,
) -> Result<Response, Failure> {
    let Err(failure) = asked else {
        return Ok(answer::go(&here(visit, key)));
    };
    let mut page = page_of(visit, app, key).await?;
    page.shell.failing = Some(Failing::from(failure.problem()));
    Ok(answer::page_with(failure.status(), &page))
}

/// A flag's page.
pub(super) fn here(visit: &Visit, key: &str) -> Link {
    Link::to(["flags", key]).with("env", &visit.environment)
}

/// Whether a revision is one of this flag: that it has its definition from, or a recent one.
fn is_of_flag(app: &App, flag: &admin::Flag, revision: u64) -> bool {
    let key = flag.definition.key.as_str();
    let is_of_it = |before: &Before| match before {
        Before::Position { flag, .. } | Before::NoFlag { flag } | Before::Archived { flag, .. } => {
            flag.as_str() == key
        }
        Before::Definition { definition } => definition.key.as_str() == key,
        _ => false,
    };
    let state = app.node().state();
    let touched = state.touched(revision);
    flag.defined_revision == revision
        || touched.is_some_and(|touched| touched.before.iter().any(is_of_it))
}
