//! The big lever. All of it works from memory, and a pull goes out while the store does not answer.

mod puller;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use leverframe_console::page::{Filled, Group, Kill, KillFlag, Pulled, Row, Selected};
use leverframe_console::{Failing, Link, Place};
use leverframe_core::access::Permission;
use leverframe_core::state::{Flag, State as Fold};
use leverframe_flags::Position;
use leverframe_wire::admin;

use super::form::Form;
use super::visit::Visit;
use super::{Pages, answer, confirmation, errors, listed};
use crate::admin::flag::says;
use crate::admin::lever;
use crate::app::App;
use crate::convert::{definition_view, freeze_view, lever_view};
use crate::limit::{KILL_ROWS_MAX, KILL_TICKS_MAX, NEXT_BYTES_MAX};
use crate::problem::Failure;
use crate::request::Path;
use puller::Puller;

/// A lever that was moved so long ago comes first, in milliseconds.
const JUST_MOVED_MS: i64 = 60 * 60 * 1_000;
/// "Opened in the last 30 minutes", in milliseconds.
const RECENT_MS: i64 = 30 * 60 * 1_000;

pub(super) fn pages() -> Pages {
    listed! {
        get "/kill" => show;
        post "/kill" => pull;
        get "/kill/{flag}" => show_flag;
    }
}

async fn show(visit: Visit, State(app): State<App>) -> Response {
    let asked = Asked::of_address(&visit);
    choose(&app, &visit, asked, Told::ByAddress).await
}

async fn show_flag(visit: Visit, State(app): State<App>, Path(key): Path<String>) -> Response {
    let asked = Asked::of_address(&visit);
    show_card(&app, &visit, &key, asked, Told::ByAddress).await
}

async fn pull(Puller { visit, app, form }: Puller) -> Response {
    let asked = Asked::of_form(&form);
    let card = card(&form).map(str::to_owned);
    let pulled = match visit.named_environment() {
        Ok(environment) => kill(&app, &visit, environment.as_str(), &form, &asked).await,
        Err(failure) => Err(failure),
    };
    match pulled {
        Ok(receipt) => {
            let place = match &card {
                Some(flag) => Link::to(["kill", flag]),
                None => Link::to(["kill"]),
            };
            let place = place.with("env", &visit.environment);
            let place = confirmation::link(place, &receipt, &asked.filled.incident);
            answer::go(&place)
        }
        Err(failure) => match &card {
            Some(flag) => show_card(&app, &visit, flag, asked, Told::Refused(failure)).await,
            None => choose(&app, &visit, asked, Told::Refused(failure)).await,
        },
    }
}

/// The flag of the card that the form is on.
fn card(form: &Form) -> Option<&str> {
    form.is_ticked("card").then(|| form.get("flag"))
}

async fn kill(
    app: &App,
    visit: &Visit,
    environment: &str,
    form: &Form,
    asked: &Asked,
) -> Result<admin::Receipt, Failure> {
    let wanted = admin::Kill {
        flags: asked.flags.iter().cloned().collect(),
        owner: asked.owner.clone(),
        tag: asked.tag.clone(),
        why: form.why(),
    };
    if wanted.flags.is_empty() && wanted.owner.is_none() && wanted.tag.is_none() {
        return Err(Failure::invalid(
            "flag",
            "no flag was ticked, and nothing was closed: tick those to close and pull again",
        ));
    }
    lever::kill(app, visit, environment, wanted, form.kill()?).await
}

/// What a page has to tell beside its levers.
enum Told {
    /// What became of the change that its address names.
    ByAddress,
    /// Why what was asked for was not done.
    Refused(Failure),
}

/// What was asked for, by an address or by a form.
#[derive(Debug, Default)]
struct Asked {
    flags: BTreeSet<String>,
    owner: Option<String>,
    tag: Option<String>,
    is_recent: bool,
    search: String,
    filled: Filled,
}

impl Asked {
    fn of_address(visit: &Visit) -> Self {
        let some = |name: &str| visit.parameter(name);
        Self {
            flags: visit.parameters("flag").take(KILL_TICKS_MAX).collect(),
            owner: some("owner"),
            tag: some("tag"),
            is_recent: some("recent").is_some(),
            search: some("q").unwrap_or_default(),
            filled: Filled {
                chip: some("chip").unwrap_or_default(),
                reason: some("reason").unwrap_or_default(),
                incident: some("inc").unwrap_or_default(),
            },
        }
    }

