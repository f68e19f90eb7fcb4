//! How a flag's users fail just now, beside its lever.

use std::sync::Arc;

use leverframe_console::chart::{Mark, MarkKind, Plot, rate_plot};
use leverframe_node::Series;
use leverframe_wire::admin::Lever;
use tokio::sync::Semaphore;

use super::visit::Visit;
use crate::app::App;
use crate::convert::measurement_view;
use crate::limit::{ERRORS_READS_MAX, ERRORS_SHOWN_MS, ERRORS_WAIT_MAX, MEASUREMENTS_MAX};

/// The outcomes that applications report as failures.
const ERRORS: &str = "errors";

/// Turns at reading measurements for a page: programs read them too, one at a time.
#[derive(Debug, Clone)]
pub(crate) struct ErrorsTurns(Arc<Semaphore>);

impl Default for ErrorsTurns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ERRORS_READS_MAX)))
    }
}

impl ErrorsTurns {
    /// What is read, in turn; nothing when nobody's turn is free. The turn is over when the reading is,
    /// and not when whoever asked goes away.
    async fn read<T: Send + 'static>(
        &self,
        read: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let turn = Arc::clone(&self.0).try_acquire_owned().ok()?;
        let reading = tokio::spawn(async move {
            let _turn = turn;
            read.await
        });
        reading.await.ok()
    }
}

/// The errors of the last half hour, if any outcomes were reported. The measurements are the one thing
/// on the page that is read from disk, so they are left out where that takes long.
pub(super) async fn of_flag(app: &App, visit: &Visit, lever: &Lever) -> Option<Plot> {
    let series = Series::new(visit.environment.as_str(), &*lever.flag, ERRORS);
    let until = app.node().steady_now();
    let from = until.plus_ms(-ERRORS_SHOWN_MS);
    let node = app.node().clone();
    let read = async move { node.measured(series, from, until, MEASUREMENTS_MAX).await };
    let rows = tokio::time::timeout(ERRORS_WAIT_MAX, app.errors_turns.read(read))
        .await
        .ok()??
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

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn a_reading_that_nobody_waits_for_keeps_its_turn() {
        let turns = ErrorsTurns::default();
        for _ in 0..ERRORS_READS_MAX {
            let hanging = turns.read(pending::<()>());
            tokio::pin!(hanging);
            assert!(futures_util::poll!(&mut hanging).is_pending());
        }
        assert!(turns.read(async {}).await.is_none());
    }
}
