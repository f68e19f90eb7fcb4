//! Globs over keys: `*` stands for any run of characters, everything else for itself.

/// Whether a text may be a glob over keys: a key's characters and `*`.
#[must_use]
pub fn is_glob(text: &str) -> bool {
    (1..=leverframe_flags::limit::KEY_BYTES_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._~-*".contains(&byte))
}

/// Whether `key` matches `glob`. Greedy with one step back, so never worse than quadratic.
pub(super) fn matches(glob: &str, key: &str) -> bool {
    let mut parts = glob.split('*');
    let Some(mut rest) = parts.next().and_then(|first| key.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(index) => rest = rest.get(index + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (glob, key, wanted) in [
            ("checkout", "checkout", true),
            ("checkout", "checkout-2", false),
            ("team-*", "team-pay", true),
            ("team-*", "team-", true),
            ("team-*", "a-team-pay", false),
            ("*-pay", "team-pay", true),
            ("*-pay", "team-pay-2", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "ac", false),
            ("a*a", "a", false),
            ("*", "", true),
            ("**", "x", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(glob, key), wanted, "{glob} on {key}");
        }
    }
}
