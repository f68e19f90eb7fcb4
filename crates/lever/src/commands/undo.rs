//! `lever undo`: take back one revision.

use leverframe_wire::admin::{Change, Receipt, Undo};

use crate::arguments::{ChangeArgs, WaitArgs, revision};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Tone;
use crate::pull::{self, Headline};
use crate::session::Session;

/// Take back one revision: yours, the last, when none is named.
///
/// Works only while it is still the last change of what it changed. An undo is a new revision, and
/// one that opens something needs what an opening needs.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The revision, such as r57
    #[arg(value_name = "REVISION", value_parser = revision)]
    revision: Option<u64>,

    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let receipt = session
        .reasoned(args.change.why(), async |why| {
            let undo = Undo {
                revision: args.revision,
                why,
            };
            client.undo(&undo, args.change.dry_run).await
        })
        .await?;
    let is_closing = receipt
        .changes
        .iter()
        .any(|change| change.to.as_deref() == Some("closed"));
    let headline = Headline {
        tone: Tone::Held,
        glyph: "↶",
        words: words(args.revision, &receipt),
        is_closing,
    };
    pull::finish(session, &client, receipt, headline, args.wait.limit()).await
}

fn words(revision: Option<u64>, receipt: &Receipt) -> String {
    let what = revision.map_or_else(
        || "your last change".to_owned(),
        |revision| format!("r{revision}"),
    );
    // That the revision is undone is a change too, and told already.
    let restored: Vec<&Change> = receipt
        .changes
        .iter()
        .filter(|change| change.noun != "revision")
        .collect();
    match restored.as_slice() {
        [only] => match (&only.environment, &only.to) {
            (Some(environment), Some(to)) => {
                format!("{what} undone: {} is {to} in {environment} again", only.key)
            }
            _ => format!("{what} undone: {}", only.sentence),
        },
        _ => format!("{what} undone"),
    }
}
