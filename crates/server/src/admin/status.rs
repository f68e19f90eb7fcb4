//! How things are.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leverframe_core::access::Permission;
use leverframe_core::roll::Member;
use leverframe_core::state::{Flag, Lever as MovedLever};
use leverframe_node::{Brake, Wanted};
use leverframe_wire::admin::{Health, LeverStatus, Status, Whoami};

use super::attention;
use super::fleet::clocks;
use crate::app::App;
use crate::auth::{self, Authenticated, May};
use crate::convert::{confirmation_view, freeze_view, lever_view, rollout_view, token_view};
use crate::problem::Failure;
use crate::request::Path;
use crate::surface::{Surface, guarded};

pub(super) fn routes() -> Surface {
    let surface = guarded!(Surface::new(), read_status);
    let surface = guarded!(surface, whoami);
    guarded!(surface, read_health)
}

/// One environment at a glance: levers that were moved, the last moved first, and who has that
#[utoipa::path(get, path = "/api/v1/environments/{environment}/status", tag = "status", params(("environment" = String, Path)), responses((status = 200, body = Status)))]
async fn read_status(
    who: Authenticated,
    State(app): State<App>,
    Path(environment): Path<String>,
) -> Result<Json<Status>, Failure> {
    let glance = glance(&app, &who, &environment, |_| true, usize::MAX)?;
    Ok(Json(glance.status))
}

/// A status with some of its levers.
pub(crate) struct Glance {
    /// With at most as many levers as were asked for.
    pub(crate) status: Status,
    /// How many are wanted.
    pub(crate) wanted: usize,
}

/// One environment at a glance, with its wanted levers, the last moved first, and not more of them
/// than asked for.
pub(crate) fn glance(
    app: &App,
    who: &Authenticated,
    environment: &str,
    is_wanted: impl Fn(&MovedLever) -> bool,
    most: usize,
) -> Result<Glance, Failure> {
    let key = who.permit_environment(app, environment, Permission::ReadEnvironment)?;
    let feed = app.feed(key.as_str())?;
    let state = app.node().state();
    let entry = state
        .environment(key.as_str())
        .ok_or_else(|| Failure::not_found("environment", environment))?;
    let standing = Standing::of(&feed.presence().members(), state.epoch());
    let mut brakes = app.node().brakes();
    brakes.retain(|brake| brake.environment == key);
    let mut never_moved = 0;
    let mut moved = Vec::new();
    let in_use = |flag: &&Arc<Flag>| !flag.is_archived && !flag.is_internal();
    for flag in state.flags().filter(in_use) {
        let is_braked = || brakes.iter().any(|kill| kill.flags.contains(flag.key()));
        match flag.lever(key.as_str()) {
            Some(lever) if is_wanted(lever) || is_braked() => {
                moved.push((lever.moved_revision, flag));
            }
            Some(_) => {}
            None => never_moved += 1,
        }
    }
    let wanted = moved.len();
    // By key among those of one revision, which is how they came.
    moved.sort_by_key(|(revision, _)| std::cmp::Reverse(*revision));
    moved.truncate(most);
    let levers = moved
        .into_iter()
        .map(|(revision, flag)| {
            let kill = brakes.iter().find(|kill| kill.flags.contains(flag.key()));
            LeverStatus {
                lever: lever_view(&state, flag, key.as_str()),
                owner: flag.definition.owner.clone(),
                expected: standing.expected,
                confirmed: kill.map_or_else(
                    || standing.confirmed(revision),
                    |kill| {
                        let presence = feed.presence();
                        let had = presence.confirmation(Wanted::Brake(kill.number));
                        had.confirmation.confirmed
                    },
                ),
                brake: kill.map(|kill| kill.number),
            }
        })
        .collect();
    let now = app.node().wall_now();
    let revision = feed.revision();
    let confirmed = feed.presence().confirmation(revision);
    let status = Status {
        environment: environment.to_owned(),
        guarded: entry.environment.guarded,
        revision,
        levers,
        not_stored: brakes.iter().map(Brake::sentence).collect(),
        rollouts: state
            .running()
            .filter(|rollout| rollout.environment == key)
            .map(|rollout| rollout_view(rollout, app.node().steady_now()))
            .collect(),
        freeze: state.freeze(key.as_str(), now).map(freeze_view),
        not_drilled: attention::not_drilled(&state, &key, now),
        pages_failing: attention::pages_failing(&state, &key, now),
        never_moved,
        fleet: confirmation_view(
            key.as_str(),
            confirmed,
            feed.caches().evidence(revision),
            clocks(app),
        ),
    };
    Ok(Glance { status, wanted })
}

/// The revisions of those who count, so that many levers can be asked about at once.
struct Standing {
    expected: usize,
    /// Ascending.
    revisions: Vec<u64>,
}

impl Standing {
    fn of(members: &[Member], epoch: u64) -> Self {
        let counting = || members.iter().filter(|member| member.counts);
        let mut revisions: Vec<u64> = counting()
            .filter_map(|member| member.acknowledged.as_ref())
            .filter(|acknowledged| acknowledged.epoch == epoch)
            .map(|acknowledged| acknowledged.revision)
            .collect();
        revisions.sort_unstable();
        Self {
            expected: counting().count(),
            revisions,
        }
    }

    fn confirmed(&self, revision: u64) -> usize {
        self.revisions.len() - self.revisions.partition_point(|has| *has < revision)
    }
}

/// Who the token is and whom it talks to
#[utoipa::path(get, path = "/api/v1/whoami", tag = "status", responses((status = 200, body = Whoami)))]
async fn whoami(who: Authenticated, State(app): State<App>) -> Json<Whoami> {
    // Every token may ask what it is.
    let state = app.node().state();
    Json(Whoami {
        token: token_view(who.entry()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        journal: state.journal().to_owned(),
        epoch: state.epoch(),
        revision: state.revision(),
        now: app.node().wall_now().to_string(),
    })
}

/// How the server is
#[utoipa::path(get, path = "/api/v1/health", tag = "status", responses((status = 200, body = Health)))]
async fn read_health(
    _: May<auth::ReadMetrics>,
    State(app): State<App>,
) -> Result<Json<Health>, Failure> {
    let health = app.node().health();
    Ok(Json(Health {
        writable: health.writable,
        store: health.store.to_owned(),
        revision: app.node().state().revision(),
        last_commit_ms: health.last_commit.map(|took| took.as_secs_f64() * 1_000.0),
        uptime_s: health.uptime.as_secs(),
        problems: health.problems,
    }))
}
