//! `lever probe`: the gate of a pipeline.

use leverframe_wire::admin::{ArmCounts, Probe, ProbeState};

use crate::arguments::{PlaceArgs, flag_key, percentage};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Tone, annotate, inert, paint};
use crate::session::Session;
use crate::span::Span;

/// Ask how a flag did just now: exit 0 within its error budget, 3 when that is spent.
///
/// Counts the units that the percentage let through in the window, and those of them for which
/// something went wrong; where it let nobody through, those that a cohort, a rule or a pin decided
/// for. When nobody reported anything, nothing is known: that is exit 3, too, and the answer says
/// what is missing; with --allow-no-data it is 0.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The flag
    #[arg(value_name = "FLAG", value_parser = flag_key)]
    flag: String,

    /// How far back to look
    #[arg(
        long,
        allow_hyphen_values = true,
        value_name = "DURATION",
        default_value = "10m"
    )]
    window: Span,

    /// The share of units that may go wrong
    #[arg(long, allow_hyphen_values = true, value_name = "PERCENT", value_parser = percentage)]
    error_budget: f64,

    /// Let it pass when nobody reported anything
    #[arg(long)]
    allow_no_data: bool,

    #[command(flatten)]
    place: PlaceArgs,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let environment = session.environment_to_read(&args.place)?;
    let client = session.client()?;
    let probe = client
        .probe(&args.flag, &environment, args.window, args.error_budget)
        .await?;
    let exit = match probe.state {
        ProbeState::Within => Exit::Done,
        ProbeState::NoData if args.allow_no_data => Exit::Done,
        ProbeState::Spent | ProbeState::NoData => Exit::Gate,
    };
    let answer = Answer::new(&probe, human(&probe))?.named([word(probe.state)]);
    session.screen.answer(&answer)?;
    annotate(session.is_github(), exit, "probe", &probe.sentence);
    Ok(exit)
}

fn word(state: ProbeState) -> &'static str {
    match state {
        ProbeState::Within => "within",
        ProbeState::Spent => "spent",
        ProbeState::NoData => "no-data",
    }
}

fn human(probe: &Probe) -> String {
    let (tone, glyph) = match probe.state {
        ProbeState::Within => (Tone::Good, "✓"),
        ProbeState::Spent => (Tone::Bad, "✗"),
        ProbeState::NoData => (Tone::Braked, "∅"),
    };
    let mut lines = vec![format!(
        "{} {}",
        paint(
            tone,
            &format!("{glyph} {}:", word(probe.state).to_uppercase())
        ),
        inert(&probe.sentence)
    )];
    for (name, counts) in [
        ("exposed", probe.exposed),
        ("assigned", probe.assigned),
        ("held back", probe.held_back),
    ] {
        if counts != ArmCounts::default() {
            lines.push(format!(
                "    {name}: {} bad of {} units",
                counts.bad, counts.units
            ));
        }
    }
    lines.join("\n")
}
