//! Who follows an environment.

use axum::extract::State;
use axum::response::Response;
use leverframe_console::{Place, page};

use super::visit::Visit;
use super::{Pages, answer, listed};
use crate::admin::fleet;
use crate::app::App;
use crate::problem::Failure;

pub(super) fn pages() -> Pages {
    listed! {
        get "/fleet" => show;
    }
}

async fn show(visit: Visit, State(app): State<App>) -> Result<Response, Failure> {
    let environment = visit.environment.as_str();
    Ok(answer::page(&page::Fleet {
        shell: visit.shell(&app, Place::Fleet, "Fleet"),
        fleet: fleet::everybody(&app, &visit, environment)?,
        confirmation: fleet::newest(&app, &visit, environment)?,
        search: visit.parameter("q").unwrap_or_default(),
        only_behind: visit.parameter("behind").is_some(),
    }))
}
