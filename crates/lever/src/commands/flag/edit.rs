//! `lever flag edit`.

use clap::ValueEnum;
use jiff::Timestamp;
use leverframe_wire::admin::{FlagDefinition, PutFlag};
use serde_json::json;

use super::definition::DefinitionArgs;
use crate::api::Attempt;
use crate::arguments::{ChangeArgs, flag_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::plan::{Difference, differences};
use crate::receipt;
use crate::session::Session;

/// Change the named parts of a definition and leave the rest.
///
/// An edit that a non-closed flag of a guarded environment uses is an opening, and needs a reason.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The flag
    #[arg(value_name = "FLAG", value_parser = flag_key)]
    key: String,

    #[command(flatten)]
    definition: DefinitionArgs,

    /// Take a part out; repeat for several
    #[arg(long, value_name = "PART")]
    clear: Vec<Part>,

    #[command(flatten)]
    change: ChangeArgs,
}

/// The parts a definition can be without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Sunset,
    Runbook,
    Description,
    Tags,
    StaleAfter,
    Unit,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    if args.definition.is_empty() && args.clear.is_empty() {
        return Err(Failure::usage(
            "name what to change, such as --owner; `lever flag edit --help` lists the parts",
        ));
    }
    let client = session.client()?;
    let flag = client.flag(&args.key).await?;
    let mut definition = flag.definition;
    let before = json!(definition);
    for part in &args.clear {
        clear(&mut definition, *part);
    }
    args.definition.write(&mut definition, Timestamp::now())?;
    let attempt = Attempt {
        dry_run: args.change.dry_run,
        seen: Some(flag.defined_revision),
    };
    let receipt = session
        .reasoned(args.change.why(), async |why| {
            let flag = PutFlag {
                definition: definition.clone(),
                why,
            };
            client.put_flag(&flag, attempt).await
        })
        .await?;
    let parts: Vec<String> = differences(&before, &json!(definition))
        .iter()
        .map(Difference::words)
        .collect();
    receipt::tell_parts(session, &receipt, &parts)
}

fn clear(definition: &mut FlagDefinition, part: Part) {
    match part {
        Part::Sunset => definition.sunset = None,
        Part::Runbook => definition.runbook.clear(),
        Part::Description => definition.description.clear(),
        Part::Tags => definition.tags.clear(),
        Part::StaleAfter => definition.stale_after_s = None,
        Part::Unit => definition.unit = None,
    }
}
