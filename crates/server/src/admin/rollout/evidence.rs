//! What is seen of a rollout: now, and interval by interval.

use axum::Json;
use axum::extract::State;
use leverframe_core::event::Event;
use leverframe_core::rollout::{LOOK_BACK_MS, Rollout as CoreRollout, Sight, row_key};
use leverframe_node::Series;
use leverframe_wire::admin::{Evidence, MeasurementList, MeasurementView};

use super::view::permitted;
use crate::app::App;
use crate::auth::Authenticated;
use crate::convert::{Known, evidence_view, measurement_view, whole_rollout_view};
use crate::limit::{MEASUREMENTS_MAX, MOVES_READ_MAX};
use crate::problem::Failure;
use crate::request::Path;
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    let surface = guarded!(Surface::new(), read_evidence);
    guarded!(surface, list_measurements)
}

/// A rollout and all that is seen of it now: the evidence, and why it does not move
#[utoipa::path(get, path = "/api/v1/rollouts/{rollout}/evidence", tag = "rollouts", params(("rollout" = String, Path)), responses((status = 200, body = Evidence)))]
async fn read_evidence(
    who: Authenticated,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Evidence>, Failure> {
    let rollout = permitted(&who, &app, &id)?;
    let state = app.node().state();
    let look = app.node().look(&id);
    let now = app.node().steady_now();
    let known = Known {
        seen: look.as_ref().map(|look| &*look.observation),
        last: match look {
            Some(_) => Vec::new(),
            None => last_sights(&app, &rollout).await?,
        },
        freeze: state.freeze(rollout.environment.as_str(), app.node().wall_now()),
        now,
    };
    let view = whole_rollout_view(&state, &rollout, now);
    Ok(Json(evidence_view(view, &rollout, &known)))
}

/// The numbers that the last move was made by, out of its record.
async fn last_sights(app: &App, rollout: &CoreRollout) -> Result<Vec<Sight>, Failure> {
    let revisions: Vec<u64> = rollout
        .moves
        .iter()
        .rev()
        .map(|made| made.revision)
        .take(MOVES_READ_MAX)
        .collect();
    let (reader, id) = (app.node().reader(), rollout.id.clone());
    let read = tokio::task::spawn_blocking(move || {
        for revision in revisions {
            let entries = reader.read(revision.saturating_sub(1), 1)?;
            let events = entries.iter().flat_map(|entry| &entry.record.events);
            let mut found = events.filter_map(|event| match event {
                Event::RolloutMoved {
                    rollout, sights, ..
                } if *rollout == id && !sights.is_empty() => Some(sights.clone()),
                _ => None,
            });
            if let Some(sights) = found.next() {
                return Ok(sights);
            }
        }
        Ok::<_, leverframe_node::StoreError>(Vec::new())
    });
    match read.await {
        Ok(read) => Ok(read?),
        Err(error) => Err(Failure::new("internal", error.to_string())),
    }
}

/// What was measured of a rollout, interval by interval, from an hour before its start
#[utoipa::path(get, path = "/api/v1/rollouts/{rollout}/measurements", tag = "rollouts", params(("rollout" = String, Path)), responses((status = 200, body = MeasurementList)))]
async fn list_measurements(
    who: Authenticated,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<MeasurementList>, Failure> {
    let rollout = permitted(&who, &app, &id)?;
    let begin = rollout
        .moves
        .first()
        .map_or(rollout.since, |first| first.at);
    let end = rollout
        .moves
        .last()
        .filter(|_| rollout.is_over())
        .map_or_else(|| app.node().steady_now(), |last| last.at);
    let mut measurements: Vec<MeasurementView> = Vec::new();
    let mut is_truncated = false;
    for metric in &rollout.plan.metrics {
        let series = Series::new(
            rollout.environment.as_str(),
            rollout.flag.as_str(),
            row_key(&metric.measure),
        );
        let from = begin.plus_ms(-LOOK_BACK_MS);
        let limit = MEASUREMENTS_MAX.saturating_add(1);
        let mut rows = app.node().measured(series, from, end, limit).await?;
        is_truncated |= rows.len() > MEASUREMENTS_MAX;
        rows.truncate(MEASUREMENTS_MAX);
        let baseline = rollout
            .baselines
            .iter()
            .find(|one| one.metric == metric.key);
        let limit_ms = baseline.map(|one| one.limit_ms);
        measurements.extend(
            rows.iter()
                .map(|row| measurement_view(&metric.key, limit_ms, &row.measurement)),
        );
    }
    Ok(Json(MeasurementList {
        measurements,
        truncated: is_truncated,
    }))
}
