//! What is seen of a rollout: now, and interval by interval.

use axum::Json;
use axum::extract::State;
use leverframe_core::event::Event;
use leverframe_core::rollout::{
    LOOK_BACK_MS, Measurement, Rollout as CoreRollout, Sight, course, row_key,
};
use leverframe_node::Series;
use leverframe_wire::admin::{Evidence, MeasurementList};

use super::view::permitted;
use crate::app::App;
use crate::auth::Authenticated;
use crate::convert::{
    Known, evidence_view, measurement_view, ratio_view, so_far_view, whole_rollout_view,
};
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
    evidence(&app, &rollout).await.map(Json)
}

/// A rollout and all that is seen of it now.
pub(crate) async fn evidence(app: &App, rollout: &CoreRollout) -> Result<Evidence, Failure> {
    let state = app.node().state();
    let look = app.node().look(&rollout.id);
    let now = app.node().steady_now();
    let known = Known {
        seen: look.as_ref().map(|look| &*look.observation),
        last: match look {
            Some(_) => Vec::new(),
            None => last_sights(app, rollout).await?,
        },
        freeze: state.freeze(rollout.environment.as_str(), app.node().wall_now()),
        now,
    };
    let view = whole_rollout_view(&state, rollout, now);
    Ok(evidence_view(view, rollout, &known))
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
    measurements(&app, &rollout).await.map(Json)
}

/// What was measured of a rollout, with what was known by each interval.
pub(crate) async fn measurements(
    app: &App,
    rollout: &CoreRollout,
) -> Result<MeasurementList, Failure> {
    let begin = rollout
        .moves
        .first()
        .map_or(rollout.since, |first| first.at);
    let end = rollout
        .moves
        .last()
        .filter(|_| rollout.is_over())
        .map_or_else(|| app.node().steady_now(), |last| last.at);
    let mut list = MeasurementList {
        measurements: Vec::new(),
        truncated: false,
        ratios: Vec::new(),
    };
    for metric in &rollout.plan.metrics {
        let series = Series::new(
            rollout.environment.as_str(),
            rollout.flag.as_str(),
            row_key(&metric.measure),
        );
        let from = begin.plus_ms(-LOOK_BACK_MS);
        let limit = MEASUREMENTS_MAX.saturating_add(1);
        let mut rows = app.node().measured(series, from, end, limit).await?;
        list.truncated |= rows.len() > MEASUREMENTS_MAX;
        rows.truncate(MEASUREMENTS_MAX);
        let rows: Vec<Measurement> = rows.into_iter().map(|row| row.measurement).collect();
        let Some(course) = course(rollout, &metric.key, &rows) else {
            continue;
        };
        let ratio = course.ratio.map(|bounds| ratio_view(&metric.key, bounds));
        list.ratios.extend(ratio);
        for (row, step) in rows.iter().zip(&course.steps) {
            let mut view = measurement_view(&metric.key, step.limit_ms, row);
            view.so_far = so_far_view(step).filter(|_| row.at >= begin);
            list.measurements.push(view);
        }
    }
    Ok(list)
}
