//! `lever env guard`.

use leverframe_wire::admin::GuardEnvironment;

use crate::api::Attempt;
use crate::arguments::{ChangeArgs, environment_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::receipt;
use crate::session::Session;

/// Guard an environment: openings need a reason and a current revision there. A closing never does.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment
    #[arg(value_name = "ENV", value_parser = environment_key)]
    key: String,

    /// Take the guard away
    #[arg(long)]
    off: bool,

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
            let guard = GuardEnvironment {
                guarded: !args.off,
                why,
            };
            client.guard_environment(&args.key, &guard, attempt).await
        })
        .await?;
    receipt::tell(session, &receipt)
}
