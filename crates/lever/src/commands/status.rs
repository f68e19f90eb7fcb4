//! `lever status`: which levers were pulled, and who has it.

use jiff::Timestamp;
use leverframe_wire::admin::{ConfirmationState, Freeze, LeverStatus, Position, Status};
use serde::Serialize;

use super::rollout;
use crate::arguments::PlaceArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Table, Tone, ago, inert, paint};
use crate::session::Session;

/// Show which levers were pulled and who has it; every environment when none is named.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: PlaceArgs,
}

/// Every environment.
#[derive(Serialize)]
struct All {
    environments: Vec<Status>,
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let now = Timestamp::now();
    let answer = if let Some(environment) = session.environment_if_named(&args.place) {
        let status = client.status(&environment).await?;
        Answer::new(&status, human(&status, now))?
            .listing(&status.levers)?
            .named(status.levers.iter().map(|status| status.lever.flag.clone()))
    } else {
        let mut environments = Vec::new();
        for environment in client.environments().await?.environments {
            environments.push(client.status(&environment.key).await?);
        }
        let human: Vec<String> = environments.iter().map(|one| human(one, now)).collect();
        let names: Vec<String> = environments
            .iter()
            .map(|status| status.environment.clone())
            .collect();
        let all = All { environments };
        Answer::new(&all, human.join("\n\n"))?
            .listing(&all.environments)?
            .named(names)
    };
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}

/// How far a flag is let through, with its glyph.
pub(super) fn position(position: &Position) -> String {
    match position {
        Position::Closed { latched: true, .. } => "■ closed".to_owned(),
        Position::Closed { latched: false, .. } => "□ closed, never opened".to_owned(),
        Position::Open { exposure } => {
            let mut parts = exposure.cohorts.clone();
            if exposure.percentage > 0.0 || parts.is_empty() {
                parts.push(format!("{} %", exposure.percentage));
            }
            format!("▲ open to {}", parts.join(" + "))
        }
        Position::Pinned { variant } => format!("◆ pinned to {variant}"),
    }
}

fn human(status: &Status, now: Timestamp) -> String {
    let mut lines = vec![format!(
        "{}{} · r{} · {}",
        paint(Tone::Strong, &inert(&status.environment)),
        if status.guarded { " guarded" } else { "" },
        status.revision,
        fleet(status),
    )];
    for sentence in &status.not_stored {
        lines.push(format!("{} {}", paint(Tone::Bad, "■"), inert(sentence)));
    }
    lines.extend(status.freeze.iter().map(|freeze| frozen(freeze, now)));
    for sentence in &status.pages_failing {
        lines.push(format!("{} {}", paint(Tone::Bad, "✗"), inert(sentence)));
    }
    lines.extend(
        status
            .rollouts
            .iter()
            .map(|rollout| rollout::headline(rollout, now)),
    );
    if status.fleet.caches.seen > 0 {
        let caches = &status.fleet.caches;
        lines.push(format!(
            "OFREP caches: {} seen in 10 min · {} fetched r{} · {} use it (they cannot confirm)",
            caches.seen, caches.fetched, status.revision, caches.applied
        ));
    }
    let mut table = Table::new(&["FLAG", "POSITION", "HAVE IT", "MOVED", "BY", "OWNER", "WHY"]);
    for lever in &status.levers {
        table.row(row(lever, now));
    }
    lines.push(table.or("no lever was ever moved here"));
    if status.never_moved > 0 {
        lines.push(format!(
            "{} more {} closed and never moved",
            status.never_moved,
            if status.never_moved == 1 { "is" } else { "are" }
        ));
    }
    for sentence in &status.not_drilled {
        lines.push(format!("· {}", inert(sentence)));
    }
    for straggler in &status.fleet.stragglers {
        lines.push(format!(
            "  {} {} · {} · build {} · {} · {}",
            paint(Tone::Bad, "✗"),
            inert(&straggler.instance),
            inert(&straggler.application),
            inert(&straggler.build),
            ago(&straggler.last_seen, now),
            inert(&straggler.advice),
        ));
    }
    lines.join("\n")
}

fn frozen(freeze: &Freeze, now: Timestamp) -> String {
    format!(
        "{} nothing is opened here, by {} ({}); it ends {}",
        paint(Tone::Braked, "‖ FROZEN:"),
        inert(&freeze.by),
        inert(&freeze.reason),
        ago(&freeze.until, now),
    )
}

fn row(status: &LeverStatus, now: Timestamp) -> [String; 7] {
    let lever = &status.lever;
    let moved = match (&lever.moved_at, lever.moved_revision) {
        (Some(at), Some(revision)) => format!("{} r{revision}", ago(at, now)),
        _ => String::new(),
    };
    [
        lever.flag.clone(),
        match status.brake {
            // What the journal says is not what evaluators answer.
            Some(_) => "■ closed, NOT STORED".to_owned(),
            None => position(&lever.position),
        },
        match (status.expected, status.confirmed) {
            (0, _) => "nobody".to_owned(),
            (expected, confirmed) if expected == confirmed => format!("✓ {confirmed}/{expected}"),
            (expected, confirmed) => format!("✗ {confirmed}/{expected}"),
        },
        moved,
        lever.moved_by.clone().unwrap_or_default(),
        status.owner.clone(),
        lever.reason.clone().unwrap_or_default(),
    ]
}

fn fleet(status: &Status) -> String {
    let fleet = &status.fleet;
    match fleet.state {
        ConfirmationState::Nobody => format!("nobody follows {}", inert(&status.environment)),
        ConfirmationState::Confirmed => paint(
            Tone::Good,
            &format!(
                "✓ {}/{} evaluators confirmed",
                fleet.confirmed, fleet.expected
            ),
        ),
        ConfirmationState::Pending => paint(
            Tone::Bad,
            &format!(
                "✗ {}/{} evaluators confirmed",
                fleet.confirmed, fleet.expected
            ),
        ),
    }
}
