//! `lever segment list`.

use leverframe_wire::admin::Segment;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Table};
use crate::session::Session;

/// List segments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only segments that hold this text
    #[arg(value_name = "TEXT")]
    text: Option<String>,
}

#[derive(Serialize)]
struct Segments<'s> {
    segments: &'s [Segment],
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let segments = session.client()?.segments(args.text.as_deref()).await?;
    let mut table = Table::new(&["SEGMENT", "WHEN", "INCLUDED", "EXCLUDED", "USED BY"]);
    for segment in &segments {
        let definition = &segment.definition;
        table.row([
            definition.key.clone(),
            definition.when.clone().unwrap_or_default(),
            definition.include.len().to_string(),
            definition.exclude.len().to_string(),
            segment.used_by.len().to_string(),
        ]);
    }
    let document = Segments {
        segments: &segments,
    };
    let answer = Answer::new(&document, table.or("there are no such segments"))?
        .listing(&segments)?
        .named(
            segments
                .iter()
                .map(|segment| segment.definition.key.clone()),
        );
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}
