//! `lever token revoke`.

use leverframe_wire::admin::Removal;

use crate::api::Attempt;
use crate::arguments::ChangeArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::receipt;
use crate::session::Session;

/// Make a token stop working, at once and for good: this cannot be undone.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its id, such as tok_5f3a…, from `lever token list`
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    change: ChangeArgs,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let question = format!("Revoke {}? It cannot be undone.", args.id);
    if !args.change.dry_run && !session.screen.agrees(&question) {
        return Err(Failure::usage("not agreed; nothing changed"));
    }
    let attempt = Attempt {
        dry_run: args.change.dry_run,
        seen: None,
    };
    let receipt = session
        .reasoned(args.change.why(), async |why| {
            client
                .revoke_token(&args.id, &Removal { why }, attempt)
                .await
        })
        .await?;
    receipt::tell(session, &receipt)
}
