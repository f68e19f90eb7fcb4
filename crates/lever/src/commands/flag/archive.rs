//! `lever flag archive`.

use leverframe_wire::admin::Removal;

use crate::api::Attempt;
use crate::arguments::{ChangeArgs, flag_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::receipt;
use crate::session::Session;

/// Take a flag out of use.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The flag
    #[arg(value_name = "FLAG", value_parser = flag_key)]
    key: String,

    #[command(flatten)]
    change: ChangeArgs,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let attempt = Attempt {
        dry_run: args.change.dry_run,
        seen: Some(client.flag(&args.key).await?.defined_revision),
    };
    let receipt = session
        .reasoned(args.change.why(), async |why| {
            client
                .archive_flag(&args.key, &Removal { why }, attempt)
                .await
        })
        .await?;
    receipt::tell(session, &receipt)
}
