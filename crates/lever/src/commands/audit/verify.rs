//! `lever audit verify`.

use leverframe_wire::admin::Verification;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Tone, inert, paint};
use crate::session::Session;

/// Read the whole hash chain again; exit 3 when it is broken.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(session: &Session, _: &Args) -> Result<Exit, Failure> {
    let verification = session.client()?.verify().await?;
    let answer =
        Answer::new(&verification, human(&verification))?.named([verification.head.clone()]);
    session.screen.answer(&answer)?;
    Ok(if verification.intact {
        Exit::Done
    } else {
        Exit::Gate
    })
}

fn human(verification: &Verification) -> String {
    if verification.intact {
        return format!(
            "{} the journal is whole · {} records up to r{} · head {}",
            paint(Tone::Good, "✓"),
            verification.records,
            verification.revision,
            inert(&verification.head)
        );
    }
    let place = verification
        .first_bad
        .map(|revision| format!(" at r{revision}"))
        .unwrap_or_default();
    format!(
        "{} the journal is broken{place} · {} records read\n  {}",
        paint(Tone::Bad, "✗"),
        verification.records,
        inert(verification.detail.as_deref().unwrap_or_default())
    )
}
