//! `lever drill run`.

use std::time::{Duration, Instant};

use leverframe_wire::admin::{Drill, DrillState, RunDrill};

use super::words;
use crate::api::{Attempt, Client};
use crate::arguments::{ChangeArgs, PlaceArgs, flag_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, annotate, inert, paint};
use crate::receipt;
use crate::session::Session;

/// Pull a lever the real way, measure how long it takes until everybody has it, and put it back
/// exactly as it was.
///
/// Exit 3 when somebody had not heard of it within a minute. Whoever asks the flag meanwhile is
/// answered as if it was killed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The flag
    #[arg(value_name = "FLAG", value_parser = flag_key)]
    flag: String,

    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    change: ChangeArgs,
}

/// The server gives up after a minute; this is longer.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(250);

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let environment = session.environment_to_change(&client, &args.place).await?;
    let attempt = Attempt {
        dry_run: args.change.dry_run,
        seen: Some(client.lever(&args.flag, &environment).await?.revision),
    };
    let receipt = session
        .reasoned(args.change.why(), async |why| {
            let run = RunDrill { why };
            client
                .run_drill(&args.flag, &environment, &run, attempt)
                .await
        })
        .await?;
    if receipt.dry_run {
        return receipt::tell(session, &receipt);
    }
    session.screen.note(&format!(
        "{} closed in {environment} as r{}; counting who has it",
        args.flag, receipt.revision
    ));
    let drill = ended(&client, receipt.revision).await?;
    let exit = match drill.state {
        DrillState::Passed => Exit::Done,
        DrillState::Failed => Exit::Gate,
        DrillState::Running => Exit::Unconfirmed,
    };
    let answer = Answer::new(&drill, human(&drill))?.named([format!("r{}", drill.revision)]);
    session.screen.answer(&answer)?;
    annotate(session.is_github(), exit, "drill", &drill.sentence);
    Ok(exit)
}

/// The drill once it is over; as it is when that takes longer than it can.
async fn ended(client: &Client, revision: u64) -> Result<Drill, Failure> {
    let started = Instant::now();
    loop {
        let drill = client.drill(revision).await?;
        if drill.state != DrillState::Running || started.elapsed() > PATIENCE {
            return Ok(drill);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn human(drill: &Drill) -> String {
    let (tone, glyph, word) = words(drill.state);
    let mut lines = vec![format!(
        "{} {}",
        paint(tone, &format!("{glyph} {word}:")),
        inert(&drill.sentence)
    )];
    lines.extend(
        drill
            .missing
            .iter()
            .map(|name| format!("    {} had not heard", inert(name))),
    );
    if drill.state == DrillState::Running || !drill.restored {
        lines.push(format!(
            "    not put back yet; look: lever status -e {}",
            inert(&drill.environment)
        ));
    }
    lines.join("\n")
}
