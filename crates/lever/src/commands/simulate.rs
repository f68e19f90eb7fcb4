//! `lever simulate`: how well the engine decides, beside the fixed rules of others.

use clap::value_parser;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Screen, Table};
use crate::simulate::{Extent, Report, Share, report};

/// Run the engine that decides rollouts on simulated traffic, beside the fixed rules that others use
///
/// Needs no server. The same seed gives the same table: docs/explanation/evidence.md has one.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many rollouts of each sort; those at little traffic a quarter as often
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = value_parser!(u32).range(1..=100_000))]
    runs: u32,
    /// Where chance begins
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,
}

pub(crate) async fn run(args: Args, screen: Screen) -> Result<Exit, Failure> {
    let extent = Extent {
        runs: args.runs,
        seed: args.seed,
    };
    let tell = move |what: &str| screen.note(&format!("simulating: {what}"));
    let report = tokio::task::spawn_blocking(move || report(extent, &tell))
        .await
        .map_err(|error| Failure::failed(error.to_string()))?;
    let answer = Answer::new(&report, human(&report))?.listing(&report.rows)?;
    screen.answer(&answer)?;
    Ok(Exit::Done)
}

fn human(report: &Report) -> String {
    let mut rules = Table::new(&[
        "RULE",
        "GOOD TAKEN BACK",
        "BROKEN USERS",
        "BURSTS",
        "SHARED OUTAGE",
        "2x CAUGHT / MIN / HIT",
        "5x",
        "20x",
    ]);
    for row in &report.rows {
        let caught = |times: &str| {
            let found = row.detected.get(times).map_or(0.0, |share| share.share);
            let number = |value: Option<&Option<f64>>, digits: usize| {
                value
                    .copied()
                    .flatten()
                    .map_or("-".to_owned(), |value| format!("{value:.digits$}"))
            };
            format!(
                "{} / {} / {}",
                percent(found),
                number(row.median_minutes.get(times), 1),
                number(row.users_hit.get(times), 0)
            )
        };
        rules.row([
            row.rule.to_owned(),
            between(row.false_rollback),
            percent(row.broken_users.share),
            percent(row.bursts.share),
            percent(row.shared_outage.share),
            caught("2x"),
            caught("5x"),
            caught("20x"),
        ]);
    }
    let mut situations = Table::new(&[
        "LEVERFRAME, PLAN SAFE",
        "RUNS",
        "CONVICTED",
        "RETREATED",
        "INCONCLUSIVE",
        "THROUGH",
        "MEDIAN MIN",
    ]);
    for row in &report.situations {
        situations.row([
            row.situation.to_owned(),
            row.runs.to_string(),
            between(row.convicted),
            percent(row.retreated.share),
            percent(row.inconclusive.share),
            percent(row.through.share),
            row.median_minutes
                .map_or("-".to_owned(), |minutes| format!("{minutes:.0}")),
        ]);
    }
    format!(
        "{}\n\n{}\n\n{} runs of each sort, seed {}; a range is Wilson's at 95 %",
        rules.or("nothing"),
        situations.or("nothing"),
        report.runs,
        report.seed
    )
}

fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent > 0.0 && percent < 10.0 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

fn between(share: Share) -> String {
    format!(
        "{} ({:.1}-{:.1})",
        percent(share.share),
        100.0 * share.low,
        100.0 * share.high
    )
}
