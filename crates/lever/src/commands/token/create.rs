//! `lever token create`.

use clap::ValueEnum;
use leverframe_wire::admin::{CreateToken, CreatedToken, Role};

use super::role_word;
use crate::api::Attempt;
use crate::arguments::{ChangeArgs, environment_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Tone, inert, paint};
use crate::receipt;
use crate::session::Session;
use crate::span::Span;

/// Make a token; its secret is shown this once.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What people call it
    #[arg(value_name = "NAME")]
    name: String,

    /// What it may do
    #[arg(long, value_name = "ROLE")]
    role: RoleName,

    /// An environment it is for; repeat for several; every one when absent
    #[arg(short, long = "env", value_name = "ENV", value_parser = environment_key)]
    environments: Vec<String>,

    /// A glob of flag keys it is for, such as team-pay-*; repeat for several
    #[arg(long = "key", value_name = "GLOB")]
    keys: Vec<String>,

    /// How long it works, such as 30d; for ever when absent
    #[arg(long, value_name = "DURATION")]
    ttl: Option<Span>,

    #[command(flatten)]
    change: ChangeArgs,
}

/// [`Role`] as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RoleName {
    /// Reads
    Viewer,
    /// Follows one environment and evaluates in it
    Evaluator,
    /// Evaluates client-visible flags in one environment; may be seen by anybody
    ClientEvaluator,
    /// Reads, and may only close or lower
    Brake,
    /// Everything with flags and segments
    Operator,
    /// Everything
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Viewer => Self::Viewer,
            RoleName::Evaluator => Self::Evaluator,
            RoleName::ClientEvaluator => Self::ClientEvaluator,
            RoleName::Brake => Self::Brake,
            RoleName::Operator => Self::Operator,
            RoleName::Admin => Self::Admin,
        }
    }
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let client = session.client()?;
    let attempt = Attempt {
        dry_run: args.change.dry_run,
        seen: None,
    };
    let created = session
        .reasoned(args.change.why(), async |why| {
            let token = CreateToken {
                name: args.name.clone(),
                role: args.role.into(),
                environments: args.environments.clone(),
                keys: args.keys.clone(),
                ttl_s: args.ttl.map(Span::seconds),
                why,
            };
            client.create_token(&token, attempt).await
        })
        .await?;
    let answer = Answer::new(&created, human(&created))?.named([created.about.id.clone()]);
    session.screen.answer(&answer)?;
    Ok(Exit::Done)
}

fn human(created: &CreatedToken) -> String {
    if created.receipt.dry_run {
        return receipt::dry_run(&created.receipt);
    }
    let about = &created.about;
    let places = if about.environments.is_empty() {
        "every environment".to_owned()
    } else {
        about.environments.join(", ")
    };
    let until = about
        .expires_at
        .as_deref()
        .map_or_else(|| "for ever".to_owned(), |at| format!("until {at}"));
    [
        format!(
            "{} {}",
            paint(Tone::Good, "✓"),
            inert(&format!(
                "token {} ({}) is made · {} · {places} · {until} · r{}",
                about.name,
                about.id,
                role_word(about.role),
                created.receipt.revision
            ))
        ),
        format!("  {}", paint(Tone::Strong, &inert(&created.token))),
        "  keep it now: it is shown this once and stored nowhere".to_owned(),
        inert(&format!("  take it back: lever token revoke {}", about.id)).into_owned(),
    ]
    .join("\n")
}
