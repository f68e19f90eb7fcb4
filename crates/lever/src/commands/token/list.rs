//! `lever token list`.

use jiff::Timestamp;
use leverframe_wire::admin::Token;

use super::role_word;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Table, ago, parse_time};
use crate::session::Session;

/// List tokens, without their secrets.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(session: &Session, _: &Args) -> Result<Exit, Failure> {
    let list = session.client()?.tokens().await?;
    let now = Timestamp::now();
    let mut table = Table::new(&[
        "ID",
        "NAME",
        "ROLE",
        "ENVIRONMENTS",
        "FLAGS",
        "MADE",
        "STATE",
    ]);
    for token in &list.tokens {
        let or_all = |names: &[String]| {
            if names.is_empty() {
                "all".to_owned()
            } else {
                names.join(", ")
            }
        };
        table.row([
            token.id.clone(),
            token.name.clone(),
            role_word(token.role).to_owned(),
            or_all(&token.environments),
            or_all(&token.keys),
            ago(&token.created_at, now),
            state(token, now),
        ]);
    }
    let answer = Answer::new(&list, table.or("there are no tokens"))?
        .listing(&list.tokens)?
        .named(list.tokens.iter().map(|token| token.id.clone()));
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}

fn state(token: &Token, now: Timestamp) -> String {
    if let Some(at) = &token.revoked_at {
        return format!("✗ revoked {}", ago(at, now));
    }
    match &token.expires_at {
        Some(at) if parse_time(at).is_some_and(|at| at <= now) => {
            format!("✗ expired {}", ago(at, now))
        }
        Some(at) => format!("✓ works, expires {}", ago(at, now)),
        None => "✓ works".to_owned(),
    }
}
