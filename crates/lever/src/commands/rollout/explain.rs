//! `lever rollout explain`: the evidence, with its numbers.

use jiff::Timestamp;
use leverframe_wire::admin::{ArmCounts, Evidence, MetricEvidence, ShareView};
use serde::Serialize;

use super::picture::{clock, headline, percentage, verdict_words};
use super::which;
use crate::arguments::PlaceArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, inert, paint};
use crate::session::Session;

/// Say why a rollout is where it is: the evidence with its numbers, and why it does not move.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The flag, or the rollout's own name
    #[arg(value_name = "FLAG|ROLLOUT")]
    which: String,

    /// Add what was measured in each interval, for programs: with -o json
    #[arg(long)]
    measurements: bool,

    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Serialize)]
struct Explained<'e> {
    #[serde(flatten)]
    evidence: &'e Evidence,
    #[serde(skip_serializing_if = "Option::is_none")]
    measurements: Option<Vec<leverframe_wire::admin::MeasurementView>>,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let rollout = which(session, &client, &args.which, &args.place).await?;
    let evidence = client.evidence(&rollout.id).await?;
    let measurements = if args.measurements {
        Some(client.measurements(&rollout.id).await?.measurements)
    } else {
        None
    };
    let explained = Explained {
        evidence: &evidence,
        measurements,
    };
    let human = explanation(&evidence, Timestamp::now()).join("\n");
    let answer = Answer::new(&explained, human)?.named([rollout.id]);
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}

pub(super) fn explanation(evidence: &Evidence, now: Timestamp) -> Vec<String> {
    let rollout = &evidence.rollout;
    let mut lines = vec![headline(rollout, now)];
    lines.push(format!("  {}", inert(&rollout.sentence)));
    if !rollout.state.is_over() {
        lines.push(format!(
            "  analysed {} of a bake of {}; lasts {} of at most {}",
            clock(evidence.analysed_ms),
            clock(evidence.bake_ms),
            clock(evidence.lasted_ms),
            clock(evidence.hold_ms_max)
        ));
    }
    for metric in &evidence.metrics {
        lines.extend(metric_lines(metric));
    }
    match evidence.share {
        ShareView::AsMeant => {}
        ShareView::TooMany => lines.push(
            "  share: more units than meant are exposed; the counts cannot be trusted".to_owned(),
        ),
        ShareView::TooFew => lines.push(
            "  share: exposed units are missing: they left, or crashed before they could say so"
                .to_owned(),
        ),
    }
    if evidence.shared_harm {
        lines.push("  both arms became worse right after the last step".to_owned());
    }
    if !evidence.holds.is_empty() && !rollout.state.is_over() {
        lines.push("  why it does not move:".to_owned());
        lines.extend(
            evidence
                .holds
                .iter()
                .map(|why| format!("    · {}", inert(why))),
        );
    }
    lines
}

fn metric_lines(metric: &MetricEvidence) -> Vec<String> {
    let (tone, glyph, word) = verdict_words(metric.verdict);
    let mut lines = vec![format!(
        "  {}  {}",
        paint(tone, &format!("{glyph} {} {word}:", inert(&metric.metric))),
        inert(&metric.sentence)
    )];
    for (when, exposed, held_back) in [
        ("stage", metric.exposed, metric.held_back),
        ("total", metric.exposed_total, metric.held_back_total),
    ] {
        if let (Some(exposed), Some(held_back)) = (exposed, held_back) {
            lines.push(format!(
                "      {when}: canary {}, base {}",
                counts(exposed),
                counts(held_back)
            ));
        }
    }
    let evidence = |name: &str, ln: Option<f64>, limit: Option<f64>| {
        let (ln, limit) = (ln?, limit?);
        Some(format!(
            "      {name} = {}, {} at {}",
            ratio(ln),
            if name == "E_bad" {
                "convicts"
            } else {
                "proves"
            },
            ratio(limit)
        ))
    };
    lines.extend(evidence("E_bad", metric.ln_e_bad, metric.ln_e_bad_limit));
    lines.extend(evidence("E_ok", metric.ln_e_ok, metric.ln_e_ok_limit));
    lines
}

/// `41 bad of 1 204 (3.4 %)`.
fn counts(counts: ArmCounts) -> String {
    let percent = counts.percent_bad().map(percentage);
    format!(
        "{} bad of {} units ({})",
        counts.bad,
        counts.units,
        percent.unwrap_or_else(|| "–".to_owned())
    )
}

/// `e^ln` where it can be read, a power of ten where not.
fn ratio(ln: f64) -> String {
    let tens = ln / std::f64::consts::LN_10;
    if tens.abs() < 4.0 {
        let value = ln.exp();
        if value >= 9.95 {
            format!("{value:.0}")
        } else {
            format!("{value:.2}")
        }
    } else {
        format!("10^{tens:.1}")
    }
}
