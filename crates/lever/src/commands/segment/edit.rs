//! `lever segment edit`.

use clap::ValueEnum;
use leverframe_wire::admin::PutSegment;
use serde_json::json;

use super::DefinitionArgs;
use crate::api::Attempt;
use crate::arguments::{ChangeArgs, segment_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::plan::{Difference, differences};
use crate::receipt;
use crate::session::Session;

/// Change the named parts of a segment and leave the rest.
///
/// Where a non-closed flag of a guarded environment uses it, this is an opening and needs a reason.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The segment
    #[arg(value_name = "SEGMENT", value_parser = segment_key)]
    key: String,

    #[command(flatten)]
    definition: DefinitionArgs,

    /// Take a part out; repeat for several
    #[arg(long, value_name = "PART")]
    clear: Vec<Part>,

    #[command(flatten)]
    change: ChangeArgs,
}

/// The parts a segment can be without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    When,
    Include,
    Exclude,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let given = &args.definition;
    let is_empty = given.when.is_none() && given.include.is_empty() && given.exclude.is_empty();
    if is_empty && args.clear.is_empty() {
        return Err(Failure::usage(
            "name what to change: --when, --include, --exclude or --clear",
        ));
    }
    let client = session.client()?;
    let segment = client.segment(&args.key).await?;
    let mut definition = segment.definition;
    let before = json!(definition);
    for part in &args.clear {
        match part {
            Part::When => definition.when = None,
            Part::Include => definition.include.clear(),
            Part::Exclude => definition.exclude.clear(),
        }
    }
    if given.when.is_some() {
        definition.when.clone_from(&given.when);
    }
    if !given.include.is_empty() {
        definition.include.clone_from(&given.include);
    }
    if !given.exclude.is_empty() {
        definition.exclude.clone_from(&given.exclude);
    }
    let attempt = Attempt {
        dry_run: args.change.dry_run,
        seen: Some(segment.revision),
    };
    let receipt = session
        .reasoned(args.change.why(), async |why| {
            let segment = PutSegment {
                definition: definition.clone(),
                why,
            };
            client.put_segment(&segment, attempt).await
        })
        .await?;
    let parts: Vec<String> = differences(&before, &json!(definition))
        .iter()
        .map(Difference::words)
        .collect();
    receipt::tell_parts(session, &receipt, &parts)
}
