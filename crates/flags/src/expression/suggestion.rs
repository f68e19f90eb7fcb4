//! What a person most likely meant.

/// The operators that are words.
pub(super) const OPERATORS: [&str; 11] = [
    "in",
    "not",
    "starts_with",
    "ends_with",
    "contains",
    "matches",
    "semver",
    "before",
    "after",
    "missing",
    "present",
];

/// Signs of other languages, longest first, and what to write instead.
const SIGNS: [(&str, &str); 9] = [
    ("===", "write `==`"),
    ("!==", "write `!=`"),
    ("=~", "write `matches`"),
    ("&&", "write `and` instead of `&&`"),
    ("||", "write `or` instead of `||`"),
    ("<>", "write `!=`"),
    ("=", "write `==` to compare"),
    ("!", "write `not` instead of `!`"),
    ("~", "write `matches`"),
];

/// Words of other languages, and what to write instead.
const WORDS: [(&str, &str); 16] = [
    ("is", "=="),
    ("eq", "=="),
    ("equals", "=="),
    ("ne", "!="),
    ("lt", "<"),
    ("gt", ">"),
    ("like", "matches"),
    ("regex", "matches"),
    ("has", "contains"),
    ("includes", "contains"),
    ("begins_with", "starts_with"),
    ("exists", "present"),
    ("absent", "missing"),
    ("sem_ver", "semver"),
    ("version", "semver"),
    ("within", "in"),
];

/// What to write instead of the sign at the start of `rest`, if it is one of another language.
pub(super) fn for_sign(rest: &str) -> Option<&'static str> {
    SIGNS
        .iter()
        .find(|(sign, _)| rest.starts_with(sign))
        .map(|(_, instead)| *instead)
}

/// The operator that `word` most likely stands for.
pub(super) fn for_operator(word: &str) -> Option<&'static str> {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['_', '-'], "");
    let wanted = plain(word);
    OPERATORS
        .iter()
        .find(|operator| plain(operator) == wanted)
        .or_else(|| {
            WORDS
                .iter()
                .find(|(other, _)| plain(other) == wanted)
                .map(|(_, operator)| operator)
        })
        .or_else(|| {
            OPERATORS
                .iter()
                .filter(|operator| operator.len() > 3)
                .find(|operator| is_near(&plain(operator), &wanted))
        })
        .copied()
}

/// Whether at most two letters were added, left out or changed.
fn is_near(left: &str, right: &str) -> bool {
    distance(left, right, 2) <= 2
}

/// The edit distance, or more than `left_to_spend` when it is larger than that.
fn distance(left: &str, right: &str, left_to_spend: usize) -> usize {
    let (mut a, mut b) = (left.chars(), right.chars());
    match (a.next(), b.next()) {
        (None, None) => 0,
        (None, Some(_)) => right.chars().count(),
        (Some(_), None) => left.chars().count(),
        (Some(x), Some(y)) if x == y => distance(a.as_str(), b.as_str(), left_to_spend),
        _ => {
            let Some(left_to_spend) = left_to_spend.checked_sub(1) else {
                return 1;
            };
            distance(a.as_str(), b.as_str(), left_to_spend)
                .min(distance(a.as_str(), right, left_to_spend))
                .min(distance(left, b.as_str(), left_to_spend))
                .saturating_add(1)
        }
    }
}
