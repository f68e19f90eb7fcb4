//! `lever log`: what changed, who, when, why.

use std::time::Duration;

use jiff::Timestamp;
use leverframe_wire::admin::{Change, RecordView};
use serde::Serialize;

use crate::api::{Client, JournalFilter};
use crate::arguments::{Format, PlaceArgs, flag_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Tone, ago, inert, paint, parse_time, utc};
use crate::session::Session;
use crate::span::Span;

/// Show what changed, the newest first: who, when, why.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Since a time (2026-11-21T12:00:00Z) or for a while (30m)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Moment>,

    /// Until a time, or until a while ago
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Moment>,

    /// Only what touched this flag
    #[arg(long, value_name = "FLAG", value_parser = flag_key)]
    flag: Option<String>,

    /// Only what this token did, by its id
    #[arg(long, value_name = "ID")]
    actor: Option<String>,

    /// At most this many records
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 50)]
    limit: usize,

    /// Go on and show what comes, until interrupted; the oldest first then
    #[arg(short, long)]
    follow: bool,

    #[command(flatten)]
    place: PlaceArgs,
}

/// A time, or how long ago.
#[derive(Debug, Clone, Copy)]
enum Moment {
    At(Timestamp),
    Ago(Span),
}

impl Moment {
    fn rfc3339(self, now: Timestamp) -> Result<String, Failure> {
        let time = match self {
            Self::At(time) => time,
            Self::Ago(span) => now
                .checked_sub(span.duration())
                .map_err(|error| Failure::usage(error.to_string()))?,
        };
        Ok(time.to_string())
    }
}

fn moment(text: &str) -> Result<Moment, String> {
    if let Some(time) = parse_time(text) {
        return Ok(Moment::At(time));
    }
    text.parse().map(Moment::Ago).map_err(|_| {
        "write how long ago (30m, 2h, 7d) or a time such as 2026-11-21T12:00:00Z".to_owned()
    })
}

/// How many records one request asks for.
const PAGE: usize = 200;
const FOLLOW_PAUSE: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Records<'r> {
    records: &'r [RecordView],
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let now = Timestamp::now();
    let filter = JournalFilter {
        since: args.since.map(|since| since.rfc3339(now)).transpose()?,
        until: args.until.map(|until| until.rfc3339(now)).transpose()?,
        flag: args.flag.clone(),
        // A configured environment narrows nothing here: the log is of all of them.
        environment: args.place.environment.clone(),
        actor: args.actor.clone(),
    };
    if args.follow {
        return follow(session, &client, filter, args.limit).await;
    }
    let records = newest(&client, &filter, args.limit, 0).await?;
    let human: Vec<String> = records.iter().map(|record| human(record, now)).collect();
    let human = if human.is_empty() {
        "nothing changed".to_owned()
    } else {
        human.join("\n")
    };
    let answer = Answer::new(&Records { records: &records }, human)?
        .listing(&records)?
        .named(records.iter().map(|record| format!("r{}", record.revision)));
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}

async fn follow(
    session: &Session,
    client: &Client,
    filter: JournalFilter,
    limit: usize,
) -> Result<Exit, Failure> {
    if matches!(session.screen.format(), Format::Json | Format::Yaml) {
        return Err(Failure::usage(
            "--follow never ends, and so cannot be one document: use -o ndjson",
        ));
    }
    let mut seen = 0;
    let mut at_most = limit;
    loop {
        let mut records = newest(client, &filter, at_most, seen).await?;
        records.reverse();
        for record in &records {
            let answer = Answer::new(record, human(record, Timestamp::now()))?
                .named([format!("r{}", record.revision)]);
            session.screen.answer(&answer)?;
            seen = seen.max(record.revision);
        }
        // What comes from now on is shown whole.
        at_most = usize::MAX;
        tokio::time::sleep(FOLLOW_PAUSE).await;
    }
}

/// At most `limit` records that are newer than `seen`, the newest first.
async fn newest(
    client: &Client,
    filter: &JournalFilter,
    limit: usize,
    seen: u64,
) -> Result<Vec<RecordView>, Failure> {
    let mut records: Vec<RecordView> = Vec::new();
    let mut before = None;
    while records.len() < limit {
        let page = client
            .journal(filter, before, (limit - records.len()).min(PAGE))
            .await?;
        let is_caught_up = page.records.iter().any(|record| record.revision <= seen);
        records.extend(
            page.records
                .into_iter()
                .filter(|record| record.revision > seen),
        );
        if is_caught_up || page.next.is_none() || page.next == before {
            break;
        }
        before = page.next;
    }
    records.truncate(limit);
    Ok(records)
}

fn human(record: &RecordView, now: Timestamp) -> String {
    let incident = record
        .incident
        .as_deref()
        .map(|incident| format!(" · {}", inert(incident)))
        .unwrap_or_default();
    let mut lines = vec![format!(
        "{} · {} ({}) · {} via {} · {}{incident}",
        paint(Tone::Strong, &format!("r{}", record.revision)),
        ago(&record.at, now),
        utc(&record.at),
        inert(&record.actor_name),
        inert(&record.via),
        inert(&record.reason),
    )];
    lines.extend(
        record
            .changes
            .iter()
            .map(|change| format!("    {}{}", inert(&change.sentence), way(change))),
    );
    lines.join("\n")
}

/// ` · open to 25 % → closed`, where there is a way from one to the other.
fn way(change: &Change) -> String {
    match (&change.from, &change.to) {
        (Some(from), Some(to)) if from != to => {
            format!(" · {}", inert(&format!("{from} → {to}")))
        }
        _ => String::new(),
    }
}
