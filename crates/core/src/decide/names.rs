//! Names in messages: enough of them, never a page.

use std::fmt::Display;

use crate::limit::NAMES_IN_MESSAGE_MAX;

/// `a, b, c and 4 more`.
pub(super) fn listed(names: impl IntoIterator<Item = impl Display>) -> String {
    let mut names = names.into_iter();
    let shown: Vec<String> = names
        .by_ref()
        .take(NAMES_IN_MESSAGE_MAX)
        .map(|name| name.to_string())
        .collect();
    let text = shown.join(", ");
    match names.count() {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}
