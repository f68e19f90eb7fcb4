//! `lever rollout list`.

use jiff::Timestamp;
use leverframe_wire::admin::Rollout;
use serde::Serialize;

use super::state_words;
use crate::api::RolloutFilter;
use crate::arguments::{PlaceArgs, flag_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Table, ago};
use crate::session::Session;

/// List rollouts, the last started first.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only of this flag
    #[arg(value_name = "FLAG", value_parser = flag_key)]
    flag: Option<String>,

    /// Only those that run
    #[arg(long)]
    running: bool,

    /// At most this many
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 50)]
    limit: usize,

    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Serialize)]
struct Rollouts<'r> {
    rollouts: &'r [Rollout],
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let filter = RolloutFilter {
        // As with `log`, a configured environment narrows nothing here.
        environment: args.place.environment.clone(),
        flag: args.flag.clone(),
        state: args.running.then_some("running"),
    };
    let rollouts = client.rollouts(&filter, args.limit).await?;
    let now = Timestamp::now();
    let mut table = Table::new(&[
        "ROLLOUT", "FLAG", "ENV", "STATE", "STAGE", "PLAN", "STARTED", "BY",
    ]);
    for rollout in &rollouts {
        let (_, glyph, word) = state_words(rollout.state);
        let stage = rollout.stages.get(rollout.stage);
        table.row([
            rollout.id.clone(),
            rollout.flag.clone(),
            rollout.environment.clone(),
            format!("{glyph} {}", word.to_lowercase()),
            stage.map(|stage| stage.label.clone()).unwrap_or_default(),
            rollout.plan.key.clone(),
            ago(&rollout.started_at, now),
            rollout.started_by.clone(),
        ]);
    }
    let document = Rollouts {
        rollouts: &rollouts,
    };
    let answer = Answer::new(&document, table.or("there are no such rollouts"))?
        .listing(&rollouts)?
        .named(rollouts.iter().map(|rollout| rollout.id.clone()));
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}
