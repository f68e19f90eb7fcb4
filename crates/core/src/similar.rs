//! "Did you mean": the nearest of the names that exist.

use crate::limit::SIMILAR_NAMES_MAX;

/// The name nearest to `wanted` by at most two edits, if there is one. A letter in the other case is
/// the same letter.
pub(crate) fn similar<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    names
        .take(SIMILAR_NAMES_MAX)
        .filter_map(|name| Some((edits(wanted.as_bytes(), name.as_bytes())?, name)))
        .min()
        .map(|(_, name)| name.to_owned())
}

/// How many letters have to be changed, added or left out, if at most two and less than half.
fn edits(left: &[u8], right: &[u8]) -> Option<usize> {
    let most = 2.min(left.len().max(right.len()) / 2);
    if left.len().abs_diff(right.len()) > most {
        return None;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.iter().enumerate() {
        let mut diagonal = index;
        let mut best = index + 1;
        let mut before = index + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(right) {
            let here = (diagonal + usize::from(!letter.eq_ignore_ascii_case(other)))
                .min(*cell + 1)
                .min(before + 1);
            diagonal = *cell;
            *cell = here;
            before = here;
            best = best.min(here);
        }
        if best > most {
            return None;
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    row.last().copied().filter(|edits| *edits <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_nearest_name_and_nothing_far_away() {
        let names = ["new-checkout", "new-checkin", "img-quality", "ab"];
        let near = |wanted: &str| similar(wanted, names.into_iter());
        assert_eq!(near("new-chekout"), Some("new-checkout".to_owned()));
        assert_eq!(near("new-checkou"), Some("new-checkout".to_owned()));
        assert_eq!(near("nwe-checkin"), Some("new-checkin".to_owned()));
        assert_eq!(near("img-quality"), Some("img-quality".to_owned()));
        assert_eq!(near("NEW-Checkout"), Some("new-checkout".to_owned()));
        assert_eq!(near("checkout"), None);
        assert_eq!(near("xy"), None, "two letters share nothing with it");
        assert_eq!(near(""), None);
    }
}
