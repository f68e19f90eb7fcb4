//! `lever whoami`: who the token is and whom it talks to.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, inert};
use crate::session::Session;

/// Show who the token is and whom it talks to.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(session: &Session, _: &Args) -> Result<Exit, Failure> {
    let whoami = session.client()?.whoami().await?;
    let token = &whoami.token;
    let or_all = |names: &[String]| {
        if names.is_empty() {
            "all".to_owned()
        } else {
            names.join(", ")
        }
    };
    let rows = [
        ("token", format!("{} ({})", token.name, token.id)),
        ("role", super::token::role_word(token.role).to_owned()),
        ("environments", or_all(&token.environments)),
        ("flags", or_all(&token.keys)),
        (
            "expires",
            token
                .expires_at
                .clone()
                .unwrap_or_else(|| "never".to_owned()),
        ),
        ("server", format!("{} {}", servers(session), whoami.version)),
        (
            "journal",
            format!(
                "{} epoch {} r{}",
                whoami.journal, whoami.epoch, whoami.revision
            ),
        ),
    ];
    let human: Vec<String> = rows
        .iter()
        .map(|(name, value)| format!("{name:<13} {}", inert(value)))
        .collect();
    let answer = Answer::new(&whoami, human.join("\n"))?.named([token.name.clone()]);
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}

fn servers(session: &Session) -> String {
    let urls: Vec<&str> = session
        .config
        .servers
        .value
        .iter()
        .map(reqwest::Url::as_str)
        .collect();
    urls.join(", ")
}
