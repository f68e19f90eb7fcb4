//! How a flag's users fail just now, beside its lever.

use leverframe_console::chart::{Mark, MarkKind, Plot, rate_plot};
use leverframe_node::Series;
use leverframe_wire::admin::Lever;

use super::visit::Visit;
use crate::app::App;
use crate::convert::measurement_view;
use crate::limit::{ERRORS_SHOWN_MS, ERRORS_WAIT_MAX, MEASUREMENTS_MAX};

/// The outcomes that applications report as failures.
const ERRORS: &str = "errors";

/// The errors of the last half hour, if any outcomes were reported. The measurements are the one thing
/// on the page that is read from disk, so they are left out where that takes long.
pub(super) async fn of_flag(app: &App, visit: &Visit, lever: &Lever) -> Option<Plot> {
    let series = Series::new(visit.environment.as_str(), &*lever.flag, ERRORS);
    let until = app.node().steady_now();
    let from = until.plus_ms(-ERRORS_SHOWN_MS);
    let read = app.node().measured(series, from, until, MEASUREMENTS_MAX);
    let rows = tokio::time::timeout(ERRORS_WAIT_MAX, read)
        .await
        .ok()?
        .ok()?;
    let measurements: Vec<_> = rows
        .iter()
        .map(|row| measurement_view(ERRORS, None, &row.measurement))
        .collect();
    // From the first that there is: a flag that is new has no half hour.
    let begin = rows.first()?.measurement.at;
    let moved = lever
        .moved_at
        .as_deref()
        .and_then(|at| at.parse::<jiff::Timestamp>().ok())
        .map(jiff::Timestamp::as_millisecond)
        .filter(|at_ms| (begin.as_ms()..=until.as_ms()).contains(at_ms))
        .map(|at_ms| Mark {
            at_ms,
            kind: MarkKind::Other,
            words: lever.sentence.clone(),
        });
    let span = (begin.as_ms(), until.as_ms());
    let title = format!("Users of {} that fail", lever.flag);
    let marks = moved.into_iter().collect();
    Some(rate_plot("errors", &title, span, &measurements, marks))
}
