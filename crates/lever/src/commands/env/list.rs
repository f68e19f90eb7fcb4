//! `lever env list`.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Table};
use crate::session::Session;

/// List environments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(session: &Session, _: &Args) -> Result<Exit, Failure> {
    let list = session.client()?.environments().await?;
    let mut table = Table::new(&[
        "ENVIRONMENT",
        "GUARDED",
        "REVISION",
        "NOT CLOSED",
        "EVALUATORS",
    ]);
    for environment in &list.environments {
        table.row([
            environment.key.clone(),
            if environment.guarded {
                "✓ yes"
            } else {
                "· no"
            }
            .to_owned(),
            format!("r{}", environment.revision),
            environment.not_closed.to_string(),
            environment.evaluators.to_string(),
        ]);
    }
    let answer = Answer::new(&list, table.or("there are no environments"))?
        .listing(&list.environments)?
        .named(list.environments.iter().map(|one| one.key.clone()));
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}
