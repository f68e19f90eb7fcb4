//! `lever fleet`: the evaluators that follow an environment.

use jiff::Timestamp;
use leverframe_wire::admin::Fleet;

use crate::arguments::PlaceArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Table, ago, inert};
use crate::session::Session;

/// Show the evaluators that follow an environment, stragglers first.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: PlaceArgs,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let environment = session.environment_to_read(&args.place)?;
    let fleet = session.client()?.fleet(&environment).await?;
    let answer = Answer::new(&fleet, human(&fleet, Timestamp::now()))?
        .listing(&fleet.evaluators)?
        .named(
            fleet
                .evaluators
                .iter()
                .map(|evaluator| evaluator.instance.clone()),
        );
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}

fn human(fleet: &Fleet, now: Timestamp) -> String {
    let mut table = Table::new(&[
        "HAS IT",
        "INSTANCE",
        "APPLICATION",
        "BUILD",
        "CLIENT",
        "REVISION",
        "CONNECTION",
        "LAST SEEN",
    ]);
    for evaluator in &fleet.evaluators {
        table.row([
            if evaluator.current {
                "✓ yes"
            } else {
                "✗ no"
            }
            .to_owned(),
            evaluator.instance.clone(),
            evaluator.application.clone(),
            evaluator.build.clone(),
            evaluator.client.clone(),
            evaluator
                .revision
                .map_or_else(|| "none".to_owned(), |revision| format!("r{revision}")),
            if evaluator.connected { "up" } else { "lost" }.to_owned(),
            ago(&evaluator.last_seen, now),
        ]);
    }
    let environment = inert(&fleet.environment);
    let current = fleet.evaluators.iter().filter(|one| one.current).count();
    let mut lines = vec![
        format!(
            "{environment} · r{} · {current}/{} evaluators have it",
            fleet.revision,
            fleet.evaluators.len()
        ),
        table.or(&format!("nobody follows {environment}")),
    ];
    for evaluator in &fleet.evaluators {
        lines.extend(evaluator.refused.iter().map(|refused| {
            format!(
                "  ✗ {} keeps closed what it cannot decide: {}",
                inert(&evaluator.instance),
                inert(refused)
            )
        }));
    }
    if fleet.caches.seen > 0 {
        lines.push(format!(
            "OFREP caches: {} seen in 10 min · {} fetched r{} · {} use it (they cannot confirm)",
            fleet.caches.seen, fleet.caches.fetched, fleet.revision, fleet.caches.applied
        ));
    }
    lines.join("\n")
}
