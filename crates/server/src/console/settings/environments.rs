//! Environments and their guards.

use axum::extract::State;
use axum::response::Response;
use leverframe_console::page::settings::{AskedEnvironment, Environments};
use leverframe_console::{Failing, Place};
use leverframe_core::access::Permission;
use leverframe_node::Accepted;
use leverframe_wire::admin::{CreateEnvironment, GuardEnvironment};

use crate::admin::environment;
use crate::app::App;
use crate::console::form::Form;
use crate::console::stored::{telling, told};
use crate::console::visit::Visit;
use crate::console::{Pages, answer, listed};
use crate::problem::Failure;
use crate::request::Path;

pub(super) fn pages() -> Pages {
    listed! {
        get "/settings/environments" => show;
        post "/settings/environments" => add;
        post "/settings/environments/{environment}/guard" => guard;
    }
}

async fn show(visit: Visit, State(app): State<App>) -> Response {
    answer::page(&page(&visit, &app))
}

async fn add(visit: Visit, State(app): State<App>, form: Form) -> Response {
    let asked = AskedEnvironment {
        key: form.get("key").to_owned(),
        guarded: form.is_ticked("guarded"),
        reason: form.get("reason").to_owned(),
    };
    let wanted = CreateEnvironment {
        key: asked.key.clone(),
        guarded: asked.guarded,
        why: form.why(),
    };
    let added = async {
        visit.permit(&Permission::ManageEnvironments)?;
        environment::create(&app, &visit, wanted, form.change()?).await
    };
    match added.await {
        Ok(accepted) => done(&visit, &app, &accepted),
        Err(failure) => refuse(&visit, &app, &failure, asked),
    }
}

async fn guard(
    visit: Visit,
    State(app): State<App>,
    Path(environment): Path<String>,
    form: Form,
) -> Response {
    let wanted = GuardEnvironment {
        guarded: form.is_ticked("guarded"),
        why: form.why(),
    };
    let changed = async {
        visit.permit(&Permission::ManageEnvironments)?;
        environment::guard(&app, &visit, &environment, wanted, form.change()?).await
    };
    match changed.await {
        Ok(accepted) => done(&visit, &app, &accepted),
        Err(failure) => refuse(&visit, &app, &failure, AskedEnvironment::default()),
    }
}

fn done(visit: &Visit, app: &App, accepted: &Accepted) -> Response {
    let shell = visit.shell(app, Place::Settings, "Environments");
    let page = shell.link(["settings", "environments"]);
    answer::go(&telling(page, accepted))
}

fn refuse(visit: &Visit, app: &App, failure: &Failure, asked: AskedEnvironment) -> Response {
    let mut page = page(visit, app);
    page.shell.failing = Some(Failing::from(failure.problem()));
    page.asked = asked;
    answer::page_with(failure.status(), &page)
}

fn page(visit: &Visit, app: &App) -> Environments {
    let refusal = visit.permit(&Permission::ManageEnvironments).err();
    let state = app.node().state();
    let is_of_guard = |revision| {
        state.environments().any(|entry| {
            entry.guarded_revision == revision
                && visit
                    .token()
                    .allows_environment(entry.environment.key.as_str())
        })
    };
    Environments {
        shell: visit.shell(app, Place::Settings, "Environments"),
        environments: environment::all(app, visit).environments,
        refusal: refusal.map(|failure| failure.detail().to_owned()),
        asked: AskedEnvironment::default(),
        stored: told(visit, is_of_guard),
    }
}
