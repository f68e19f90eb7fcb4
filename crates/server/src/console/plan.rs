//! Plans, to look at.

use axum::extract::State;
use axum::response::Response;
use leverframe_console::{Place, page};

use super::visit::Visit;
use super::{Pages, answer, listed};
use crate::admin::plan;
use crate::app::App;
use crate::limit::ROLLOUTS_SHOWN;
use crate::problem::Failure;
use crate::request::Path;

pub(super) fn pages() -> Pages {
    listed! {
        get "/plans" => list;
        get "/plans/{plan}" => show;
    }
}

async fn list(visit: Visit, State(app): State<App>) -> Result<Response, Failure> {
    let after = visit.parameter("after");
    Ok(answer::page(&page::Plans {
        shell: visit.shell(&app, Place::Rollouts, "Plans"),
        plans: plan::list(&app, &visit, after.as_deref(), ROLLOUTS_SHOWN)?,
    }))
}

async fn show(
    visit: Visit,
    State(app): State<App>,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    let plan = plan::one(&app, &visit, &key)?;
    Ok(answer::page(&page::Plan {
        shell: visit.shell(&app, Place::Rollouts, format!("Plan {key}")),
        plan,
    }))
}
