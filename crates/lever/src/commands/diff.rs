//! `lever diff`: files against the server.

use std::path::PathBuf;

use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::output::{Answer, Tone, inert, paint};
use crate::plan::{Action, Difference, Plan, Present, Step};
use crate::session::Session;

/// Compare files with the server; exit 10 when `apply` would change something.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The directory with the files
    #[arg(short = 'f', long = "files", value_name = "DIR")]
    files: PathBuf,

    /// As `apply --prune` would do it
    #[arg(long)]
    prune: bool,
}

/// A plan as a document.
#[derive(Serialize)]
struct PlanView<'p> {
    changes: Vec<StepView<'p>>,
    kept: &'p [String],
}

/// A step as a document.
#[derive(Serialize)]
pub(super) struct StepView<'p> {
    action: Action,
    noun: &'static str,
    key: &'p str,
    differences: &'p [Difference],
}

impl<'p> PlanView<'p> {
    fn of(plan: &'p Plan) -> Self {
        Self {
            changes: plan.steps.iter().map(StepView::of).collect(),
            kept: &plan.kept,
        }
    }
}

impl<'p> StepView<'p> {
    pub(super) fn of(step: &'p Step) -> Self {
        Self {
            action: step.action,
            noun: step.definition.noun(),
            key: step.definition.key(),
            differences: &step.differences,
        }
    }
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let wanted = files::read(&args.files)?;
    let present = Present::read(&session.client()?).await?;
    let plan = Plan::between(&present, &wanted, args.prune);
    let view = PlanView::of(&plan);
    let human = if plan.steps.is_empty() {
        let mut lines = vec![format!("{} no differences", paint(Tone::Good, "✓"))];
        lines.extend(kept(&plan));
        lines.join("\n")
    } else {
        human(&plan)
    };
    let answer = Answer::new(&view, human)?
        .listing(&view.changes)?
        .named(plan.steps.iter().map(|step| step.definition.key()));
    session.screen.answer(&answer)?;
    Ok(if plan.steps.is_empty() {
        Exit::Done
    } else {
        Exit::Different
    })
}

/// A plan for people.
pub(super) fn human(plan: &Plan) -> String {
    let mut lines: Vec<String> = plan.steps.iter().flat_map(step_lines).collect();
    lines.extend(kept(plan));
    lines.join("\n")
}

fn kept(plan: &Plan) -> impl Iterator<Item = String> {
    plan.kept
        .iter()
        .map(|kept| format!("  · {}: kept", inert(kept)))
}

fn step_lines(step: &Step) -> Vec<String> {
    let (tone, glyph, word) = match step.action {
        Action::Create => (Tone::Good, "+", "create"),
        Action::Edit => (Tone::Raised, "~", "edit"),
        Action::Remove => (Tone::Bad, "-", "remove"),
    };
    let mut lines = vec![format!(
        "{} {word} {} {}",
        paint(tone, glyph),
        step.definition.noun(),
        inert(step.definition.key())
    )];
    lines.extend(
        step.differences
            .iter()
            .map(|difference| inert(&format!("    {}", difference.words())).into_owned()),
    );
    lines
}
