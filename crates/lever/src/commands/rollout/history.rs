//! `lever rollout history`: every transition, and whom it told.

use jiff::Timestamp;
use leverframe_wire::admin::{Rollout, Told};

use super::{headline, which};
use crate::arguments::PlaceArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Tone, inert, paint, utc};
use crate::session::Session;

/// Show every transition of a rollout, why, by whom, and whom it told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The flag, or the rollout's own name
    #[arg(value_name = "FLAG|ROLLOUT")]
    which: String,

    #[command(flatten)]
    place: PlaceArgs,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let rollout = which(session, &client, &args.which, &args.place).await?;
    let human = history(&rollout, Timestamp::now()).join("\n");
    let answer = Answer::new(&rollout, human)?
        .listing(&rollout.moves)?
        .named([rollout.id.clone()]);
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}

pub(super) fn history(rollout: &Rollout, now: Timestamp) -> Vec<String> {
    let mut lines = vec![headline(rollout, now)];
    lines.push(format!(
        "  plan {} · {}",
        inert(&rollout.plan.key),
        inert(&rollout.reason)
    ));
    for made in &rollout.moves {
        lines.push(format!(
            "  {}  {} by {}  {}",
            utc(&made.at),
            paint(Tone::Strong, &format!("r{}", made.revision)),
            inert(&made.by),
            inert(&made.sentence)
        ));
    }
    lines.extend(rollout.told.iter().map(told));
    lines
}

fn told(told: &Told) -> String {
    let what = if told.page { "page" } else { "notice" };
    let (tone, glyph) = match told.state.as_str() {
        "delivered" => (Tone::Good, "✓"),
        "pending" => (Tone::Quiet, "…"),
        _ => (Tone::Bad, "✗"),
    };
    format!(
        "  {} {what} {:?}: {}",
        paint(tone, glyph),
        inert(&told.title),
        inert(&told.sentence)
    )
}
