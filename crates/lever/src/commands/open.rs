//! `lever open`: let people through.

use leverframe_wire::admin::{Exposure, Open};

use crate::api::Attempt;
use crate::arguments::{ChangeArgs, PlaceArgs, WaitArgs, flag_key, percentage, segment_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Tone;
use crate::pull::{self, Headline};
use crate::session::Session;

/// Let people through: a percentage, cohorts, or both.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("exposure").required(true).multiple(true).args(["to", "cohort"]))]
pub(crate) struct Args {
    /// The flag
    #[arg(value_name = "FLAG", value_parser = flag_key)]
    flag: String,

    /// The share of everybody, such as 1% or 0.125
    #[arg(long, value_name = "PERCENT", value_parser = percentage)]
    to: Option<f64>,

    /// A segment that is let through whole; repeat for several
    #[arg(long, value_name = "SEGMENT", value_parser = segment_key)]
    cohort: Vec<String>,

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
    let seen = client.lever(&args.flag, &environment).await?.revision;
    let exposure = Exposure {
        cohorts: args.cohort.clone(),
        percentage: args.to.unwrap_or_default(),
    };
    let attempt = Attempt {
        dry_run: args.change.dry_run,
        seen: Some(seen),
    };
    let receipt = session
        .reasoned(args.change.why(), async |why| {
            let open = Open {
                exposure: exposure.clone(),
                unwatched: args.unwatched,
                why,
            };
            client.open(&args.flag, &environment, &open, attempt).await
        })
        .await?;
    let headline = Headline {
        tone: Tone::Raised,
        glyph: "▲",
        words: format!(
            "{} {}opened to {} in {environment}",
            args.flag,
            if receipt.unchanged { "already " } else { "" },
            words(&exposure),
        ),
        is_closing: false,
    };
    pull::finish(session, &client, receipt, headline, args.wait.limit()).await
}

/// `staff + 25 %`.
fn words(exposure: &Exposure) -> String {
    let mut parts = exposure.cohorts.clone();
    if exposure.percentage > 0.0 || parts.is_empty() {
        parts.push(format!("{} %", exposure.percentage));
    }
    parts.join(" + ")
}
