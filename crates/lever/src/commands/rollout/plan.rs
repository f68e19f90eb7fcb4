//! `lever rollout plan list|show`.

use clap::Subcommand;
use leverframe_wire::admin::{Measure, Plan, PlanDefinition, PlanMetric, Span, Standing};
use serde::Serialize;

use crate::arguments::plan_key;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Table, Tone, inert, paint};
use crate::session::Session;

/// What to do with plans.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List plans
    List(ListArgs),
    /// Show one plan; with -o yaml as a file would say it
    Show(ShowArgs),
}

/// List plans: those that come with the server, and those that were applied.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {}

/// Show one plan.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The plan
    #[arg(value_name = "PLAN", value_parser = plan_key)]
    key: String,
}

#[derive(Serialize)]
struct Plans<'p> {
    plans: &'p [Plan],
}

pub(super) async fn run(session: &Session, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::List(ListArgs {}) => list(session).await,
        Command::Show(args) => show(session, &args).await,
    }
}

async fn list(session: &Session) -> Result<Exit, Failure> {
    let plans = session.client()?.plans().await?;
    let mut table = Table::new(&["PLAN", "STAGES", "BAKE", "METRICS", "FROM"]);
    for plan in &plans {
        let definition = &plan.definition;
        let keys = definition.metrics.iter().map(|metric| metric.key.as_str());
        table.row([
            definition.key.clone(),
            stages(definition),
            definition.bake.to_string(),
            keys.collect::<Vec<_>>().join(", "),
            from(plan),
        ]);
    }
    let answer = Answer::new(&Plans { plans: &plans }, table.or("there are no plans"))?
        .listing(&plans)?
        .named(plans.iter().map(|plan| plan.definition.key.clone()));
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}

async fn show(session: &Session, args: &ShowArgs) -> Result<Exit, Failure> {
    let plan = session.client()?.plan(&args.key).await?;
    // What is shown can be put into a file as it is.
    let answer = Answer::new(&plan.definition, description(&plan).join("\n"))?
        .named([plan.definition.key.clone()]);
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}

fn from(plan: &Plan) -> String {
    plan.revision
        .map_or_else(|| "built in".to_owned(), |revision| format!("r{revision}"))
}

fn stages(definition: &PlanDefinition) -> String {
    let labels: Vec<String> = definition
        .stages
        .iter()
        .map(leverframe_wire::admin::PlanStage::label)
        .collect();
    labels.join(" → ")
}

pub(super) fn description(plan: &Plan) -> Vec<String> {
    let definition = &plan.definition;
    let mut lines = vec![format!(
        "{}  {}",
        paint(Tone::Strong, &inert(&definition.key)),
        from(plan)
    )];
    let mut field = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("  {name:<12} {}", inert(&value)));
        }
    };
    for stage in &definition.stages {
        let bake = stage.bake.unwrap_or(definition.bake);
        let margin = stage.margin.map(|margin| format!(", rules out {margin}×"));
        field(
            "stage",
            format!(
                "{}: bakes {bake}, at most {}{}",
                stage.label(),
                definition.max_hold_of(stage),
                margin.unwrap_or_default()
            ),
        );
    }
    for metric in &definition.metrics {
        field("metric", words(metric));
    }
    field("on bad", word(&definition.on_bad));
    field("inconclusive", word(&definition.inconclusive));
    if definition.warm > Span::from_secs(0) {
        field(
            "warm",
            format!(
                "{} with {} % held back",
                definition.warm, definition.hold_back
            ),
        );
    }
    field("settles", definition.settle.to_string());
    field("notify", definition.notify.join(", "));
    field("page", definition.page.join(", then "));
    field("used by", plan.used_by.join(", "));
    lines
}

fn words(metric: &PlanMetric) -> String {
    let mut parts = vec![format!(
        "{}: tolerates {}× and {} %",
        metric.key, metric.tolerance, metric.tolerable
    )];
    parts.extend(
        metric
            .ceiling
            .map(|ceiling| format!("never over {ceiling} %")),
    );
    if metric.standing == Standing::Signals {
        parts.push("may only hold".to_owned());
    }
    parts.extend(metric.measure.as_ref().map(|measure| match measure {
        Measure::Outcomes { name } => format!("outcomes {name}"),
        Measure::Latency {
            limit, quantile, ..
        } => limit.map_or_else(
            || format!("latency, quantile {quantile}"),
            |limit| format!("latency within {limit}"),
        ),
        Measure::Counters { source, .. } => format!("counters of {source}"),
        Measure::Gauge {
            source,
            limit,
            above,
            ..
        } => format!(
            "gauge of {source} {} {limit}",
            if *above { "above" } else { "below" }
        ),
    }));
    parts.join(", ")
}

/// The word of an enumeration, as it is in files.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}
