//! What a change did, told: what, where, the revision, and the line that takes it back.

use leverframe_wire::admin::{Change, Receipt};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Tone, inert, paint};
use crate::session::Session;

/// Tells what a change of a definition, a segment, an environment or a token did.
pub(crate) fn tell(session: &Session, receipt: &Receipt) -> Result<Exit, Failure> {
    tell_parts(session, receipt, &[])
}

/// The same with the `parts` of one definition that changed, a sentence each.
pub(crate) fn tell_parts(
    session: &Session,
    receipt: &Receipt,
    parts: &[String],
) -> Result<Exit, Failure> {
    let human = human(receipt, parts, session.screen.is_quiet());
    let answer = Answer::new(receipt, human)?.named([format!("r{}", receipt.revision)]);
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}

/// The same for people.
fn human(receipt: &Receipt, parts: &[String], is_quiet: bool) -> String {
    let is_change = !receipt.unchanged && !receipt.changes.is_empty();
    let parts = parts
        .iter()
        .filter(|_| is_change)
        .map(|part| format!("    {}", inert(part)));
    if receipt.dry_run {
        return [dry_run(receipt)]
            .into_iter()
            .chain(parts)
            .collect::<Vec<_>>()
            .join("\n");
    }
    let revision = receipt.revision;
    let mut lines = Vec::new();
    match receipt.changes.as_slice() {
        [] => lines.push(format!(
            "{} nothing to change · r{revision}",
            paint(Tone::Good, "✓")
        )),
        [only] => lines.push(format!(
            "{} {}{} · r{revision}",
            paint(Tone::Good, "✓"),
            inert(&only.sentence),
            if receipt.unchanged { " already" } else { "" },
        )),
        several => {
            lines.push(format!(
                "{} {} changes · r{revision}",
                paint(Tone::Good, "✓"),
                several.len()
            ));
            lines.extend(several.iter().map(|change| format!("    {}", line(change))));
        }
    }
    lines.extend(parts);
    if !is_quiet {
        lines.extend(undo(receipt));
    }
    lines.join("\n")
}

/// What would have changed.
pub(crate) fn dry_run(receipt: &Receipt) -> String {
    let mut lines = vec![if receipt.unchanged || receipt.changes.is_empty() {
        format!(
            "{} dry run: nothing would change, and nothing was stored",
            paint(Tone::Quiet, "○")
        )
    } else {
        format!(
            "{} dry run: this would be r{}; nothing was stored",
            paint(Tone::Quiet, "○"),
            receipt.revision
        )
    }];
    lines.extend(
        receipt
            .changes
            .iter()
            .map(|change| format!("    {}", line(change))),
    );
    lines.join("\n")
}

/// The line that takes it back, if anything can.
pub(crate) fn undo(receipt: &Receipt) -> Option<String> {
    receipt
        .undo
        .as_deref()
        .map(|command| format!("  undo: {}", inert(command)))
}

/// One change: from, to.
pub(crate) fn line(change: &Change) -> String {
    let place = change
        .environment
        .as_deref()
        .map(|environment| format!(" in {environment}"))
        .unwrap_or_default();
    match (&change.from, &change.to) {
        (Some(from), Some(to)) if from != to => {
            inert(&format!("{}{place}: {from} → {to}", change.key)).into_owned()
        }
        _ => inert(&change.sentence).into_owned(),
    }
}
