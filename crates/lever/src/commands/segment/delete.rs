//! `lever segment delete`.

use leverframe_wire::admin::Removal;

use crate::api::Attempt;
use crate::arguments::{ChangeArgs, segment_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::receipt;
use crate::session::Session;

/// Remove a segment that nothing uses.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The segment
    #[arg(value_name = "SEGMENT", value_parser = segment_key)]
    key: String,

    #[command(flatten)]
    change: ChangeArgs,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let attempt = Attempt {
        dry_run: args.change.dry_run,
        seen: Some(client.segment(&args.key).await?.revision),
    };
    let receipt = session
        .reasoned(args.change.why(), async |why| {
            client
                .delete_segment(&args.key, &Removal { why }, attempt)
                .await
        })
        .await?;
    receipt::tell(session, &receipt)
}
