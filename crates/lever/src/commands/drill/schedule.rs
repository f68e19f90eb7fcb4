//! `lever drill schedule`.

use leverframe_wire::admin::{PutDrillSchedule, Removal};

use crate::api::Attempt;
use crate::arguments::{ChangeArgs, PlaceArgs, flag_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::receipt;
use crate::session::Session;
use crate::span::Span;

/// Have a lever drilled by itself at regular times, or no more.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("how").required(true).args(["every", "never"]))]
pub(crate) struct Args {
    /// The flag
    #[arg(value_name = "FLAG", value_parser = flag_key)]
    flag: String,

    /// How often, such as 30d; the first time one interval from now
    #[arg(long, value_name = "DURATION")]
    every: Option<Span>,

    /// No more
    #[arg(long)]
    never: bool,

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
    let receipt = session
        .reasoned(args.change.why(), async |why| match args.every {
            Some(every) => {
                let schedule = PutDrillSchedule { every, why };
                client
                    .schedule_drill(&args.flag, &environment, &schedule, attempt)
                    .await
            }
            None => {
                let removal = Removal { why };
                client
                    .unschedule_drill(&args.flag, &environment, &removal, attempt)
                    .await
            }
        })
        .await?;
    receipt::tell(session, &receipt)
}
