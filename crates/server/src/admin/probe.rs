//! The gate of a pipeline: how a flag did just now.

use axum::Json;
use axum::extract::State;
use leverframe_core::access::Permission;
use leverframe_flags::FlagKey;
use leverframe_wire::admin::{Probe, ProbeState, Span};
use serde::Deserialize;

use crate::app::App;
use crate::auth::{self, May};
use crate::convert::{counts, ms};
use crate::limit::PROBE_WINDOW_MS_MAX;
use crate::problem::Failure;
use crate::request::{Path, Query};
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    guarded!(Surface::new(), probe)
}

/// What to ask.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// How far back to look; at most a day.
    window: Span,
    /// The share of units that may go wrong, in per cent.
    error_budget: f64,
}

/// How a flag did in the time just gone, against an error budget
#[utoipa::path(
    get, path = "/api/v1/environments/{environment}/flags/{flag}/probe", tag = "rollouts",
    params(("environment" = String, Path), ("flag" = String, Path), Wanted),
    responses((status = 200, body = Probe))
)]
async fn probe(
    who: May<auth::ReadControl>,
    State(app): State<App>,
    Path((environment, flag)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Probe>, Failure> {
    let environment = who.permit_environment(&app, &environment, Permission::ReadEnvironment)?;
    let missing = || Failure::not_found("flag", &flag);
    let key: FlagKey = flag.parse().map_err(|_| missing())?;
    app.node().state().flag(&flag).ok_or_else(missing)?;
    let window_ms = ms(wanted.window);
    if !(1..=PROBE_WINDOW_MS_MAX).contains(&window_ms) {
        return Err(Failure::invalid(
            "window",
            "it is longer than nothing and at most a day",
        ));
    }
    if !(0.0..100.0).contains(&wanted.error_budget) {
        return Err(Failure::invalid(
            "error_budget",
            "it is a share in per cent, from 0 to below 100",
        ));
    }
    let seen = app
        .node()
        .probe(&key, &environment, "errors", window_ms)
        .await?;
    let (judged, who) = if seen.exposed.units > 0 {
        (seen.exposed, "whom the percentage let through")
    } else {
        (seen.assigned, "that a cohort, a rule or a pin decided for")
    };
    let judged = counts(judged);
    let window = wanted.window;
    let budget = wanted.error_budget;
    let (state, sentence) = match judged.percent_bad() {
        None => (
            ProbeState::NoData,
            format!(
                "nobody who uses {flag} in {environment} told how it went in the last {window}: is the \
                 lever open, do applications report outcomes, and is the interval over?"
            ),
        ),
        Some(percent) => {
            let is_within = percent <= budget;
            (
                if is_within {
                    ProbeState::Within
                } else {
                    ProbeState::Spent
                },
                format!(
                    "{} of {} units {who} failed on {flag} in {environment} in the last {window}: \
                     {percent:.3} %, {} the budget of {budget} %",
                    judged.bad,
                    judged.units,
                    if is_within { "within" } else { "over" }
                ),
            )
        }
    };
    Ok(Json(Probe {
        flag,
        environment: environment.to_string(),
        window,
        error_budget: budget,
        state,
        sentence,
        exposed: counts(seen.exposed),
        assigned: counts(seen.assigned),
        held_back: counts(seen.held_back),
        intervals: seen.intervals,
    }))
}
