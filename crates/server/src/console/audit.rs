//! What changed: the journal as pages.

mod csv;
mod export;
mod range;
mod record;
mod verify;

use axum::extract::State;
use axum::response::Response;
use leverframe_console::{Failing, Place, page};
use leverframe_wire::admin::JournalPage;

use super::visit::{Visit, now};
use super::{Pages, answer, listed};
use crate::admin::journal::{self, Wanted};
use crate::app::App;
use crate::problem::Failure;

/// How many records are on a page.
const RECORDS: usize = 50;

pub(super) fn pages() -> Pages {
    listed! {
        get "/audit" => show;
        get "/audit/export" => export::export;
        post "/audit/verify" => verify::verify;
        get "/audit/{revision}" => record::show;
    }
}

async fn show(visit: Visit, State(app): State<App>) -> Result<Response, Failure> {
    let filter = filter(&visit);
    let found = match wanted(&visit, &app, &filter) {
        Ok(wanted) => journal::list(&app, &visit, &wanted).await,
        Err(failure) => Err(failure),
    };
    let mut shell = visit.shell(&app, Place::Audit, "Audit");
    let (status, found) = match found {
        Ok(found) => (axum::http::StatusCode::OK, found),
        // What was typed stays, for whoever corrects it.
        Err(failure) if failure.problem().field.is_some() => {
            shell.failing = Some(Failing::from(failure.problem()));
            let nothing = JournalPage {
                records: Vec::new(),
                next: None,
            };
            (failure.status(), nothing)
        }
        Err(failure) => return Err(failure),
    };
    let audit = page::Audit {
        shell,
        found,
        filter,
        size: RECORDS,
    };
    Ok(answer::page_with(status, &audit))
}

/// What the address asks for.
fn filter(visit: &Visit) -> page::AuditFilter {
    let text = |name| visit.parameter(name).unwrap_or_default();
    page::AuditFilter {
        flag: text("flag"),
        actor: text("actor"),
        range: text("range"),
        since: text("since"),
        until: text("until"),
        is_everywhere: visit.parameter("all").is_some(),
        before: visit
            .parameter("before")
            .and_then(|revision| revision.trim_start_matches('r').parse().ok()),
    }
}

/// The same as the API would be asked.
fn wanted(visit: &Visit, app: &App, filter: &page::AuditFilter) -> Result<Wanted, Failure> {
    let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let (since, until) = range::of(filter, now(app))?;
    Ok(Wanted {
        since,
        until,
        flag: some(&filter.flag),
        environment: (!filter.is_everywhere).then(|| visit.environment.to_string()),
        global: true,
        actor: some(&filter.actor),
        before: filter.before,
        limit: Some(RECORDS),
    })
}
