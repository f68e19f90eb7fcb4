//! The console: pages for browsers over the same node and by the same functions as the admin API.
//!
//! A handler here gathers what a page shows and hands it to `leverframe_console`, or turns a form into
//! the request that the API would have got. It decides nothing.

mod answer;
mod asset;
mod audit;
mod confirmation;
mod day;
mod definition;
mod errors;
mod evaluation;
mod flag;
mod flags;
mod fleet;
mod form;
mod freeze;
mod kill;
mod launch;
mod lever;
mod live;
mod now;
mod own_path;
mod plan;
mod pulse;
mod rollout;
mod rollouts;
mod rules;
mod segment;
mod session;
mod settings;
mod sign_in;
mod stored;
mod tabs;
mod trial;
mod undo;
mod visit;

use axum::Router;

use crate::app::App;

pub(crate) use answer::for_people;
pub(crate) use day::Days;
pub(crate) use errors::ErrorsTurns;
pub(crate) use pulse::Pulse;
pub(crate) use tabs::Tabs;

/// Pages with their addresses, which the tests of access go through.
pub(crate) struct Pages {
    pub(crate) router: Router<App>,
    pub(crate) listed: Vec<(&'static str, &'static str)>,
}

impl Pages {
    fn new() -> Self {
        Self {
            router: Router::new(),
            listed: Vec::new(),
        }
    }

    fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.listed.extend(other.listed);
        self
    }
}

/// Pages and forms that demand somebody who is signed in: a handler that does not begin with
/// [`visit::Visit`] or [`session::Signed`] does not compile here.
macro_rules! listed {
    ($($method:ident $path:literal => $handler:path;)+) => {{
        $(crate::auth::demands_token(&$handler);)+
        $crate::console::Pages {
            router: axum::Router::new()$(.route($path, axum::routing::$method($handler)))+,
            listed: vec![$((stringify!($method), $path)),+],
        }
    }};
}
use listed;

/// What is answered to somebody who is not signed in; `why` is for whoever reads the code.
macro_rules! unlisted {
    ($why:literal; $($method:ident $path:literal => $handler:path;)+) => {{
        let _: &str = $why;
        axum::Router::new()$(.route($path, axum::routing::$method($handler)))+
    }};
}
use unlisted;

/// Every page that demands somebody.
pub(crate) fn pages() -> Pages {
    Pages::new()
        .merge(visit::pages())
        .merge(live::pages())
        .merge(fleet::pages())
        .merge(audit::pages())
        .merge(now::pages())
        .merge(kill::pages())
        .merge(flags::pages())
        .merge(flag::pages())
        .merge(settings::pages())
        .merge(definition::pages())
        .merge(rules::pages())
        .merge(plan::pages())
        .merge(launch::pages())
        .merge(rollouts::pages())
        .merge(rollout::pages())
        .merge(segment::pages())
        .merge(lever::pages())
        .merge(freeze::pages())
        .merge(undo::pages())
}

/// Everything the console answers.
pub(crate) fn routes() -> Router<App> {
    pages()
        .router
        .merge(asset::routes())
        .merge(sign_in::routes())
}