    fn of_form(form: &Form) -> Self {
        let flags = form.all("flag").filter(|key| !key.is_empty());
        Self {
            flags: flags.map(str::to_owned).collect(),
            owner: form.some("owner"),
            tag: form.some("tag"),
            is_recent: form.is_ticked("recent"),
            search: String::new(),
            filled: Filled {
                chip: form.get("chip").to_owned(),
                reason: form.get("reason").to_owned(),
                incident: form.get("incident").to_owned(),
            },
        }
    }

    /// The page with all of this filled in, as far as an address may be long.
    fn address(&self, environment: Option<&str>, card: Option<&str>) -> Link {
        let filled = |place: Link| {
            place
                .with_some("env", environment)
                .with_some("inc", Some(&self.filled.incident))
                .with_some("chip", Some(&self.filled.chip))
                .with_some("reason", Some(&self.filled.reason))
        };
        if let Some(flag) = card {
            return filled(Link::to(["kill", flag]));
        }
        let bare = filled(Link::to(["kill"]))
            .with_some("owner", self.owner.as_ref())
            .with_some("tag", self.tag.as_ref());
        let ticked = |place: Link, flag: &String| place.with("flag", flag);
        let whole = self.flags.iter().fold(bare.clone(), ticked);
        // Some of the ticks would be worse than none.
        match whole.location().len() <= NEXT_BYTES_MAX {
            true => whole,
            false => bare,
        }
    }

    fn choice(&self) -> Selected {
        match (&self.owner, &self.tag) {
            (Some(owner), _) => Selected::Owner(owner.clone()),
            (None, Some(tag)) => Selected::Tag(tag.clone()),
            (None, None) if self.is_recent => Selected::Recent,
            (None, None) => Selected::Ticked,
        }
    }
}

/// The page on which flags are chosen.
async fn choose(app: &App, visit: &Visit, asked: Asked, told: Told) -> Response {
    let (pulled, failure) = match told {
        Told::Refused(failure) => (None, Some(failure)),
        Told::ByAddress => match confirmation::asked(app, visit).await {
            Ok(pulled) => (pulled, None),
            Err(failure) => (None, Some(failure)),
        },
    };
    let state = app.node().state();
    let found = match pulled {
        Some(_) => Found::default(),
        None => Found::of(app, &state, visit, &asked),
    };
    let mut shell = visit.shell(app, Place::Kill, format!("Kill in {}", visit.environment));
    shell.refresh_s = pulled.as_ref().and_then(Pulled::refresh_s);
    shell.failing = failure.as_ref().map(|why| Failing::from(why.problem()));
    let page = Kill {
        shell,
        choice: asked.choice(),
        search: asked.search,
        rows: found.rows,
        matching: found.matching,
        not_closed: found.not_closed,
        filled: asked.filled,
        barred: barred(visit, None),
        freeze: freeze(app, visit),
        pulled,
    };
    match failure {
        Some(failure) => answer::page_with(failure.status(), &page),
        None => answer::page(&page),
    }
}

/// The card of one flag.
async fn show_card(app: &App, visit: &Visit, key: &str, asked: Asked, told: Told) -> Response {
    let state = app.node().state();
    let Some(flag) = state.flag(key).filter(|flag| !flag.is_archived) else {
        // Whoever comes by a link that is wrong finds the right one below.
        let search = Asked {
            search: key.chars().take(SEARCH_CHARS).collect(),
            filled: asked.filled,
            ..Asked::default()
        };
        let missing = Failure::not_found("flag", key);
        return Box::pin(choose(app, visit, search, Told::Refused(missing))).await;
    };
    let (pulled, failure) = match told {
        Told::Refused(failure) => (None, Some(failure)),
        Told::ByAddress => match confirmation::asked(app, visit).await {
            Ok(pulled) => (pulled, None),
            Err(failure) => (None, Some(failure)),
        },
    };
    let title = format!("Kill {key} in {}", visit.environment);
    let mut shell = visit.shell(app, Place::Kill, title);
    shell.refresh_s = pulled.as_ref().and_then(Pulled::refresh_s);
    shell.failing = failure.as_ref().map(|why| Failing::from(why.problem()));
    let lever = lever_view(&state, flag, visit.environment.as_str());
    let page = KillFlag {
        shell,
        errors: errors::of_flag(app, visit, &lever).await,
        lever,
        definition: definition_view(&flag.definition),
        harm: harm(flag, visit),
        filled: asked.filled,
        barred: barred(visit, Some(key)),
        freeze: freeze(app, visit),
        pulled,
    };
    match failure {
        Some(failure) => answer::page_with(failure.status(), &page),
        None => answer::page(&page).into_response(),
    }
}

