//! `--keep-positions`: what was imported is opened, and nothing else is.

use leverframe_core::flagd::Import;
use leverframe_wire::admin::{Exposure, Open, Why};
use serde::Serialize;

use crate::api::{Attempt, Client};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::plan::{Action, Plan};
use crate::session::Session;

/// A lever to open to everybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Opened {
    pub(super) flag: String,
    pub(super) environment: String,
}

/// The levers of the flags that this import makes and that were ENABLED. A flag that was there
/// before may have been killed, and no file reopens that.
pub(super) fn to_open(import: &Import, plan: &Plan, environments: &[String]) -> Vec<Opened> {
    let is_new = |key: &str| {
        plan.steps
            .iter()
            .any(|step| step.action == Action::Create && step.definition.key() == key)
    };
    import
        .flags
        .iter()
        .filter(|flag| flag.is_enabled && is_new(flag.definition.key.as_str()))
        .flat_map(|flag| {
            environments.iter().map(|environment| Opened {
                flag: flag.definition.key.to_string(),
                environment: environment.clone(),
            })
        })
        .collect()
}

/// The reason for everything, asked for before anything is changed: half an import is worse than
/// none.
pub(super) async fn reason(
    session: &Session,
    client: &Client,
    opens: bool,
    environments: &[String],
    why: Why,
) -> Result<Why, Failure> {
    if !opens || why.reason.is_some() {
        return Ok(why);
    }
    let known = client.environments().await?.environments;
    let guarded = known
        .iter()
        .find(|known| known.guarded && environments.contains(&known.key));
    let Some(guarded) = guarded else {
        return Ok(why);
    };
    let question = format!("To open in {} needs a reason. Why?", guarded.key);
    match session.screen.ask(&question) {
        Some(reason) => Ok(Why {
            reason: Some(reason),
            ..why
        }),
        None => Err(Failure::new(
            Exit::Usage,
            "reason-required",
            format!(
                "{} is guarded, and an opening there needs a reason: add -r; nothing changed",
                guarded.key
            ),
        )),
    }
}

pub(super) async fn open(client: &Client, levers: &[Opened], why: &Why) -> Result<(), Failure> {
    for (done, lever) in levers.iter().enumerate() {
        open_one(client, lever, why).await.map_err(|mut failure| {
            failure.problem.detail = format!(
                "{} in {}: {}; every flag was imported, and {done} of {} levers are open: lever \
                 open {} -e {} --to 100%",
                lever.flag,
                lever.environment,
                failure.problem.detail,
                levers.len(),
                lever.flag,
                lever.environment
            );
            failure
        })?;
    }
    Ok(())
}

async fn open_one(client: &Client, lever: &Opened, why: &Why) -> Result<(), Failure> {
    let Opened { flag, environment } = lever;
    let seen = client.lever(flag, environment).await?.revision;
    let open = Open {
        exposure: Exposure {
            cohorts: Vec::new(),
            percentage: 100.0,
        },
        unwatched: false,
        why: why.clone(),
    };
    let attempt = Attempt {
        dry_run: false,
        seen: Some(seen),
    };
    client.open(flag, environment, &open, attempt).await?;
    Ok(())
}
