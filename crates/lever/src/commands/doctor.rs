//! `lever doctor`: what is wrong between here and the server, and what to do.

mod checks;

use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Tone, inert, paint};
use crate::session::Session;

/// Look for what is wrong between here and the server, and say what to do; exit 1 when something is.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    /// What was found.
    detail: String,
    /// What to do, where something is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

impl Check {
    fn good(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            name,
            ok: true,
            detail: detail.into(),
            advice: None,
        }
    }

    fn bad(name: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            name,
            ok: false,
            detail: detail.into(),
            advice: Some(advice.into()),
        }
    }
}

#[derive(Serialize)]
struct Diagnosis {
    ok: bool,
    checks: Vec<Check>,
}

pub(crate) async fn run(session: &Session, _: &Args) -> Result<Exit, Failure> {
    let checks = checks::all(session).await?;
    let ok = checks.iter().all(|check| check.ok);
    let human: Vec<String> = checks.iter().flat_map(lines).collect();
    let diagnosis = Diagnosis { ok, checks };
    let wrong = diagnosis.checks.iter().filter(|check| !check.ok);
    let answer = Answer::new(&diagnosis, human.join("\n"))?
        .listing(&diagnosis.checks)?
        .named(wrong.map(|check| check.name));
    session.screen.answer(&answer)?;
    Ok(if ok { Exit::Done } else { Exit::Failed })
}

fn lines(check: &Check) -> Vec<String> {
    let glyph = if check.ok {
        paint(Tone::Good, "✓ ok   ")
    } else {
        paint(Tone::Bad, "✗ wrong")
    };
    let mut lines = vec![format!(
        "{glyph} {:<11} {}",
        check.name,
        inert(&check.detail)
    )];
    if let Some(advice) = &check.advice {
        lines.push(format!("          → {}", inert(advice)));
    }
    lines
}
