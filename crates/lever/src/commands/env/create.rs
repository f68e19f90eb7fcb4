//! `lever env create`.

use leverframe_wire::admin::CreateEnvironment;

use crate::api::Attempt;
use crate::arguments::{ChangeArgs, environment_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::receipt;
use crate::session::Session;

/// Add an environment; every flag is closed in it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its name: A-Z a-z 0-9 . _ ~ -
    #[arg(value_name = "ENV", value_parser = environment_key)]
    key: String,

    /// Guarded from the start: openings need a reason there
    #[arg(long)]
    guarded: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let attempt = Attempt {
        dry_run: args.change.dry_run,
        seen: None,
    };
    let receipt = session
        .reasoned(args.change.why(), async |why| {
            let environment = CreateEnvironment {
                key: args.key.clone(),
                guarded: args.guarded,
                why,
            };
            client.create_environment(&environment, attempt).await
        })
        .await?;
    receipt::tell(session, &receipt)
}
