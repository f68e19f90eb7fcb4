//! `lever rollout status`.

use jiff::Timestamp;

use super::picture::picture;
use super::{wait, which};
use crate::arguments::PlaceArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;

/// Show a rollout as it is now: the running one of a flag, or its last.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The flag, or the rollout's own name
    #[arg(value_name = "FLAG|ROLLOUT")]
    which: String,

    #[command(flatten)]
    place: PlaceArgs,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let rollout = which(session, &client, &args.which, &args.place).await?;
    let evidence = client.evidence(&rollout.id).await?;
    let fleet = wait::fleet(&client, &evidence).await;
    let human = picture(&evidence, fleet.as_ref(), Timestamp::now()).join("\n");
    let answer = Answer::new(&evidence, human)?.named([rollout.id]);
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}
