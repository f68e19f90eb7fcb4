//! `lever kill`: close flags, now.

use leverframe_wire::admin::{Kill, Receipt};

use crate::api::ApiError;
use crate::arguments::{ChangeArgs, PlaceArgs, WaitArgs, flag_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Tone;
use crate::pull::{self, Headline};
use crate::session::Session;
use crate::span::Span;

/// Close flags: now, without asking anybody.
///
/// Never asks for a reason, a revision or an approval. All servers that are known are asked at the
/// same time; the first that accepts answers.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("selection").required(true).args(["flags", "owner", "tag"]))]
pub(crate) struct Args {
    /// The flags to close, in one revision
    #[arg(value_name = "FLAG", value_parser = flag_key)]
    flags: Vec<String>,

    /// Close every flag of this owner
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,

    /// Close every flag with this tag
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,

    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    refuse_stray_duration(args)?;
    let client = session.client()?;
    let environment = session.environment_to_change(&client, &args.place).await?;
    let kill = Kill {
        flags: args.flags.clone(),
        owner: args.owner.clone(),
        tag: args.tag.clone(),
        why: args.change.why(),
    };
    let mut receipt = client
        .kill(&environment, &kill, args.change.dry_run)
        .await
        .map_err(|error| not_closed(&error, &kill))?;
    if receipt.environments.is_empty() {
        // Closed already: who has it is still worth knowing.
        receipt.environments.push(environment.clone());
    }
    let headline = Headline {
        tone: Tone::Braked,
        glyph: "■",
        words: words(args, &receipt, &environment),
        is_closing: true,
    };
    pull::finish(session, &client, receipt, headline, args.wait.limit()).await
}

/// A refusal of one flag is one of all of them, and must not read otherwise; where no server can do
/// it, what a person can.
fn not_closed(error: &ApiError, kill: &Kill) -> Failure {
    let mut failure = Failure::from(error.clone());
    let advice = if failure.exit == Exit::Failed {
        let flag = kill.flags.first().map_or("FLAG", String::as_str);
        format!(
            "nothing is known to be closed; without a server a process closes it when it is \
             started again with LEVER_FORCE_CLOSED={flag}"
        )
    } else {
        "nothing was closed".to_owned()
    };
    failure.problem.detail = format!("{}\n{advice}", failure.problem.detail);
    failure
}

/// `--wait 5s` reads as `--wait` and a flag called 5s; better to say so than to look for that flag
/// while the other one stays open.
fn refuse_stray_duration(args: &Args) -> Result<(), Failure> {
    if args.wait.wait.is_none() {
        return Ok(());
    }
    match args.flags.iter().find(|key| key.parse::<Span>().is_ok()) {
        Some(duration) => Err(Failure::usage(format!(
            "write --wait={duration} (or --timeout {duration}); nothing changed"
        ))),
        None => Ok(()),
    }
}

fn words(args: &Args, receipt: &Receipt, environment: &str) -> String {
    let count = receipt.changes.len();
    let what = match (&args.owner, &args.tag, args.flags.as_slice()) {
        (Some(owner), ..) => format!("{} of {owner}", flags(count)),
        (_, Some(tag), _) => format!("{} tagged {tag}", flags(count)),
        (.., [only]) => only.clone(),
        (.., several) => flags(several.len()),
    };
    if receipt.unchanged {
        format!("{what} closed in {environment} already")
    } else {
        format!("{what} closed in {environment}")
    }
}

fn flags(count: usize) -> String {
    match count {
        0 => "every flag".to_owned(),
        1 => "1 flag".to_owned(),
        several => format!("{several} flags"),
    }
}
