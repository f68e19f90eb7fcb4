//! `lever apply`: bring the server's definitions to what files say.

use std::path::PathBuf;

use leverframe_wire::admin::{Receipt, Why};
use serde::Serialize;

use super::diff::{StepView, human};
use crate::api::Client;
use crate::arguments::ChangeArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::output::{Answer, Tone, inert, paint};
use crate::plan::{Action, Plan, Present};
use crate::receipt;
use crate::session::Session;

/// Bring the server's definitions to what files say; never a position.
///
/// First everything is tried on the server, so that a mistake in the last file changes nothing.
/// Then one revision for each definition, what others need first.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The directory with the files
    #[arg(short = 'f', long = "files", value_name = "DIR")]
    files: PathBuf,

    /// Archive flags, if they are closed everywhere, and remove segments that no file defines
    #[arg(long)]
    prune: bool,

    /// Refuse to change more definitions than this; for what --prune removes 10 when absent
    #[arg(long, value_name = "NUMBER")]
    max_changes: Option<usize>,

    #[command(flatten)]
    change: ChangeArgs,
}

/// How much `--prune` takes away before somebody says a number.
const REMOVALS_MAX: usize = 10;

#[derive(Serialize)]
struct Applied<'p> {
    dry_run: bool,
    changes: Vec<AppliedStep<'p>>,
    kept: &'p [String],
}

#[derive(Serialize)]
struct AppliedStep<'p> {
    #[serde(flatten)]
    step: StepView<'p>,
    revision: u64,
    undo: Option<String>,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let wanted = files::read(&args.files)?;
    let client = session.client()?;
    let present = Present::read(&client).await?;
    let plan = Plan::between(&present, &wanted, args.prune);
    refuse_too_many(&plan, args.max_changes)?;
    if plan.steps.is_empty() {
        return tell(session, args, &plan, &[]);
    }

    let (receipts, why) = try_all(session, &client, &plan, args.change.why()).await?;
    if args.change.dry_run {
        return tell(session, args, &plan, &receipts);
    }
    if !session.screen.agrees(&question(&plan)) {
        return Err(Failure::usage("not agreed; nothing changed"));
    }
    let receipts = do_all(&client, &plan, &why).await?;
    tell(session, args, &plan, &receipts)
}

fn refuse_too_many(plan: &Plan, max_changes: Option<usize>) -> Result<(), Failure> {
    let removals = plan
        .steps
        .iter()
        .filter(|step| step.action == Action::Remove)
        .count();
    let (count, max, what) = match max_changes {
        Some(max) => (plan.steps.len(), max, "change"),
        None => (removals, REMOVALS_MAX, "remove"),
    };
    if count <= max {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Usage,
        "too-many-changes",
        format!(
            "this would {what} {count} definitions, and {max} are allowed: look with `lever diff`, \
             then say --max-changes {}; nothing changed",
            plan.steps.len()
        ),
    ))
}

/// Lets the server try every step, and settles the reason on the way.
pub(super) async fn try_all(
    session: &Session,
    client: &Client,
    plan: &Plan,
    why: Why,
) -> Result<(Vec<Receipt>, Why), Failure> {
    let created = plan.created();
    let mut why = why;
    let mut receipts = Vec::with_capacity(plan.steps.len());
    for step in &plan.steps {
        let settled = std::cell::RefCell::new(why.clone());
        let receipt = session
            .reasoned(why.clone(), async |why| {
                settled.replace(why.clone());
                step.tried(client, &created, why).await
            })
            .await
            .map_err(|mut failure| {
                let field = failure.problem.field.as_ref();
                let field = field.map(|field| format!("{field}: ")).unwrap_or_default();
                failure.problem.detail = format!(
                    "{} {}: {field}{}; nothing changed",
                    step.definition.noun(),
                    step.definition.key(),
                    failure.problem.detail
                );
                failure
            })?;
        why = settled.into_inner();
        receipts.push(receipt);
    }
    Ok((receipts, why))
}

pub(super) async fn do_all(
    client: &Client,
    plan: &Plan,
    why: &Why,
) -> Result<Vec<Receipt>, Failure> {
    let mut receipts: Vec<Receipt> = Vec::with_capacity(plan.steps.len());
    for step in &plan.steps {
        match step.done(client, why.clone()).await {
            Ok(receipt) => receipts.push(receipt),
            Err(error) => {
                let mut failure = Failure::from(error);
                let done: Vec<String> = plan
                    .steps
                    .iter()
                    .zip(&receipts)
                    .map(|(step, receipt)| {
                        format!("{} r{}", step.definition.key(), receipt.revision)
                    })
                    .collect();
                failure.problem.detail = format!(
                    "{} {}: {}; applied before it: {}; apply again to go on",
                    step.definition.noun(),
                    step.definition.key(),
                    failure.problem.detail,
                    if done.is_empty() {
                        "nothing".to_owned()
                    } else {
                        done.join(", ")
                    }
                );
                return Err(failure);
            }
        }
    }
    Ok(receipts)
}

fn question(plan: &Plan) -> String {
    format!(
        "{}\nApply {} {}?",
        human(plan),
        plan.steps.len(),
        changes(plan.steps.len())
    )
}

fn changes(count: usize) -> &'static str {
    if count == 1 { "change" } else { "changes" }
}

fn tell(
    session: &Session,
    args: &Args,
    plan: &Plan,
    receipts: &[Receipt],
) -> Result<Exit, Failure> {
    let view = Applied {
        dry_run: args.change.dry_run,
        changes: plan
            .steps
            .iter()
            .zip(receipts)
            .map(|(step, receipt)| AppliedStep {
                step: StepView::of(step),
                revision: receipt.revision,
                undo: receipt.undo.clone(),
            })
            .collect(),
        kept: &plan.kept,
    };
    let count = plan.steps.len();
    let mut lines = Vec::new();
    let listed = human(plan);
    if !listed.is_empty() {
        lines.push(listed);
    }
    lines.push(match (count, args.change.dry_run) {
        (0, _) => format!("{} nothing to change", paint(Tone::Good, "✓")),
        (_, true) => format!(
            "{} dry run: {count} {}, and nothing was stored",
            paint(Tone::Quiet, "○"),
            changes(count)
        ),
        (_, false) => format!(
            "{} {count} {} applied · {}",
            paint(Tone::Good, "✓"),
            changes(count),
            inert(&revisions(receipts))
        ),
    });
    if !args.change.dry_run && !session.screen.is_quiet() {
        lines.extend(receipts.iter().rev().filter_map(receipt::undo));
    }
    let answer = Answer::new(&view, lines.join("\n"))?
        .listing(&view.changes)?
        .named(
            receipts
                .iter()
                .map(|receipt| format!("r{}", receipt.revision)),
        );
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}

fn revisions(receipts: &[Receipt]) -> String {
    match (receipts.first(), receipts.last()) {
        (Some(first), Some(last)) if first.revision != last.revision => {
            format!("r{} to r{}", first.revision, last.revision)
        }
        (Some(only), _) => format!("r{}", only.revision),
        (None, _) => String::new(),
    }
}
