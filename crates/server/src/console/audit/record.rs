//! One record.

use axum::extract::State;
use axum::response::Response;
use leverframe_console::{Place, page};
use leverframe_core::access::Permission;

use crate::admin::journal;
use crate::app::App;
use crate::console::answer;
use crate::console::visit::Visit;
use crate::problem::Failure;
use crate::request::Path;

pub(super) async fn show(
    visit: Visit,
    State(app): State<App>,
    Path(revision): Path<String>,
) -> Result<Response, Failure> {
    // As people write it, too.
    let number = revision.strip_prefix('r').unwrap_or(&revision).parse();
    let number = number.map_err(|_| Failure::not_found("revision", &revision))?;
    let whole = journal::whole(&app, &visit, number).await?;
    Ok(answer::page(&page::Record {
        shell: visit.shell(&app, Place::Audit, format!("Record r{number}")),
        may_undo: visit.permit(&Permission::Change).is_ok(),
        whole,
    }))
}
