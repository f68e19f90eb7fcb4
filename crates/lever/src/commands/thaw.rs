//! `lever thaw`: end a freeze.

use leverframe_wire::admin::Removal;

use crate::api::Attempt;
use crate::arguments::{ChangeArgs, PlaceArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::receipt;
use crate::session::Session;

/// End a freeze; in a guarded environment with a reason.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    change: ChangeArgs,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let environment = session.environment_to_change(&client, &args.place).await?;
    let attempt = Attempt {
        dry_run: args.change.dry_run,
        seen: None,
    };
    let receipt = session
        .reasoned(args.change.why(), async |why| {
            client.thaw(&environment, &Removal { why }, attempt).await
        })
        .await?;
    receipt::tell(session, &receipt)
}
