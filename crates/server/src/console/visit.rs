//! Somebody who looks at a page: who, at which environment, and what is around the page.

use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use axum::response::Response;
use leverframe_console::{Choice, Link, Place, Shell};
use leverframe_core::Timestamp;
use leverframe_core::access::{Permission, Role};
use leverframe_flags::EnvironmentKey;
use leverframe_node::Brake;

use super::form::fresh_key;
use super::session::Signed;
use super::{Pages, answer, listed};
use crate::app::App;
use crate::auth::DemandsToken;
use crate::problem::Failure;

pub(super) fn pages() -> Pages {
    listed! {
        get "/" => home;
    }
}

/// The first page.
async fn home(visit: Visit) -> Response {
    answer::go(&Link::to(["now"]).with("env", &visit.environment))
}

/// Somebody who looks at a page. Changes nothing; a form begins with it as well.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    who: Signed,
    /// The environment of `?env=`; without one, the first that is guarded.
    pub(super) environment: EnvironmentKey,
    uri: Uri,
}

impl Deref for Visit {
    type Target = Signed;

    fn deref(&self) -> &Signed {
        &self.who
    }
}

impl DemandsToken for Visit {}

impl FromRequestParts<App> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        use axum::response::IntoResponse;

        let who = Signed::from_request_parts(parts, app).await?;
        let wanted = parameter(&parts.uri, "env");
        let environment = match wanted {
            Some(key) => who
                .permit_environment(app, &key, Permission::ReadEnvironment)
                .map_err(IntoResponse::into_response)?,
            None => home_environment(app, &who).ok_or_else(|| {
                Failure::new("denied", "this token is for no environment that there is")
                    .into_response()
            })?,
        };
        Ok(Self {
            who,
            environment,
            uri: parts.uri.clone(),
        })
    }
}

impl Visit {
    /// What is around a page that this visitor sees.
    pub(super) fn shell(&self, app: &App, place: Place, title: impl Into<String>) -> Shell {
        let state = app.node().state();
        let mut shell = Shell::bare(title, now(app));
        shell.place = Some(place);
        shell.environment = self.environment.to_string();
        shell.is_guarded = state
            .environment(self.environment.as_str())
            .is_some_and(|entry| entry.environment.guarded);
        shell.environments = self.environments(app);
        shell.who = self.token().name.to_string();
        shell.role = self.token().role.as_str().to_owned();
        shell.revision = state.revision();
        shell.alarms = app
            .node()
            .brakes()
            .iter()
            .filter(|brake| self.token().allows_environment(brake.environment.as_str()))
            .map(Brake::sentence)
            .collect();
        shell.is_live = true;
        shell.idempotency = fresh_key();
        shell
    }

    /// The environment that the address names: where something is to change, none is guessed.
    ///
    /// # Errors
    /// 400 when it names none.
    pub(super) fn named_environment(&self) -> Result<&EnvironmentKey, Failure> {
        match self.parameter("env") {
            Some(_) => Ok(&self.environment),
            None => Err(Failure::bad_request(
                "the form does not say in which environment; load the page anew",
            )),
        }
    }

    /// Whether forms that make and edit things are shown. Whether it may be done is decided with the
    /// command.
    pub(super) fn is_editor(&self) -> bool {
        self.token().role >= Role::Operator
    }

    /// Whether forms that edit a flag are shown. Whether it may be edited is decided with the command.
    pub(super) fn may_edit(&self, flag: &str) -> bool {
        self.is_editor() && self.token().allows_key(flag)
    }

    /// Goes on only to a page that is of no use to anybody else.
    pub(super) fn demand_editor(&self, flag: &str) -> Result<(), Failure> {
        self.permit(&Permission::Change)?;
        let token = self.token();
        match self.is_editor() {
            true if flag.is_empty() || token.allows_key(flag) => Ok(()),
            true => Err(Failure::new(
                "denied",
                format!("this token is not for the flag {flag}"),
            )),
            false => Err(Failure::new(
                "denied",
                format!(
                    "to edit takes a token of role operator or above; this one is of role {}",
                    token.role
                ),
            )),
        }
    }

    /// A parameter of the page's address; none when it is empty.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        parameter(&self.uri, name)
    }

    /// Every parameter of a name, such as the boxes that were ticked; those that are empty are none.
    pub(super) fn parameters(&self, name: &str) -> impl Iterator<Item = String> {
        form_urlencoded::parse(self.uri.query().unwrap_or("").as_bytes())
            .filter(move |(known, value)| known == name && !value.is_empty())
            .map(|(_, value)| value.into_owned())
    }

    /// The same page for each environment that this visitor may see.
    fn environments(&self, app: &App) -> Vec<Choice> {
        let state = app.node().state();
        let here = |key: &str| {
            let path = self.uri.path().split('/').filter(|part| !part.is_empty());
            // Already encoded; what people put into paths are keys, which need none.
            let mut link = Link::to(path);
            for (name, value) in form_urlencoded::parse(self.uri.query().unwrap_or("").as_bytes()) {
                // A place in one environment's history is none in another's, nor is an incident.
                let is_of_one = matches!(
                    &*name,
                    "env" | "r" | "brake" | "same" | "inc" | "after" | "before"
                );
                if !is_of_one {
                    link = link.with(&name, value);
                }
            }
            link.with("env", key)
        };
        state
            .environments()
            .filter(|entry| {
                self.token()
                    .allows_environment(entry.environment.key.as_str())
            })
            .map(|entry| Choice {
                link: here(entry.environment.key.as_str()),
                words: entry.environment.key.to_string(),
                is_current: entry.environment.key == self.environment,
                is_guarded: entry.environment.guarded,
            })
            .collect()
    }

    /// What is around a page for whoever asks, signed in or not.
    pub(super) async fn shell_of(parts: &mut Parts, app: &App, title: &str) -> Shell {
        let seen = Self::from_request_parts(parts, app).await;
        match seen {
            Ok(visit) => {
                let mut shell = visit.shell(app, Place::Now, title);
                shell.place = None;
                shell.is_live = false;
                shell
            }
            Err(_) => Shell::bare(title, now(app)),
        }
    }
}

/// Now, as pages tell the time.
pub(super) fn now(app: &App) -> jiff::Timestamp {
    moment(app.node().wall_now())
}

fn moment(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.as_ms()).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// A parameter of an address; none when it is empty.
pub(super) fn parameter(uri: &Uri, name: &str) -> Option<String> {
    form_urlencoded::parse(uri.query()?.as_bytes())
        .find(|(known, value)| known == name && !value.is_empty())
        .map(|(_, value)| value.into_owned())
}

/// Where one looks first: where it matters most.
fn home_environment(app: &App, who: &Signed) -> Option<EnvironmentKey> {
    let state = app.node().state();
    let seen: Vec<_> = state
        .environments()
        .filter(|entry| {
            who.token()
                .allows_environment(entry.environment.key.as_str())
        })
        .collect();
    seen.iter()
        .find(|entry| entry.environment.guarded)
        .or(seen.first())
        .map(|entry| entry.environment.key.clone())
}
