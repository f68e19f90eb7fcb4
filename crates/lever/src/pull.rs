//! The end of every lever pull: wait until the evaluators have it, and tell who has and who has
//! not. "Stored" is never told as "done".

mod report;
mod wait;

#[cfg(test)]
mod tests;

use std::time::Duration;

use leverframe_wire::admin::Receipt;

use crate::api::Client;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Tone};
use crate::receipt;
use crate::session::Session;

use report::Report;

/// What was pulled, in a few words for people.
#[derive(Debug, Clone)]
pub(crate) struct Headline {
    pub(crate) tone: Tone,
    pub(crate) glyph: &'static str,
    /// `new-checkout closed in prod`; made inert when it is told.
    pub(crate) words: String,
    /// Whether an evaluator that has not heard of it lets more through than it should.
    pub(crate) is_closing: bool,
}

/// Waits as long as `limit` says, tells, and gives the exit code: done, or not confirmed by
/// everybody.
pub(crate) async fn finish(
    session: &Session,
    client: &Client,
    receipt: Receipt,
    headline: Headline,
    limit: Option<Duration>,
) -> Result<Exit, Failure> {
    let screen = &session.screen;
    if receipt.dry_run {
        return receipt::tell(session, &receipt);
    }
    let awaited = match limit {
        Some(limit) => Some(wait::everybody(screen, client, &receipt, limit).await?),
        None => None,
    };
    let report = Report {
        receipt,
        headline,
        awaited,
        limit,
    };
    let answer = Answer::new(&report.document(), report.human(screen.is_quiet()))?
        .named([format!("r{}", report.receipt.revision)]);
    screen.answer(&answer)?;
    Ok(report.exit())
}
