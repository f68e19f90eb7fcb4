//! Whether the journal is as it was written: reads it all, changes nothing.

use axum::extract::State;
use axum::response::Response;
use leverframe_console::{Failing, Place, page};

use crate::admin::journal;
use crate::app::App;
use crate::console::answer;
use crate::console::visit::Visit;
use crate::problem::Failure;

pub(super) async fn verify(visit: Visit, State(app): State<App>) -> Result<Response, Failure> {
    let verified = journal::verified(&app, &visit).await;
    let mut shell = visit.shell(&app, Place::Audit, "The journal, verified");
    // The address of this page is that of the form.
    shell.is_live = false;
    let (status, verification) = match verified {
        Ok(verification) => (axum::http::StatusCode::OK, Some(verification)),
        Err(failure) if failure.status().is_server_error() => {
            shell.failing = Some(Failing::from(failure.problem()));
            (failure.status(), None)
        }
        Err(failure) => return Err(failure),
    };
    let page = page::Verified {
        shell,
        verification,
    };
    Ok(answer::page_with(status, &page))
}
