//! The gate of a pipeline: how a flag did just now.

use axum::Json;
use axum::extract::State;
use leverframe_core::access::Permission;
use leverframe_flags::FlagKey;
use leverframe_node::Arms;
use leverframe_wire::admin::{ArmCounts, Probe, ProbeState, Span};
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
    let window = wanted.window;
    let budget = wanted.error_budget;
    // Whoever came before the window and fails still is bad since the lever moved, not since the window
    // began; so neither alone says that all is well.
    let (lately, since_move) = (of_canary(&seen.window), of_canary(&seen.stage));
    let is_over = |judged: &(ArmCounts, &str)| {
        judged
            .0
            .percent_bad()
            .is_some_and(|percent| percent > budget)
    };
    let was_seen = seen.intervals > 0;
    let (judged, who) = if is_over(&lately) || !is_over(&since_move) && lately.0.units > 0 {
        (lately, format!("in the last {window}"))
    } else {
        (since_move, "since the lever last moved".to_owned())
    };
    let (state, sentence) = match judged.0.percent_bad().filter(|_| was_seen) {
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
                    "{} of {} users {} failed on {flag} in {environment} {who}: {percent:.3} %, {} the \
                     budget of {budget} %",
                    judged.0.bad,
                    judged.0.units,
                    judged.1,
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
        exposed: counts(seen.window.exposed),
        assigned: counts(seen.window.assigned),
        held_back: counts(seen.window.held_back),
        intervals: seen.intervals,
    }))
}

/// Those who got the new code, and in words how.
fn of_canary(arms: &Arms) -> (ArmCounts, &'static str) {
    if arms.exposed.units > 0 {
        (counts(arms.exposed), "whom the percentage let through")
    } else {
        (
            counts(arms.assigned),
            "that a cohort, a rule or a pin decided for",
        )
    }
}
