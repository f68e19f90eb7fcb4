//! Lists by pages: sorted by key, the next page begins after the last key of this one.

use crate::limit::{PAGE_DEFAULT, PAGE_MAX};
use crate::problem::Failure;

/// How many are on a page.
pub(super) fn size(asked: Option<usize>) -> Result<usize, Failure> {
    match asked {
        None => Ok(PAGE_DEFAULT),
        Some(size @ 1..=PAGE_MAX) => Ok(size),
        Some(_) => Err(Failure::invalid(
            "limit",
            format!("a page has 1 to {PAGE_MAX} entries"),
        )),
    }
}

/// One page out of sorted items, and the key to ask the next one with.
pub(super) fn cut<T, K: AsRef<str>>(
    items: impl Iterator<Item = T>,
    after: Option<&str>,
    size: usize,
    key: impl Fn(&T) -> K,
) -> (Vec<T>, Option<String>) {
    let mut rest = items.skip_while(|item| after.is_some_and(|after| key(item).as_ref() <= after));
    let page: Vec<T> = rest.by_ref().take(size).collect();
    let next = rest
        .next()
        .and_then(|_| page.last())
        .map(|last| key(last).as_ref().to_owned());
    (page, next)
}
