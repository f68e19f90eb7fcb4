//! `lever segment show`.

use leverframe_wire::admin::Segment;

use crate::arguments::segment_key;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Tone, inert, paint};
use crate::session::Session;

/// Show one segment and what uses it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The segment
    #[arg(value_name = "SEGMENT", value_parser = segment_key)]
    key: String,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let segment = session.client()?.segment(&args.key).await?;
    let answer = Answer::new(&segment, human(&segment))?.named([segment.definition.key.clone()]);
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}

fn human(segment: &Segment) -> String {
    let definition = &segment.definition;
    let mut lines = vec![paint(Tone::Strong, &inert(&definition.key))];
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            lines.push(format!("  {name:<9} {}", inert(value)));
        }
    };
    field("when", definition.when.as_deref().unwrap_or_default());
    field("include", &definition.include.join(", "));
    field("exclude", &definition.exclude.join(", "));
    field("used by", &segment.used_by.join(", "));
    field("defined", &format!("r{}", segment.revision));
    lines.join("\n")
}
