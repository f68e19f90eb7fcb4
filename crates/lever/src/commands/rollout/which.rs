//! Which rollout is meant: by its own name, or by the flag's.

use leverframe_wire::admin::Rollout;

use crate::api::{Client, RolloutFilter};
use crate::arguments::PlaceArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// A rollout's own name begins with this.
pub(super) const ID_PREFIX: &str = "ro_";

/// The rollout that is named by its id, or the running or last one of the flag of that name.
///
/// # Errors
/// Exit 2 when the flag has rollouts in several environments and none is named; exit 5 when there
/// is no such rollout.
pub(crate) async fn which(
    session: &Session,
    client: &Client,
    name: &str,
    place: &PlaceArgs,
) -> Result<Rollout, Failure> {
    if name.starts_with(ID_PREFIX) {
        match client.rollout(name).await {
            // A flag may be called so, too.
            Err(error) if error.code() == "not-found" && place.environment.is_some() => {}
            outcome => return Ok(outcome?),
        }
    }
    if let Some(environment) = session.environment_if_named(place) {
        return Ok(client.rollout_of(name, &environment).await?);
    }
    let filter = |state| RolloutFilter {
        flag: Some(name.to_owned()),
        state,
        ..RolloutFilter::default()
    };
    let running = client.rollouts(&filter(Some("running")), 20).await?;
    let mut found = if running.is_empty() {
        client.rollouts(&filter(None), 1).await?
    } else {
        running
    };
    if found.len() > 1 {
        let places: Vec<&str> = found.iter().map(|one| one.environment.as_str()).collect();
        return Err(Failure::new(
            Exit::Usage,
            "environment-required",
            format!(
                "{name} is being rolled out in {}: say which with -e",
                places.join(" and ")
            ),
        ));
    }
    found.pop().ok_or_else(|| {
        Failure::not_found(format!(
            "there is no rollout of {name:?}; start one: lever rollout start {name} -e ENV --plan safe"
        ))
    })
}