/// How much of a key that there is not is searched for.
const SEARCH_CHARS: usize = 6;

/// Why this visitor may not pull. The command asks again.
pub(super) fn barred(visit: &Visit, flag: Option<&str>) -> Option<String> {
    if let Err(failure) = visit.permit(&Permission::Change) {
        return Some(failure.detail().to_owned());
    }
    flag.filter(|flag| !visit.token().allows_key(flag))
        .map(|flag| format!("this token is not for the flag {flag}"))
}

/// The freeze that holds now.
pub(super) fn freeze(app: &App, visit: &Visit) -> Option<admin::Freeze> {
    let (state, now) = (app.node().state(), app.node().wall_now());
    state
        .freeze(visit.environment.as_str(), now)
        .map(freeze_view)
}

/// What closing does to those who have it, where it is open further than it can be closed without harm.
fn harm(flag: &Flag, visit: &Visit) -> Option<String> {
    let closing = flag.definition.unsafe_closing.as_ref()?;
    let is_beyond = match flag.position(visit.environment.as_str()) {
        Position::Open { exposure } => exposure.percentage > closing.after,
        Position::Pinned { variant } => *variant != flag.definition.closed,
        Position::Closed { .. } => false,
    };
    is_beyond.then(|| closing.to_string())
}

/// The levers to choose from.
#[derive(Debug, Default)]
struct Found {
    rows: Vec<Row>,
    matching: usize,
    not_closed: usize,
}

impl Found {
    fn of(app: &App, state: &Fold, visit: &Visit, asked: &Asked) -> Self {
        let environment = visit.environment.as_str();
        let now = app.node().wall_now();
        let search = asked.search.to_lowercase();
        let mut found: Vec<(Group, Reverse<u64>, &Arc<Flag>)> = state
            .flags()
            .filter(|flag| !flag.is_archived && !flag.is_internal())
            .filter(|flag| search.is_empty() || says(&flag.definition, &search))
            .filter_map(|flag| {
                let definition = &flag.definition;
                let is_of_owner = asked
                    .owner
                    .as_ref()
                    .is_none_or(|one| *one == definition.owner);
                let is_tagged = asked
                    .tag
                    .as_ref()
                    .is_none_or(|one| definition.tags.contains(one));
                let lever = flag.lever(environment);
                let age_ms = lever.map(|lever| now.ms_since(lever.moved_at));
                let is_open = !flag.position(environment).is_closed();
                let is_recent = is_open && age_ms.is_some_and(|age| age <= RECENT_MS);
                if !is_of_owner || !is_tagged || (asked.is_recent && !is_recent) {
                    return None;
                }
                let group = match age_ms {
                    _ if asked.flags.contains(flag.key().as_str()) => Group::Ticked,
                    Some(age) if age <= JUST_MOVED_MS => Group::JustMoved,
                    _ if is_open => Group::NotAtRest,
                    _ => Group::AtRest,
                };
                let moved = match group {
                    Group::AtRest => 0,
                    _ => lever.map_or(0, |lever| lever.moved_revision),
                };
                Some((group, Reverse(moved), flag))
            })
            .collect();
        // By key within each, which is how they came.
        found.sort_by_key(|(group, moved, _)| (*group, *moved));
        let is_ticked = |key: &str| match asked.flags.is_empty() {
            true => asked.is_recent,
            false => asked.flags.contains(key),
        };
        let most = match asked.is_recent || !asked.flags.is_empty() {
            true => KILL_TICKS_MAX,
            false => KILL_ROWS_MAX,
        };
        let token = visit.token();
        let row = |(group, _, flag): &(Group, Reverse<u64>, &Arc<Flag>)| Row {
            is_allowed: token.allows_key(flag.key().as_str()),
            lever: lever_view(state, flag, environment),
            owner: flag.definition.owner.clone(),
            description: flag.definition.description.clone(),
            tags: flag.definition.tags.iter().cloned().collect(),
            group: *group,
            is_ticked: is_ticked(flag.key().as_str()),
        };
        let not_closed = |(_, _, flag): &&(Group, Reverse<u64>, &Arc<Flag>)| {
            !flag.position(environment).is_closed()
        };
        Self {
            matching: found.len(),
            not_closed: found.iter().filter(not_closed).count(),
            rows: found.iter().take(most).map(row).collect(),
        }
    }
}
