//! One lever: opened, ramped, pinned. Closing has a page of its own.

use axum::extract::State;
use axum::response::Response;
use leverframe_console::page::{Filling, Lever, LeverPanel, Pulled};
use leverframe_console::{Failing, Link, Place};
use leverframe_core::state::Flag;
use leverframe_wire::admin::{Exposure, Open, Pin, Position, Ramp, Receipt};

use super::form::{Form, fresh_key};
use super::kill::barred;
use super::visit::{Visit, now};
use super::{Pages, answer, confirmation, listed};
use crate::admin::lever;
use crate::app::App;
use crate::convert::lever_view;
use crate::limit::COHORT_CHIPS_MAX;
use crate::problem::Failure;
use crate::request::Path;

pub(super) fn pages() -> Pages {
    listed! {
        get "/levers/{flag}" => show;
        post "/levers/{flag}/open" => open;
        post "/levers/{flag}/ramp" => ramp;
        post "/levers/{flag}/pin" => pin;
    }
}

async fn show(
    visit: Visit,
    State(app): State<App>,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    let pulled = confirmation::asked(&app, &visit).await?;
    let panel = panel(&app, &visit, &key)?;
    Ok(shown(&app, &visit, panel, pulled, None))
}

async fn open(
    visit: Visit,
    State(app): State<App>,
    Path(key): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    let opened = async {
        let environment = visit.named_environment()?.as_str();
        let exposure = Exposure {
            cohorts: form.all("cohort").map(str::to_owned).collect(),
            percentage: share(&form, "exposure.percentage")?,
        };
        let wanted = Open {
            exposure,
            unwatched: form.is_ticked("unwatched"),
            why: form.why(),
        };
        lever::open(&app, &visit, (&key, environment), wanted, form.change()?).await
    };
    let opened = opened.await;
    moved(&app, &visit, &key, &form, opened)
}

async fn ramp(
    visit: Visit,
    State(app): State<App>,
    Path(key): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    let ramped = async {
        let environment = visit.named_environment()?.as_str();
        let wanted = Ramp {
            percentage: share(&form, "percentage")?,
            unwatched: form.is_ticked("unwatched"),
            why: form.why(),
        };
        lever::ramp(&app, &visit, (&key, environment), wanted, form.change()?).await
    };
    let ramped = ramped.await;
    moved(&app, &visit, &key, &form, ramped)
}

async fn pin(
    visit: Visit,
    State(app): State<App>,
    Path(key): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    let pinned = async {
        let environment = visit.named_environment()?.as_str();
        let wanted = Pin {
            variant: form.get("variant").to_owned(),
            why: form.why(),
        };
        lever::pin(&app, &visit, (&key, environment), wanted, form.change()?).await
    };
    let pinned = pinned.await;
    moved(&app, &visit, &key, &form, pinned)
}

/// The share that was asked for: the button with a share on it, or what was typed.
fn share(form: &Form, field: &str) -> Result<f64, Failure> {
    let text = match form.get("quick") {
        "" => form.get("percentage"),
        quick => quick,
    };
    let text = text.trim_end_matches('%').trim().replace(',', ".");
    let typed = if text.is_empty() { "0" } else { &text };
    typed
        .parse()
        .map_err(|_| Failure::invalid(field, format!("{typed:?} is no share in per cent")))
}

/// What became of it; or the same page, with why not and what was typed.
fn moved(
    app: &App,
    visit: &Visit,
    key: &str,
    form: &Form,
    outcome: Result<Receipt, Failure>,
) -> Result<Response, Failure> {
    match outcome {
        Ok(receipt) => {
            let place = Link::to(["levers", key]).with("env", &visit.environment);
            let incident = form.get("incident");
            Ok(answer::go(&confirmation::link(place, &receipt, incident)))
        }
        Err(failure) => {
            let mut panel = panel(app, visit, key)?;
            panel.wrong = failure.problem().field.clone();
            let text = |name: &str| form.get(name).to_owned();
            panel.filled = Filling {
                percentage: match form.get("quick") {
                    "" => text("percentage"),
                    quick => quick.to_owned(),
                },
                cohorts: form.all("cohort").map(str::to_owned).collect(),
                variant: text("variant"),
                reason: text("reason"),
                incident: text("incident"),
                is_unwatched: form.is_ticked("unwatched"),
            };
            Ok(shown(app, visit, panel, None, Some(failure)))
        }
    }
}

/// Where a lever stands, with the forms that move it; for whatever page shows it.
///
/// # Errors
/// 404 when there is no such flag.
pub(super) fn panel(app: &App, visit: &Visit, key: &str) -> Result<LeverPanel, Failure> {
    let state = app.node().state();
    let environment = visit.environment.as_str();
    let flag = state
        .flag(key)
        .ok_or_else(|| Failure::not_found("flag", key))?;
    let lever = lever_view(&state, flag, environment);
    let mut filled = Filling::default();
    if let Position::Open { exposure } = &lever.position {
        filled.cohorts.clone_from(&exposure.cohorts);
        filled.percentage = exposure.percentage.to_string();
    }
    let open_to = filled.cohorts.iter().cloned();
    let others = state
        .segments()
        .map(|entry| entry.segment.key.to_string())
        .filter(|key| !filled.cohorts.contains(key))
        .take(COHORT_CHIPS_MAX);
    Ok(LeverPanel {
        is_guarded: state
            .environment(environment)
            .is_some_and(|entry| entry.environment.guarded),
        variants: variants(flag),
        cohorts: open_to.chain(others).collect(),
        rollout: state
            .running_of(flag.key(), &visit.environment)
            .map(|rollout| rollout.id.to_string()),
        barred: barred(visit, Some(key)),
        filled,
        wrong: None,
        idempotency: fresh_key(),
        now: now(app),
        lever,
    })
}

/// The variants, the closed one last: nobody pins what a kill is for.
fn variants(flag: &Flag) -> Vec<String> {
    let definition = &flag.definition;
    let mut variants: Vec<String> = definition
        .variants
        .keys()
        .map(ToString::to_string)
        .collect();
    variants.sort_by_key(|variant| *variant == *definition.closed.as_str());
    variants
}

fn shown(
    app: &App,
    visit: &Visit,
    panel: LeverPanel,
    pulled: Option<Pulled>,
    failure: Option<Failure>,
) -> Response {
    let flag = panel.lever.flag.clone();
    let mut shell = visit.shell(
        app,
        Place::Flags,
        format!("{flag} in {}", visit.environment),
    );
    shell.refresh_s = pulled.as_ref().and_then(Pulled::refresh_s);
    shell.failing = failure.as_ref().map(|why| {
        let mut failing = Failing::from(why.problem());
        // Who was overtaken is told by what.
        if why.problem().current.is_some() {
            failing.detail = format!("{}. It is now: {}", failing.detail, panel.lever.sentence);
        }
        failing
    });
    let page = Lever {
        shell,
        flag,
        panel,
        pulled,
    };
    match failure {
        Some(failure) => answer::page_with(failure.status(), &page),
        None => answer::page(&page),
    }
}
