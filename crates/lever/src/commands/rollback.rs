//! `lever rollback`: back to before the rollout, now.

use leverframe_wire::admin::{Receipt, Steer};

use crate::api::Attempt;
use crate::arguments::{ChangeArgs, PlaceArgs, WaitArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Tone;
use crate::pull::{self, Headline};
use crate::session::Session;

/// Stop the running rollout and go back to where the lever was before it; or before the last one,
/// when none runs.
///
/// That is a closing, and a brake token may do it; a reason is asked for and never waited for. All
/// servers that are known are asked at the same time.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The flag, or the rollout's own name
    #[arg(value_name = "FLAG|ROLLOUT")]
    which: String,

    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let (flag, environment) = if args.which.starts_with("ro_") && args.place.environment.is_none() {
        let rollout = super::rollout::which(session, &client, &args.which, &args.place).await?;
        (rollout.flag, rollout.environment)
    } else {
        let environment = session.environment_to_change(&client, &args.place).await?;
        (args.which.clone(), environment)
    };
    let attempt = Attempt {
        dry_run: args.change.dry_run,
        seen: None,
    };
    let mut receipt = session
        .reasoned(args.change.why(), async |why| {
            let steer = Steer { why };
            client.rollback(&flag, &environment, &steer, attempt).await
        })
        .await?;
    if receipt.environments.is_empty() {
        // So already: who has it is still worth knowing.
        receipt.environments.push(environment.clone());
    }
    let headline = Headline {
        tone: Tone::Braked,
        glyph: "■",
        words: words(&receipt, &flag, &environment),
        is_closing: true,
    };
    pull::finish(session, &client, receipt, headline, args.wait.limit()).await
}

fn words(receipt: &Receipt, flag: &str, environment: &str) -> String {
    let moved = receipt.changes.iter().find(|change| change.noun == "lever");
    match moved.and_then(|change| change.to.as_deref()) {
        _ if receipt.unchanged => format!("{flag} rolled back in {environment} already"),
        Some(to) => format!("{flag} rolled back in {environment}: {to}"),
        None => format!("{flag} rolled back in {environment}"),
    }
}
