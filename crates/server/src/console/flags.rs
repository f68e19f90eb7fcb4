//! The list of flags.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use leverframe_console::page::{self, FlagSearch};
use leverframe_console::word::{KINDS, LEVER_STATES, Word, named};
use leverframe_console::{Failing, Place};
use leverframe_wire::admin::FlagList;

use super::visit::Visit;
use super::{Pages, answer, listed};
use crate::admin::flag::{self, Found, Wanted};
use crate::app::App;
use crate::problem::Failure;

/// The one state that is the flag's and not its lever's.
const ARCHIVED: &str = "archived";

pub(super) fn pages() -> Pages {
    listed! {
        get "/flags" => show;
    }
}

async fn show(visit: Visit, State(app): State<App>) -> Response {
    let part = |name: &str| visit.parameter(name).unwrap_or_default();
    let search = FlagSearch {
        q: part("q"),
        owner: part("owner"),
        kind: part("kind"),
        tag: part("tag"),
        state: part("state"),
        after: part("after"),
    };
    let found = wanted(&visit, &search).and_then(|wanted| flag::list(&app, &visit, &wanted));
    let mut shell = visit.shell(&app, Place::Flags, "Flags");
    let (status, found) = match found {
        Ok(found) => (StatusCode::OK, found),
        Err(failure) => {
            shell.failing = Some(Failing::from(failure.problem()));
            (failure.status(), nothing())
        }
    };
    let page = page::Flags {
        shell,
        flags: found.page,
        matching: found.matching,
        search,
        is_editor: visit.is_editor(),
    };
    answer::page_with(status, &page)
}

fn nothing() -> Found {
    Found {
        page: FlagList {
            flags: Vec::new(),
            next: None,
        },
        matching: 0,
    }
}

/// The search as the API would have got it.
fn wanted(visit: &Visit, search: &FlagSearch) -> Result<Wanted, Failure> {
    let some = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let is_archived = search.state == ARCHIVED;
    let state = match is_archived {
        true => None,
        false => chosen("state", &LEVER_STATES, &search.state)?,
    };
    Ok(Wanted {
        q: some(&search.q),
        owner: some(&search.owner),
        tag: some(&search.tag),
        kind: chosen("kind", &KINDS, &search.kind)?,
        state,
        environment: Some(visit.environment.to_string()),
        archived: is_archived,
        after: some(&search.after),
        ..Wanted::default()
    })
}

/// What a name of the address means; nothing where there is none.
pub(super) fn chosen<T: Copy>(
    field: &str,
    words: &[Word<T>],
    name: &str,
) -> Result<Option<T>, Failure> {
    if name.is_empty() {
        return Ok(None);
    }
    named(words, name).map(Some).ok_or_else(|| {
        let names: Vec<&str> = words.iter().map(|word| word.name).collect();
        let why = format!(
            "there is no {field} {name:?}; there are {}",
            names.join(", ")
        );
        Failure::invalid(field, why)
    })
}
