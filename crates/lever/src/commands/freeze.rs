//! `lever freeze`: no opening for a while.

use leverframe_wire::admin::PutFreeze;

use crate::api::Attempt;
use crate::arguments::{ChangeArgs, PlaceArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::receipt;
use crate::session::Session;
use crate::span::Span;

/// Stop every opening and every forward step in an environment for a while; closing still works.
///
/// A brake token may do it. A longer freeze takes the place of a shorter one, never the other way
/// round: lever thaw
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// For how long from now
    #[arg(long = "for", allow_hyphen_values = true, value_name = "DURATION")]
    lasts: Span,

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
    let freeze = PutFreeze {
        lasts: args.lasts,
        why: args.change.why(),
    };
    let receipt = client.freeze(&environment, &freeze, attempt).await?;
    receipt::tell(session, &receipt)
}
