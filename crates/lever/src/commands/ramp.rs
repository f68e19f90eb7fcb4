//! `lever ramp`: change the percentage of an open flag.

use leverframe_wire::admin::{Position, Ramp};

use crate::api::Attempt;
use crate::arguments::{ChangeArgs, PlaceArgs, WaitArgs, flag_key, percentage};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Tone;
use crate::pull::{self, Headline};
use crate::session::Session;

/// Change the percentage of an open flag; its cohorts stay.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The flag
    #[arg(value_name = "FLAG", value_parser = flag_key)]
    flag: String,

    /// The share of everybody, such as 25% or 0.125
    #[arg(long, value_name = "PERCENT", value_parser = percentage)]
    to: f64,

    /// Not watched: what is opened in a guarded environment is else closed again when it does harm
    #[arg(long)]
    unwatched: bool,

    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let environment = session.environment_to_change(&client, &args.place).await?;
    let lever = client.lever(&args.flag, &environment).await?;
    let attempt = Attempt {
        dry_run: args.change.dry_run,
        seen: Some(lever.revision),
    };
    let receipt = session
        .reasoned(args.change.why(), async |why| {
            let ramp = Ramp {
                percentage: args.to,
                unwatched: args.unwatched,
                why,
            };
            client.ramp(&args.flag, &environment, &ramp, attempt).await
        })
        .await?;
    let is_closing = matches!(
        &lever.position,
        Position::Open { exposure } if args.to < exposure.percentage
    );
    let headline = Headline {
        tone: if is_closing {
            Tone::Braked
        } else {
            Tone::Raised
        },
        glyph: if is_closing { "▼" } else { "▲" },
        words: format!(
            "{} {}ramped to {} % in {environment}",
            args.flag,
            if receipt.unchanged { "already " } else { "" },
            args.to,
        ),
        is_closing,
    };
    pull::finish(session, &client, receipt, headline, args.wait.limit()).await
}
