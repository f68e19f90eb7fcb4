//! An edit that is decided and not stored, for the page that shows what it would change.

use leverframe_node::Accepted;
use leverframe_wire::admin::Why;

use super::form::Form;
use crate::problem::Failure;
use crate::request::Change;

/// The reason that is given to find out whether anything but a reason is missing.
const REASON: &str = "looked at in the console";

/// What came of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tried {
    /// A guarded environment asks for a reason.
    pub(super) is_opening: bool,
    /// It is so already.
    pub(super) is_unchanged: bool,
}

/// Has an edit decided. Whether it is an opening that needs a reason is found out by giving none first.
pub(super) async fn tried<A>(
    form: &Form,
    attempt: impl Fn(Change<()>, Why) -> A,
) -> Result<Tried, Failure>
where
    A: Future<Output = Result<Accepted, Failure>>,
{
    let without = attempt(form.change()?.dry(), Why::default()).await;
    let is_opening = match without {
        Ok(accepted) => {
            return Ok(Tried {
                is_opening: false,
                is_unchanged: accepted.unchanged,
            });
        }
        Err(failure) if failure.problem().code == "reason-required" => true,
        Err(failure) => return Err(failure),
    };
    let why = Why {
        reason: Some(REASON.to_owned()),
        incident: None,
    };
    attempt(form.change()?.dry(), why).await?;
    Ok(Tried {
        is_opening,
        is_unchanged: false,
    })
}
