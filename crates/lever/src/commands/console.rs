//! `lever console`: a way into the console for a browser.

use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, inert};
use crate::session::Session;

/// Print a link that signs a browser in to the console, once, with the rights of this token.
///
/// The link works for ten minutes. Whoever has it can sign in, so it is for nobody else.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// The link, for programs.
#[derive(Serialize)]
struct Printed<'a> {
    url: &'a str,
    expires_at: &'a str,
}

pub(crate) async fn run(session: &Session, _: &Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let link = client.create_sign_in_link().await?;
    // Only the server that made it knows it.
    let url = format!("{}{}", client.last_server(), link.path);
    let printed = Printed {
        url: &url,
        expires_at: &link.expires_at,
    };
    let answer = Answer::new(&printed, inert(&url))?.named([url.clone()]);
    session.screen.answer(&answer)?;
    session.screen.note(&format!(
        "it signs one browser in, until {}",
        link.expires_at
    ));
    Ok(Exit::Done)
}
