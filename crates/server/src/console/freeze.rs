//! Freezing an environment, or all of them, and thawing it.

use axum::extract::State;
use axum::response::Response;
use leverframe_console::page::{Freeze, Freezing};
use leverframe_console::{Failing, Link, Place};
use leverframe_flags::EnvironmentKey;
use leverframe_wire::admin::PutFreeze;

use super::form::Form;
use super::kill::barred;
use super::visit::Visit;
use super::{Pages, answer, listed};
use crate::admin::freeze;
use crate::app::App;
use crate::convert::{checked, freeze_view};
use crate::problem::Failure;

/// How long a freeze lasts when nobody says, as the API writes it.
const LASTS: &str = "2h";

pub(super) fn pages() -> Pages {
    listed! {
        get "/freeze" => show;
        post "/freeze" => stop;
        post "/thaw" => thaw;
    }
}

async fn show(visit: Visit, State(app): State<App>) -> Response {
    let filled = Freezing {
        is_everywhere: visit
            .parameter("where")
            .is_some_and(|place| place == "everywhere"),
        lasts: LASTS.to_owned(),
        reason: String::new(),
        incident: String::new(),
    };
    shown(&app, &visit, filled, None)
}

async fn stop(visit: Visit, State(app): State<App>, form: Form) -> Response {
    let filled = filled(&form);
    let mut done = Vec::new();
    let mut refused = Vec::new();
    for environment in meant(&app, &visit, &form) {
        match freeze_one(&app, &visit, &environment, &form, &filled).await {
            Ok(()) => done.push(environment),
            Err(failure) => refused.push((environment, failure)),
        }
    }
    told(&app, &visit, filled, "frozen", &done, refused)
}

async fn freeze_one(
    app: &App,
    visit: &Visit,
    environment: &EnvironmentKey,
    form: &Form,
    filled: &Freezing,
) -> Result<(), Failure> {
    visit.named_environment()?;
    let wanted = PutFreeze {
        lasts: checked("for", &filled.lasts)?,
        why: form.why(),
    };
    let change = form.change_in(environment.as_str())?;
    freeze::put(app, visit, environment.as_str(), wanted, change).await?;
    Ok(())
}

async fn thaw(visit: Visit, State(app): State<App>, form: Form) -> Response {
    let mut done = Vec::new();
    let mut refused = Vec::new();
    let now = app.node().wall_now();
    for environment in meant(&app, &visit, &form) {
        let is_frozen = app
            .node()
            .state()
            .freeze(environment.as_str(), now)
            .is_some();
        if !is_frozen && is_everywhere(&form) {
            continue;
        }
        match thaw_one(&app, &visit, &environment, &form).await {
            Ok(()) => done.push(environment),
            Err(failure) => refused.push((environment, failure)),
        }
    }
    told(&app, &visit, filled(&form), "thawed", &done, refused)
}

async fn thaw_one(
    app: &App,
    visit: &Visit,
    environment: &EnvironmentKey,
    form: &Form,
) -> Result<(), Failure> {
    visit.named_environment()?;
    let change = form.change_in(environment.as_str())?;
    freeze::lift(app, visit, environment.as_str(), form.why(), change).await?;
    Ok(())
}

fn is_everywhere(form: &Form) -> bool {
    form.get("where") == "everywhere"
}

fn filled(form: &Form) -> Freezing {
    Freezing {
        is_everywhere: is_everywhere(form),
        lasts: form.some("for").unwrap_or_else(|| LASTS.to_owned()),
        reason: form.get("reason").to_owned(),
        incident: form.get("incident").to_owned(),
    }
}

/// The environments that are meant: the page's, or every one that the visitor is for.
fn meant(app: &App, visit: &Visit, form: &Form) -> Vec<EnvironmentKey> {
    match is_everywhere(form) {
        true => seen(app, visit),
        false => vec![visit.environment.clone()],
    }
}

fn seen(app: &App, visit: &Visit) -> Vec<EnvironmentKey> {
    let state = app.node().state();
    let keys = state.environments().map(|entry| &entry.environment.key);
    keys.filter(|key| visit.token().allows_environment(key.as_str()))
        .cloned()
        .collect()
}

/// On to Now; or the form again where one of them refused, with which are done and which are not.
fn told(
    app: &App,
    visit: &Visit,
    filled: Freezing,
    deed: &str,
    done: &[EnvironmentKey],
    refused: Vec<(EnvironmentKey, Failure)>,
) -> Response {
    let mut sentences = Vec::new();
    if !done.is_empty() {
        let keys: Vec<&str> = done.iter().map(EnvironmentKey::as_str).collect();
        sentences.push(format!("Done: {} {deed}.", keys.join(", ")));
    }
    let why = |(environment, failure): &(EnvironmentKey, Failure)| {
        format!("Not {deed}: {environment}: {}.", failure.detail())
    };
    sentences.extend(refused.iter().map(why));
    match refused.into_iter().next() {
        None => answer::go(&Link::to(["now"]).with("env", &visit.environment)),
        Some((_, failure)) => shown(app, visit, filled, Some((failure, sentences.join(" ")))),
    }
}

fn shown(
    app: &App,
    visit: &Visit,
    filled: Freezing,
    failure: Option<(Failure, String)>,
) -> Response {
    let (state, now) = (app.node().state(), app.node().wall_now());
    let mut shell = visit.shell(app, Place::Now, "Freeze");
    shell.failing = failure.as_ref().map(|(why, sentence)| {
        let mut failing = Failing::from(why.problem());
        failing.detail.clone_from(sentence);
        failing
    });
    let stands = |key: EnvironmentKey| {
        let holds = state.freeze(key.as_str(), now).map(freeze_view);
        (key.to_string(), holds)
    };
    let page = Freeze {
        shell,
        environments: seen(app, visit).into_iter().map(stands).collect(),
        filled,
        barred: barred(visit, None),
    };
    match failure {
        Some((failure, _)) => answer::page_with(failure.status(), &page),
        None => answer::page(&page),
    }
}
