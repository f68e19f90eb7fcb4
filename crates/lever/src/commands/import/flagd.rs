//! `lever import flagd`: definitions from a flagd file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use leverframe_core::flag::Kind;
use leverframe_core::flagd::{Import, ImportOptions, Refusal, Remark, import};
use leverframe_flags::{EnvironmentKey, FlagKey, VariantKey};
use leverframe_wire::admin::FlagDefinition;
use serde::Serialize;
use serde_json::Value;

use super::levers;
use crate::api::Client;
use crate::arguments::{ChangeArgs, environment_key};
use crate::commands::apply::{do_all, try_all};
use crate::commands::diff::{StepView, human};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::Definitions;
use crate::output::{Answer, Tone, inert, paint};
use crate::plan::{Action, Plan, Present};
use crate::session::Session;

/// Define the flags of a flagd file: lever import flagd flags.json --owner web
///
/// Targeting becomes rules, with the same answers or not at all: what cannot be said is named, and
/// then nothing is imported. Every flag starts closed; a boolean one closes to false, any other to
/// its default. docs/reference/flagd-files.md has the details.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file, JSON or (called .yaml) YAML
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Where the rules go; repeat for several; everywhere when absent
    #[arg(short, long = "env", value_name = "ENV", value_parser = environment_key)]
    environments: Vec<String>,

    /// Who answers for flags whose metadata name no owner
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,

    /// What the flags are for
    #[arg(
        long,
        value_name = "KIND",
        default_value = "ops",
        value_parser = ["release", "kill", "job", "ops", "experiment", "permission"]
    )]
    kind: String,

    /// When they should be gone, such as 2026-12-31; a release needs it
    #[arg(long, value_name = "DATE")]
    sunset: Option<Date>,

    /// The closed variant of a flag, where another is safe; repeat for several
    #[arg(long, value_name = "FLAG=VARIANT", value_parser = closed)]
    closed: Vec<(FlagKey, VariantKey)>,

    /// Open what is imported to 100 % in the environments named, so that answers stay flagd's;
    /// DISABLED flags, and flags that were there before, stay where they are
    #[arg(long, requires = "environments")]
    keep_positions: bool,

    /// Import the rest when something is refused
    #[arg(long)]
    skip_refused: bool,

    /// Replace definitions that are there already and differ
    #[arg(long)]
    overwrite: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

/// No flag file comes near this.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How many refusals are told at once.
const TOLD_MAX: usize = 50;

#[derive(Serialize)]
struct Imported<'p> {
    dry_run: bool,
    changes: Vec<StepView<'p>>,
    opened: &'p [levers::Opened],
    refused: &'p [Refusal],
    remarks: &'p [Remark],
}

fn closed(text: &str) -> Result<(FlagKey, VariantKey), String> {
    let (flag, variant) = text
        .split_once('=')
        .ok_or_else(|| format!("write the variant too: {text}=off"))?;
    let flag = FlagKey::new(flag).map_err(|error| error.to_string())?;
    let variant = VariantKey::new(variant).map_err(|error| error.to_string())?;
    Ok((flag, variant))
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let document = read(&args.file)?;
    let client = session.client()?;
    let environments = environments(&client, args).await?;
    let import = import(&document, &options(args, &environments)?)
        .map_err(|error| Failure::usage(format!("{}: {error}", args.file.display())))?;
    if !import.refusals.is_empty() && !args.skip_refused {
        return Err(refused(&import.refusals));
    }
    let present = Present::read(&client).await?;
    let mut plan = Plan::between(&present, &definitions(&import)?, false);
    // What only the server has is no matter of this file.
    plan.kept.clear();
    if !args.overwrite {
        refuse_edits(&plan)?;
    }

    let why = levers::reason(
        session,
        &client,
        args.keep_positions,
        &environments,
        args.change.why(),
    )
    .await?;
    let (_, why) = try_all(session, &client, &plan, why).await?;
    let to_open = if args.keep_positions {
        levers::to_open(&import, &plan, &environments)
    } else {
        Vec::new()
    };
    if args.change.dry_run {
        return tell(session, args, &import, &plan, &to_open);
    }
    if !plan.steps.is_empty() && !session.screen.agrees(&question(&plan, to_open.len())) {
        return Err(Failure::usage("not agreed; nothing changed"));
    }
    do_all(&client, &plan, &why).await?;
    levers::open(&client, &to_open, &why).await?;
    tell(session, args, &import, &plan, &to_open)
}

