//! `lever flag list`.

use leverframe_wire::admin::{Flag, Position};
use serde::Serialize;

use super::definition::KindName;
use super::show::{kind_word, type_word};
use crate::api::FlagFilter;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Table};
use crate::session::Session;

/// List flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only flags that hold this text
    #[arg(value_name = "TEXT")]
    text: Option<String>,

    /// Only flags of this owner
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,

    /// Only flags with this tag
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,

    /// Only flags of this kind
    #[arg(long, value_name = "KIND")]
    kind: Option<KindName>,

    /// Flags out of use, too
    #[arg(long)]
    archived: bool,
}

#[derive(Serialize)]
struct Flags<'f> {
    flags: &'f [Flag],
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let filter = FlagFilter {
        text: args.text.clone(),
        owner: args.owner.clone(),
        tag: args.tag.clone(),
        kind: args.kind.map(|kind| kind_word(kind.into()).to_owned()),
        archived: args.archived,
    };
    let flags = session.client()?.flags(&filter).await?;
    let mut table = Table::new(&["FLAG", "KIND", "TYPE", "OWNER", "SUNSET", "NOT CLOSED"]);
    for flag in &flags {
        let definition = &flag.definition;
        table.row([
            definition.key.clone(),
            kind_word(definition.kind).to_owned(),
            type_word(definition.value_type).to_owned(),
            definition.owner.clone(),
            definition.sunset.clone().unwrap_or_default(),
            not_closed(flag),
        ]);
    }
    let answer = Answer::new(
        &Flags { flags: &flags },
        table.or("there are no such flags"),
    )?
    .listing(&flags)?
    .named(flags.iter().map(|flag| flag.definition.key.clone()));
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}

fn not_closed(flag: &Flag) -> String {
    if flag.archived {
        return "archived".to_owned();
    }
    let places: Vec<String> = flag
        .levers
        .iter()
        .filter(|lever| !matches!(lever.position, Position::Closed { .. }))
        .map(|lever| {
            format!(
                "{} {}",
                lever.environment,
                crate::commands::status::position(&lever.position)
            )
        })
        .collect();
    places.join(", ")
}
