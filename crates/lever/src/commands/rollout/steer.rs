//! `lever rollout pause|resume|advance|skip|approve`.

use leverframe_wire::admin::Steer;

use super::which;
use crate::api::Attempt;
use crate::arguments::{ChangeArgs, PlaceArgs, WaitArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Tone;
use crate::pull::{self, Headline};
use crate::session::Session;

/// What a rollout is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Pause,
    Resume,
    Advance,
    Skip,
    Approve,
}

/// Which rollout, and why.
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

pub(crate) async fn run(session: &Session, args: &Args, verb: Verb) -> Result<Exit, Failure> {
    let client = session.client()?;
    let rollout = if args.which.starts_with(which::ID_PREFIX) {
        which(session, &client, &args.which, &args.place).await?
    } else {
        let environment = session.environment_to_change(&client, &args.place).await?;
        client.rollout_of(&args.which, &environment).await?
    };
    let seen = match verb {
        // Stopping asks for nothing.
        Verb::Pause => None,
        Verb::Resume | Verb::Advance | Verb::Skip | Verb::Approve => Some(
            client
                .lever(&rollout.flag, &rollout.environment)
                .await?
                .revision,
        ),
    };
    let attempt = Attempt {
        dry_run: args.change.dry_run,
        seen,
    };
    let receipt = session
        .reasoned(args.change.why(), async |why| {
            let steer = Steer { why };
            client
                .steer(&rollout.id, verb.path(), &steer, attempt)
                .await
        })
        .await?;
    let (tone, glyph) = match verb {
        Verb::Pause => (Tone::Braked, "‖"),
        Verb::Resume | Verb::Advance | Verb::Skip | Verb::Approve => (Tone::Raised, "▶"),
    };
    let headline = Headline {
        tone,
        glyph,
        words: format!(
            "{} of {} in {} {}",
            rollout.id,
            rollout.flag,
            rollout.environment,
            verb.done()
        ),
        is_closing: false,
    };
    pull::finish(session, &client, receipt, headline, args.wait.limit()).await
}

impl Verb {
    fn path(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Advance => "advance",
            Self::Skip => "skip",
            Self::Approve => "approve",
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Pause => "paused",
            Self::Resume => "goes on",
            Self::Advance => "advanced",
            Self::Skip => "skipped a stage",
            Self::Approve => "approved",
        }
    }
}
