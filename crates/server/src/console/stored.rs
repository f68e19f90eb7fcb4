//! What came of a form, told by the address that it leads to and believed as far as it is true.

use leverframe_console::effect::Preview;
use leverframe_console::{Link, Stored};
use leverframe_node::Accepted;

use super::visit::Visit;

/// What came of a form that shows what it would change before it is stored.
pub(super) enum Came {
    Stored(Accepted),
    Preview(Preview),
}

/// A page that says what came of a form.
pub(super) fn telling(page: Link, accepted: &Accepted) -> Link {
    page.with("r", accepted.receipt.revision)
        .with_some("same", accepted.unchanged.then_some(1))
}

/// What the address tells, if its revision is one of what the page shows.
pub(super) fn told(visit: &Visit, is_of_this: impl FnOnce(u64) -> bool) -> Option<Stored> {
    let revision = visit.parameter("r")?.parse().ok()?;
    is_of_this(revision).then(|| Stored {
        revision,
        is_unchanged: visit.parameter("same").is_some(),
    })
}
