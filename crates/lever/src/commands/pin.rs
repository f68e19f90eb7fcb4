//! `lever pin`: give everybody one variant.

use leverframe_wire::admin::Pin;

use crate::api::Attempt;
use crate::arguments::{ChangeArgs, PlaceArgs, WaitArgs, flag_key, variant_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Tone;
use crate::pull::{self, Headline};
use crate::session::Session;

/// Give everybody one variant, whatever rules and prerequisites say.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The flag
    #[arg(value_name = "FLAG", value_parser = flag_key)]
    flag: String,

    /// The variant
    #[arg(value_name = "VARIANT", value_parser = variant_key)]
    variant: String,

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
    let seen = client.lever(&args.flag, &environment).await?.revision;
    let attempt = Attempt {
        dry_run: args.change.dry_run,
        seen: Some(seen),
    };
    let receipt = session
        .reasoned(args.change.why(), async |why| {
            let pin = Pin {
                variant: args.variant.clone(),
                why,
            };
            client.pin(&args.flag, &environment, &pin, attempt).await
        })
        .await?;
    let headline = Headline {
        tone: Tone::Held,
        glyph: "◆",
        words: format!(
            "{} {}pinned to {} in {environment}",
            args.flag,
            if receipt.unchanged { "already " } else { "" },
            args.variant,
        ),
        is_closing: false,
    };
    pull::finish(session, &client, receipt, headline, args.wait.limit()).await
}
