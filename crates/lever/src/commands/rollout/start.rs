//! `lever rollout start`.

use std::path::PathBuf;

use leverframe_wire::admin::{PlanDefinition, PlanMetric, StartRollout, StartedRollout};

use super::stages::{self, Stages};
use super::wait;
use crate::api::Attempt;
use crate::arguments::{ChangeArgs, PlaceArgs, flag_key, plan_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::output::{Answer, Tone, inert, paint};
use crate::receipt;
use crate::session::Session;
use crate::span::Span;

/// Start a rollout: the lever moves through stages, and back by itself when they do harm.
///
/// By a plan of the server (`safe` when nothing is said), by one in a file, or by stages that are
/// typed: names are cohorts, which come first, then shares; `synthetic` and `look:NAME` are stages,
/// too.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The flag
    #[arg(value_name = "FLAG", value_parser = flag_key)]
    flag: String,

    #[command(flatten)]
    plan: PlanArgs,

    /// Take the place of the rollout that is running
    #[arg(long)]
    replace: bool,

    /// Try a release again that was rolled back, without a new build; needs a reason
    #[arg(long)]
    again: bool,

    /// Start although not every evaluator's build declares the flag
    #[arg(long)]
    undeclared_too: bool,

    /// Wait until it is over, or as long as this: exit 0 done, 3 rolled back, 8 still under way
    #[arg(
        long,
        value_name = "DURATION",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "30d"
    )]
    wait: Option<Span>,

    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    change: ChangeArgs,
}

/// By which plan.
#[derive(Debug, clap::Args)]
pub(super) struct PlanArgs {
    /// A plan of the server
    #[arg(long, value_name = "PLAN", value_parser = plan_key, conflicts_with_all = ["file", "stages"])]
    plan: Option<String>,

    /// A plan in a file, kept with this rollout only
    #[arg(long, value_name = "FILE", conflicts_with = "stages")]
    file: Option<PathBuf>,

    /// The stages, such as staff,beta,1%,5%,25%,50%,100%
    #[arg(long, value_name = "STAGES", value_parser = stages::stages)]
    stages: Option<Stages>,

    /// How long each stage collects evidence at least; 10m
    #[arg(
        long,
        allow_hyphen_values = true,
        value_name = "DURATION",
        requires = "stages"
    )]
    bake: Option<Span>,

    /// How long each stage may last altogether; six bakes
    #[arg(
        long,
        allow_hyphen_values = true,
        value_name = "DURATION",
        requires = "stages"
    )]
    max_hold: Option<Span>,

    /// What is watched: errors, latency_p95; repeat for several; errors when nothing is said
    #[arg(long, value_name = "METRIC", requires = "stages", value_parser = stages::metric)]
    metric: Vec<PlanMetric>,
}

impl PlanArgs {
    /// A plan of the server by its name, or one of its own.
    pub(super) fn choice(&self) -> Result<(Option<String>, Option<PlanDefinition>), Failure> {
        if let Some(file) = &self.file {
            return Ok((None, Some(files::one(file)?)));
        }
        if let Some(stages) = &self.stages {
            let plan = stages::plan(stages, self.bake, self.max_hold, &self.metric);
            return Ok((None, Some(plan)));
        }
        let named = self.plan.clone().unwrap_or_else(|| "safe".to_owned());
        Ok((Some(named), None))
    }
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let (plan, definition) = args.plan.choice()?;
    let client = session.client()?;
    let environment = session.environment_to_change(&client, &args.place).await?;
    let attempt = Attempt {
        dry_run: args.change.dry_run,
        seen: Some(client.lever(&args.flag, &environment).await?.revision),
    };
    let started = session
        .reasoned(args.change.why(), async |why| {
            let start = StartRollout {
                plan: plan.clone(),
                definition: definition.clone(),
                replace: args.replace,
                again: args.again,
                undeclared_too: args.undeclared_too,
                why,
            };
            client
                .start_rollout(&args.flag, &environment, &start, attempt)
                .await
        })
        .await?;
    if let (Some(id), Some(limit)) = (&started.rollout, args.wait) {
        session.screen.note(&format!("{id} started"));
        return wait::to_the_end(session, &client, id, Some(limit.duration()), true).await;
    }
    let human = human(
        &started,
        &args.flag,
        &environment,
        session.screen.is_quiet(),
    );
    let names = started.rollout.clone();
    let answer = Answer::new(&started, human)?.named(names);
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}

fn human(started: &StartedRollout, flag: &str, environment: &str, is_quiet: bool) -> String {
    let Some(id) = &started.rollout else {
        return receipt::dry_run(&started.receipt);
    };
    let mut lines = vec![format!(
        "{} {} of {flag} in {environment} started · r{}",
        paint(Tone::Raised, "▶"),
        inert(id),
        started.receipt.revision
    )];
    lines.extend(
        started
            .receipt
            .changes
            .iter()
            .filter(|change| change.noun == "lever")
            .map(|change| format!("    {}", receipt::line(change))),
    );
    if !is_quiet {
        lines.push(format!(
            "  watch: lever rollout watch {flag} -e {environment}"
        ));
        lines.push(format!(
            "  back:  lever rollback {flag} -e {environment} -r \"…\""
        ));
    }
    lines.join("\n")
}
