//! `lever rollout preflight`: what a plan could prove here.

use leverframe_wire::admin::{AskPreflight, Preflight};

use super::start::PlanArgs;
use crate::arguments::{PlaceArgs, flag_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Tone, inert, paint};
use crate::session::Session;

/// Say what a plan could prove here, from the traffic of the last hours; exit 3 when a rollout may
/// not start.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The flag
    #[arg(value_name = "FLAG", value_parser = flag_key)]
    flag: String,

    #[command(flatten)]
    plan: PlanArgs,
    #[command(flatten)]
    place: PlaceArgs,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let (plan, definition) = args.plan.choice()?;
    let environment = session.environment_to_read(&args.place)?;
    let ask = AskPreflight { plan, definition };
    let client = session.client()?;
    let preflight = client.preflight(&args.flag, &environment, &ask).await?;
    let answer = Answer::new(&preflight, forecast(&preflight).join("\n"))?
        .listing(&preflight.stages)?
        .named(preflight.stages.iter().map(|stage| stage.label.clone()));
    session.screen.answer(&answer)?;
    Ok(if preflight.ready {
        Exit::Done
    } else {
        Exit::Gate
    })
}

pub(super) fn forecast(preflight: &Preflight) -> Vec<String> {
    let (tone, glyph, word) = if preflight.ready {
        (Tone::Good, "✓", "may start")
    } else {
        (Tone::Bad, "✗", "may not start")
    };
    let mut lines = vec![format!(
        "{} {} in {} by plan {}: {word}",
        paint(tone, glyph),
        inert(&preflight.flag),
        inert(&preflight.environment),
        inert(&preflight.plan.key),
    )];
    lines.extend(
        preflight
            .refusals
            .iter()
            .map(|why| format!("  {} {}", paint(Tone::Bad, "✗"), inert(why))),
    );
    let width = preflight
        .stages
        .iter()
        .map(|stage| stage.label.chars().count())
        .max()
        .unwrap_or_default();
    lines.extend(preflight.stages.iter().map(|stage| {
        format!(
            "  {:<width$}  {}",
            inert(&stage.label),
            // It begins with its own name.
            inert(
                stage
                    .sentence
                    .strip_prefix(&format!("{}: ", stage.label))
                    .unwrap_or(&stage.sentence)
            )
        )
    }));
    lines.extend(
        preflight
            .remarks
            .iter()
            .map(|remark| format!("  · {}", inert(remark))),
    );
    lines
}
