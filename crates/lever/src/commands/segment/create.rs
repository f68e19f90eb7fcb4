//! `lever segment create`.

use leverframe_wire::admin::{PutSegment, SegmentDefinition};

use super::DefinitionArgs;
use crate::api::Attempt;
use crate::arguments::{ChangeArgs, segment_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::receipt;
use crate::session::Session;

/// Define a new segment.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its name: A-Z a-z 0-9 . _ ~ -
    #[arg(value_name = "SEGMENT", value_parser = segment_key)]
    key: String,

    #[command(flatten)]
    definition: DefinitionArgs,
    #[command(flatten)]
    change: ChangeArgs,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let given = &args.definition;
    if given.when.is_none() && given.include.is_empty() {
        return Err(Failure::usage(
            "say who belongs to it: --when with a condition, or --include with units",
        ));
    }
    let client = session.client()?;
    let definition = SegmentDefinition {
        key: args.key.clone(),
        when: given.when.clone(),
        include: given.include.clone(),
        exclude: given.exclude.clone(),
    };
    let attempt = Attempt {
        dry_run: args.change.dry_run,
        seen: None,
    };
    let receipt = session
        .reasoned(args.change.why(), async |why| {
            let segment = PutSegment {
                definition: definition.clone(),
                why,
            };
            client.create_segment(&segment, attempt).await
        })
        .await?;
    receipt::tell(session, &receipt)
}
