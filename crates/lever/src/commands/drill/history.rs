//! `lever drill history`.

use jiff::Timestamp;

use super::words;
use crate::arguments::{PlaceArgs, flag_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Table, ago, inert};
use crate::session::Session;

/// Show the drills that were run, the last first, and which levers are drilled by themselves.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only of this flag
    #[arg(value_name = "FLAG", value_parser = flag_key)]
    flag: Option<String>,

    #[command(flatten)]
    place: PlaceArgs,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let environment = args.place.environment.as_deref();
    let list = client.drills(environment, args.flag.as_deref()).await?;
    let now = Timestamp::now();
    let mut table = Table::new(&["DRILL", "FLAG", "ENV", "RESULT", "WHEN", "BY"]);
    for drill in &list.drills {
        let (_, glyph, word) = words(drill.state);
        let took = drill.confirmed_ms.map(|ms| format!(" after {ms} ms"));
        table.row([
            format!("r{}", drill.revision),
            drill.flag.clone(),
            drill.environment.clone(),
            format!(
                "{glyph} {word} {}/{}{}",
                drill.confirmed,
                drill.expected,
                took.unwrap_or_default()
            ),
            ago(&drill.at, now),
            drill.by.clone(),
        ]);
    }
    let mut lines = vec![table.or("no lever was ever drilled")];
    lines.extend(list.schedules.iter().map(|schedule| {
        format!(
            "every {}: {}",
            schedule.every,
            inert(&format!(
                "{} in {} (by {})",
                schedule.flag, schedule.environment, schedule.by
            ))
        )
    }));
    let names: Vec<String> = list
        .drills
        .iter()
        .map(|drill| format!("r{}", drill.revision))
        .collect();
    let answer = Answer::new(&list, lines.join("\n"))?
        .listing(&list.drills)?
        .named(names);
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}