fn read(path: &Path) -> Result<Value, Failure> {
    let unreadable = |error: std::io::Error| Failure::file(path, error);
    if std::fs::metadata(path).map_err(unreadable)?.len() > FILE_BYTES_MAX {
        return Err(Failure::usage(format!(
            "{}: is larger than {FILE_BYTES_MAX} bytes",
            path.display()
        )));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let extension = path.extension().unwrap_or_default();
    let parsed = if extension == "yaml" || extension == "yml" {
        serde_saphyr::from_str(&text).map_err(|error| error.to_string())
    } else {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    };
    parsed.map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

/// The environments that the rules are for, which exist.
async fn environments(client: &Client, args: &Args) -> Result<Vec<String>, Failure> {
    let known: Vec<String> = client
        .environments()
        .await?
        .environments
        .into_iter()
        .map(|environment| environment.key)
        .collect();
    if args.environments.is_empty() {
        return Ok(known);
    }
    if let Some(stranger) = args
        .environments
        .iter()
        .find(|named| !known.contains(named))
    {
        return Err(Failure::not_found(format!(
            "there is no environment {stranger:?}; there are {}",
            known.join(", ")
        )));
    }
    let mut named = args.environments.clone();
    named.sort();
    named.dedup();
    Ok(named)
}

fn options(args: &Args, environments: &[String]) -> Result<ImportOptions, Failure> {
    let kind: Kind = serde_json::from_value(Value::from(args.kind.as_str()))
        .map_err(|error| Failure::usage(error.to_string()))?;
    if kind == Kind::Release && args.sunset.is_none() {
        return Err(Failure::usage(
            "a release flag needs a date by which it will be gone: add --sunset 2026-12-31",
        ));
    }
    let closed: BTreeMap<FlagKey, VariantKey> = args.closed.iter().cloned().collect();
    Ok(ImportOptions {
        environments: environments
            .iter()
            .map(|name| EnvironmentKey::new(name))
            .collect::<Result<_, _>>()
            .map_err(|error| Failure::failed(error.to_string()))?,
        owner: args.owner.clone(),
        kind,
        sunset: args.sunset,
        closed,
    })
}

/// The definitions as the API has them: the same JSON.
fn definitions(import: &Import) -> Result<Definitions, Failure> {
    let mut definitions = Definitions::default();
    for flag in &import.flags {
        let json = serde_json::to_value(&flag.definition);
        let definition: FlagDefinition = json
            .and_then(serde_json::from_value)
            .map_err(|error| Failure::failed(format!("{}: {error}", flag.definition.key)))?;
        definitions.flags.insert(definition.key.clone(), definition);
    }
    Ok(definitions)
}

fn refused(refusals: &[Refusal]) -> Failure {
    let mut lines: Vec<String> = refusals
        .iter()
        .take(TOLD_MAX)
        .map(ToString::to_string)
        .collect();
    if refusals.len() > TOLD_MAX {
        lines.push(format!("and {} more", refusals.len() - TOLD_MAX));
    }
    lines.push("nothing was imported; --skip-refused imports the rest".to_owned());
    Failure::new(Exit::Usage, "refused", lines.join("\n"))
}

fn refuse_edits(plan: &Plan) -> Result<(), Failure> {
    let edited: Vec<&str> = plan
        .steps
        .iter()
        .filter(|step| step.action == Action::Edit)
        .map(|step| step.definition.key())
        .collect();
    if edited.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Conflict,
        "exists",
        format!(
            "there already, and defined otherwise: {}; nothing changed. --overwrite replaces them, \
             --overwrite --dry-run shows how",
            edited.join(", ")
        ),
    ))
}

fn question(plan: &Plan, opened: usize) -> String {
    let opening = match opened {
        0 => String::new(),
        1 => " and open 1 lever to 100 %".to_owned(),
        several => format!(" and open {several} levers to 100 %"),
    };
    format!(
        "{}\nImport {}{opening}?",
        human(plan),
        flags(plan.steps.len())
    )
}

fn flags(count: usize) -> String {
    format!("{count} flag{}", if count == 1 { "" } else { "s" })
}

fn tell(
    session: &Session,
    args: &Args,
    import: &Import,
    plan: &Plan,
    opened: &[levers::Opened],
) -> Result<Exit, Failure> {
    let dry_run = args.change.dry_run;
    let view = Imported {
        dry_run,
        changes: plan.steps.iter().map(StepView::of).collect(),
        opened,
        refused: &import.refusals,
        remarks: &import.remarks,
    };
    let mut lines = Vec::new();
    let listed = human(plan);
    if !listed.is_empty() {
        lines.push(listed);
    }
    let levers = opened
        .iter()
        .map(|one| format!("▲ {} to 100 % in {}", one.flag, one.environment));
    lines.extend(levers.map(|line| inert(&line).into_owned()));
    lines.extend(
        import
            .refusals
            .iter()
            .map(|refusal| format!("{} {}", paint(Tone::Bad, "✗"), inert(&refusal.to_string()))),
    );
    lines.extend(
        import
            .remarks
            .iter()
            .map(|remark| format!("  · {}", inert(&remark.to_string()))),
    );
    let count = flags(plan.steps.len());
    lines.push(match (plan.steps.len(), dry_run) {
        (0, _) => format!("{} nothing to change", paint(Tone::Good, "✓")),
        (_, true) => format!(
            "{} dry run: {count}, and nothing was stored",
            paint(Tone::Quiet, "○")
        ),
        (_, false) if opened.is_empty() => {
            format!(
                "{} {count} imported, closed everywhere",
                paint(Tone::Good, "✓")
            )
        }
        (_, false) => format!(
            "{} {count} imported, {} levers opened",
            paint(Tone::Good, "✓"),
            opened.len()
        ),
    });
    let answer = Answer::new(&view, lines.join("\n"))?
        .listing(&view.changes)?
        .named(plan.steps.iter().map(|step| step.definition.key()));
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}
