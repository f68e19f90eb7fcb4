//! Drills: a lever is closed the way a kill closes it, everybody on the roll is waited for, and it is
//! put back. A drill that has begun is ended whatever becomes of whoever asked for it; one that a
//! restart interrupted is ended by the next start.

mod due;
mod keeper;

use std::sync::Arc;
use std::time::Duration;

use leverframe_core::drill::{Drill, DrillResult};
use leverframe_core::limit::{DRILL_MISSING_MAX, DRILL_MS_MAX};
use leverframe_core::{Command, Rejection};

pub(crate) use keeper::keep;

use crate::node::Node;
use crate::presence::Confirmed;
use crate::pull::Quantiles;
use crate::request::{Request, SubmitError};

/// How long everybody on the roll has to confirm.
pub const DRILL_TIME_MAX: Duration = Duration::from_millis(DRILL_MS_MAX);
/// How long a drill that is over waits until everybody has the lever back, which is told and not kept.
const BACK_TIME_MAX: Duration = Duration::from_secs(10);
/// How soon the end of a drill is tried again that could not be stored.
const RETRY_EVERY: Duration = Duration::from_secs(1);
/// What ends a drill, in the journal.
const VIA: &str = "drill";

/// A drill that is over.
#[derive(Debug, Clone)]
pub struct DrillReport {
    /// It, with what was measured.
    pub drill: Arc<Drill>,
    /// How the times until the evaluators had it closed are spread.
    pub confirm_ms: Option<Quantiles>,
    /// How long it took, from its end, until everybody had the lever back, in milliseconds; absent
    /// when it was not put back, or somebody did not have it in time or have it back soon.
    pub back_ms: Option<f64>,
}

impl Node {
    /// Drills a lever: closes it, waits until everybody on the roll has that or `at_most` is over (and
    /// [`DRILL_TIME_MAX`] at most), and puts it back, unless somebody moved it meanwhile. It goes on
    /// when the caller goes away.
    ///
    /// # Errors
    /// [`SubmitError`] when it did not begin. When the node stops before it is over, the next start
    /// ends it.
    pub async fn drill(
        &self,
        request: Request,
        at_most: Duration,
    ) -> Result<DrillReport, SubmitError> {
        if request.dry_run || !matches!(request.command, Command::StartDrill { .. }) {
            return Err(Rejection::Invalid {
                field: "command".to_owned(),
                why: "only the start of a drill, and not a dry run, can be waited for".to_owned(),
            }
            .into());
        }
        let accepted = self.submit(request).await?;
        let over = tokio::spawn(attend(
            self.behind(),
            accepted.receipt.revision,
            at_most.min(DRILL_TIME_MAX),
        ));
        over.await.ok().flatten().ok_or_else(|| {
            SubmitError::unavailable(
                "the server stops; the drill is ended, and the lever put back, at its next start",
            )
        })
    }
}

impl Node {
    /// Sees a drill that was begun through to its end, in the background. Doing so twice does no harm.
    pub fn attend_drill(&self, revision: u64) {
        tokio::spawn(attend(self.behind(), revision, DRILL_TIME_MAX));
    }
}

/// Sees a drill through to its end. Doing so twice does no harm. Nothing when the node stops first.
async fn attend(node: Node, revision: u64, at_most: Duration) -> Option<DrillReport> {
    let stopping = node.stopping();
    tokio::select! {
        report = see_through(&node, revision, at_most) => report,
        () = stopping.cancelled() => None,
    }
}

async fn see_through(node: &Node, revision: u64, at_most: Duration) -> Option<DrillReport> {
    let drill = Arc::clone(node.state().drill(revision)?);
    let feed = node.feed(drill.environment.as_str())?;
    let confirmed = feed.presence().wait(revision, at_most).await;
    end(node, revision, &result(node, &drill, &confirmed)).await?;
    let drill = Arc::clone(node.state().drill(revision)?);
    let is_awaited = drill.is_restored && confirmed.confirmation.is_complete();
    let back_ms = match drill.ended_revision.filter(|_| is_awaited) {
        Some(ended) => feed.presence().wait(ended, BACK_TIME_MAX).await.elapsed_ms,
        None => None,
    };
    tracing::info!(drill = revision, "{}", drill.sentence());
    Some(DrillReport {
        drill,
        confirm_ms: confirmed.confirm_ms,
        back_ms,
    })
}

fn result(node: &Node, drill: &Drill, confirmed: &Confirmed) -> DrillResult {
    let confirmation = &confirmed.confirmation;
    // What a restart interrupted was not timed; it took no longer than this.
    let since_ms = || {
        let age_ms = node.steady_now().ms_since(drill.at);
        let uptime_ms = node.health().uptime.as_millis();
        let up_ms = u64::try_from(uptime_ms).unwrap_or(u64::MAX);
        u64::try_from(age_ms).unwrap_or_default().max(up_ms)
    };
    let confirmed_ms = confirmation
        .is_complete()
        .then(|| confirmed.elapsed_ms.map_or_else(since_ms, whole_ms));
    let stragglers = confirmation.stragglers.iter().take(DRILL_MISSING_MAX);
    DrillResult {
        confirmed_ms,
        expected: confirmation.expected as u64,
        confirmed: confirmation.confirmed as u64,
        missing: stragglers.map(|one| one.instance.clone()).collect(),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time that was measured is not negative, and no longer than a minute"
)]
fn whole_ms(ms: f64) -> u64 {
    ms.ceil() as u64
}

/// Has the end of a drill stored, and the lever put back with it; as often as it takes.
async fn end(node: &Node, drill: u64, result: &DrillResult) -> Option<()> {
    loop {
        let finish = Command::FinishDrill {
            drill,
            result: result.clone(),
        };
        match node.submit(Request::of_node(finish, VIA, None)).await {
            Ok(_) => return Some(()),
            Err(SubmitError::Rejected(why)) => {
                tracing::error!(drill, %why, "a drill cannot be ended; look at its lever");
                return None;
            }
            Err(SubmitError::Unavailable { why, .. }) => {
                tracing::error!(drill, why, "a drill cannot be ended yet; it is tried again");
                tokio::time::sleep(RETRY_EVERY).await;
            }
        }
    }
}
